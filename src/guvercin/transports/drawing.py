"""The picture that a customer of the sandbox sends: drawn here, so that no file has to be carried along."""

import struct
import zlib
from functools import cache

MEDIA_TYPE = "image/png"

SIDE = 96
"""Pixels."""

_SKY, _SUN, _SEA = b"\x9b\xcf\xf2", b"\xff\xd1\x66", b"\x1f\x7a\x8c"


@cache
def picture() -> bytes:
    """Answer a small PNG: the sun over the sea (PNG, third edition, §5: signature, IHDR, IDAT, IEND)."""
    rows = b"".join(b"\0" + b"".join(_colour(x, y) for x in range(SIDE)) for y in range(SIDE))
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(name, content) for name, content in parts)


def _colour(x: int, y: int) -> bytes:
    if y >= SIDE * 2 // 3:
        return _SEA
    return _SUN if (x - SIDE // 2) ** 2 + (y - SIDE * 2 // 5) ** 2 < (SIDE // 5) ** 2 else _SKY


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
