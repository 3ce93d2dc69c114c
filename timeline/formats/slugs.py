"""A function that makes of a text what ids and names of files are made of."""

from __future__ import annotations

import re


def plain(text: str) -> str:
    """Return a text in small letters of English and digits, with hyphens between its words."""
    if not text.isascii():
        from anyascii import anyascii  # its tables of letters are read from files

        text = anyascii(text)
    return re.sub(r"[^a-z0-9]+", "-", text.lower().replace("'", "")).strip("-")
