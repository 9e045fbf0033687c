"""Calls of the contract's operations in Python: names, signatures, and what an answer is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, cast

from openapi_python_client import schema as oai
from openapi_python_client.parser import GeneratorData
from openapi_python_client.parser.openapi import Endpoint, EndpointCollection
from openapi_python_client.parser.properties import Class, ModelProperty
from openapi_python_client.parser.properties.file import FileProperty
from openapi_python_client.parser.properties.list_property import ListProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.responses import Response
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import PythonIdentifier, in_double_quote_literal

from .document import followed, operations
from .values import UnsupportedError, Values, fields_of, unique

# A name, but not within a string.
_NAME = re.compile(r'"(?:[^"\\]|\\.)*"|\b([A-Za-z_]\w*)')


class Pages(NamedTuple):
    """A list operation.

    Attributes:
        item: The class of an item.
        items: The field of the response that holds them.
        info: The class of what the response says about the page.
        pagination: The field of the response that holds that; None if it is the response itself.
        more: The expression for what else a pager needs, if anything: the parameter and the cursor of the next page, or
            the number of the first page if that is not 1.
        more_type: The type of that expression.
    """

    item: str
    items: str
    info: str
    pagination: str | None
    more: str
    more_type: str


# Parameters that take a cursor. In a list they mean nothing else, but for `after`, which may be a filter.
_CURSOR_PARAMETERS = ("cursor", "page_token", "next_token", "starting_after", "start_cursor", "page", "after")
# Fields of a response that have the next cursor, or a URL with it. The first two mean nothing else.
_NEXT_CURSORS = ("next_cursor", "next_page_token", "next_token", "next_page", "next", "last_id")


class Job(NamedTuple):
    """An operation that starts something which goes on.

    Attributes:
        start: The module of the operation.
        results: The module of the operation that says how far it is.
        cancel: The module of the operation that ends it.
    """

    start: str
    results: str
    cancel: str


class Calls(Values):
    """The operations of one parsed contract."""

    def __init__(self, document: dict[str, Any], data: GeneratorData) -> None:
        super().__init__(document, data)
        self._calls = {
            str(PythonIdentifier(operation["operationId"], "field_")): (path, operation)
            for path, _, operation in operations(document)
        }
        self._tell_apart()

    def _tell_apart(self) -> None:
        """Call a parameter that has the name of a field of the body after its place, too: `key_header`.

        But one secret may stand in either place, and is asked for once.
        """
        for endpoint in self._endpoints:
            model = self.body_model(endpoint)
            fields = {prop.python_name: prop for prop in fields_of(model)} if model is not None else {}
            for place in ("query", "header"):
                for prop in self.parameters(endpoint, place):
                    field = fields.get(prop.python_name)
                    if model is None or field is None:
                        continue
                    is_secret = self._is_password(self.parameter_schema(endpoint, prop))
                    if not (is_secret and self._is_password(self.field_schema(model, field))):
                        object.__setattr__(prop, "python_name", f"{prop.python_name}_{place}")

    @property
    def server(self) -> str:
        """The first server of the contract, with the defaults of its variables."""
        return server_url(self._document["servers"][0])

    def contract_path(self, endpoint: Endpoint) -> str:
        """The path as the contract has it."""
        return str(self._calls[endpoint.name][0])

    def method_name(self, endpoint: Endpoint) -> str:
        """The operation's name without its noun: `list_bindings` of the tag Bindings is `list`.

        The noun is the tag's, or the whole first part of the path where that says the same and more
        (`webhook-subscriptions` of the tag Webhooks).
        """
        nouns = _forms(endpoint.tags[0].split("_"))
        start = re.split(r"[/_-]", re.sub(r"^/([^/]*).*", r"\1", self.contract_path(endpoint)))
        if nouns & set(start):
            nouns |= _forms(start)
        return "_".join(word for word in endpoint.name.split("_") if word not in nouns)

    def url_name(self, endpoint: Endpoint) -> str:
        """The name of the method that gives the URL of what a browser loads by itself: `template_url`.

        Where the verb alone tells it from another of its tag, that stays: `download_file_url`.
        """
        others = [each for each in self._endpoints if each.tags == endpoint.tags and self.has_url(each)]
        nouns = [self.method_name(each).partition("_")[2] for each in others]
        noun = self.method_name(endpoint).partition("_")[2]
        return f"{noun if noun and nouns.count(noun) == 1 else self.method_name(endpoint)}_url"

    def has_url(self, endpoint: Endpoint) -> bool:
        """Whether a browser can load what it answers by its URL alone."""
        try:
            return endpoint.method == "get" and self.kind(endpoint) != "json"
        except UnsupportedError:
            return False

    # Answers.

    def kind(self, endpoint: Endpoint) -> str:
        """What an answer is: `json`, `file`, or `redirect`.

        Raises:
            UnsupportedError: It is none of them.
        """
        props = [response.prop for response in successes(endpoint)]
        if not props and any(self._location(response) for response in endpoint.responses.patterns):
            return "redirect"
        if props and all(isinstance(prop, FileProperty) for prop in props):
            return "file"
        if not props:
            raise UnsupportedError("it has no answer with a single status of success")
        for response in successes(endpoint):
            if not _media_types(response):
                raise UnsupportedError(f"its answer {response.status_code.pattern} has no JSON schema")
            if isinstance(response.prop, FileProperty) or "json" not in _media_types(response)[0]:
                raise UnsupportedError(f"its answer {response.status_code.pattern} is neither JSON nor a file alone")
        return "json"

    @staticmethod
    def _location(response: Response) -> bool:
        named = response.data.headers if isinstance(response.data, oai.Response) else None
        return 300 <= status_of(response) < 400 and any(name.lower() == "location" for name in map(_plain, named or {}))

    def accept(self, endpoint: Endpoint) -> str:
        """The media types of a successful answer."""
        return ", ".join(dict.fromkeys(name for response in successes(endpoint) for name in _media_types(response)))

    def _wrapped(self, prop: PropertyProtocol) -> PropertyProtocol | None:
        """The one thing that an object wraps; None where it is more than a wrapper."""
        if not isinstance(prop, ModelProperty) or self.is_mapping(prop):
            return None
        fields = fields_of(self._models[prop.class_info.name])
        return fields[0] if len(fields) == 1 and not self._nullable(fields[0])[1] else None

    def _answers(self, endpoint: Endpoint) -> list[tuple[Response, PropertyProtocol, str | None]]:
        """The successful answers: what is given of them, and the name under which it came where it was wrapped."""
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
        """The models that get a class: those that a call takes or gives; so none that only wraps one of them."""
        given = [prop for endpoint in self._endpoints for prop in self._answer_props(endpoint)]
        taken = [prop for endpoint in self._endpoints for prop in self.bodies(endpoint)]
        told = [prop for _, prop in self.webhooks() if prop is not None]
        names = {model.class_info.name for model in self._models_in([*given, *taken, *told])}
        return [model for model in self.own_models() if model.class_info.name in names]

    def webhooks(self) -> list[tuple[str, ModelProperty | None]]:
        """What the API sends to webhooks: the name of each event, and the model of its data; None if it has none."""
        found: list[tuple[str, ModelProperty | None]] = []
        for event, item in self._document.get("webhooks", {}).items():
            part: Any = item
            for step in ("post", "requestBody", "content", "application/json", "schema", "properties", "data"):
                part = cast("dict[str, Any]", part).get(step) if isinstance(part, dict) else None
            reference = cast("dict[str, Any]", part).get("$ref", "") if isinstance(part, dict) else ""
            name = reference.rpartition("/")[2]
            found.append((event, next((model for key, model in self._models.items() if key == name), None)))
        return found

    def readers(self, endpoint: Endpoint) -> list[tuple[int, str]]:
        """For each status of success what reads its JSON."""
        return [
            (status_of(response), self._only(name, prop) if name else self.reader(prop))
            for response, prop, name in self._answers(endpoint)
        ]

    def _only(self, name: str, prop: PropertyProtocol) -> str:
        required = self._models[prop.class_info.name].required_properties if isinstance(prop, ModelProperty) else []
        names = [name, *(field.name.get_untrusted_value() for field in required or [])]
        first, *others = (f'"{in_double_quote_literal(UntrustedString(each))}"' for each in names)
        return f"only({', '.join([first, self.reader(prop), *others])})"

    def answer_type(self, endpoint: Endpoint, prefix: str = "") -> str:
        """The type of a successful answer."""
        kind = self.kind(endpoint)
        if kind == "file":
            return f"{prefix}File"
        if kind == "redirect":
            return "str"
        types = [self.type_of(prop) for _, prop, _ in self._answers(endpoint)]
        return " | ".join(dict.fromkeys([*types, *(["None"] if self.may_be_empty(endpoint) else [])]))

    def may_be_empty(self, endpoint: Endpoint) -> bool:
        """Whether a successful response may have no body."""
        responses: dict[str, Any] = self._calls[endpoint.name][1]["responses"]
        return any("x-may-be-empty" in response for response in responses.values())

    def timeout(self, endpoint: Endpoint) -> float | None:
        """Seconds that the operation may take, if that is longer than most."""
        seconds: float | None = self._calls[endpoint.name][1].get("x-timeout")
        return seconds

    def has_error_pixel(self, endpoint: Endpoint) -> bool:
        """Whether the API sends an image of one pixel in place of an error."""
        return "x-error-pixel" in self._calls[endpoint.name][1]

    def is_deprecated(self, endpoint: Endpoint) -> bool:
        """Whether the document calls the operation deprecated."""
        return bool(self._calls[endpoint.name][1].get("deprecated"))

    def evidence(self, endpoint: Endpoint) -> str:
        """How sure it is that the API has the operation (`x-evidence`); empty if its document has it."""
        return str(self._calls[endpoint.name][1].get("x-evidence", ""))

    def pages_of(self, endpoint: Endpoint) -> Pages | None:
        """What makes an operation a list in pages, read off its structure; None if it is none.

        It counts pages by `page` or items by `offset`, or takes the cursor that the previous page has, and its response
        holds one list of objects. What the API says about the page is in the field `pagination`, or beside the list.

        Raises:
            UnsupportedError: If it looks like a list in pages, but cannot be iterated over.
        """
        query = _by_name(endpoint.query_parameters)
        counted = {name for name in ("page", "offset") if name in query and self._scalar(query[name]) != "str"}
        props = [response.prop for response in successes(endpoint)]
        model = self._models.get(props[0].class_info.name) if props and isinstance(props[0], ModelProperty) else None
        fields = fields_of(model) if model is not None else []
        lists = [field for field in fields if isinstance(field, ListProperty)]
        infos = [field for field in fields if field.python_name == "pagination" and isinstance(field, ModelProperty)]
        more = ""
        if not counted:
            is_list = lists or (props and isinstance(props[0], ListProperty))
            more = self._next_cursor(endpoint, query, fields) if is_list else ""
            if not more:
                return None
        elif counted == {"page"}:
            page = self.parameter_schema(endpoint, query["page"])
            more = "0" if page.default == 0 or (page.default is None and page.minimum == 0) else ""
        item = self.type_of(lists[0].inner_property) if len(lists) == 1 else ""
        if model is None or item not in map(str, self._models):
            does = "counts pages" if counted else "takes a cursor"
            raise UnsupportedError(f"it {does}, but its answer is not one list of objects")
        return Pages(
            item=item,
            items=lists[0].python_name,
            info=self.type_of(infos[0]) if infos else model.class_info.name,
            pagination=infos[0].python_name if infos else None,
            more=more,
            more_type="int" if counted else "tuple[str, object]",
        )

    def _next_cursor(
        self, endpoint: Endpoint, query: dict[str, PropertyProtocol], fields: list[PropertyProtocol]
    ) -> str:
        """The expression for the parameter and the cursor of the next page; empty if the list takes no cursor."""
        parameter = next((name for name in _CURSOR_PARAMETERS if name in query and self._scalar(query[name])), "")
        beside = _by_name(fields)
        inside = _by_name(self._fields_in(beside.get("pagination")))
        known = [name for name in _NEXT_CURSORS if self._scalar(inside.get(name) or beside.get(name))]
        if not parameter:
            if endpoint.method == "get" and {*known} & {*_NEXT_CURSORS[:2]}:
                name = _plain((inside.get(known[0]) or beside[known[0]]).name)
                raise UnsupportedError(
                    f"its response has `{name}`, but no parameter takes it ({', '.join(_CURSOR_PARAMETERS)})"
                )
            return ""
        cursor = query[parameter]
        for name in known:
            field = inside.get(name) or beside[name]
            if self._scalar(field) == self._scalar(cursor):
                value = f"answer.{field.python_name}"
                if name in inside:
                    value = f"answer.pagination.{field.python_name} if answer.pagination else None"
                return f'("{cursor.python_name}", {value})'
        items = next((field for field in fields if isinstance(field, ListProperty)), None)
        ids = _by_name(self._fields_in(items.inner_property if items else None))
        uid = next((name for name in ("uid", "id") if self._scalar(ids.get(name)) == self._scalar(cursor)), None)
        says_more = {"has_more", "has_next"} & (inside or beside).keys()
        if parameter in ("starting_after", "after") and items and uid and says_more:
            value = f"answer.{items.python_name}[-1].{uid} if answer.{items.python_name} else None"
            return f'("{cursor.python_name}", {value})'
        if parameter == "after":
            return ""
        raise UnsupportedError(
            f"it takes a cursor (`{_plain(cursor.name)}`), but its response does not have the next one: a field of the "
            f"same type, in `pagination` or beside the list ({', '.join(_NEXT_CURSORS)})"
        )

    def _scalar(self, prop: PropertyProtocol | None) -> str | None:
        """`str` or `int`, if it is one of them."""
        kind = self.type_of(self._nullable(prop)[0]) if prop else None
        return kind if kind in ("str", "int") else None

    def _fields_in(self, prop: PropertyProtocol | None) -> list[PropertyProtocol]:
        model = self._models.get(prop.class_info.name) if isinstance(prop, ModelProperty) else None
        return fields_of(model) if model is not None else []

    def job_of(self, endpoint: Endpoint) -> Job | None:
        """The operations by which what this one starts is watched and ended, as its links say; None without them.

        Raises:
            UnsupportedError: It has the links, but takes no list that could be split into several jobs.
        """
        links: dict[str, Any] = {}
        for response in self._calls[endpoint.name][1]["responses"].values():
            links |= response.get("links", {})
        named = [str(links.get(name, {}).get("operationId")) for name in ("results", "cancel")]
        results, cancel = (str(PythonIdentifier(name, "")) for name in named)
        answers = [self._field_names(response.prop) for response in successes(endpoint)]
        polled = [each for each in self._endpoints if each.tags == endpoint.tags and each.name in (results, cancel)]
        states = [self._field_names(each.prop) for poll in polled if poll.name == results for each in successes(poll)]
        # Other links are there to be read: only of such answers can a job be watched.
        if (
            len(polled) < 2
            or not all("batch_id" in names for names in answers)
            or not all("status" in names for names in states)
            or any(_in_path_of(each) != ["batch_id"] for each in polled)
        ):
            return None
        model = self.body_model(endpoint)
        fields = self.sent_fields(model) if model is not None else []
        if model is None or not any(
            isinstance(field, ListProperty)
            and isinstance(field.inner_property, ModelProperty)
            and next(self.schemas_of(model.data, field.name)).maxItems
            for field in fields
        ):
            raise UnsupportedError("it starts a job, but its body has no list of objects with a `maxItems`")
        return Job(endpoint.name, results, cancel)

    def _field_names(self, prop: PropertyProtocol) -> set[str]:
        model = self._models.get(prop.class_info.name) if isinstance(prop, ModelProperty) else None
        return {str(field.python_name) for field in fields_of(model)} if model is not None else set()

    # Arguments.

    def body_model(self, endpoint: Endpoint) -> ModelProperty | None:
        """The object whose fields are the keywords of a method; None where there is none."""
        models = [
            each for each in self.bodies(endpoint) if isinstance(each, ModelProperty) and not self.is_mapping(each)
        ]
        return self._models[models[0].class_info.name] if models else None

    def items_argument(self, endpoint: Endpoint) -> str | None:
        """The argument of a method that takes a list of what the keywords give one of: `events` of `/s/events`."""
        if not any(self.one_or_many(body.prop) for body in endpoint.bodies):
            return None
        return str(PythonIdentifier(self.contract_path(endpoint).rpartition("/")[2], "items"))

    def body_spec(self, endpoint: Endpoint) -> str:
        """The expression for what the body may be."""
        content: dict[str, Any] = self._calls[endpoint.name][1]["requestBody"]["content"]
        (media,) = content.values()
        schema = media["schema"]
        return self.kind_of(endpoint.bodies[0].prop, _schema(schema))

    def parameters(self, endpoint: Endpoint, place: str) -> list[PropertyProtocol]:
        """The parameters in `path`, `query` or `header`."""
        return list(getattr(endpoint, f"{place}_parameters"))

    def parameter_spec(self, endpoint: Endpoint, prop: PropertyProtocol) -> str:
        """The declaration of a parameter, with its limits."""
        return self.argument_spec(prop, self.parameter_schema(endpoint, prop), is_parameter=True)

    def parameter_schema(self, endpoint: Endpoint, prop: PropertyProtocol) -> oai.Schema:
        """The schema of a parameter as the contract has it."""
        return self.limited(_schema(self.parameter(endpoint, prop).get("schema", {})))

    def parameter(self, endpoint: Endpoint, prop: PropertyProtocol) -> dict[str, Any]:
        """A parameter as the contract has it: the generator keeps neither its description nor its limits."""
        places = [place for place in ("path", "query", "header") if prop in self.parameters(endpoint, place)]
        path, operation = self._calls[endpoint.name]
        for given in (*operation.get("parameters", []), *self._document["paths"][path].get("parameters", [])):
            parameter: dict[str, Any] = followed(self._document, given)
            if prop.name == parameter["name"] and parameter["in"] in places:
                return parameter
        return {}

    def _declared(self) -> Iterator[tuple[oai.Schema, PropertyProtocol]]:
        yield from super()._declared()
        for endpoint in self._endpoints:
            for prop in (*endpoint.path_parameters, *endpoint.query_parameters, *endpoint.header_parameters):
                yield self.parameter_schema(endpoint, prop), prop

    def _for_urls_only(self, endpoint: Endpoint, prop: PropertyProtocol) -> bool:
        """Whether it is a secret in the query: for those who cannot send a header, so for no call of ours."""
        return prop in endpoint.query_parameters and self._is_password(self.parameter_schema(endpoint, prop))

    def _parameters_of_calls(self, endpoint: Endpoint) -> Iterator[PropertyProtocol]:
        for prop in (*endpoint.query_parameters, *endpoint.header_parameters):
            if not self._for_urls_only(endpoint, prop):
                yield prop

    def keywords(self, endpoint: Endpoint, *, flat: bool) -> list[PropertyProtocol]:
        """What a call takes by keyword: the body's fields, or the body in one, and the parameters beside the path.

        A field that has the name of a parameter is not asked for twice.
        """
        parameters = list(self._parameters_of_calls(endpoint))
        taken = {prop.python_name for prop in (*endpoint.path_parameters, *parameters)}
        model = self.body_model(endpoint)
        if not flat or model is None:
            return [*(body.prop for body in endpoint.bodies), *parameters]
        fields = [prop for prop in self.sent_fields(model) if prop.python_name not in taken]
        return [*fields, *parameters]

    def _argument(self, prop: PropertyProtocol, *, required: bool) -> str:
        given = self.given_type(prop)
        if required:
            return f"{prop.python_name}: {given}"
        if given.endswith(" | None"):
            # The API tells null from absent.
            return f"{prop.python_name}: {given.removesuffix(' | None')} | Unset | None = UNSET"
        return f"{prop.python_name}: {given}{'' if given == 'Any' else ' | None'} = None"

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
        given = [self._argument(prop, required=prop.required and not items) for prop in keywords]
        many = [f"{items}: {self.given_type(self.bodies(endpoint)[1])} | None = None"] if items else []
        if self.pages_of(endpoint):
            # Async code has its tasks; threads are only started for those who ask.
            given.append(f"prefetch: int = {1 if prefix else 0}")
        given += self._pixel_argument(endpoint)
        return _in_class(", ".join(["self", *self._in_path(endpoint), *many, *(["*", *given] if given else [])]))

    def url_signature(self, endpoint: Endpoint) -> str:
        """The parameters of a method that gives a URL."""
        given = [self._argument(prop, required=prop.required) for prop in endpoint.query_parameters]
        return ", ".join(["self", *self._in_path(endpoint), *(["*", *given] if given else [])])

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
        """The arguments of a method that gives a URL, as passed on."""
        return _passed([*endpoint.path_parameters, *endpoint.query_parameters])

    def method_answer(self, endpoint: Endpoint, prefix: str = "") -> str:
        """What a method that calls an operation gives."""
        if pages := self.pages_of(endpoint):
            return f"{prefix}Pager[{pages.item}, {pages.info}]"
        if self.job_of(endpoint):
            return f"{prefix}BatchJob"
        return _in_class(self.answer_type(endpoint, prefix))

    def needs_key(self, endpoint: Endpoint) -> bool:
        """Whether the API wants the key."""
        schemes = self._document.get("components", {}).get("securitySchemes", {})
        wanted = self._calls[endpoint.name][1].get("security", [])
        return any(schemes.get(name, {}).get("scheme") == "bearer" for each in wanted for name in each)

    # The classes that a module has to import.

    def _answer_props(self, endpoint: Endpoint) -> list[PropertyProtocol]:
        return [prop for _, prop, _ in self._answers(endpoint)] if self.kind(endpoint) == "json" else []

    def enums_of_answers(self, endpoint: Endpoint) -> list[Class]:
        """The enums that an endpoint's own readers look up, beside those of the models."""
        return [each for each in unique(self.classes_of(self._answer_props(endpoint))) if each.name not in self._models]

    def classes_of_endpoint(self, endpoint: Endpoint) -> list[Class]:
        """The classes that a call takes and gives, and those on its pages."""
        props = [*self._answer_props(endpoint), *endpoint.list_all_parameters(), *self.keywords(endpoint, flat=True)]
        if self.pages_of(endpoint):
            props += fields_of(self._models[self.answer_type(endpoint)])  # type: ignore[index]
        return unique(self.classes_of(props))

    def models_of_collection(self, collection: EndpointCollection) -> set[str]:
        """The names in `models` that the calls of a tag take and give."""
        classes = {each.name for endpoint in collection.endpoints for each in self.classes_of_endpoint(endpoint)}
        return self.names_of_collection(collection) & (classes | {f"{name}Param" for name in classes})

    def names_of_collection(self, collection: EndpointCollection) -> set[str]:
        """All names in the signatures of a tag's resource."""
        signatures = [
            f"{self.method_signature(endpoint)} {self.method_answer(endpoint)}" for endpoint in collection.endpoints
        ]
        return set(_NAME.findall(" ".join(signatures))) - {""}

    def qualified(self, code: str, names: Iterable[str]) -> str:
        """Code in which these classes are attributes of `models`, which imports a model when it is asked for."""
        known = {*names}
        return _NAME.sub(lambda match: f"models.{match[0]}" if match[1] in known else match[0], code)


