"""Read a PNG, and leave out its metadata: all ancillary chunks but those of colour and size.

Source: W3C, Portable Network Graphics (PNG) Specification, third edition.
"""

from __future__ import annotations

import zlib

from timeline.media.picture import Bytes, CutOff, Picture

SIGNATURE = b"\x89PNG\r\n\x1a\n"

_KEPT = frozenset(
    b"IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT cICP mDCV cLLI bKGD pHYs".split()
)


def read(content: bytes) -> Picture:
    """Return the picture without its metadata. Raises CutOff."""
    source = Bytes(content, len(SIGNATURE))
    body = [SIGNATURE]
    kinds: list[bytes] = []
    width = height = 0
    while not kinds or kinds[-1] != b"IEND":
        start = source.at
        length = source.number(4)
        kind, data = source.take(4), source.take(length)
        if source.number(4) != zlib.crc32(kind + data):
            raise CutOff
        if not kinds:
            if kind != b"IHDR" or length != 13:
                raise CutOff
            width, height = int.from_bytes(data[:4], "big"), int.from_bytes(data[4:8], "big")
        if kind[:1].isupper() and kind not in _KEPT:
            raise CutOff  # a chunk without which the picture cannot be shown, and nobody knows it
        if kind in _KEPT:
            body.append(content[start : source.at])
        kinds.append(kind)
    if b"IDAT" not in kinds or kinds.count(b"IHDR") > 1:
        raise CutOff
    return Picture(b"".join(body), width, height)
