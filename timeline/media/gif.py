"""Read a GIF, and leave out its metadata: comments, texts, and what applications add.

Kept of the applications' extensions are the one that says how often a film is repeated, and the ICC
profile. Source: CompuServe, Graphics Interchange Format, version 89a.
"""

from __future__ import annotations

from timeline.media.picture import Bytes, CutOff, Picture

_IMAGE, _EXTENSION, _TRAILER = b"\x2c", b"\x21", b"\x3b"
_CONTROL, _APPLICATION = b"\xf9", b"\xff"
_KEPT = (b"NETSCAPE2.0", b"ANIMEXTS1.0", b"ICCRGBG1012")


def read(content: bytes) -> Picture:
    """Return the picture without its metadata. Raises CutOff."""
    source = Bytes(content)
    header = source.take(13)
    body = [header, source.take(_colours(header[10]))]
    images = 0
    while (kind := source.take(1)) != _TRAILER:
        if kind == _IMAGE:
            described = source.take(9)
            colours = source.take(_colours(described[8]))
            body += [kind, described, colours, source.take(1), _blocks(source)]
            images += 1
        elif kind == _EXTENSION:
            label = source.take(1)
            blocks = _blocks(source)
            if label == _CONTROL or (label == _APPLICATION and blocks[1:12] in _KEPT):
                body += [kind, label, blocks]
        else:
            raise CutOff
    if not images:
        raise CutOff
    width, height = (int.from_bytes(header[at : at + 2], "little") for at in (6, 8))
    return Picture(b"".join((*body, _TRAILER)), width, height)


def _colours(flags: int) -> int:
    """Return the number of bytes of the table of colours that these flags announce."""
    return 3 * 2 ** (1 + (flags & 7)) if flags & 0x80 else 0


def _blocks(source: Bytes) -> bytes:
    """Return the blocks that follow, with their lengths, up to the empty one that ends them."""
    found = []
    while True:
        length = source.take(1)
        found.append(length + source.take(length[0]))
        if length == b"\0":
            return b"".join(found)
