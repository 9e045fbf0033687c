"""A stand-in Pictify API for tests: in memory, of the standard library and httpx alone.

    from pictify_client.testing import FakePictify

    fake = FakePictify()
    pictify = fake.client()  # a Pictify; fake.async_client() is an AsyncPictify
    pictify.images.create(html="<h1>Hello</h1>")
    assert [request.operation for request in fake.requests] == ["POST /image"]

In pytest the fixture `fake_pictify` is one, made anew for each test. For programs of any language there
is a server on loopback:

    python -m pictify_client.testing --port 8787
    python -m pictify_client.testing pytest

The first serves until it is stopped; the second for as long as a command runs, which finds it by
`PICTIFY_BASE_URL` and `PICTIFY_API_KEY`. In a program, `serving` does the same.
"""

from __future__ import annotations

from .._runtime.lazy import attach

# As in the package itself: the pytest plugin stands in here, and is to cost next to nothing.
TYPE_CHECKING = bool()  # noqa: UP018

if TYPE_CHECKING:
    from .clock import FakeClock as FakeClock
    from .fake import API_KEY as API_KEY
    from .fake import FakePictify as FakePictify
    from .received import ReceivedRequest as ReceivedRequest
    from .server import serving as serving
    from .webhooks import WebhookDelivery as WebhookDelivery

attach(
    __name__,
    {
        "API_KEY": "fake",
        "FakeClock": "clock",
        "FakePictify": "fake",
        "ReceivedRequest": "received",
        "WebhookDelivery": "webhooks",
        "serving": "server",
    },
)
