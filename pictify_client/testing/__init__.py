"""A stand-in Pictify API: in memory, of the standard library alone.

    python -m pictify_client.testing --port 8787
    python -m pictify_client.testing pytest

The first serves it on loopback until it is stopped; the second for as long as a command runs, which
finds it by `PICTIFY_BASE_URL` and `PICTIFY_API_KEY`. In a program, `serving` does the same.
"""

from __future__ import annotations

from .fake import API_KEY, FakePictify
from .server import serving

__all__ = ("API_KEY", "FakePictify", "serving")
