"""The reference of the public classes: which page documents which class. mkdocstrings renders the docstrings."""

from __future__ import annotations

import json
from inspect import getdoc
from typing import NamedTuple

import pictify_client
from pictify_client import models
from pictify_client.types import OpenEnum


class Page(NamedTuple):
    """A page of the reference.

    Attributes:
        title: Heading of the page.
        text: Introduction.
        names: Import paths of the objects that it documents.
        options: Options of mkdocstrings for these objects.
    """

    title: str
    text: str
    names: list[str]
    options: str = "{}"


_NAMES: tuple[str, ...] = vars(models)["__all__"]
_ENUMS = [name for name in _NAMES if issubclass(getattr(models, name), OpenEnum)]
# A mapping that an argument accepts is described with the model of the same fields.
_PARAMS = [name for name in _NAMES if name.removesuffix("Param") != name and name.removesuffix("Param") in _NAMES]
_MODELS = [name for name in _NAMES if name not in (*_ENUMS, *_PARAMS)]
_ONLY_FIELDS = (
    '{members_order: source, filters: ["!^(to_dict|_.*)$"], show_attribute_values: false, '
    "show_labels: false, inherited_members: [url, raise_for_errors, duration, content]}"
)
_VALUES = "{members_order: source, separate_signature: false, show_if_no_docstring: true, show_labels: false}"
_KEYS = "{members_order: source, show_if_no_docstring: true, show_attribute_values: false, show_labels: false}"
_COMPLETE = "{inherited_members: true, show_bases: false}"
# For classes that users do not instantiate: the constructor is omitted.
_GIVEN = "{inherited_members: true, merge_init_into_class: false, show_bases: false}"


def _in(package: str, names: str) -> list[str]:
    return [f"{package}.{name}" for name in names.split()]


MODEL_PAGES = {name: f"models/{name}.md" for name in sorted([*_MODELS, *_ENUMS, "WebhookEventName"])}
"""The page of each model and enum."""

PAGES = {
    "classes/clients.md": Page(
        "Clients",
        "`Pictify` and `AsyncPictify` have the resources as attributes. `AuthenticatedClient` and `Client` are the "
        "low-level clients, for the functions in `pictify_client.api`.",
        _in("pictify_client", "Pictify AsyncPictify AuthenticatedClient Client"),
        _COMPLETE,
    ),
    "classes/lists.md": Page(
        "Lists",
        "The results of the `list()` methods. See the guide: [pagination](../pagination.md).",
        _in("pictify_client", "Pager AsyncPager Page AsyncPage"),
        _GIVEN,
    ),
    "classes/files.md": Page(
        "Files",
        "Files that the API returns. See the guide: [embedding images](../embedding.md).",
        _in("pictify_client", "File AsyncFile"),
        _GIVEN,
    ),
    "classes/batches.md": Page(
        "Batches",
        "Batches that were started. See the guide: [batches](../batches.md).",
        _in("pictify_client", "BatchJob AsyncBatchJob"),
        _GIVEN,
    ),
    "classes/webhooks.md": Page(
        "Webhooks",
        "Functions and models for incoming webhooks. See the guide: [webhooks](../webhooks.md).",
        [
            *_in(
                "pictify_client.webhooks",
                "parse verify delivery_id sign SIGNATURE_HEADER DELIVERY_ID_HEADER Headers WebhookData",
            ),
            *_in("pictify_client", "WebhookEvent RenderCompleted RenderFailed BatchFinished"),
        ],
        _ONLY_FIELDS,
    ),
    "classes/errors.md": Page(
        "Errors",
        "Exceptions that are raised by API calls. See the guide: [errors](../errors.md).",
        _in(
            "pictify_client",
            "PictifyError ConfigurationError ClientClosedError APIConnectionError APITimeoutError "
            "ResponseTooLargeError APIStatusError BadRequestError UnauthorizedError QuotaExceededError ForbiddenError "
            "NotFoundError ConflictError GoneError ContentTooLargeError UnprocessableContentError RateLimitError "
            "ServerError ResponseDecodeError "
            "RenderFailedError PaginationError PacingError BatchStartError WaitTimeoutError "
            "WebhookVerificationError WebhookPayloadError ErrorDetail Problem DecodeError",
        ),
        "{merge_init_into_class: false}",
    ),
    "classes/pacing.md": Page(
        "Rate limits",
        "Limits of requests per minute. See the guide: [rate limits and fleets](../rate_limits.md).",
        _in("pictify_client", "Fleet RateLimit"),
    ),
    "classes/hooks.md": Page(
        "Hooks",
        "Events and types of the hooks of a client. See the guide: [observability](../observability.md#hooks).",
        [
            *_in("pictify_client", "RequestEvent WaitEvent ResponseEvent RetryEvent"),
            *_in("pictify_client.hooks", "RequestHook WaitHook ResponseHook RetryHook"),
        ],
        "{show_labels: false}",
    ),
    "classes/types.md": Page(
        "Types",
        "The response of the low-level functions, and the types that models are built from.",
        [
            *_in(
                "pictify_client",
                " ".join(name for name in ("Response", "UNSET", "Unset") if hasattr(pictify_client, name)),
            ),
            "pictify_client.types.OpenEnum",
            "pictify_client._runtime.model.Model",
        ],
    ),
    "classes/testing.md": Page(
        "Testing kit",
        "The fake API for tests. See the guide: [testing your code](../testing.md).",
        _in("pictify_client.testing", "FakePictify FakeClock ReceivedRequest WebhookDelivery API_KEY serving"),
        _COMPLETE,
    ),
}
"""The pages by path."""


