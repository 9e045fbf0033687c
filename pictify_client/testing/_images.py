"""The bytes of images."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode
from typing import Final

MEDIA_TYPES: Final = {"png": "image/png", "jpeg": "image/jpeg", "jpg": "image/jpeg", "webp": "image/webp"}

PIXEL: Final = b64decode("R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAgEAAEEBAA7")
"""A transparent GIF of one pixel."""

# A grey pixel. Without an encoder for these formats, images of them have no other size.
_JPEG = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABALDA4MChAODQ4SERATGCgaGBYWGDEjJR0oOjM9PDkzODdASFxOQERXRTc4UG1RV19iZ2hnPk1xeXBk"
    "eFxlZ2P/wAALCAABAAEBAREA/8QAFAABAAAAAAAAAAAAAAAAAAAABf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/2gAIAQEAAD8AMf/Z"
)
_CONSTANT = {
    "jpeg": _JPEG,
    "jpg": _JPEG,
    "webp": b64decode("UklGRh4AAABXRUJQVlA4TBEAAAAvAAAAAAfQrW51q/+BiOh/AAA="),
}


def image(extension: str, width: int, height: int) -> bytes:
    """A plain image; of this size where it is a PNG."""
    return _CONSTANT.get(extension) or png(width, height)


def png(width: int, height: int, *, transparent: bool = False) -> bytes:
    """A PNG of one grey, or of nothing: a bit a pixel, all of the first colour of its palette."""
    row = bytes(1 + (width + 7) // 8)
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0),
        b"PLTE": b"\x5b\x5b\x5b",
        b"tRNS": b"\x00" if transparent else b"\xff",
        b"IDAT": zlib.compress(row * height, 9),
        b"IEND": b"",
    }
    parts = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)
