"""Calls of the document's operations in Python: their arguments, and how these are passed on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from openapi_python_client.parser.openapi import Endpoint, EndpointCollection
from openapi_python_client.parser.properties import Class
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.strings import PythonIdentifier

from .responses import Responses
from .schemas import fields_of, names_in, renamed, unique


class Calls(Responses):
    """Calls of the document's operations in Python: their arguments, and how these are passed on."""

    def items_argument(self, endpoint: Endpoint) -> str | None:
        """The argument for a list of the objects whose fields are the other keywords: `events` of `/s/events`."""
        if not any(self.one_or_many(body.prop) for body in endpoint.bodies):
            return None
        return str(PythonIdentifier(self.path_of(endpoint).rpartition("/")[2], "items"))

    def body_spec(self, endpoint: Endpoint) -> str:
        """The declaration of the body's type."""
        return self.nullable_kind_of(endpoint.bodies[0].prop, self.body_schema(endpoint))

    def parameter_spec(self, endpoint: Endpoint, prop: PropertyProtocol) -> str:
        """The declaration of a parameter, with its limits."""
        return self.argument_spec(prop, self.parameter_schema(endpoint, prop), self.parameter(endpoint, prop))

    def _for_urls_only(self, endpoint: Endpoint, prop: PropertyProtocol) -> bool:
        """Whether it is a secret in the query: the SDK never sends it, as it can send the header instead."""
        return prop in endpoint.query_parameters and self._is_password(self.parameter_schema(endpoint, prop))

    def _parameters_of_calls(self, endpoint: Endpoint) -> Iterator[PropertyProtocol]:
        for prop in (*endpoint.query_parameters, *endpoint.header_parameters):
            if not self._for_urls_only(endpoint, prop):
                yield prop

    def keywords(self, endpoint: Endpoint, *, flat: bool) -> list[PropertyProtocol]:
        """The keyword arguments: the body's fields, or the body itself, and the parameters outside the path.

        A field that has the name of a parameter is the same argument.
        """
        parameters = list(self._parameters_of_calls(endpoint))
        taken = {prop.python_name for prop in (*endpoint.path_parameters, *parameters)}
        model = self.body_model(endpoint)
        if not flat or model is None:
            return [*(body.prop for body in endpoint.bodies), *parameters]
        fields = [prop for prop in self.sent_fields(model) if prop.python_name not in taken]
        return [*fields, *parameters]

    def _argument(self, prop: PropertyProtocol, *, required: bool) -> str:
        type_ = self.argument_type(prop)
        if required:
            return f"{prop.python_name}: {type_}"
        if type_.endswith(" | None"):
            # The API distinguishes null from an absent field.
            return f"{prop.python_name}: {type_.removesuffix(' | None')} | Unset | None = UNSET"
        return f"{prop.python_name}: {type_}{'' if type_ == 'Any' else ' | None'} = None"

    def signature(self, endpoint: Endpoint) -> str:
        """The parameters of a function that calls an operation."""
        client = "AuthenticatedClient" if self.needs_key(endpoint) else "Client"
        keywords = [self._argument(prop, required=prop.required) for prop in self.keywords(endpoint, flat=False)]
        return ", ".join(
            [*self._in_path(endpoint), "*", f"client: {client}", *keywords, *self._pixel_argument(endpoint)]
        )

    def _pixel_argument(self, endpoint: Endpoint) -> list[str]:
        return ["allow_error_pixel: bool = False"] if self.has_error_pixel(endpoint) else []

    def method_signature(self, endpoint: Endpoint, prefix: str = "") -> str:
        """The parameters of a method that calls an operation."""
        keywords = self.keywords(endpoint, flat=True)
        items = self.items_argument(endpoint)
        options = [self._argument(prop, required=prop.required and not items) for prop in keywords]
        both = self.one_or_many(endpoint.bodies[0].prop) if items else None
        many = [f"{items}: {self.argument_type(both[1])} | None = None"] if both else []
        if self.pages_of(endpoint):
            # Async code uses tasks; threads are started only if prefetching is requested.
            options.append(f"prefetch: int = {1 if prefix else 0}")
        options += self._pixel_argument(endpoint)
        return _in_class(", ".join(["self", *self._in_path(endpoint), *many, *(["*", *options] if options else [])]))

    def url_signature(self, endpoint: Endpoint) -> str:
        """The parameters of a method that returns a URL."""
        options = [self._argument(prop, required=prop.required) for prop in endpoint.query_parameters]
        return ", ".join(["self", *self._in_path(endpoint), *(["*", *options] if options else [])])

    def wait_name(self, endpoint: Endpoint) -> str:
        """The name of the method that polls an operation until its result is final (`x-wait`); empty without one."""
        return str(self._calls[endpoint.name][1].get("x-wait", {}).get("name", ""))

    def wait_signature(self, endpoint: Endpoint, prefix: str = "") -> str:
        """The parameters of a method that waits."""
        result = _in_class(self.result_type(endpoint, prefix))
        keywords = [
            "timeout: float | None = None",
            f"on_progress: Callable[[{result}], object] | None = None",
            "poll_interval: float = 1.0",
        ]
        return ", ".join(["self", *self._in_path(endpoint), "*", *keywords])

    def wait_passed(self, endpoint: Endpoint) -> list[str]:
        """The arguments of a method that waits, as passed on."""
        path = [prop.python_name for prop in endpoint.path_parameters]
        return [*path, *(f"{name}={name}" for name in ("timeout", "on_progress", "poll_interval"))]

    def _in_path(self, endpoint: Endpoint) -> list[str]:
        return [self._argument(prop, required=True) for prop in endpoint.path_parameters]

    def passed(self, endpoint: Endpoint) -> list[str]:
        """The arguments of a function, as passed on."""
        passed = _passed([*endpoint.path_parameters, *self.keywords(endpoint, flat=False)])
        return passed + self._pixel_passed(endpoint)

    def _pixel_passed(self, endpoint: Endpoint) -> list[str]:
        return ["allow_error_pixel=allow_error_pixel"] if self.has_error_pixel(endpoint) else []

    def method_passed(self, endpoint: Endpoint) -> list[str]:
        """The arguments of a method, as passed on."""
        items = self.items_argument(endpoint)
        many = [f"{items}={items}"] if items else []
        passed = _passed([*endpoint.path_parameters, *self.keywords(endpoint, flat=True)])
        return many + passed + self._pixel_passed(endpoint)

    def url_passed(self, endpoint: Endpoint) -> list[str]:
        """The arguments of a method that returns a URL, as passed on."""
        return _passed([*endpoint.path_parameters, *endpoint.query_parameters])

    def method_result(self, endpoint: Endpoint, prefix: str = "") -> str:
        """The return type of a method that calls an operation."""
        if pages := self.pages_of(endpoint):
            return f"{prefix}Pager[{pages.item}, {pages.info}]"
        if self.job_of(endpoint):
            return f"{prefix}BatchJob"
        return _in_class(self.result_type(endpoint, prefix))

    def needs_key(self, endpoint: Endpoint) -> bool:
        """Whether the operation requires an API key."""
        schemes = self._document.get("components", {}).get("securitySchemes", {})
        wanted = self._calls[endpoint.name][1].get("security", [])
        return any(schemes.get(name, {}).get("scheme") == "bearer" for each in wanted for name in each)

    def classes_of_endpoint(self, endpoint: Endpoint) -> list[Class]:
        """The classes in a call's arguments and result, and those of its pages."""
        props = [*self._result_props(endpoint), *endpoint.list_all_parameters(), *self.keywords(endpoint, flat=True)]
        if self.pages_of(endpoint):
            props += fields_of(self._models[self.result_type(endpoint)])  # type: ignore[index]
        return unique(self.classes_of(props))

    def models_of_collection(self, collection: EndpointCollection) -> set[str]:
        """The names in `models` that the signatures of a tag use."""
        classes = {each.name for endpoint in collection.endpoints for each in self.classes_of_endpoint(endpoint)}
        return self.names_of_collection(collection) & (classes | {f"{name}Param" for name in classes})

    def names_of_collection(self, collection: EndpointCollection) -> set[str]:
        """All names in the signatures of a tag's resource."""
        signatures = [
            f"{self.method_signature(endpoint)} {self.method_result(endpoint)}" for endpoint in collection.endpoints
        ]
        signatures += [self.wait_signature(each) for each in collection.endpoints if self.wait_name(each)]
        return names_in(" ".join(signatures))

    def qualified(self, code: str, names: Iterable[str]) -> str:
        """Code in which these classes are attributes of `models`, which imports each on first use."""
        return renamed(code, {name: f"models.{name}" for name in names})


def _in_class(annotation: str) -> str:
    """The annotation for a class that may have a method `list`, which hides the type."""
    return renamed(annotation, {"list": "builtins.list"})


def _passed(props: list[PropertyProtocol]) -> list[str]:
    return [f"{prop.python_name}={prop.python_name}" for prop in props]
