"""A fake of the Pictify API for tests, in memory.

    from pictify_client.testing import FakePictify

    fake = FakePictify()
    pictify = fake.client()  # a Pictify; fake.async_client() is an AsyncPictify
    pictify.images.create(html="<h1>Hello</h1>")
    assert [request.operation for request in fake.requests] == ["POST /image"]

In pytest, the fixture `fake_pictify` is a new one for each test. For programs in any language, there is a mock server:

    python -m pictify_client.testing --port 8787
    python -m pictify_client.testing pytest

The first command serves until it is stopped. The second serves while a command runs, which finds the server by
`PICTIFY_BASE_URL` and `PICTIFY_API_KEY`. In a program, `serving` does the same.
"""

from __future__ import annotations

from .._runtime.lazy import attach

# As in the package itself: pytest imports its plugin from here in every run.
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
        "fake": ["API_KEY", "FakePictify"],
        "clock": ["FakeClock"],
        "received": ["ReceivedRequest"],
        "webhooks": ["WebhookDelivery"],
        "server": ["serving"],
    },
)
