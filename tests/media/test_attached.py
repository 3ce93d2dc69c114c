"""What is kept of a file that somebody attaches: each pixel, and nothing about who took it."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageCms, PngImagePlugin

from timeline.errors import InvalidInput
from timeline.media.attached import LARGEST, attached_file

SECRET = b"Sumy-garage-51.3N-camera-0815"
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
WIDTH, HEIGHT = 48, 32
FORMATS = ["JPEG", "PNG", "WEBP", "GIF"]


def picture() -> Image.Image:
    """A picture in which no two corners are alike."""
    image = Image.new("RGB", (WIDTH, HEIGHT))
    image.putdata([(x * 5, y * 7, (x * y) % 256) for y in range(HEIGHT) for x in range(WIDTH)])
    return image


def exif(orientation: int) -> bytes:
    """EXIF with a place, a camera and an owner."""
    found = Image.Exif()
    found[0x0112] = orientation
    found[0x010F] = SECRET.decode()
    found[0x8825] = {1: "N", 2: (50.0, 54.0, 0.0), 29: SECRET.decode()}
    return found.tobytes()


def written(kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image = options.pop("image", None) or picture()
    image.save(file, kind, **options)
    return file.getvalue()


def with_secrets(kind: str) -> bytes:
    """A file of this kind that tells where it was taken, in every way that the kind has."""
    if kind == "JPEG":
        content = written(
            kind, exif=exif(6), icc_profile=PROFILE, comment=SECRET, progressive=True, dpi=(72, 72)
        )
        more = b"".join(
            bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data
            for marker, data in (
                (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + SECRET),
                (0xED, b"Photoshop 3.0\0" + SECRET),
                (0xE2, b"MPF\0" + SECRET),
                (0xE0, b"JFXX\0" + SECRET),
            )
        )
        return content[:2] + more + content[2:] + SECRET
    if kind == "PNG":
        info = PngImagePlugin.PngInfo()
        info.add_text("Author", SECRET.decode())
        info.add_itxt("XML:com.adobe.xmp", SECRET.decode())
        info.add_text("Comment", SECRET.decode(), zip=True)
        return written(kind, pnginfo=info, exif=exif(1), icc_profile=PROFILE) + SECRET
    if kind == "WEBP":
        content = written(
            kind, exif=exif(6), icc_profile=PROFILE, xmp=SECRET, lossless=True, exact=True
        )
        return content + SECRET
    content = written(kind, comment=SECRET, image=picture().convert("P"))
    application = b"\x21\xff\x0bXMP DataXMP" + bytes((len(SECRET),)) + SECRET + b"\0"
    return content[:-1] + application + content[-1:] + SECRET


def pixels(content: bytes) -> bytes:
    content = content.replace(b"MPF\0", b"mpf\0")  # Pillow warns of a second picture that is none
    with Image.open(io.BytesIO(content)) as image:
        return image.convert("RGB").tobytes()


@pytest.mark.parametrize("kind", FORMATS)
def test_every_pixel_stays_and_no_metadata_does(kind: str) -> None:
    content = with_secrets(kind)
    assert SECRET in content
    kept = attached_file(content)
    assert SECRET not in kept.body
    assert b"GPS" not in kept.body
    assert SECRET not in _unpacked(kept.body)
    assert pixels(kept.body) == pixels(content)
    assert (kept.media_type, kept.width, kept.height) == (f"image/{kind.lower()}", WIDTH, HEIGHT)
    assert kept.sha256 == "sha256:" + hashlib.sha256(kept.body).hexdigest()


def _unpacked(body: bytes) -> bytes:
    """What is packed in chunks of a PNG."""
    found = b""
    for at in range(len(body)):
        if body[at : at + 4] in (b"zTXt", b"iTXt"):
            found += zlib.decompressobj().decompress(body[body.index(b"\x78", at) :])
    return found


@pytest.mark.parametrize("kind", FORMATS)
def test_doing_it_again_changes_nothing(kind: str) -> None:
    kept = attached_file(with_secrets(kind))
    assert attached_file(kept.body) == kept
    assert attached_file(kept.body + b"more") == kept


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_still_upright(orientation: int) -> None:
    kept = attached_file(written("JPEG", exif=exif(orientation)))
    with Image.open(io.BytesIO(kept.body)) as image:
        found = image.getexif()
        assert found.get(0x0112, 1) == orientation
        assert set(found) <= {0x0112}
    assert (kept.width, kept.height) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_colours_stay_as_the_profile_has_them(kind: str) -> None:
    with Image.open(io.BytesIO(attached_file(with_secrets(kind)).body)) as image:
        assert image.info["icc_profile"] == PROFILE


def test_a_thumbnail_may_show_what_was_cut_off_and_goes() -> None:
    content = written("JPEG")
    thumbnail = b"\x01\x01" + SECRET[:3]
    at = content.index(b"JFIF\0")
    jfif = content[at : at + 12] + thumbnail
    made = content[: at - 2] + struct.pack(">H", len(jfif) + 2) + jfif + content[at + 14 :]
    kept = attached_file(made)
    assert pixels(kept.body) == pixels(content)
    assert kept == attached_file(content)


def test_a_film_of_pictures_still_moves() -> None:
    films: list[tuple[str, dict[str, Any]]] = [("GIF", {"loop": 3}), ("WEBP", {"loop": 3})]
    for kind, options in films:
        others = [picture().rotate(90 * turn, expand=False) for turn in (1, 2)]
        content = written(
            kind, save_all=True, append_images=others, duration=80, comment=SECRET, **options
        )
        kept = attached_file(content)
        with Image.open(io.BytesIO(kept.body)) as image:
            assert image.n_frames == 3
            assert image.info["loop"] == 3
        assert SECRET not in kept.body


@pytest.mark.parametrize("kind", FORMATS)
def test_a_picture_that_was_cut_off_is_refused(kind: str) -> None:
    body = attached_file(with_secrets(kind)).body
    for length in range(12, len(body) - 1, 7):
        with pytest.raises(InvalidInput, match="cut off") as caught:
            attached_file(body[:length])
        assert caught.value.field == "file"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<!DOCTYPE html><script>alert(1)</script>",
        b"\n%PDF-1.7\n%%EOF",
        b"BM" + b"\0" * 60,
        b"plain words",
    ],
)
def test_no_other_type_is_kept(content: bytes) -> None:
    with pytest.raises(InvalidInput, match="no other type is kept"):
        attached_file(content)


def test_a_document_is_kept_as_it_is() -> None:
    content = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"
    kept = attached_file(content)
    assert (kept.body, kept.media_type, kept.width) == (content, "application/pdf", None)
    with pytest.raises(InvalidInput, match="cut off"):
        attached_file(content[:20] + b"." * 2_000)


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(InvalidInput, match="more than 10 MiB"):
        attached_file(b"\xff\xd8\xff" + b"." * LARGEST)
    huge = written("PNG", image=Image.new("1", (10_000, 6_000)))
    with pytest.raises(InvalidInput, match="10000 by 6000 pixels"):
        attached_file(huge)


STARTS = [attached_file(with_secrets(kind)).body for kind in FORMATS]


@given(st.sampled_from(STARTS), st.data())
def test_a_damaged_file_is_kept_whole_or_refused(start: bytes, data: st.DataObject) -> None:
    """Whatever the bytes are, nothing but InvalidInput is raised."""
    at = data.draw(st.integers(3, len(start) - 1))
    content = start[:at] + data.draw(st.binary(max_size=40)) + start[at + 1 :]
    try:
        kept = attached_file(content)
    except InvalidInput:
        return
    assert attached_file(kept.body) == kept