def pages() -> dict[str, str]:
    """Return the Markdown of each page."""
    made = {path: _markdown(page) for path, page in PAGES.items()}
    made |= {path: _model(name) for name, path in MODEL_PAGES.items()}
    return {**made, "models/index.md": _index()}


def names() -> list[str]:
    """Return the import paths of everything that is documented."""
    shown = [name for page in PAGES.values() for name in page.names]
    return shown + [path for name in MODEL_PAGES for path in _paths(name)]


def _markdown(page: Page) -> str:
    parts = [f"# {page.title}", page.text]
    parts += [f"::: {name}\n    options: {page.options}" for name in page.names]
    return "\n\n".join(parts) + "\n"


def _paths(name: str) -> list[str]:
    """Return what the page of a model documents: the model, and the mapping that is accepted in its place."""
    package = "pictify_client.models" if name in _NAMES else "pictify_client"
    return [f"{package}.{each}" for each in (name, f"{name}Param") if each == name or each in _PARAMS]


def _model(name: str) -> str:
    options = _VALUES if name not in _MODELS else _ONLY_FIELDS
    first = "{heading_level: 1, " + options.removeprefix("{")
    paths = _paths(name)
    # The description is for search engines.
    parts = [
        f"---\ndescription: {json.dumps(f'{name}: {_summary(name)}')}\n---",
        f"::: {paths[0]}\n    options: {first}",
    ]
    parts += [f"::: {path}\n    options: {_KEYS}" for path in paths[1:]]
    return "\n\n".join(parts) + "\n"


_INTRODUCTION = (
    "A model is an object in a request or a response. Its constructor takes keyword arguments.",
    "An enum is a string with known values, to which the API may add: see [`OpenEnum`][pictify_client.types.OpenEnum].",
    "See the guide: [arguments and responses](../values.md).",
)


def _index() -> str:
    parts = ["# Models and enums", *_INTRODUCTION]
    for title, known in (("Models", _MODELS), ("Enums", [*_ENUMS, "WebhookEventName"])):
        rows = [f"- [{name}]({name}.md): {_summary(name)}" for name in sorted(known)]
        parts += [f"## {title}", "\n".join(rows)]
    return "\n\n".join(parts) + "\n"


def _summary(name: str) -> str:
    documented = getattr(models, name) if name in _NAMES else getattr(pictify_client, name)
    return " ".join((getdoc(documented) or "").partition("\n\n")[0].split())
