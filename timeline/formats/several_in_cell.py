"""Find the names and the addresses that people put into one cell, several at a time.

Guarantees: no letter of a cell is lost. A comma is taken for the end of a name only where each part
is a name by itself: "Orr, Dana" and "Acme, Inc." are one name.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from timeline.formats.sheet.cells import several

_NO_NAME = re.compile(
    r"inc|llc|ltd|co|corp|plc|gmbh|ag|kg|sa|srl|spa|bv|nv|oy|ab|pty|lp|llp|jr|sr|ii|iii|iv|md|phd"
    r"|esq|mp|mep|dc|d\.c|usa|u\.s|uk|al|ak|az|ar|ca|ct|de|fl|ga|hi|id|il|in|ia|ks|ky|la|me|ma|mi"
    r"|mn|ms|mo|mt|ne|nh|nj|nm|ny|nc|nd|oh|ok|or|pa|ri|sc|sd|tn|tx|ut|vt|va|wa|wv|wi|wy",
    re.I,
)
"""Finds what stands behind a comma and still belongs to the name before it."""
_MOST_WORDS = 6
"""The most words of a name that a comma ends; more words are a sentence."""
_ACRONYM = re.compile(r"[A-Z][A-Z0-9&-]{1,7}")
_BETWEEN_LINKS = re.compile(r"[\s;|]+|,(?=https?://|www\.)|(?<=[^\s:/])(?=https?://)", re.I)
_LINK = re.compile(r"https?://[^\s/]+\S*", re.I)
_BARE_LINK = re.compile(r"(?:www\.[\w-]+\.\S+|(?:[\w-]+\.)+[a-z]{2,6}/\S+)", re.I)
_FORMULA = re.compile(
    r"""=\s*HYPERLINK\(\s*"([^"]+)"\s*(?:[,;]\s*"?([^"]*?)"?\s*)?\)"""
    r"""|<a\s[^>]*?href\s*=\s*["']([^"']+)["'][^>]*>(.*?)</a>""",
    re.I | re.S,
)
"""Finds a link as a formula of a spreadsheet, or HTML, has it: its address and its words."""
_AROUND_LINKS = "<>()[],.\"'"


class Links(NamedTuple):
    """Holds what a cell says of sources: their addresses, and the words that are no address."""

    addresses: tuple[str, ...]
    """The addresses, each with its scheme: ``https://`` was added where it lacked."""
    words: str = ""
    """The words of the cell that are no address, in their order."""
    added: bool = False
    """Whether an address got its ``https://`` here."""


def links_in(cell: str) -> Links:
    """Find the addresses in a cell, between blanks, line breaks, semicolons or commas."""
    addresses: dict[str, None] = {}
    words = []
    added = False
    for part in filter(None, _BETWEEN_LINKS.split(_without_markup(cell))):
        plain = part.strip(_AROUND_LINKS)
        if plain.count("(") > plain.count(")"):
            plain += ")"  # as in .../Kessel_(town)
        if _LINK.fullmatch(plain):
            addresses[plain] = None
        elif _BARE_LINK.fullmatch(plain):
            addresses[f"https://{plain}"] = None
            added = True
        else:
            words.append(part)
    return Links(tuple(addresses), " ".join(words), added)


def _without_markup(cell: str) -> str:
    """Return a cell with the address and the words of each link that is a formula or HTML."""
    if "=" not in cell:
        return cell
    return _FORMULA.sub(lambda found: " ".join(part or "" for part in found.groups()), cell)


def names_in(cell: str) -> list[str]:
    """Return the names in a cell: between semicolons, line breaks, bars or slashes, else commas."""
    if not cell.strip():
        return []
    if re.search(r"[;\n|]|\s/\s", cell):
        items = several(re.sub(r"\n|\||\s/\s", ";", cell))
    else:
        items = _between_commas(cell)
    return [*dict.fromkeys(name for item in items if (name := " ".join(item.split())))]


def _between_commas(cell: str) -> list[str]:
    """Split a cell at its commas if each part is a name by itself; else return it whole."""
    parts = [part.strip() for part in re.split("[,،、]", cell)]
    if len(parts) < 2 or not all(map(_is_name, parts)):
        return [cell]
    words = [len(part.split()) for part in parts]
    is_list = len(parts) > 2 or min(words) > 1 or all(map(_ACRONYM.fullmatch, parts))
    return parts if is_list else [cell]


def _is_name(part: str) -> bool:
    """Tell whether a part of a cell can be a name: it is short, and begins as names do."""
    first = part[:1]
    begins = first.isalpha() and (first.isupper() or first.lower() == first.upper())
    return (
        begins
        and len(part.split()) <= _MOST_WORDS
        and not _NO_NAME.fullmatch(part.rstrip("."))
        and not re.search(r"[0-9]{3}", part)
    )