def successes(endpoint: Endpoint) -> list[Response]:
    """The answers of single statuses (200 and the like) in the 200s."""
    single = (response for response in endpoint.responses.patterns if not response.status_code.is_range())
    return [response for response in single if 200 <= status_of(response) < 300]


def _by_name(props: Iterable[PropertyProtocol]) -> dict[str, PropertyProtocol]:
    return {str(prop.python_name).removesuffix("_"): prop for prop in props}


def _schema(schema: dict[str, Any]) -> oai.Schema | oai.Reference:
    return oai.Reference.model_validate(schema) if "$ref" in schema else oai.Schema.model_validate(schema)


def status_of(response: Response) -> int:
    """The status of an answer; 0 where it has no single one."""
    return response.status_code.range[0] if response.status_code.range else 0


def _media_types(response: Response) -> list[str]:
    content = response.data.content if isinstance(response.data, oai.Response) else None
    return [_plain(name) for name in content or {}]


def _plain(text: Any) -> str:
    return str(text.get_untrusted_value()) if hasattr(text, "get_untrusted_value") else str(text)


def _in_path_of(endpoint: Endpoint) -> list[str]:
    return [str(prop.python_name) for prop in endpoint.path_parameters]


def server_url(server: dict[str, Any]) -> str:
    """The URL of a server, with the defaults of its variables."""
    variables: dict[str, Any] = server.get("variables", {})
    return re.sub(
        r"\{([^}]*)\}", lambda match: str(variables.get(match[1], {}).get("default", match[0])), server["url"]
    )


def _forms(words: list[str]) -> set[str]:
    return {form for word in words for form in (word, word.removesuffix("s"), f"{word}s")}


def _in_class(annotation: str) -> str:
    """The annotation for a class that may have a method `list`, which hides the type."""
    return re.sub(r"\blist\[", "builtins.list[", annotation)


def _passed(props: list[PropertyProtocol]) -> list[str]:
    return [f"{prop.python_name}={prop.python_name}" for prop in props]
