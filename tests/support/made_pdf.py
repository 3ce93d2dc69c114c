"""Make small PDF files, a page for each list of lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def pdf(*pages: Sequence[str], info: Mapping[str, str] | None = None, lang: str = "") -> bytes:
    """A PDF of these pages in Helvetica, which can write Latin letters only."""
    numbers = [5 + 2 * number for number in range(len(pages))]
    objects = {
        1: f"<< /Type /Catalog /Pages 2 0 R {f'/Lang ({lang})' if lang else ''} >>".encode(),
        2: f"<< /Type /Pages /Count {len(pages)} /Kids"
        f" [{' '.join(f'{number} 0 R' for number in numbers)}] >>".encode(),
        3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
        4: b"<< " + b" ".join(_pair(*each) for each in (info or {}).items()) + b" >>",
    }
    for number, lines in zip(numbers, pages, strict=True):
        shown = b"".join(b"(" + _escaped(line) + b") Tj T* " for line in lines)
        content = b"BT /F1 11 Tf 14 TL 72 770 Td " + shown + b"ET"
        objects[number] = (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {number + 1} 0 R"
            " /Resources << /Font << /F1 3 0 R >> >> >>"
        ).encode()
        objects[number + 1] = (
            f"<< /Length {len(content)} >>\nstream\n".encode() + content + b"\nendstream"
        )
    file = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number in sorted(objects):
        places.append(len(file))
        file += f"{number} 0 obj\n".encode() + objects[number] + b"\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    count = len(objects) + 1
    end = f"xref\n0 {count}\n0000000000 65535 f \n{table}trailer\n<< /Size {count} /Root 1 0 R"
    return bytes(file) + f"{end} /Info 4 0 R >>\nstartxref\n{len(file)}\n%%EOF\n".encode()


def _pair(name: str, text: str) -> bytes:
    return b"/" + name.encode() + b" (" + _escaped(text) + b")"


def _escaped(text: str) -> bytes:
    found = text.encode("cp1252")
    for mark in (b"\\", b"(", b")"):
        found = found.replace(mark, b"\\" + mark)
    return found
