"""The reference of the public classes: which page documents which class. mkdocstrings renders the docstrings."""

from __future__ import annotations

from typing import NamedTuple

from pictify_client import models
from pictify_client.types import OpenEnum

from .operations import RESOURCES, methods


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
_MODELS = [name for name in _NAMES if name not in _ENUMS]
_FIELDS_ALONE = (
    '{members_order: source, filters: ["!^(take|to_dict|FIELDS|_.*)$"], show_attribute_values: false, '
    "show_labels: false, inherited_members: [url, raise_for_errors, duration]}"
)
_VALUES = "{members_order: source, separate_signature: false, show_if_no_docstring: true, show_labels: false}"
_WHOLE = "{inherited_members: true, show_bases: false}"
# For classes that users do not instantiate: the constructor is omitted.
_GIVEN = "{inherited_members: true, merge_init_into_class: false, show_bases: false}"


def _in(package: str, names: str) -> list[str]:
    return [f"{package}.{name}" for name in names.split()]


def _resources(*, is_async: bool) -> list[str]:
    found: list[str] = []
    for resource in RESOURCES:
        first = methods(resource)[0]
        function = first.function if is_async else first.sync_function
        found.append(f"{function.__module__}.{function.__qualname__.partition('.')[0]}")
    return found


PAGES = {
    "classes/clients.md": Page(
        "Clients",
        "`Pictify` and `AsyncPictify` have the resources as attributes. `AuthenticatedClient` and `Client` are the "
        "low-level clients, for the functions in `pictify_client.api`.",
        _in("pictify_client", "Pictify AsyncPictify AuthenticatedClient Client"),
        _WHOLE,
    ),
    "classes/resources.md": Page(
        "Resources",
        "The attributes of `Pictify`. The [operations](../operations/index.md) are described with snippets.",
        _resources(is_async=False),
        _GIVEN,
    ),
    "classes/async_resources.md": Page(
        "Resources, async",
        "The attributes of `AsyncPictify`. The [operations](../operations/index.md) are described with snippets.",
        _resources(is_async=True),
        _GIVEN,
    ),
    "classes/lists.md": Page(
        "Lists",
        "See the guide: [pagination](../pagination.md).",
        _in("pictify_client", "Pager AsyncPager Page AsyncPage"),
        _GIVEN,
    ),
    "classes/files.md": Page(
        "Files",
        "See the guide: [embedding images](../embedding.md).",
        _in("pictify_client", "File AsyncFile"),
        _GIVEN,
    ),
    "classes/batches.md": Page(
        "Batches",
        "See the guide: [batches](../batches.md).",
        _in("pictify_client", "BatchJob AsyncBatchJob"),
        _GIVEN,
    ),
    "classes/webhooks.md": Page(
        "Webhooks",
        "See the guide: [webhooks](../webhooks.md).",
        [
            *_in(
                "pictify_client.webhooks",
                "parse verify delivery_id sign SIGNATURE_HEADER DELIVERY_ID_HEADER Headers WebhookData",
            ),
            *_in("pictify_client", "WebhookEvent RenderCompleted RenderFailed BatchFinished"),
        ],
        _FIELDS_ALONE,
    ),
    "classes/errors.md": Page(
        "Errors",
        "See the guide: [errors](../errors.md).",
        _in(
            "pictify_client",
            "PictifyError ConfigurationError ClientClosedError APIConnectionError APITimeoutError "
            "ResponseTooLargeError APIStatusError BadRequestError UnauthorizedError QuotaExceededError ForbiddenError "
            "NotFoundError ConflictError GoneError ContentTooLargeError UnprocessableContentError RateLimitError "
            "ServerError ResponseDecodeError "
            "RenderFailedError PaginationError PacingError BatchStartError BatchTimeoutError "
            "WebhookVerificationError WebhookPayloadError ErrorDetail Problem DecodeError",
        ),
        "{merge_init_into_class: false}",
    ),
    "classes/pacing.md": Page(
        "Rate limits",
        "See the guide: [rate limits and fleets](../rate_limits.md).",
        _in("pictify_client", "Fleet RateLimit"),
    ),
    "classes/hooks.md": Page(
        "Hooks",
        "See the guide: [observability](../observability.md#hooks).",
        _in("pictify_client", "RequestEvent ResponseEvent RetryEvent"),
    ),
    "classes/types.md": Page(
        "Types",
        "The response of the low-level functions, and the types that models are built from.",
        [
            *_in("pictify_client", "Response UNSET Unset"),
            "pictify_client.types.OpenEnum",
            "pictify_client.decoding.Model",
        ],
    ),
    "classes/models.md": Page(
        "Models",
        "The objects in requests and responses. The constructors take keyword arguments; `from_dict` and `to_dict` "
        "convert from and to the JSON of the API. A field that the API does not send is "
        "[`UNSET`][pictify_client.UNSET].",
        _in("pictify_client.models", " ".join(_MODELS)),
        _FIELDS_ALONE,
    ),
    "classes/enums.md": Page(
        "Enums",
        "Strings with a known set of values. The API may add values: see [`OpenEnum`][pictify_client.types.OpenEnum].",
        [*_in("pictify_client.models", " ".join(_ENUMS)), "pictify_client.WebhookEventName"],
        _VALUES,
    ),
    "classes/testing.md": Page(
        "Testing kit",
        "See the guide: [testing your code](../testing.md).",
        _in("pictify_client.testing", "FakePictify FakeClock ReceivedRequest WebhookDelivery API_KEY serving"),
        _WHOLE,
    ),
}
"""The pages by path."""


def pages() -> dict[str, str]:
    """The Markdown of each page."""
    return {path: _markdown(page) for path, page in PAGES.items()}


def _markdown(page: Page) -> str:
    parts = [f"# {page.title}", page.text]
    parts += [f"::: {name}\n    options: {page.options}" for name in page.names]
    return "\n\n".join(parts) + "\n"
