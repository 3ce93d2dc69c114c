"""Small files to attach, each another one."""

from __future__ import annotations

import io

from PIL import Image

PDF = b"%PDF-1.7\n1 0 obj\nendobj\ntrailer\n%%EOF\n"


def png(colour: str = "red", size: tuple[int, int] = (6, 4)) -> bytes:
    """A picture in one colour."""
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def photo(colour: str = "red", place: str = "") -> bytes:
    """A JPEG that says where it was taken."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = place
    Image.new("RGB", (64, 48), colour).save(file, "JPEG", exif=exif.tobytes())
    return file.getvalue()
