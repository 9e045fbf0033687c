"""The pytest plugin, found by its entry point: the fixture `fake_pictify`.

pytest imports it in every run, so everything else is imported when the fixture is used.
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = bool()  # noqa: UP018

if TYPE_CHECKING:
    from .fake import FakePictify


@pytest.fixture
def fake_pictify() -> FakePictify:
    """A fake Pictify API in memory, with the clients `fake_pictify.client()` and `fake_pictify.async_client()`."""
    from .fake import FakePictify

    return FakePictify()
