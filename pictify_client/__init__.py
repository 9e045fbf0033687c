"""The Pictify API for Python: images, GIFs and PDFs from HTML and templates, async and sync.

    from pictify_client import AsyncPictify

    async with AsyncPictify() as pictify:  # key from PICTIFY_API_KEY
        async for binding in pictify.bindings.list(status="active"):
            print(binding.name, binding.render_url)

`pictify_client.api` holds a function for every operation of the contract, `pictify_client.models`
what they take and give, and `pictify_client.errors` what they raise.
"""

from ._lazy import attach

# Type checkers know the name; `typing` itself would take longer to import than all of this.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from . import api, errors, models
    from ._version import __version__
    from .client import AsyncPictify, AuthenticatedClient, Client, Pictify
    from .decoding import DecodeError
    from .errors import (
        APIConnectionError,
        APIStatusError,
        APITimeoutError,
        BadRequestError,
        ConfigurationError,
        ConflictError,
        ErrorDetail,
        ForbiddenError,
        GoneError,
        NotFoundError,
        PaginationError,
        PictifyError,
        Problem,
        QuotaExceededError,
        RateLimitError,
        ResponseDecodeError,
        ServerError,
        UnauthorizedError,
        UnprocessableContentError,
    )
    from .pagination import AsyncPage, AsyncPager, Page, Pager
    from .rate_limits import RateLimit
    from .types import UNSET, Response, Unset

__all__ = (
    "UNSET",
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncPage",
    "AsyncPager",
    "AsyncPictify",
    "AuthenticatedClient",
    "BadRequestError",
    "Client",
    "ConfigurationError",
    "ConflictError",
    "DecodeError",
    "ErrorDetail",
    "ForbiddenError",
    "GoneError",
    "NotFoundError",
    "Page",
    "Pager",
    "PaginationError",
    "Pictify",
    "PictifyError",
    "Problem",
    "QuotaExceededError",
    "RateLimit",
    "RateLimitError",
    "Response",
    "ResponseDecodeError",
    "ServerError",
    "UnauthorizedError",
    "UnprocessableContentError",
    "Unset",
    "__version__",
    "api",
    "errors",
    "models",
)

attach(
    __name__,
    {
        "__version__": "_version",
        "api": "api",
        "errors": "errors",
        "models": "models",
        "AsyncPictify": "client",
        "AuthenticatedClient": "client",
        "Client": "client",
        "Pictify": "client",
        "DecodeError": "decoding",
        "APIConnectionError": "errors",
        "APIStatusError": "errors",
        "APITimeoutError": "errors",
        "BadRequestError": "errors",
        "ConfigurationError": "errors",
        "ConflictError": "errors",
        "ErrorDetail": "errors",
        "ForbiddenError": "errors",
        "GoneError": "errors",
        "NotFoundError": "errors",
        "PaginationError": "errors",
        "PictifyError": "errors",
        "Problem": "errors",
        "QuotaExceededError": "errors",
        "RateLimitError": "errors",
        "ResponseDecodeError": "errors",
        "ServerError": "errors",
        "UnauthorizedError": "errors",
        "UnprocessableContentError": "errors",
        "AsyncPage": "pagination",
        "AsyncPager": "pagination",
        "Page": "pagination",
        "Pager": "pagination",
        "RateLimit": "rate_limits",
        "UNSET": "types",
        "Response": "types",
        "Unset": "types",
    },
)
