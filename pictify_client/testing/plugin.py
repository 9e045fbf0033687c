"""The plugin for pytest, found by its entry point: the fixture `fake_pictify`.

pytest imports it in every run, wanted or not, so nothing more is imported until the fixture is used.
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = bool()  # noqa: UP018

if TYPE_CHECKING:
    from .fake import FakePictify


@pytest.fixture
def fake_pictify() -> FakePictify:
    """A stand-in Pictify API in memory: `fake_pictify.client()` and `fake_pictify.async_client()` talk to it."""
    from .fake import FakePictify

    return FakePictify()
