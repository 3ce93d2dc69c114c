"""Functions that read and write the media of an event as three cells: address, words, maker.

Guarantees: a medium that stays keeps the fields that a cell cannot hold. Pure: knows media and
cells, no files and no database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any

from timeline.formats.sheet.cells import MEDIA, SheetRow, joined, several
from timeline.model.media_kinds import kind_of
from timeline.store.files import FILE, name_of

_FIELDS = {"media_alt": "alt", "media_credit": "credit"}
"""The columns beside media_url, each with the field of a medium that its items give."""


def media_cells(event: Mapping[str, Any]) -> dict[str, str]:
    """Return the three cells of the media of an event, in their order.

    An attached file without an address on the web is named as `timeline erase` names it.
    """
    media = event.get("media", ())
    return {
        "media_url": joined(map(_key, media)),
        **{
            column: joined(medium.get(field, "") for medium in media)
            for column, field in _FIELDS.items()
        },
    }


def _key(medium: Mapping[str, Any]) -> str:
    return str(medium.get("url") or name_of(medium["sha256"]))


def normal_media(row: SheetRow) -> dict[str, str]:
    """Return the cells of a row about media as an export would write them. Raises InvalidInput."""
    items = _items(row)
    return {
        column: joined(item[number] for item in items)
        for number, column in enumerate(MEDIA)
        if column in row.cells
    }


def _items(row: SheetRow) -> list[tuple[str, ...]]:
    """Return address, words and maker of each medium that a row names. Raises InvalidInput."""
    lists = [several(row.cells.get(column, "")) for column in MEDIA]
    for column, given in zip(MEDIA[1:], lists[1:], strict=True):
        if any(given[len(lists[0]) :]) or (any(given) and not any(lists[0])):
            problem = (
                f"has {len(given)} texts for {len([*filter(None, lists[0])])} in media_url: write"
                " \\; for a semicolon within a text"
            )
            raise row.invalid(column, problem)
    return [item for item in zip_longest(*lists, fillvalue="") if item[0]]


def media_in(event: Mapping[str, Any], row: SheetRow) -> list[dict[str, Any]]:
    """Return the media that a row gives an event. Raises InvalidInput.

    Those that the event has already keep their other fields.
    """
    known: dict[str, list[Mapping[str, Any]]] = {}
    for medium in event.get("media", ()):
        known.setdefault(_key(medium), []).append(medium)
    return [_medium(row, item, known.get(item[0], [])) for item in _items(row)]


def _medium(row: SheetRow, item: Sequence[str], known: list[Mapping[str, Any]]) -> dict[str, Any]:
    address = item[0]
    medium: dict[str, Any] = {}
    if known:
        medium = {**known.pop(0)}
    elif address.startswith(FILE):
        problem = "names a file that this event does not show: timeline attach adds it"
        raise row.invalid("media_url", problem)
    said = dict(zip(_FIELDS.values(), item[1:], strict=True))
    if not medium:
        kind = kind_of(address) or ("image" if said["alt"] else "document")
        medium = {"kind": kind, "url": address}
    for column, field in _FIELDS.items():
        if column in row.cells:
            medium[field] = said[field] or None
    return {field: value for field, value in medium.items() if value is not None}
