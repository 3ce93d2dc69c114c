"""Read a JPEG, and leave out its metadata: all APPn and COM segments but four.

Kept are JFIF (without its thumbnail), Adobe, the ICC profile, and of EXIF the orientation alone.
Source: ITU-T T.81, annex B; JFIF 1.02; CIPA DC-008 (Exif 2.3).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from timeline.media.picture import Bytes, CutOff, Picture

_SOI, _EOI, _SOS, _COM, _TEM = 0xD8, 0xD9, 0xDA, 0xFE, 0x01
_RESTARTS = range(0xD0, 0xD8)
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""The markers of segments that have the size of the picture."""
_APPLICATIONS = range(0xE0, 0xF0)
_ORIENTATION = 0x0112


def read(content: bytes) -> Picture:
    """Return the picture without its metadata. Raises CutOff."""
    body = [b"\xff\xd8"]
    size = None
    for marker, data in _segments(content):
        if marker in _FRAMES and size is None:
            if len(data) < 5:
                raise CutOff
            size = struct.unpack(">HH", data[1:5])
        kept = _kept(marker, data)
        if kept is not None:
            body.append(bytes((0xFF, marker)) + kept)
    if size is None:
        raise CutOff
    height, width = size
    return Picture(b"".join(body), width, height)


def _segments(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield marker and content of each segment up to the end; SOS has its scan with it."""
    source = Bytes(content, 2)
    marker = 0
    while marker != _EOI:
        if source.take(1) != b"\xff":
            raise CutOff
        marker = 0xFF
        while marker == 0xFF:  # bytes that fill up
            (marker,) = source.take(1)
        if marker in (0, _SOI, _TEM) or marker in _RESTARTS:
            raise CutOff
        if marker == _EOI:
            yield marker, b""
            continue
        data = source.take(source.number(2) - 2)
        if marker == _SOS:
            end = _end_of_scan(content, source.at)
            data = _with_length(data) + content[source.at : end]
            source.at = end
        yield marker, data


def _end_of_scan(content: bytes, start: int) -> int:
    """Return where the next segment after a scan begins."""
    at = start
    while (at := content.find(b"\xff", at)) >= 0 and at + 1 < len(content):
        following = content[at + 1]
        if following and following != 0xFF and following not in _RESTARTS:
            return at
        at += 1 if following == 0xFF else 2
    raise CutOff


def _with_length(data: bytes) -> bytes:
    return struct.pack(">H", len(data) + 2) + data


def _kept(marker: int, data: bytes) -> bytes | None:
    """Return what stays of a segment, with its length; None if nothing does."""
    if marker in (_SOS, _EOI):
        return data
    if marker == _COM:
        return None
    if marker in _APPLICATIONS:
        kept = _application(marker, data)
        return _with_length(kept) if kept else None
    return _with_length(data)


def _application(marker: int, data: bytes) -> bytes | None:
    if marker == 0xE0 and data.startswith(b"JFIF\0") and len(data) >= 14:
        return data[:12] + b"\0\0"  # a thumbnail may show what was cut off the picture
    if marker == 0xE1 and data.startswith(b"Exif\0\0"):
        orientation = _orientation(data[6:])
        return _exif(orientation) if orientation else None
    if marker == 0xE2 and data.startswith(b"ICC_PROFILE\0"):
        return data
    if marker == 0xEE and data.startswith(b"Adobe"):
        return data[:12]
    return None


def _orientation(tiff: bytes) -> int | None:
    """Return the orientation that EXIF gives, from 2 to 8; None if it is upright or not given."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return None
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for number in range(count):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", tiff, start + 2 + 12 * number)
            if tag == _ORIENTATION and kind == 3:
                return value if 2 <= value <= 8 else None
    except struct.error:
        return None
    return None


def _exif(orientation: int) -> bytes:
    """Return EXIF that has an orientation, and nothing else."""
    entry = struct.pack(">HHIHH", _ORIENTATION, 3, 1, orientation, 0)
    return b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 1) + entry + struct.pack(">I", 0)
