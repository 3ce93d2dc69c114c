"""Name the file of a selection: by the log, by what was asked for, and by the state of the log.

Guarantees: the same selection of the same state has the same name, on the site and on the command
line. A name has letters, digits, hyphens and its suffix, so nothing in it is a path, a header or
a command. It has at most 200 bytes.
"""

from __future__ import annotations

import hashlib
import unicodedata
from urllib.parse import quote

from timeline.formats.about import About
from timeline.formats.exports import ExportFormat
from timeline.formats.slugs import plain

_TITLE, _SELECTION, _MOMENT = 50, 80, 30
"""Bytes of a name that say the title, the selection, and up to when reports count."""


def file_name(about: About, form: ExportFormat, after: str = "") -> str:
    """Return the name of the file of a selection: "odesa-2025-04-as-of-41.csv".

    `after` is the place in the list after which the file begins.
    """
    selection = _slug(" ".join(each.in_name for each in about.conditions))
    if len(selection.encode()) > _SELECTION:
        digest = hashlib.sha256(selection.encode()).hexdigest()[:6]
        selection = f"{_cut(selection, _SELECTION)}-{digest}"
    reported = about.filters.get("as_reported")
    parts = (
        _cut(_slug(about.info.get("title", "")), _TITLE) or "timeline",
        form.stem if form.stem != "events" else "",
        selection,
        f"as-of-{about.as_of.seq}" if about.as_of.seq >= 0 else "empty",
        f"reported-{_cut(_slug(reported), _MOMENT)}" if reported else "",
        f"after-{_cut(_slug(after), _MOMENT)}" if after else "",
    )
    return "-".join(filter(None, parts)) + form.suffix


def disposition(name: str, form: ExportFormat) -> str:
    """Return the header Content-Disposition by which a browser saves a file under this name.

    Programs that know only ASCII get the name in Latin letters. A page, and a file that programs
    follow, is shown where it is opened, and not saved.
    """
    latin = f"{plain(name.removesuffix(form.suffix))}{form.suffix}"
    also = "" if latin == name else f"; filename*=UTF-8''{quote(name)}"
    return f'{"inline" if form.opens else "attachment"}; filename="{latin}"{also}'


def _slug(text: str) -> str:
    """Return the words of a text in small letters, with hyphens between them."""
    kept = (
        each if unicodedata.category(each)[0] in "LMN" else "-"
        for each in unicodedata.normalize("NFKC", text).lower()
    )
    words = "".join(kept).split("-")
    return "-".join(word for word in words if any(each.isalnum() for each in word))


def _cut(slug: str, most: int) -> str:
    """Shorten a slug to a number of bytes: between two words, if there are several."""
    octets = slug.encode()
    if len(octets) <= most:
        return slug
    part = octets[: most + 1].decode(errors="ignore")
    return part.rpartition("-")[0] or octets[:most].decode(errors="ignore")
