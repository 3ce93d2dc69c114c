"""Functions that turn a row of a sheet into an event, and an event into the cells of a row.

Guarantees: what a row says about an event is the same after writing and reading it. A row is
compared with the cells that an export of the event would write. So what a sheet cannot say (an
office, a quote, who gives a figure) is not lost when a cell beside it changes.

Pure: knows contents and cells, no database. A refusal names the line and the cell.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import zip_longest
from types import MappingProxyType
from typing import Any, NamedTuple

from timeline.errors import InvalidInput, InvalidValue
from timeline.formats.coded import REPEATS, codes_and_words
from timeline.formats.sheet.cells import (
    COLUMNS,
    MEDIA,
    PATHS,
    SheetCells,
    SheetRow,
    clean,
    joined,
    several,
)
from timeline.formats.sheet.dates import date_cells, read_date
from timeline.formats.sheet.figure_cells import (
    figure_in,
    figures_in_columns,
    with_figures,
    written_figures,
)
from timeline.formats.sheet.media_cells import media_cells, media_in, normal_media
from timeline.formats.sheet.problems import Problems, refusal
from timeline.model import (
    clock,
    coordinates,
    countries,
    field_paths,
    figures,
    hints,
    typed_dates,
    validation,
)
from timeline.model.content import Statement
from timeline.model.invisible import without
from timeline.model.limits import ID
from timeline.model.log_info import Term
from timeline.model.terms import term
from timeline.model.typed_dates import Spans
from timeline.model.units import COUNTED_IN_PEOPLE

_SOURCES = ("source_url", "source_title")
POINTS = ("lat", "lon", "about_place.lat", "about_place.lon")
"""The columns of coordinates, of which one cell may hold two."""
_DATED = re.compile(r"/?quantities[./][0-9]+[./]dated")
_LISTS_OF_TEXT = ("contexts", "external_ids")

EventFields = Mapping[str, Any]
"""The fields of an event that `query.get` returned, or of one of its parts."""


Titles = Mapping[str, Mapping[str, SheetRow]]
"""The titles of each address in a sheet, in their order, each with the first row that has it."""


class Lookup(NamedTuple):
    """The names in a log that cells are read and written with."""

    event_types: Sequence[Term] = ()
    """The event types of the log; if empty, every word is accepted as an event type."""
    sources: Mapping[str, Mapping[str, Any]] = {}
    """The sources that events cite, each with `title` and `url`, by source id."""
    titles: Mapping[str, str] = {}
    """The titles of sources, by address; a row need not repeat them."""
    accepted: Mapping[str, Collection[str]] = {}
    """The titles that a row may give an address, if a sheet and the log give it several.

    A row that gives it another one cites the source of `titles`.
    """
    said: Titles = MappingProxyType({})
    """The titles that the sheet gives its sources."""
    language: str = "en"
    """The language of the log: the marks of a number and the names of months are read by it."""
    spans: Spans = "alone"
    """How YYYY-NN is read in the column of dates."""


# --- An event as cells --------------------------------------------------------------------


def cells(event: EventFields, lookup: Lookup, columns: Iterable[str] = COLUMNS) -> SheetCells:
    """Return the cells of an event that `query.get` returned.

    `reason` is empty, because it belongs to a change.
    """
    place = event.get("place", {})
    coded = codes_and_words(event, {each.code: each.label for each in lookup.event_types})
    columns = [*columns]
    sources = _slots(event, lookup, with_titles="source_title" in columns)
    ours = {
        "id": event["event_id"],
        "title": event.get("title"),
        "occurred": typed_dates.written(event.get("occurred") or ""),
        "type": coded["event_type_label"],
        "place": place.get("name"),
        "country": coded["country_name"],
        "lat": place.get("lat"),
        "lon": place.get("lon"),
        "actors": joined(_names(event)),
        "tags": joined(event.get("tags", ())),
        **{measure: joined(written_figures(event, measure)) for measure in COUNTED_IN_PEOPLE},
        "source_url": joined(address for address, _ in sources),
        "source_title": joined(title for _, title in sources),
        "reported_at": event.get("reported_at"),
        "summary": event.get("summary"),
        "reason": None,
        "highlight": "yes" if event.get("highlight") else None,
        **coded,
        **media_cells(event),
    }
    return {
        column: clean(ours[column] or "" if column in ours else _cell_at(event, column))
        for column in columns
    }


def _names(event: EventFields) -> list[str]:
    return [*dict.fromkeys(each["name"] for each in event.get("participants", ()))]


def _slots(event: EventFields, lookup: Lookup, *, with_titles: bool) -> list[tuple[str, str]]:
    """Return address and title of each source of an event, as its two cells have them."""
    slots: dict[str, tuple[str, str]] = {}
    for citation in event.get("citations", ()):
        address, title = _slot(citation["source_id"], lookup, with_titles=with_titles)
        slots.setdefault(address or title, (address, title))
    return [*slots.values()]


def _slot(source_id: str, lookup: Lookup, *, with_titles: bool) -> tuple[str, str]:
    """Return address and title of a source as two cells have them.

    A source without an address is named by its title; if the sheet has no titles, or the source
    has none, by its id in place of the address.
    """
    source = lookup.sources.get(source_id, {})
    title = (with_titles and source.get("title")) or ""
    return source.get("url") or ("" if title else source_id), title


def _cell_at(event: EventFields, path: str) -> str:
    """Return the cell of a column that is named by a field path."""
    value = field_paths.value_at(event, path)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return joined(value)
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if value is not None and _DATED.fullmatch(path):
        return typed_dates.written(value)
    return "" if value is None else str(value)


# --- A row as an event --------------------------------------------------------------------


def normal(
    row: SheetRow, lookup: Lookup, before: Mapping[str, str] = MappingProxyType({})
) -> SheetRow:
    """Return the row with its cells as an export would write them.

    Cells that are equal in `before`, the cells of an export, stay as they are. Raises InvalidInput,
    or InvalidSheet if several cells are wrong. Without `before` it is wrong if a code, or its
    words, and the column that they repeat say different things.
    """
    found = dict(row.cells)
    problems = Problems()
    for column, cell in row.cells.items():
        if cell and cell != before.get(column) and column not in REPEATS:
            with problems.gathered():
                found |= _normal_cells(row, column, lookup, before)
    with problems.gathered():
        found |= _points(row, before)
    problems.check()
    if not before:
        for column, problem in unlike_repeats(row._replace(cells=found), lookup):
            with problems.gathered():
                raise row.invalid(column, f"{problem}: mend one of them, or leave this cell empty")
        problems.check()
    if any(found.get(column, "") != before.get(column, "") for column in _SOURCES):
        slots = dict.fromkeys(
            (address, _title(address, title, lookup)) for address, title in source_items(row)
        )
        found["source_url"] = joined(address for address, _ in slots)
        if "source_title" in found:
            found["source_title"] = joined(title for _, title in slots)
    if any(found.get(column, "") != before.get(column, "") for column in MEDIA):
        found |= normal_media(row)
    return row._replace(cells=found)


def _normal_cells(
    row: SheetRow, column: str, lookup: Lookup, before: Mapping[str, str]
) -> dict[str, str]:
    """Return a cell as an export would write it, with the cells that keep the words of a date."""
    cell = row.cells[column]
    try:
        if column != "occurred":
            return {column: _normal(column, cell, lookup, before.get(column, ""))}
        fields = date_cells(cell, lookup.spans, before, lookup.language).items()
        return {name: value for name, value in fields if name == column or not row.cells.get(name)}
    except (InvalidValue, InvalidInput) as error:
        raise row.invalid(column, error.problem) from None


def _points(row: SheetRow, before: Mapping[str, str]) -> SheetCells:
    """Return the cells of latitude and longitude as decimal numbers; one cell may hold both."""
    found: SheetCells = {}
    for names in (POINTS[:2], POINTS[2:]):
        cells = {name: row.cells.get(name, "") for name in names}
        if any(cells.values()) and any(cells[name] != before.get(name) for name in names):
            point = dict(zip(POINTS, cells.values(), strict=False))
            try:
                found |= zip(names, coordinates.in_place(point).values(), strict=True)
            except InvalidInput as error:
                raise row.invalid(names[POINTS.index(error.field)], error.problem) from None
    return {name: cell for name, cell in found.items() if cell or name in row.cells}


def unlike_repeats(row: SheetRow, lookup: Lookup) -> Iterator[tuple[str, str]]:
    """Yield each column whose code or words differ from the column that it repeats, and how.

    The row is `normal`.
    """
    for column, repeated in REPEATS.items():
        cell, said = row.cells.get(column, ""), row.cells.get(repeated, "")
        if cell and _words_of(column, cell, lookup) != said:
            yield column, f'says {hints.quoted(cell)}, but {repeated} says "{said}"'


def _words_of(column: str, cell: str, lookup: Lookup) -> str | None:
    """Return the words for a code as an export would write them; None if nothing is known by it."""
    with suppress(InvalidValue, InvalidInput):
        return _normal(REPEATS[column], cell, lookup, "")
    return None


def _normal(column: str, cell: str, lookup: Lookup, before: str) -> str:
    """Return a cell as an export would write it; items of a list that are in `before` stay."""
    match column:
        case "reported_at":
            return clock.reported(read_date(cell, language=lookup.language).edtf)
        case _ if _DATED.fullmatch(column):
            if before and typed_dates.written(cell.upper()) == before:
                return before
            return typed_dates.written(read_date(cell, language=lookup.language).edtf)
        case "type" if lookup.event_types:
            code = term(cell, lookup.event_types, "event type")
            return next(each.label for each in lookup.event_types if each.code == code)
        case "type" | "modality" | "verification":
            return without(cell)
        case "highlight":
            return "yes" if without(cell).lower() in ("yes", "true", "1", "x") else cell
        case "country":
            return countries.country_name(countries.country(cell))
        case "actors":
            return joined(dict.fromkeys(filter(None, several(cell))))
        case "tags":
            return joined(dict.fromkeys(filter(None, several(cell.lower()))))
        case "killed" | "injured":
            known = several(before)
            return joined(
                item if item in known else figures.written(figure_in(column, item, lookup.language))
                for item in several(cell)
                if item
            )
        case _:
            return cell


def source_items(row: SheetRow) -> list[tuple[str, str]]:
    """Return address (or id) and title of each source that a row names. Raises InvalidInput."""
    addresses = several(row.cells.get("source_url", ""))
    given = several(row.cells.get("source_title", ""))
    if any(addresses) and len(given) > len(addresses):
        problem = (
            f"has {len(given)} titles for {len(addresses)} in source_url: write \\; for a "
            "semicolon within a title"
        )
        raise row.invalid("source_title", problem)
    return [pair for pair in zip_longest(addresses, given, fillvalue="") if any(pair)]


def _title(address: str, title: str, lookup: Lookup) -> str:
    """Return the title by which a source is cited that a row names by address and title."""
    if title and title in lookup.accepted.get(address, (title,)):
        return title
    return lookup.titles.get(address, "")


def statement(row: SheetRow) -> Statement:
    """Return the statement of a row that is `normal`. Raises InvalidInput or InvalidSheet."""
    said = {
        "event_id": row.cells.get("id"),
        "reason": row.cells.get("reason"),
        "reported_at": row.cells.get("reported_at"),
    }
    fields = {**field_paths.changed({}, changes(row, {}, {}, Lookup())), **said}
    found, wrong = validation.problems(Statement, fields)
    if found is None:
        raise refusal(row.invalid(_column(each.path, row), each.text) for each in wrong)
    return found


def differing(row: SheetRow, before: Mapping[str, str]) -> list[str]:
    """Return the columns in which a row that is `normal` differs from the cells `before`.

    `id`, `reason` and `reported_at` are not among them: they change nothing by themselves. Nor
    are the codes and words that repeat another column.
    """
    silent = ("id", "reason", "reported_at", *REPEATS)
    return [
        column
        for column, cell in row.cells.items()
        if column not in silent and cell != before.get(column, "")
    ]


def changes(
    row: SheetRow, before: Mapping[str, str], event: EventFields, lookup: Lookup
) -> list[tuple[str, Any]]:
    """Return the changes, as path and value, that make an event say what a row says.

    The row is `normal`; `before` are the cells of the event as it is. Raises InvalidInput.
    """
    columns = sorted(differing(row, before), key=lambda column: column not in COLUMNS)
    found: dict[str, Any] = {}
    quantities = list(event.get("quantities", ()))
    parts = [column for column in columns if column.startswith("quantities.")]
    if parts and not quantities:
        quantities = found["quantities"] = figures_in_columns(
            row, {column: _value(row, column) for column in parts}
        )
        columns = [each for each in columns if each not in (*parts, *COUNTED_IN_PEOPLE)]
    elif parts:
        said = [(column, _value(row, column)) for column in parts]
        whole = field_paths.changed({"quantities": quantities}, said)
        quantities = found["quantities"] = whole["quantities"]
        columns = [each for each in columns if each not in parts]
    for column in columns:
        cell = row.cells[column]
        path = PATHS.get(column, column)
        if column in COUNTED_IN_PEOPLE:
            quantities = found[path] = with_figures(quantities, column, cell)
        elif path == "participants":
            found[path] = _participants(event, cell)
        elif path == "citations":
            found[path] = _citations(event, row, lookup)
        elif column in MEDIA:
            found["media"] = media_in(event, row)
        else:
            found[path] = _value(row, column)
    return [*found.items()]


def _value(row: SheetRow, column: str) -> Any:
    """Return the value that a cell gives to the field that its column names."""
    cell = row.cells[column]
    path = PATHS.get(column, column)
    if path in ("tags", *_LISTS_OF_TEXT) or path.endswith(".source_ids"):
        return [item for item in several(cell) if item]
    if column not in COLUMNS and cell.startswith(("[", "{")):
        return _json(row, column, cell)
    return cell


def _json(row: SheetRow, column: str, cell: str) -> Any:
    from timeline.model.strict_json import parse_json

    try:
        return parse_json(cell)
    except InvalidInput as error:
        raise row.invalid(column, error.problem) from None


def _participants(event: EventFields, cell: str) -> list[Any]:
    """Return the participants that a cell names.

    One whose name was there before keeps all fields; a new one has only a name.
    """
    known: dict[str, list[Any]] = {}
    for participant in event.get("participants", ()):
        known.setdefault(participant["name"], []).append(participant)
    names = [name for name in several(cell) if name]
    return [each for name in names for each in known.get(name, [{"name": name}])]


def _citations(event: EventFields, row: SheetRow, lookup: Lookup) -> list[Any]:
    """Return the citations of the sources that a row names.

    A source that was cited before keeps its quotes; any other is cited as a whole.
    """
    wanted = {address or title: (address, title) for address, title in source_items(row)}
    found = []
    known = set()
    for citation in event.get("citations", ()):
        address, title = _slot(
            citation["source_id"], lookup, with_titles="source_title" in row.cells
        )
        known.add(address or title)
        if (address or title) in wanted:
            found.append(citation)
    for key, (address, title) in wanted.items():
        if key not in known:
            name = "source_id" if re.fullmatch(ID, address) else "url"
            found.append({"source": {name: address, "title": title}})
    return found


def located(error: InvalidInput, row: SheetRow) -> InvalidInput:
    """Return an error about a field of an event as an error about the cell that holds the field."""
    return row.invalid(_column(error.field, row), error.problem)


def _column(field: str, row: SheetRow) -> str:
    """Return the column of a row that holds a field of its event; the field itself if none does."""
    way = field.split(".")
    for column in row.cells:
        if (
            column not in (*COLUMNS, *REPEATS)
            and way[: len(steps := field_paths.steps(column))] == steps
        ):
            return column
    if field.startswith("citations") and way[-1] == "title":
        return "source_title"
    if way[0] == "media" and "media_url" in row.cells:
        column = f"media_{way[-1]}"
        return column if column in row.cells else "media_url"
    for column, path in PATHS.items():
        if column in row.cells and way[: len(steps := path.split("."))] == steps:
            return column
    return "place" if way[0] == "place" else field
