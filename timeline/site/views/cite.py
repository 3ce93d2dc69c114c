"""Cite a version of an event and its log entry, as plain text, BibTeX and CSL-JSON.

Guarantees: a reader of the citation can always find what was cited, since neither a version nor an
entry ever changes. CSL-JSON is that of citationstyles.org, schema 1.0.2.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from timeline.formats import prose
from timeline.languages.translation import gettext

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}
"""Characters that mean something in TeX, each with the way to write it."""


class _Cited(NamedTuple):
    """The texts that every form of a citation has."""

    key: str
    title: str
    container: str
    version: int
    where: str
    day: str
    address: str


def citations_of(
    event: Mapping[str, Any], info: Mapping[str, Any], address: str
) -> list[tuple[str, str]]:
    """Return name and text of each form, for a version of an event and that version's address."""
    cited = _Cited(
        f"{event['event_id']}-v{event['version']}",
        prose.title(event),
        info["title"],
        event["version"],
        f"version {event['version']}, entry {event['seq']} of {info['origin']}",
        event["recorded_at"][:10],
        address,
    )
    return [
        (gettext("Plain text"), _plain(cited)),
        ("BibTeX", _bibtex(cited)),
        ("CSL-JSON", _csl(cited)),
    ]


def _plain(cited: _Cited) -> str:
    return (
        f'"{cited.title}", {cited.where}, recorded {cited.day}. In: {cited.container}. '
        f"{cited.address}"
    )


def _bibtex(cited: _Cited) -> str:
    fields = {
        "title": _tex(cited.title),
        "booktitle": _tex(cited.container),
        "year": cited.day[:4],
        "note": _tex(f"{cited.where}, recorded {cited.day}"),
        "url": cited.address,
    }
    lines = ",\n".join(f"  {name} = {{{text}}}" for name, text in fields.items())
    return f"@misc{{{cited.key},\n{lines}\n}}"


def _tex(text: str) -> str:
    return re.sub(r"[\\~^&%$#_{}]", lambda found: _SPECIAL[found[0]], text)


def _csl(cited: _Cited) -> str:
    item = {
        "id": cited.key,
        "type": "entry",
        "title": cited.title,
        "container-title": cited.container,
        "version": str(cited.version),
        "note": cited.where,
        "issued": {"date-parts": [[int(part) for part in cited.day.split("-")]]},
        "URL": cited.address,
    }
    return json.dumps([item], ensure_ascii=False, indent=2)
