"""The format of UCDP GED, a dataset that lists events of organised violence.

UCDP is the Uppsala Conflict Data Program. A file is CSV. Its columns are those of the UCDP GED
codebook (49 or more, found by their names): `best`, `low` and `high` are deaths; `date_prec` is 1
for an exact day and 2 to 5 for ever wider ranges; `where_prec` is the log's `geo_precision`.
`best` may lie outside `low` and `high`, and is not corrected. Every event cites the dataset, and
each article that the row names separately.

Knows nothing of the log.
"""

from __future__ import annotations

import calendar
import contextlib
from collections.abc import Generator, Iterator
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from timeline.errors import InvalidInput, InvalidValue
from timeline.formats.importers.rows import FileForm, rows
from timeline.formats.imports import Cells, FileNote, Format, Row, Tally, Unreadable
from timeline.formats.sheet.dates import day_at_midnight
from timeline.formats.spelling import DATE, NUMBER, date, number

NEEDED = ("id", "side_a", "side_b", "country", "date_start", "date_end", "best", "low", "high")
_DATES = ("date_start", "date_end")
_NUMBERS = tuple(
    (
        "id year active_year type_of_violence conflict_dset_id conflict_new_id dyad_dset_id"
        " dyad_new_id side_a_dset_id side_a_new_id side_b_dset_id side_b_new_id number_of_sources"
        " where_prec latitude longitude priogrid_gid country_id event_clarity date_prec deaths_a"
        " deaths_b deaths_civilians deaths_unknown best high low gwnoa gwnob"
    ).split()
)
_VIOLENCE = {"1": "state-based conflict", "2": "non-state conflict", "3": "one-sided violence"}
_DATASET = {
    "source_id": "ucdp-ged",
    "title": "UCDP Georeferenced Event Dataset",
    "publisher": "Uppsala Conflict Data Program",
    "url": "https://ucdp.uu.se/downloads/",
    "licence": "CC-BY-4.0",
}
_COLUMN_OF = {
    "occurred": "date_end",
    "place.name": "where_coordinates",
    "place.country": "country",
    "place.admin1": "adm_1",
    "place.geo_precision": "where_prec",
    "place.lat": "latitude",
    "place.lon": "longitude",
    "participants.0.name": "side_a",
    "participants.1.name": "side_b",
    "quantities.0.value": "best",
    "quantities.0.low": "low",
    "quantities.0.high": "high",
}
_LONGEST_TITLE = 500
"""Characters of a title of an event or of an article; more are cut off."""


def importer(mapping: Path | None) -> Format:
    """Return the format of UCDP's events. Raises InvalidInput for a mapping: it needs none."""
    if mapping:
        raise InvalidInput("map", "goes with mapped: the columns of ucdp are known")
    return Format(
        scheme="ucdp",
        read=_checked_rows,
        identify=_identify,
        event=_event,
        tally=_tally,
        identifying=frozenset(("id",)),
        spellings=dict.fromkeys(_NUMBERS, NUMBER) | dict.fromkeys(_DATES, DATE),
        source=_DATASET,
        column_of=lambda path: _COLUMN_OF.get(path, path),
    )


def _checked_rows(file: IO[bytes]) -> Generator[Row | Unreadable | FileNote, None, None]:
    with contextlib.closing(rows(file, FileForm(columns=frozenset(NEEDED)))) as found:
        for row in found:
            if isinstance(row, Row):
                for name in NEEDED:
                    if name not in row.cells:
                        raise InvalidInput(name, "is not a column of this file; UCDP GED has it")
            yield row


def _identify(cells: Cells) -> str:
    event_id = number(cells["id"])
    if not event_id.isdecimal():
        raise InvalidInput("id", "must be a whole number")
    return event_id


def _event(cells: Cells) -> dict[str, Any]:
    said = {column: " ".join(text.split()) for column, text in cells.items()}
    sides = (said["side_a"], said["side_b"])
    dyad = said.get("dyad_name") or " - ".join(filter(None, sides))
    place = _place(said)
    where = place.get("name") or place.get("admin1") or said["country"]
    title = f"{dyad}: {where}"
    violence = _VIOLENCE.get(number(said.get("type_of_violence", "")))
    tags = [violence, said.get("conflict_name")]
    citations = [{"source_id": _DATASET["source_id"]}]
    return {
        "title": title if len(title) <= _LONGEST_TITLE else f"{title[: _LONGEST_TITLE - 1]}…",
        "event_type": "ASSAULT",
        "tags": [tag for tag in tags if tag and len(tag) <= 60],
        "occurred": _occurred(said),
        "place": place,
        "participants": [
            {"name": name, "role": role}
            for name, role in zip(sides, ("actor", "recipient"), strict=True)
            if name
        ],
        "quantities": _deaths(said),
        "citations": [*citations, *({"source": article} for article in _articles(said))],
    }


def _place(said: Cells) -> dict[str, Any]:
    place: dict[str, Any] = {
        "name": said.get("where_coordinates"),
        "country": said["country"],
        "admin1": said.get("adm_1"),
        "geo_precision": number(said.get("where_prec", "")),
    }
    lat, lon = number(said.get("latitude", "")), number(said.get("longitude", ""))
    if lat and lon:
        place |= {"lat": lat, "lon": lon}
    return {name: value for name, value in place.items() if value}


def _occurred(said: Cells) -> str:
    """Return the EDTF of a row's dates: a day, month or year if it is exactly one, else a range."""
    first, last = _day(said, "date_start"), _day(said, "date_end")
    year, month = first[:4], first[:7]
    if first == last:
        return first
    if first == f"{year}-01-01" and last == f"{year}-12-31":
        return year
    if first == f"{month}-01" and last == f"{month}-{_days_in(first)}":
        return month
    return f"{first}/{last}"


def _days_in(day: str) -> int:
    return calendar.monthrange(int(day[:4]), int(day[5:7]))[1]


def _day(said: Cells, column: str) -> str:
    try:
        return date(day_at_midnight(said[column]))
    except InvalidValue as error:
        raise InvalidInput(column, error.problem) from None


def _deaths(said: Cells) -> list[dict[str, Any]]:
    figure = {"measure": "killed", "source_ids": [_DATASET["source_id"]]}
    for field, column in (("value", "best"), ("low", "low"), ("high", "high")):
        if said[column]:
            figure[field] = number(said[column])
    return [figure] if figure.keys() & {"value", "low", "high"} else []


def _articles(said: Cells) -> Iterator[dict[str, Any]]:
    """Yield the articles of a row, if it lists as many offices as days and headlines.

    Otherwise nobody can tell which of them belong together. An article without a headline is left
    out; a day that cannot be read is too.
    """
    offices, days, headlines = (
        [part.strip() for part in said.get(f"source_{name}", "").split(";")]
        for name in ("office", "date", "headline")
    )
    if not len(offices) == len(days) == len(headlines):
        return
    for office, day, headline in zip(offices, days, headlines, strict=True):
        if headline:
            article = {"title": headline[:_LONGEST_TITLE], "publisher": office}
            try:
                yield {**article, "published": date(day)} if day else article
            except InvalidValue:
                yield article


def _tally(cells: Cells) -> Tally:
    figures = {}
    for field, column in (("value", "best"), ("low", "low"), ("high", "high")):
        try:
            figures["killed", field] = Decimal(number(cells[column]) or 0)
        except ArithmeticError:
            continue  # the row will be rejected
    precision = number(cells.get("date_prec", ""))
    return Tally(figures, cells["country"].strip(), f"date_prec {precision}" if precision else "")
