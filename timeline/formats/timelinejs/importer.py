"""The format of TimelineJS 3, which reads slides from a JSON file or from a sheet.

Every slide is a row: events, the title slide and eras. Its cells are as they were written; cells
that tell what the rest of the file says about the slide are added (`slides`). A title slide has no
date; it gets the period from the first to the last of the file's slides.

A slide is identified by its `unique_id`. Without one it is identified by its headline (else by what
`slides.title` finds) and by the day on which it starts, in JSON and CSV alike. Whoever corrects one
of these in the file therefore makes a new slide. If several slides have the same name and day, the
later ones are numbered.

TimelineJS holds a whole timeline in a browser; this module holds it in memory. At the top of a
JSON file it reads `events`, `eras`, `title` and `scale`, as TimelineJS does.

Knows nothing of the log.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import re
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from timeline.errors import InvalidInput
from timeline.formats.importers.decoding import text
from timeline.formats.importers.json_rows import cells_of
from timeline.formats.importers.tables import csv_rows
from timeline.formats.importers.workbooks import is_workbook, workbook_rows
from timeline.formats.imports import Cells, FileNote, Format, Row, Tally, Unreadable
from timeline.formats.spelling import NUMBER
from timeline.formats.timelinejs import slides
from timeline.formats.timelinejs.slides import DATE_PARTS, DATES, PART, SCALE, SCHEME, TWIN
from timeline.model import edtf, hints, text_files
from timeline.model.strict_json import parse_json
from timeline.model.text_files import LONGEST_LINE

_MOST_SLIDES = 100_000
"""Slides of a file, which are held in memory: measured, they take 0.7 kB each and more."""
_LONGEST_NAME = 80
"""Characters of a headline or `unique_id` in the id of a slide."""
_PARTS = {"events": "event", "eras": "era", "title": "title"}
_JSON_DATES = tuple(
    f"{which}_date.{part}" for which in ("start", "end") for part in (*DATE_PARTS, "millisecond")
)
_SHEET_DATES = tuple(
    f"{which}{part}" for which in ("", "End ") for part in ("Year", "Month", "Day")
)
_FIRST_TEMPLATE = ("Start Date", "End Date")
_NAMES = ("unique_id", "text.headline", "Headline", "text.text", "Text", "media.url", "Media")


def importer(mapping: Path | None) -> Format:
    """Return the format of TimelineJS. Raises InvalidInput for a mapping: it needs none."""
    if mapping:
        raise InvalidInput("map", "goes with mapped: the fields of timelinejs are known")
    return Format(
        scheme=SCHEME,
        read=_slide_rows,
        identify=_identify,
        event=slides.event,
        tally=_tally,
        identifying=frozenset((*_NAMES, *_JSON_DATES, *_SHEET_DATES, *_FIRST_TEMPLATE, PART, TWIN)),
        spellings=dict.fromkeys((*_JSON_DATES, *_SHEET_DATES), NUMBER),
    )


def _slide_rows(file: IO[bytes]) -> Generator[Row | Unreadable | FileNote, None, None]:
    buffered: Any = file if hasattr(file, "peek") else io.BufferedReader(file)
    if is_workbook(buffered.peek(8)):
        told = [*islice(workbook_rows(buffered), _MOST_SLIDES + 2)]
        yield from (each for each in told if isinstance(each, FileNote))
        rows = [each for each in told if not isinstance(each, FileNote)]
        header = next(([*row.cells] for row in rows if isinstance(row, Row)), [])
        slides_found = _of_a_template(iter(rows), header)
    else:
        slides_found = _rows_of_a_text(buffered)
    found = [*islice(slides_found, _MOST_SLIDES + 1)]
    if len(found) > _MOST_SLIDES:
        raise InvalidInput("", f"has more than {_MOST_SLIDES:,} slides: split it")
    yield from _numbered(_dated(found))


def _rows_of_a_text(file: IO[bytes]) -> Iterator[Row | Unreadable]:
    with text(file) as stream:
        content = stream.read(LONGEST_LINE + 1)
    if len(content) > LONGEST_LINE:
        problem = f"is longer than {LONGEST_LINE // 2**20} MiB, too long for a browser: split it"
        raise InvalidInput("", problem)
    match content.lstrip()[:1]:
        case "":
            raise InvalidInput("", "is empty")
        case "<":
            raise InvalidInput("", "is a web page, not data")
        case "{" | "[":
            return _json_rows(content)
    delimiter = text_files.delimiter_of(content.lstrip().partition("\n")[0])
    records = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter)
    header = next((cells for cells in records if any(cell.strip() for cell in cells)), [])
    return _of_a_template(csv_rows(iter(io.StringIO(content, newline="")), delimiter), header)


def _of_a_template(
    rows: Iterator[Row | Unreadable], header: Iterable[str]
) -> Iterator[Row | Unreadable]:
    """Yield the rows of a sheet, by the names that TimelineJS gives its columns.

    Raises InvalidInput for a header without the columns of either template of TimelineJS.
    """
    columns = _columns([cell.strip() for cell in header])
    has_title = False
    for row in rows:
        if isinstance(row, Row):
            cells = {columns.get(name, name): text for name, text in row.cells.items()}
            part = cells.get("Type", "").strip().lower()
            part = "title" if part == "start" and "Year" not in cells else part
            if part not in ("title", "era") or (part == "title" and has_title):
                part = "event"
            has_title = has_title or part == "title"
            row = row._replace(cells={**cells, PART: part, DATES: "", TWIN: ""})
        yield row


def _columns(given: Sequence[str]) -> dict[str, str]:
    """Return the names of TimelineJS for the columns of a sheet that differ only in their case."""
    known = {name.lower(): name for name in slides.SHEET if name not in given}
    found = {}
    for name in given:
        if own := known.pop(" ".join(name.lower().replace("_", " ").split()), None):
            found[name] = own
    if not {"Year", "Start Date"} & {*given, *found.values()}:
        near = hints.nearest("Year", given) or hints.nearest("Start Date", given)
        hint = f"; did you mean {hints.quoted(near)}?" if near else ""
        problem = 'is not a column of this file, nor is "Start Date", and TimelineJS needs one'
        raise InvalidInput("Year", f"{problem}{hint}")
    return found


# --- JSON ---------------------------------------------------------------------------------


class _Piece(NamedTuple):
    """A value that was found in a JSON text, from `start` to `end`, not checked yet."""

    start: int
    end: int
    value: Any


_DECODER = json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str)
"""Finds where values end; `strict_json` then reads what they are."""
_BLANKS = re.compile(r"[ \t\n\r,:]*")


def _json_rows(content: str) -> Iterator[Row | Unreadable]:
    """Yield the slides of a JSON file; only a slide that is wrong itself is unreadable.

    Raises InvalidInput if the file as a whole is not JSON of TimelineJS 3.
    """
    start = len(content) - len(content.lstrip())
    try:
        whole, end = _DECODER.raw_decode(content, start)
    except (json.JSONDecodeError, RecursionError):
        parse_json(content)  # raises InvalidInput with the line
        raise
    if not isinstance(whole, dict) or not isinstance(whole.get("events"), list):
        raise InvalidInput("events", "must be the list of slides of TimelineJS 3")
    if content[end:].strip():
        raise InvalidInput("", "has more behind the end of the timeline")
    scale = whole.get("scale")
    line, counted = 1, 0
    for name, piece in _members(content, start):
        if name not in _PARTS or not piece.value:
            continue
        items = _items(content, piece.start) if isinstance(piece.value, list) else iter((piece,))
        for item in items:
            line += content.count("\n", counted, item.start)
            counted = item.start
            try:
                found = cells_of(parse_json(content[item.start : item.end]))
            except InvalidInput as error:
                yield Unreadable(line + (error.line or 1) - 1, error.field, error.problem)
                continue
            cells = {**found, PART: _PARTS[name]}
            yield Row(line, {**cells, SCALE: scale} if isinstance(scale, str) else cells)


def _members(content: str, start: int) -> Iterator[tuple[str, _Piece]]:
    """Yield names and values of the JSON object that begins at `start`."""
    position = _after_blanks(content, start + 1)
    while content[position] != "}":
        name, position = _DECODER.raw_decode(content, position)
        begin = _after_blanks(content, position)
        value, end = _DECODER.raw_decode(content, begin)
        yield name, _Piece(begin, end, value)
        position = _after_blanks(content, end)


def _items(content: str, start: int) -> Iterator[_Piece]:
    """Yield the items of the JSON array that begins at `start`."""
    position = _after_blanks(content, start + 1)
    while content[position] != "]":
        value, end = _DECODER.raw_decode(content, position)
        yield _Piece(position, end, value)
        position = _after_blanks(content, end)


def _after_blanks(content: str, position: int) -> int:
    match = _BLANKS.match(content, position)
    return match.end() if match else position


# --- What the file says of its slides -----------------------------------------------------


def _dated(found: list[Row | Unreadable]) -> list[Row | Unreadable]:
    """Return the rows; the title slide gets the period from the first to the last of the others."""
    spans = [
        edtf.parse(occurred)
        for row in found
        if isinstance(row, Row) and row.cells[PART] != "title" and (occurred := _occurred(row))
    ]
    if not spans:
        return found
    first = min(spans, key=lambda span: span.occurred_from or "").edtf.split("/")[0]
    last = max(spans, key=lambda span: span.occurred_to or "").edtf.split("/")[-1]
    dates = first if first == last else f"{first}/{last}"
    return [
        row._replace(cells={**row.cells, DATES: dates})
        if isinstance(row, Row) and row.cells[PART] == "title"
        else row
        for row in found
    ]


def _occurred(row: Row) -> str:
    try:
        return str(slides.event(row.cells)["occurred"])
    except InvalidInput:
        return ""  # the row will be rejected


def _numbered(found: list[Row | Unreadable]) -> Iterator[Row | Unreadable]:
    """Yield the rows, with a number for each further one of the same name and day."""
    times: Counter[str] = Counter()
    for row in found:
        if isinstance(row, Row):
            with contextlib.suppress(InvalidInput):  # the row will be rejected
                name = own = _identify(row.cells)
                while times[name]:
                    row.cells[TWIN] = str(times[own] + 1)
                    times[own] += 1
                    name = _identify(row.cells)
                times[name] += 1
        yield row


def _identify(cells: Cells) -> str:
    slide = slides.slide(cells)
    part = cells[PART]
    unique = str(slide.get("unique_id", ""))
    names = [
        part if part != "event" else "",
        re.sub(r"\s+", "-", unique)[:_LONGEST_NAME] or _slug(slides.title(slide)),
        slides.start(cells).partition("T")[0] if part != "title" and not unique else "",
        cells.get(TWIN, ""),
    ]
    return "-".join(filter(None, names))


def _slug(words: str) -> str:
    return re.sub(r"\W+", "-", words.casefold()).strip("-")[:_LONGEST_NAME] or "slide"


def _tally(cells: Cells) -> Tally:
    try:
        occurred = slides.event(cells)["occurred"]
    except InvalidInput:
        return Tally({})  # the row will be rejected
    return Tally({}, date=edtf.parse(occurred).precision)
