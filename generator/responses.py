"""Types and readers of the responses of operations."""

from __future__ import annotations

from typing import Any

from openapi_python_client import schema as oai
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import Class, ModelProperty
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.responses import Response

from .navigation import UnsupportedError, parts_of, place_at
from .pages import Lists, status_of, successes
from .schemas import fields_of, plain, quoted, unique
from .value_types import union_of

_FILES = "; other media types of files are named in generator-config.yaml (`content_type_overrides`)"


class Responses(Lists):
    """Types and readers of the responses of operations."""

    def kind(self, endpoint: Endpoint) -> str:
        """The kind of a response: `json`, `file`, or `redirect`.

        Raises:
            UnsupportedError: If it is of another kind.
        """
        props = [response.prop for response in successes(endpoint)]
        if not props and any(self._location(response) for response in endpoint.responses.patterns):
            return "redirect"
        has_json = any("json" in name for response in successes(endpoint) for name in _media_types(response))
        if props and not has_json and all(isinstance(prop, FileProperty) for prop in props):
            return "file"
        if not props:
            raise UnsupportedError("it has no response with a single status of success")
        for response in successes(endpoint):
            if not _media_types(response):
                raise UnsupportedError(f"its response {response.status_code.pattern} has no JSON schema")
            if len(types := _media_types(response)) > 1:
                raise UnsupportedError(
                    f"its response {response.status_code.pattern} has several media types ({', '.join(types)}); leave "
                    "one of them, in an overlay"
                )
            if isinstance(response.prop, FileProperty) or "json" not in _media_types(response)[0]:
                raise UnsupportedError(
                    f"its response {response.status_code.pattern} is neither only JSON nor only a file{_FILES}"
                )
        return "json"

    @staticmethod
    def _location(response: Response) -> bool:
        named = response.data.headers if isinstance(response.data, oai.Response) else None
        return 300 <= status_of(response) < 400 and any(name.lower() == "location" for name in map(plain, named or {}))

    def accept(self, endpoint: Endpoint) -> str:
        """The media types of a successful response."""
        return ", ".join(dict.fromkeys(name for response in successes(endpoint) for name in _media_types(response)))

    def _wrapped(self, prop: PropertyProtocol) -> PropertyProtocol | None:
        """The property that an object wraps; None if it is more than a wrapper."""
        if not isinstance(prop, ModelProperty) or self.is_mapping(prop):
            return None
        fields = fields_of(self._models[prop.class_info.name])
        return fields[0] if len(fields) == 1 and not self._nullable(fields[0])[1] else None

    def _results(self, endpoint: Endpoint) -> list[tuple[Response, PropertyProtocol, str | None]]:
        """The successful responses: the type of the result, and the name of its wrapper if it has one."""
        found: list[tuple[Response, PropertyProtocol, str | None]] = []
        for response in successes(endpoint):
            prop: PropertyProtocol = response.prop
            wrapped = None if self.pages_of(endpoint) else self._wrapped(prop)
            if wrapped is None:
                found.append((response, prop, None))
            else:
                found.append((response, wrapped, wrapped.name.get_untrusted_value()))
        return found

    def generated_models(self) -> list[ModelProperty]:
        """The models that get a class: those in arguments and results, without mere wrappers."""
        results = [prop for endpoint in self._endpoints for prop in self._result_props(endpoint)]
        arguments = [prop for endpoint in self._endpoints for prop in self.inputs_of(endpoint)]
        events = [prop for _, prop in self.webhooks() if prop is not None]
        names = {model.class_info.name for model in self._models_in([*results, *arguments, *events])}
        return [model for model in self.own_models() if model.class_info.name in names]

    def exported_names(self) -> list[tuple[str, str]]:
        """The names of `models`, each with its module, in the order of the modules."""
        classes = [part.class_info for part in (*self.generated_models(), *self._enums)]
        names = [(str(each.name), str(each.module_name)) for each in classes]
        names += [(f"{name}Param", module) for name, module in names if name in self._nested]
        return sorted(names, key=lambda each: (each[1], each[0]))

    def webhooks(self) -> list[tuple[str, ModelProperty | None]]:
        """The events of webhooks: the name of each, and the model of its data; None if it has no model."""
        hooks: dict[str, Any] = self._document.get("webhooks", {})
        return [(event, self._model_at.get(self._webhook_data(item))) for event, item in hooks.items()]

    def _webhook_data(self, item: dict[str, Any]) -> str:
        """The place of the schema of the data of an event, if it is a component; empty if not."""
        body = item.get("post", {}).get("requestBody", {}).get("content", {}).get("application/json", {})
        parts = [*parts_of(self._document, body["schema"])] if "schema" in body else []
        fields: list[dict[str, Any]] = [part.get("properties", {}) for part in parts]
        found: list[dict[str, Any]] = [each["data"] for each in fields if "data" in each]
        data = found[0] if found else dict[str, Any]()
        references = [each["$ref"] for each in (data, *data.get("allOf", []), *data.get("anyOf", [])) if "$ref" in each]
        return place_at(references[0]) if len(references) == 1 else ""

    def readers(self, endpoint: Endpoint) -> list[tuple[int, str]]:
        """The function that decodes the JSON of each successful status."""
        return [
            (status_of(response), self._only(name, prop) if name is not None else self.reader(prop))
            for response, prop, name in self._results(endpoint)
        ]

    def _only(self, name: str, prop: PropertyProtocol) -> str:
        required = self._models[prop.class_info.name].required_properties if isinstance(prop, ModelProperty) else []
        names = [name, *(field.name.get_untrusted_value() for field in required or [])]
        first, *others = map(quoted, names)
        return f"{'unwrap' if prop.required else 'unwrap_or_none'}({', '.join([first, self.reader(prop), *others])})"

    def result_type(self, endpoint: Endpoint, prefix: str = "") -> str:
        """The type of a successful response."""
        kind = self.kind(endpoint)
        if kind == "file":
            return f"{prefix}File"
        if kind == "redirect":
            return "str"
        types = [self.type_of(prop) for _, prop, _ in self._results(endpoint)]
        return union_of([*types, *(["None"] if self.is_optional(endpoint) or self.may_be_empty(endpoint) else [])])

    def is_optional(self, endpoint: Endpoint) -> bool:
        """Whether a successful response may lack the property that it wraps."""
        wrapped = [prop for _, prop, name in self._results(endpoint) if name is not None]
        return not all(prop.required for prop in wrapped)

    def may_be_empty(self, endpoint: Endpoint) -> bool:
        """Whether a successful response may have no body."""
        responses: dict[str, Any] = self._calls[endpoint.name][1]["responses"]
        return any("x-may-be-empty" in response for response in responses.values())

    def timeout(self, endpoint: Endpoint) -> float | None:
        """Timeout of the operation in seconds, if it is longer than the default."""
        seconds: float | None = self._calls[endpoint.name][1].get("x-timeout")
        return seconds

    def signed_with(self, endpoint: Endpoint) -> str | None:
        """The argument whose value signs the body (`x-signed-with`), if there is one."""
        name: str | None = self._calls[endpoint.name][1].get("x-signed-with")
        return name

    def has_error_pixel(self, endpoint: Endpoint) -> bool:
        """Whether the API sends an image of one pixel in place of an error."""
        return "x-error-pixel" in self._calls[endpoint.name][1]

    def is_deprecated(self, endpoint: Endpoint) -> bool:
        """Whether the document calls the operation deprecated."""
        return bool(self._calls[endpoint.name][1].get("deprecated"))

    def evidence(self, endpoint: Endpoint) -> str:
        """The certainty that the API has the operation (`x-evidence`); empty if its document has it."""
        return str(self._calls[endpoint.name][1].get("x-evidence", ""))

    def _result_props(self, endpoint: Endpoint) -> list[PropertyProtocol]:
        return [prop for _, prop, _ in self._results(endpoint)] if self.kind(endpoint) == "json" else []

    def enums_of_responses(self, endpoint: Endpoint) -> list[Class]:
        """The enums that an endpoint's own readers use, apart from those of the models."""
        return [each for each in unique(self.classes_of(self._result_props(endpoint))) if each.name not in self._models]

    def url_name(self, endpoint: Endpoint) -> str:
        """The name of the method that returns the URL of a resource that browsers can load: `template_url`.

        The verb is kept if the name would be ambiguous within the tag without it: `download_file_url`.
        """
        others = [each for each in self._endpoints if each.tags == endpoint.tags and self.has_url(each)]
        nouns = [self.method_name(each).partition("_")[2] for each in others]
        noun = self.method_name(endpoint).partition("_")[2]
        return f"{noun if noun and nouns.count(noun) == 1 else self.method_name(endpoint)}_url"

    def has_url(self, endpoint: Endpoint) -> bool:
        """Whether a browser can load the response with only its URL."""
        try:
            return endpoint.method == "get" and self.kind(endpoint) != "json"
        except UnsupportedError:
            return False


def _media_types(response: Response) -> list[str]:
    content = response.data.content if isinstance(response.data, oai.Response) else None
    return [plain(name) for name in content or {}]
