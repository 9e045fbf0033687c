"""The object `shapes` of the templates: the types, calls and docstrings of a document."""

from __future__ import annotations

from http import HTTPStatus

from openapi_python_client import schema as oai
from openapi_python_client.parser.openapi import Endpoint
from openapi_python_client.parser.properties import Class, EnumProperty, ModelProperty
from openapi_python_client.parser.properties.protocol import PropertyProtocol
from openapi_python_client.parser.responses import Response
from openapi_python_client.schema.untrusted_string import UntrustedString
from openapi_python_client.strings import ClassName, PythonIdentifier

from .calls import Calls
from .pages import status_of, successes
from .prose import docstring, filled, text_of, with_limits
from .schemas import fields_of, unique

_EVENTS = Class(name=ClassName("WebhookEventName", ""), module_name=PythonIdentifier("webhook_events", ""))

# The error classes in `errors.py` by status.
_ERRORS = {
    400: "BadRequestError",
    401: "UnauthorizedError",
    402: "QuotaExceededError",
    403: "ForbiddenError",
    404: "NotFoundError",
    409: "ConflictError",
    410: "GoneError",
    413: "ContentTooLargeError",
    422: "UnprocessableContentError",
    429: "RateLimitError",
}
_JOB_SPLIT = ("BatchStartError", "If some items were started, and a request for further ones failed.")
_REQUEST_ERRORS = ("PictifyError", "If the request fails or the response is invalid.")
_ARGUMENT_ERRORS = ("TypeError, ValueError", "If an argument is invalid. No request is sent.")
_OF_A_LIST = "The list. Iterating over it fetches the pages; no request is sent before."
_OF_AHEAD = {
    "": "Number of pages to fetch ahead, each in a thread. 0 to 100.",
    "Async": "Number of pages to fetch ahead; trio fetches none. 0 to 100.",
}
_OF_A_JOB = (
    "The job, to wait for. More items than one request takes are split into several batches, whose results it combines."
)
_OF_WAITING = (
    "The pauses between polls grow to 15 seconds, and are longer if the rate limit requires it. A poll that fails is "
    "repeated; the fifth failure in a row is raised."
)
_WAITED = {
    "timeout": "Maximum number of seconds to wait. None waits until it is done.",
    "on_progress": "Called with the state after each poll, for example for a progress bar.",
    "poll_interval": "Seconds until the second poll.",
}
_WAIT_ENDED = [
    ("WaitTimeoutError", "If it is not done in time. It is not cancelled."),
    ("PictifyError", "If polls fail."),
]
_OF_A_FILE = "It is in memory, unless the client streams files."
_OF_A_URL = "The URL. No request is sent."
_OF_THE_PIXEL = (
    "Whether to return the image of one pixel that the API sends if it cannot render; by default it is an error."
)
_PIXEL = ("RenderFailedError", "If the API sends an image of one pixel in place of the result.")
_DEPRECATED = "Deprecated: the vendor has retired it, and the API may respond with 404."
# By the `x-evidence` of unverified operations.
_UNVERIFIED = {
    "C": "Not verified: the vendor's applications call it, but no response of it was recorded.",
    "D": "Documented, not verified.",
    "E": "Documented, not verified.",
    "?": "Not verified: nothing shows that the API has it.",
}
_OF_KEYS_IN_URLS = (
    "A key in a URL is read by whoever sees the page, a log or a referrer, and whoever has it can spend your "
    "credits. Give a `token` only where the URL stays private; for public pages embed the `render_url` of a "
    "binding, or the `url` of a rendered image."
)


