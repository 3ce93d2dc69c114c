"""Make of a file the bytes that are kept: a known type, whole, and without its metadata.

Guarantees: the picture is not encoded again, so every pixel stays. Where it was taken, with which
camera and by whom is taken out, and so is all that follows the end of the picture. A file that was
made here is made into the same bytes again. Its type is known by its bytes, not by its name.

Pure: knows bytes, no database and no event.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

from timeline.errors import InvalidInput
from timeline.media import gif, jpeg, png, webp
from timeline.media.picture import CutOff, Picture

LARGEST = 10 * 2**20
"""The largest file, in bytes."""
MOST_PIXELS = 50_000_000
"""The most pixels of a picture: more would take a browser 200 MB."""

ENDINGS = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "application/pdf": ".pdf",
}
"""The types that are kept and served, each with the ending of its addresses."""

_READERS = {
    "image/jpeg": jpeg.read,
    "image/png": png.read,
    "image/webp": webp.read,
    "image/gif": gif.read,
}
_END_OF_PDF = 1024
"""The last bytes of a PDF, among which its end must stand."""


class AttachedFile(NamedTuple):
    """The bytes that are kept of a file, and what they say of themselves."""

    sha256: str
    """ "sha256:" and the hex of the SHA-256 of the body."""
    media_type: str
    width: int | None
    """In pixels, before the orientation is applied; None for a document."""
    height: int | None
    body: bytes


def attached_file(content: bytes) -> AttachedFile:
    """Return what is kept of a file. Raises InvalidInput for a file that cannot be kept."""
    if len(content) > LARGEST:
        raise InvalidInput("file", f"has more than {LARGEST // 2**20} MiB: make it smaller")
    media_type = _type_of(content)
    picture = Picture(content, None, None)
    if media_type == "application/pdf":
        if b"%%EOF" not in content[-_END_OF_PDF:]:
            raise InvalidInput("file", "is a PDF without an end: get it again, it was cut off")
    else:
        picture = _picture(media_type, content)
    sha256 = "sha256:" + hashlib.sha256(picture.body).hexdigest()
    return AttachedFile(sha256, media_type, picture.width, picture.height, picture.body)


def _type_of(content: bytes) -> str:
    """Return the type of a file by its first bytes."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(png.SIGNATURE):
        return "image/png"
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"%PDF-"):
        return "application/pdf"
    raise InvalidInput("file", "is no JPEG, PNG, WebP, GIF or PDF: no other type is kept")


def _picture(media_type: str, content: bytes) -> Picture:
    name = media_type.removeprefix("image/")
    try:
        picture = _READERS[media_type](content)
    except CutOff:
        problem = f"is a {name} that is damaged or was cut off: get it again"
        raise InvalidInput("file", problem) from None
    width, height = picture.width or 0, picture.height or 0
    if not (0 < width <= 100_000 and 0 < height <= 100_000) or width * height > MOST_PIXELS:
        problem = f"has {width} by {height} pixels: at most {MOST_PIXELS:,} in all are kept"
        raise InvalidInput("file", problem)
    return picture
