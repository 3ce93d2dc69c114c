"""How to cite an event: the version and the entry of it that were read.

Guarantees: what is cited can be found again for ever, since neither a version nor an entry
ever changes. Plain text, BibTeX, and CSL-JSON (citationstyles.org, schema 1.0.2).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["citations_of"]

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def citations_of(
    event: Mapping[str, Any], info: Mapping[str, Any], address: str
) -> list[tuple[str, str]]:
    """Name and text of each form, for a version of an event and the address of that version."""
    title = event.get("title") or "(erased)"
    where = f"version {event['version']}, entry {event['seq']}"
    day = event["recorded_at"][:10]
    plain = f'"{title}", {where}, recorded {day}. In: {info["title"]} ({info["origin"]}). {address}'
    return [
        ("Plain text", plain),
        ("BibTeX", _bibtex(event, info, address, title, where, day)),
        ("CSL-JSON", _csl(event, info, address, title, where, day)),
    ]


def _bibtex(
    event: Mapping[str, Any],
    info: Mapping[str, Any],
    address: str,
    title: str,
    where: str,
    day: str,
) -> str:
    fields = {
        "title": _tex(title),
        "booktitle": _tex(info["title"]),
        "year": day[:4],
        "note": _tex(f"{where[0].upper()}{where[1:]} of {info['origin']}, recorded {day}"),
        "url": address,
    }
    lines = ",\n".join(f"  {name} = {{{text}}}" for name, text in fields.items())
    return f"@misc{{{event['event_id']}-v{event['version']},\n{lines}\n}}"


def _tex(text: str) -> str:
    return re.sub(r"[\\~^&%$#_{}]", lambda found: _SPECIAL[found[0]], text)


def _csl(
    event: Mapping[str, Any],
    info: Mapping[str, Any],
    address: str,
    title: str,
    where: str,
    day: str,
) -> str:
    item = {
        "id": f"{event['event_id']}-v{event['version']}",
        "type": "entry",
        "title": title,
        "container-title": info["title"],
        "version": str(event["version"]),
        "note": f"{where} of {info['origin']}",
        "issued": {"date-parts": [[int(part) for part in day.split("-")]]},
        "URL": address,
    }
    return json.dumps([item], ensure_ascii=False, indent=2)