class Shapes(Calls):
    """The values and docstrings that the templates use."""

    def tag_doc(self, tag: str, indent: int = 0) -> str:
        """The docstring of the package of a tag."""
        tags = self._document.get("tags", [])
        texts = (each.get("description") for each in tags if PythonIdentifier(each["name"], "tag") == tag)
        return docstring(filled(next(texts, None) or f"{tag.replace('_', ' ').capitalize()}.", indent), indent)

    def model_doc(self, model: ModelProperty) -> str:
        """The docstring of a model."""
        return docstring(filled(text_of(model.description) or f"{model.class_info.name}.", 4), 4)

    def enum_doc(self, enum: EnumProperty) -> str:
        """The docstring of an enum, from a schema rather than a parameter."""
        props = (prop for model in self._models.values() for prop in fields_of(model) if isinstance(prop, EnumProperty))
        documented = next((prop.description for prop in props if prop.class_info == enum.class_info), enum.description)
        return docstring(filled(text_of(documented) or f"{enum.class_info.name}.", 4), 4)

    def field_doc(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        """The docstring of a field, with its limits."""
        text = self._field_text(model, prop) or f"`{prop.name.get_untrusted_value()}`."
        return docstring(filled(text, 4), 4)

    def _field_text(self, model: ModelProperty, prop: PropertyProtocol) -> str:
        schema = self.field_schema(model, prop)
        return with_limits(text_of(prop.description) or text_of(schema.description), schema)

    def function_doc(self, endpoint: Endpoint) -> str:
        """The docstring of a function that calls an operation."""
        described = self._described(endpoint, [*endpoint.path_parameters, *self.keywords(endpoint, flat=False)])
        return self._call_doc(endpoint, described + self._pixel(endpoint), self._result_text(endpoint), 4)

    def detailed_doc(self, endpoint: Endpoint, function: str) -> str:
        """The docstring of a function that returns the complete response."""
        call = f"`{endpoint.method.upper()} {self.path_of(endpoint)}`"
        text = f"Like `{function}`, but return the response, whatever its status ({call})."
        return docstring(filled(text, 4), 4)

    def method_doc(self, endpoint: Endpoint, prefix: str = "") -> str:
        """The docstring of a method that calls an operation."""
        described = self._described(endpoint, [*endpoint.path_parameters, *self.keywords(endpoint, flat=True)])
        model = self.body_model(endpoint)
        if model is not None and (items := self.items_argument(endpoint)):
            kind = self.argument_type(model)
            place = len(endpoint.path_parameters)
            required = " and ".join(f"`{prop.python_name}`" for prop in fields_of(model) if prop.required)
            text = f"Several at once, each a `{kind}`, instead of the keywords; without them {required} are required."
            described.insert(place, (items, text))
        returns = self._result_text(endpoint)
        if self.pages_of(endpoint):
            described.append(("prefetch", _OF_AHEAD[prefix]))
            returns = _OF_A_LIST
        elif self.job_of(endpoint):
            described = [(name, text.replace(" items.", " items a request.")) for name, text in described]
            returns = _OF_A_JOB
        described += self._pixel(endpoint)
        split = (_JOB_SPLIT,) if self.job_of(endpoint) else ()
        return self._call_doc(endpoint, described, returns, 8, more=split)

    def _pixel(self, endpoint: Endpoint) -> list[tuple[str, str]]:
        return [("allow_error_pixel", _OF_THE_PIXEL)] if self.has_error_pixel(endpoint) else []

    def webhook_classes(self) -> list[Class]:
        """The classes of the data of webhooks."""
        return unique(model.class_info for _, model in self.webhooks() if model is not None)

    def webhook_members(self) -> dict[str, str]:
        """The events of webhooks as the members of an enum."""
        names = [event for event, _ in self.webhooks()]
        return {name: str(value) for name, value in EnumProperty.values_from_list(names, _EVENTS, []).items()}

    def url_doc(self, endpoint: Endpoint) -> str:
        """The docstring of a method that returns a URL."""
        described = self._described(endpoint, [*endpoint.path_parameters, *endpoint.query_parameters])
        call = f"`{endpoint.method.upper()} {self.path_of(endpoint)}`"
        lines = [filled(f"Return the URL of {call}, for a web page or an email.", 8)]
        if any(self._for_urls_only(endpoint, prop) for prop in endpoint.query_parameters):
            lines += ["", filled(_OF_KEYS_IN_URLS, 8)]
        return self._sections(lines, described, _OF_A_URL, [(_ARGUMENT_ERRORS[0], "If an argument is invalid.")], 8)

    def wait_doc(self, endpoint: Endpoint, prefix: str = "") -> str:
        """The docstring of a method that waits."""
        summary: str = self._calls[endpoint.name][1]["x-wait"]["summary"]
        call = f"`{endpoint.method.upper()} {self.path_of(endpoint)}`"
        lines = [filled(f"{summary.rstrip('.')} ({call}).", 8), "", filled(_OF_WAITING, 8)]
        described = self._described(endpoint, [*endpoint.path_parameters])
        for name, text in _WAITED.items():
            is_awaited = prefix and name == "on_progress"
            described.append((name, f"{text} May be a coroutine function." if is_awaited else text))
        return self._sections(lines, described, self._result_text(endpoint), [*_WAIT_ENDED, _ARGUMENT_ERRORS], 8)

    def _call_doc(
        self,
        endpoint: Endpoint,
        described: list[tuple[str, str]],
        returns: str,
        indent: int,
        more: tuple[tuple[str, str], ...] = (),
    ) -> str:
        call = f"`{endpoint.method.upper()} {self.path_of(endpoint)}`"
        summary = text_of(endpoint.summary) or endpoint.name.replace("_", " ").capitalize()
        lines = [filled(f"{summary.rstrip('.')} ({call}).", indent)]
        if endpoint.description:
            lines += ["", filled(text_of(endpoint.description), indent)]
        if note := _UNVERIFIED.get(self.evidence(endpoint)):
            lines += ["", filled(note, indent)]
        if self.is_deprecated(endpoint):
            lines += ["", filled(_DEPRECATED, indent)]
        return self._sections(lines, described, returns, [*more, *self._raised(endpoint)], indent)

    @staticmethod
    def _sections(
        lines: list[str], described: list[tuple[str, str]], returns: str, raised: list[tuple[str, str]], indent: int
    ) -> str:
        entries = [filled(f"{name}: {text}", indent + 4, hanging=4) for name, text in described]
        lines += ["", "Args:", *entries] if entries else []
        lines += ["", "Returns:", filled(returns, indent + 4, hanging=0, first=4)]
        lines += ["", "Raises:", *(filled(f"{name}: {text}", indent + 4, hanging=4) for name, text in raised)]
        return docstring("\n".join(lines), indent)

    def _described(self, endpoint: Endpoint, props: list[PropertyProtocol]) -> list[tuple[str, str]]:
        return [(prop.python_name, self._argument_text(endpoint, prop)) for prop in props]

    def _argument_text(self, endpoint: Endpoint, prop: PropertyProtocol) -> str:
        if raw := self.parameter(endpoint, prop):
            return with_limits(raw.get("description", ""), self.parameter_schema(endpoint, prop))
        model = self.body_model(endpoint)
        if model is not None and any(prop is field for field in fields_of(model)):
            return self._field_text(model, prop)
        return text_of(prop.description) or "The body."

    def _result_text(self, endpoint: Endpoint) -> str:
        documented = [*successes(endpoint), *(each for each in endpoint.responses.patterns if self._location(each))]
        text = next((text_of(_described_by(response)) for response in documented), "") or "The response of the API."
        if self.is_optional(endpoint):
            return f"{text} None if the response does not have it."
        return f"{text} {_OF_A_FILE}" if self.kind(endpoint) == "file" else text

    def _raised(self, endpoint: Endpoint) -> list[tuple[str, str]]:
        documented = [
            ("APIStatusError" if each.status_code.is_range() else _ERRORS.get(status, "APIStatusError"), text)
            for each in endpoint.responses.patterns
            if (status := status_of(each)) >= 400
            for text in [text_of(_described_by(each)) or _phrase(status)]
        ]
        pixel = [_PIXEL] if self.has_error_pixel(endpoint) else []
        return [*documented, *pixel, _REQUEST_ERRORS, _ARGUMENT_ERRORS]


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else f"Status {status}."


def _described_by(response: Response) -> UntrustedString | None:
    return response.data.description if isinstance(response.data, oai.Response) else None
