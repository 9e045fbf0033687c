"""A Python SDK for the Pictify API: images, GIFs, PDFs and videos from HTML and templates, async and sync.

    from pictify_client import AsyncPictify

    async with AsyncPictify() as pictify:  # key from PICTIFY_API_KEY
        async for binding in pictify.bindings.list(status="active"):
            print(binding.name, binding.render_url)

`pictify_client.api` has functions for every operation, `pictify_client.models` their arguments and results, and
`pictify_client.errors` the exceptions. `pictify_client.webhooks` verifies and decodes webhooks.
"""

from ._runtime.lazy import attach

# Type checkers know the name; `typing` itself would take longer to import than all of this. A plain False
# would tell jedi, which completes for IPython and many editors, that nothing is here.
TYPE_CHECKING = bool()  # noqa: UP018

if TYPE_CHECKING:
    from . import api as api
    from . import errors as errors
    from . import models as models
    from . import webhooks as webhooks
    from ._runtime.version import __version__ as __version__
    from .batches import AsyncBatchJob as AsyncBatchJob
    from .batches import BatchJob as BatchJob
    from .batches import BatchStartError as BatchStartError
    from .client import AsyncPictify as AsyncPictify
    from .client import Pictify as Pictify
    from .errors import APIConnectionError as APIConnectionError
    from .errors import APIStatusError as APIStatusError
    from .errors import APITimeoutError as APITimeoutError
    from .errors import BadRequestError as BadRequestError
    from .errors import ClientClosedError as ClientClosedError
    from .errors import ConfigurationError as ConfigurationError
    from .errors import ConflictError as ConflictError
    from .errors import ContentTooLargeError as ContentTooLargeError
    from .errors import DecodeError as DecodeError
    from .errors import ErrorDetail as ErrorDetail
    from .errors import ForbiddenError as ForbiddenError
    from .errors import GoneError as GoneError
    from .errors import NotFoundError as NotFoundError
    from .errors import PaginationError as PaginationError
    from .errors import PictifyError as PictifyError
    from .errors import Problem as Problem
    from .errors import QuotaExceededError as QuotaExceededError
    from .errors import RateLimitError as RateLimitError
    from .errors import RenderFailedError as RenderFailedError
    from .errors import ResponseDecodeError as ResponseDecodeError
    from .errors import ResponseTooLargeError as ResponseTooLargeError
    from .errors import ServerError as ServerError
    from .errors import UnauthorizedError as UnauthorizedError
    from .errors import UnprocessableContentError as UnprocessableContentError
    from .errors import WaitTimeoutError as WaitTimeoutError
    from .files import AsyncFile as AsyncFile
    from .files import File as File
    from .fleets import Fleet as Fleet
    from .fleets import PacingError as PacingError
    from .hooks import RequestEvent as RequestEvent
    from .hooks import ResponseEvent as ResponseEvent
    from .hooks import RetryEvent as RetryEvent
    from .hooks import WaitEvent as WaitEvent
    from .low_level import AuthenticatedClient as AuthenticatedClient
    from .low_level import Client as Client
    from .pagination import AsyncPage as AsyncPage
    from .pagination import AsyncPager as AsyncPager
    from .pagination import Page as Page
    from .pagination import Pager as Pager
    from .rate_limits import RateLimit as RateLimit
    from .types import UNSET as UNSET
    from .types import Response as Response
    from .types import Unset as Unset
    from .webhooks import BatchFinished as BatchFinished
    from .webhooks import RenderCompleted as RenderCompleted
    from .webhooks import RenderFailed as RenderFailed
    from .webhooks import WebhookEvent as WebhookEvent
    from .webhooks import WebhookEventName as WebhookEventName
    from .webhooks import WebhookPayloadError as WebhookPayloadError
    from .webhooks import WebhookVerificationError as WebhookVerificationError

attach(
    __name__,
    {
        "_runtime.version": ["__version__"],
        "batches": ["AsyncBatchJob", "BatchJob", "BatchStartError"],
        "client": ["AsyncPictify", "Pictify"],
        "low_level": ["AuthenticatedClient", "Client"],
        "errors": [
            "APIConnectionError",
            "APIStatusError",
            "APITimeoutError",
            "BadRequestError",
            "ClientClosedError",
            "ConfigurationError",
            "ConflictError",
            "ContentTooLargeError",
            "DecodeError",
            "ErrorDetail",
            "ForbiddenError",
            "GoneError",
            "NotFoundError",
            "PaginationError",
            "PictifyError",
            "Problem",
            "QuotaExceededError",
            "RateLimitError",
            "RenderFailedError",
            "ResponseDecodeError",
            "ResponseTooLargeError",
            "ServerError",
            "UnauthorizedError",
            "UnprocessableContentError",
            "WaitTimeoutError",
        ],
        "files": ["AsyncFile", "File"],
        "hooks": ["RequestEvent", "ResponseEvent", "RetryEvent", "WaitEvent"],
        "fleets": ["Fleet", "PacingError"],
        "pagination": ["AsyncPage", "AsyncPager", "Page", "Pager"],
        "rate_limits": ["RateLimit"],
        "types": ["UNSET", "Response", "Unset"],
        "webhooks": [
            "BatchFinished",
            "RenderCompleted",
            "RenderFailed",
            "WebhookEvent",
            "WebhookEventName",
            "WebhookPayloadError",
            "WebhookVerificationError",
        ],
    },
    submodules=("api", "errors", "models", "webhooks"),
)
