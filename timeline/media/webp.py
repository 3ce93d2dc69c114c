"""Read a WebP, and leave out its metadata: EXIF, XMP and chunks that nobody knows.

Source: RFC 9649; RFC 6386, section 9.1.
"""

from __future__ import annotations

import struct

from timeline.media.picture import Bytes, CutOff, Picture

_KEPT = frozenset((b"VP8X", b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_EXIF, _XMP = 0x08, 0x04
"""The bits of VP8X that say that there is EXIF, and XMP."""


def read(content: bytes) -> Picture:
    """Return the picture without its metadata. Raises CutOff."""
    header = Bytes(content, 4)
    source = Bytes(header.take(header.number(4, "little")))
    if source.take(4) != b"WEBP":
        raise CutOff
    chunks: list[tuple[bytes, bytes]] = []
    size = None
    while not source.is_at_end:
        kind = source.take(4)
        data = source.take(source.number(4, "little"))
        source.take(len(data) % 2)
        if kind == b"VP8X" and data:
            data = bytes((data[0] & ~(_EXIF | _XMP),)) + data[1:]
        size = size or _size(kind, data)
        if kind in _KEPT:
            chunks.append((kind, data))
    if size is None or not any(kind in (b"VP8 ", b"VP8L", b"ANMF") for kind, _ in chunks):
        raise CutOff
    body = b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
        for kind, data in chunks
    )
    return Picture(b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body, *size)


def _size(kind: bytes, data: bytes) -> tuple[int, int] | None:
    """Return width and height, if a chunk has them."""
    if kind == b"VP8X" and len(data) >= 10:
        return 1 + int.from_bytes(data[4:7], "little"), 1 + int.from_bytes(data[7:10], "little")
    if kind == b"VP8 " and data[3:6] == b"\x9d\x01\x2a" and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and data[:1] == b"\x2f" and len(data) >= 5:
        bits = int.from_bytes(data[1:5], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return None
