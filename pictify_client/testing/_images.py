"""The contents of files: plain images of any size, in few bytes."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode
from typing import Final

MEDIA_TYPES: Final = {
    "png": "image/png",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "webp": "image/webp",
    "gif": "image/gif",
    "mp4": "video/mp4",
    "pdf": "application/pdf",
}

PIXEL: Final = b64decode("R0lGODlhAQABAIAAAAAAAAAAACH5BAEAAAAALAAAAAABAAEAAAgEAAEEBAA7")
"""A transparent GIF of one pixel."""

# More than the API renders, and less than WebP can hold.
_MAX_PIXELS = 10_000
_POINTS_A_PIXEL = 72 / 96
_GREY = 0x5B


def file(extension: str, width: int, height: int, pages: int = 1) -> bytes:
    """A plain image of this size; or a PDF of so many empty pages, whose size is in pixels at 96 to the inch.

    An MP4 file has one track of the size, and no frames.
    """
    width, height = (max(1, min(side, _MAX_PIXELS)) for side in (width, height))
    match extension:
        case "jpeg" | "jpg":
            return _jpeg(width, height)
        case "webp":
            return _webp(width, height)
        case "gif":
            return _gif(width, height)
        case "mp4":
            return _mp4(width, height)
        case "pdf":
            return _pdf(width, height, pages)
        case _:
            return png(width, height)


def png(width: int, height: int, *, transparent: bool = False) -> bytes:
    """A PNG of one grey, or of nothing: a bit a pixel, all of the first colour of its palette."""
    row = bytes(1 + (width + 7) // 8)
    chunks = {
        b"IHDR": struct.pack(">IIBBBBB", width, height, 1, 3, 0, 0, 0),
        b"PLTE": bytes([_GREY] * 3),
        b"tRNS": b"\x00" if transparent else b"\xff",
        b"IDAT": zlib.compress(row * height, 9),
        b"IEND": b"",
    }
    parts = (
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks.items()
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _jpeg(width: int, height: int) -> bytes:
    """All of it is the middle grey: each block of 8 x 8 is two bits, no difference and no more."""
    one_symbol = bytes([1, *[0] * 15, 0])
    segments = (
        (0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
        (0xDB, b"\0" + bytes([1] * 64)),
        (0xC0, struct.pack(">BHHBBBB", 8, height, width, 1, 1, 0x11, 0)),
        (0xC4, b"\x00" + one_symbol),
        (0xC4, b"\x10" + one_symbol),
        (0xDA, b"\1\1\0\0\x3f\0"),
    )
    head = b"".join(struct.pack(">BBH", 0xFF, kind, len(data) + 2) + data for kind, data in segments)
    bits = 2 * -(-width // 8) * -(-height // 8)
    # The last byte is filled up with ones.
    rest = bytes([(1 << (8 - bits % 8)) - 1]) if bits % 8 else b""
    return b"\xff\xd8" + head + bytes(bits // 8) + rest + b"\xff\xd9"


def _webp(width: int, height: int) -> bytes:
    """Lossless; each of the five codes has one symbol, so that a pixel takes no bits."""
    fields = [(width - 1, 14), (height - 1, 14), (0, 1), (0, 3)]
    # No transform, no colour cache, one group of codes.
    fields += [(0, 1), (0, 1), (0, 1)]
    for symbol in (_GREY, _GREY, _GREY, 0xFF):
        # A simple code of one symbol, which is written in eight bits.
        fields += [(1, 1), (0, 1), (1, 1), (symbol, 8)]
    fields += [(1, 1), (0, 1), (0, 1), (0, 1)]
    stream = place = 0
    for value, bits in fields:
        stream |= value << place
        place += bits
    data = b"\x2f" + stream.to_bytes(-(-place // 8), "little")
    data += bytes(len(data) % 2)
    chunk = b"VP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(chunk) + 4) + b"WEBP" + chunk


def _gif(width: int, height: int) -> bytes:
    """The transparent pixel in the corner of a canvas of this size."""
    return PIXEL[:6] + struct.pack("<HH", width, height) + PIXEL[10:]


def _mp4(width: int, height: int) -> bytes:
    """The boxes in which a player finds the size: `ftyp`, and `moov` with a track."""
    times = bytes(8) + struct.pack(">II", 1000, 0)
    matrix = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
    movie = _box(b"mvhd", bytes(4) + times + struct.pack(">IH10x", 0x10000, 0x100) + matrix + bytes(24) + b"\0\0\0\2")
    size = struct.pack(">II", width << 16, height << 16)
    track = _box(b"tkhd", b"\0\0\0\3" + struct.pack(">IIIII16x", 0, 0, 1, 0, 0) + matrix + size)
    return _box(b"ftyp", b"isom\0\0\2\0isomiso2mp41") + _box(b"moov", movie + _box(b"trak", track))


def _box(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content) + 8) + name + content


def _pdf(width: int, height: int, pages: int) -> bytes:
    box = f"[0 0 {width * _POINTS_A_PIXEL:g} {height * _POINTS_A_PIXEL:g}]"
    kids = " ".join(f"{number} 0 R" for number in range(3, 3 + pages))
    objects = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {pages} /MediaBox {box} /Resources << >> >>",
        *["<< /Type /Page /Parent 2 0 R >>"] * pages,
    ]
    text, places = "%PDF-1.4\n", list[int]()
    for number, each in enumerate(objects, 1):
        places.append(len(text))
        text += f"{number} 0 obj\n{each}\nendobj\n"
    entries = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    table = f"xref\n0 {size}\n0000000000 65535 f \n{entries}trailer\n<< /Size {size} /Root 1 0 R >>\n"
    return f"{text}{table}startxref\n{len(text)}\n%%EOF\n".encode()
