"""Functions that turn the cells of a TimelineJS 3 slide into the slide, and into an event.

Guarantees: `slide` takes the cells of JSON or of a sheet (CSV) and returns the slide that
TimelineJS makes of them, without empty fields. Numbers are texts in it, for TimelineJS reads both.
`event` returns the parts of a slide that the model has a place for, as words without tags. Neither
function knows the rest of the file: what the file says about a slide is in extra cells, whose
names begin with "file.":

    file.part   event, title or era: which part of the file holds the slide
    file.dates  for the title slide, which has no date: from the first to the last of the slides
    file.scale  cosmological or human, if the file says so
    file.twin   the number of the slide among those of the same name and day, from the second on

TimelineJS calls 44 BC the year -44, and has no year 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from timeline.errors import InvalidInput, InvalidValue
from timeline.formats.timelinejs.html import plain
from timeline.model import edtf
from timeline.model.content import Source
from timeline.model.hints import quoted
from timeline.model.media import Medium
from timeline.model.media_kinds import kind_of
from timeline.model.validation import validate

SlideCells = Mapping[str, str]
"""The texts of a slide, by column of a sheet or by path in a JSON file, such as text.headline."""

SCHEME = "timelinejs"
PART, DATES, SCALE, TWIN = "file.part", "file.dates", "file.scale", "file.twin"
DATE_PARTS = ("year", "month", "day", "hour", "minute", "second")
SHEET = (
    "Year", "Month", "Day", "Time", "End Year", "End Month", "End Day", "End Time",
    "Display Date", "Headline", "Text", "Media", "Media Credit", "Media Caption",
    "Media Thumbnail", "Alt Text", "Type", "Group", "Tag", "Background",
    "Start Date", "End Date",
)  # fmt: skip
"""The columns that TimelineJS reads in a sheet; the last two are of its first template."""

NO_EVENTS = {"era": "era", "title": "title slide"}
"""The tags of slides that are not events, by the part of the file that holds them."""

_TEXTS = frozenset(
    ("alt", "caption", "credit", "display_date", "group", "headline", "text", "title", "unique_id")
)
_WHOLE = re.compile(r"(-?[0-9]{1,15})(?:\.0+)?")
"""A part of a date; pandas and LibreOffice write 2025.0 if another cell of the column is empty."""
_LONGEST_TITLE = 500
"""Characters of a title, of the words of a date, or of the name of a place; more are cut off."""
_LONGEST_WORDS = 2_000
"""Characters of the description or the caption of a medium; more are cut off."""
_LONGEST_TAG = 60
"""Characters of a tag; a longer group does not become a tag."""
_BEGINNING = 100
"""Characters of a slide's text that serve as its title if it has no headline."""


# --- Cells to a slide ---------------------------------------------------------------------


def slide(cells: SlideCells) -> dict[str, Any]:
    """Return the slide as TimelineJS has it in JSON.

    Raises InvalidInput for a wrong time, and for a wrong date of the first template.
    """
    given = {name: text.strip() for name, text in cells.items() if text.strip()}
    if any(column in given for column in SHEET):
        return _of_a_sheet(given)
    found: dict[str, Any] = {}
    for name, text in given.items():
        if not name.startswith("file."):
            _put(found, name, _cell_value(name.rpartition(".")[2], text))
    return {name: _listed(value) for name, value in found.items()}


def _put(found: dict[str, Any], name: str, value: object) -> None:
    """Put a value into nested objects by its dotted name; if a part is taken, under the whole."""
    *path, last = name.split(".")
    inner = found
    for step in path:
        inner = inner.setdefault(step, {})
        if not isinstance(inner, dict):
            found[name] = value
            return
    if isinstance(inner.get(last), dict):
        found[name] = value
    else:
        inner[last] = value


def _cell_value(key: str, text: str) -> str | bool | int:
    """Return a cell as the bool or the 0 that it stands for, else as text.

    As texts "false" and "0" would be true in JavaScript.
    """
    if text == "0" and key in (*DATE_PARTS, "millisecond"):
        return 0
    return text == "true" if text in ("true", "false") and key not in _TEXTS else text


def _listed(value: Any) -> Any:
    """Turn objects whose keys are 0, 1, 2 ... into lists.

    `formats.importers.json_rows.flat` does the opposite.
    """
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(item) for key, item in value.items()}
    if inner.keys() == {str(number) for number in range(len(inner))}:
        return [inner[str(number)] for number in range(len(inner))]
    return inner


def _of_a_sheet(row: SlideCells) -> dict[str, Any]:
    """Return the slide of a row of a sheet, as `extractEventFromCSVObject` of TimelineJS does."""
    background = row.get("Background", "")
    is_address = re.match("(https?:)?//?", background)
    found = {
        "start_date": _sheet_date(row, ""),
        "end_date": _sheet_date(row, "End "),
        "display_date": row.get("Display Date"),
        "text": {"headline": row.get("Headline"), "text": row.get("Text")},
        "media": {
            "url": row.get("Media"),
            "credit": row.get("Media Credit"),
            "caption": row.get("Media Caption"),
            "thumbnail": row.get("Media Thumbnail"),
            "alt": row.get("Alt Text"),
        },
        "group": row.get("Group") or row.get("Tag"),
        "background": {"url" if is_address else "color": background},
    }
    filled = {
        name: {key: item for key, item in value.items() if item or item == 0}
        if isinstance(value, dict)
        else value
        for name, value in found.items()
    }
    return {name: value for name, value in filled.items() if value}


def _sheet_date(row: SlideCells, which: str) -> dict[str, str | int]:
    if not row.get(f"{which}Year"):
        column = f"{which or 'Start '}Date"
        return _date_of_the_first_template(column, row[column]) if row.get(column) else {}
    parts = {part: row.get(f"{which}{part.capitalize()}", "") for part in DATE_PARTS[:3]}
    found: dict[str, str | int] = {
        part: re.sub(r"[\s,]+", "", text) for part, text in parts.items() if text
    }
    if clock := row.get(f"{which}Time"):
        found |= _clock(f"{which}Time", clock)
    return found


_MONTH_FIRST = re.compile(
    r"(?:(?P<month>[0-9]{1,2})/)?(?:(?P<day>[0-9]{1,2})/)?(?P<year>-?[0-9]+)(?:[\sT]+(?P<clock>.+))?"
)
_YEAR_FIRST = re.compile(
    r"(?P<year>-?[0-9]{4,})-(?P<month>[0-9]{1,2})(?:-(?P<day>[0-9]{1,2}))?(?:[\sT]+(?P<clock>.+))?"
)


def _date_of_the_first_template(column: str, text: str) -> dict[str, str | int]:
    """Read a date such as 1924, 5/1924 or 5/3/1924, which is 3 May, with or without a time."""
    match = _MONTH_FIRST.fullmatch(text) or _YEAR_FIRST.fullmatch(text)
    if not match:
        problem = f"{quoted(text)} is no date: write 1924, 5/1924, or 5/3/1924 for 3 May"
        raise InvalidInput(column, problem)
    if match["month"] and int(match["month"]) > 12:
        raise InvalidInput(column, f"{quoted(text)} has no such month: the month comes first")
    if match["month"] and len(match["year"]) < 3:
        problem = f"{quoted(text)} has a year of two digits: write all four"
        raise InvalidInput(column, problem)
    found: dict[str, str | int] = {part: match[part] for part in DATE_PARTS[:3] if match[part]}
    if match["clock"]:
        found |= _clock(column, match["clock"])
    return found


_CLOCK = re.compile(
    r"(?P<hour>[0-9]{1,2})"
    r"(?:[:.]?(?P<minute>[0-9]{2})(?:[:.](?P<second>[0-9]{1,2})(?:[.,:](?P<fraction>[0-9]+))?)?)?"
    r"\s*(?:(?P<half>[ap])\.?m\.?)?",
    re.IGNORECASE,
)


def _clock(column: str, text: str) -> dict[str, int]:
    match = _CLOCK.fullmatch(text)
    if not match:
        raise InvalidInput(column, "must be a time such as 14:30, 2:30 PM or 14:30:15")
    found = {part: int(match[part]) for part in DATE_PARTS[3:] if match[part]}
    if match["fraction"]:
        found["millisecond"] = 100 * int(match["fraction"])  # as TimelineJS does
    half = (match["half"] or "").lower()
    if half == "p" and found["hour"] != 12:
        found["hour"] += 12
    elif half == "a" and found["hour"] == 12:
        found["hour"] = 0
    return found


# --- A slide as an event ------------------------------------------------------------------


def event(cells: SlideCells) -> dict[str, Any]:
    """Return a slide as the fields of a `model.content.Event`.

    Media that have an address on the web are cited by this address only, because a caption tells
    what the slide shows in them, not what they are called. The group becomes a tag; so does the
    part of the file, if that is the title slide or an era. Raises InvalidInput, naming the cell.
    """
    found = slide(cells)
    part = cells.get(PART)
    occurred = cells.get(DATES, "") if part == "title" else _occurred(cells, found)
    if not occurred:
        reason = "no slide has a date" if part == "title" else "has no year: this slide has no date"
        raise InvalidInput(_cell(cells, "start_date.year"), reason)
    shown = _cut(" ".join(_without_markup(_text_at(found, "display_date")).split()), _LONGEST_TITLE)
    tags = (group(found), NO_EVENTS.get(part or ""))
    fields = {
        "title": title(found),
        "summary": plain(_text_at(_inner(found, "text"), "text")),
        "tags": [tag for tag in dict.fromkeys(tags) if tag],
        "occurred": occurred,
        "occurred_text": shown,
        "occurred_basis": "inferred" if part == "title" else None,
        "place": _located(_inner(found, "location")),
        "citations": _cited(_text_at(_inner(found, "media"), "url")),
        "media": _media(_inner(found, "media")),
    }
    return {name: value for name, value in fields.items() if value}


def title(found: Mapping[str, Any]) -> str:
    """Return the headline, else the beginning of the text, the caption or the URL of the media."""
    text, media = _inner(found, "text"), _inner(found, "media")
    names = (
        plain(_text_at(text, "headline")),
        _cut(plain(_text_at(text, "text")), _BEGINNING),
        plain(_text_at(media, "caption")),
        _text_at(media, "url"),
    )
    said = next((name for name in names if name), "Slide")
    return _cut(" ".join(said.split()), _LONGEST_TITLE)


def group(found: Mapping[str, Any]) -> str:
    """Return the group of a slide as a tag; "" if it has no group, or one too long for a tag."""
    tag = " ".join(_without_markup(_text_at(found, "group")).split()).lower()
    return tag if len(tag) <= _LONGEST_TAG else ""


def start(cells: SlideCells) -> str:
    """Return the EDTF of the date on which a slide starts, or "". Raises InvalidInput."""
    return _edtf(cells, slide(cells), "start_date")


def _occurred(cells: SlideCells, found: Mapping[str, Any]) -> str:
    first, last = (_edtf(cells, found, which) for which in ("start_date", "end_date"))
    written = f"{first}/{last}" if first and last and last != first else first
    try:
        return edtf.parse(written).edtf if written else ""
    except InvalidValue as error:
        raise InvalidInput(_cell(cells, "end_date.year"), error.problem) from None


def _edtf(cells: SlideCells, found: Mapping[str, Any], which: str) -> str:
    """Return the EDTF of the date `which` of a slide; "" if it has none. Raises InvalidInput.

    A part after one that is missing is left out, such as a day without a month; JavaScript would
    make up the missing one. A time of midnight, or a second 0, is left out too: programs fill
    these in, so nobody need have said it.
    """
    given = _inner(found, which)
    parts: list[int] = []
    for name in DATE_PARTS:
        text = str(given.get(name, "")).strip()
        if not text:
            break
        if not (whole := _WHOLE.fullmatch(text)):
            raise InvalidInput(_cell(cells, f"{which}.{name}"), "must be a whole number")
        parts.append(int(whole[1]))
    if not parts:
        return ""
    if parts[0] == 0:
        raise InvalidInput(_cell(cells, f"{which}.year"), "is 0, a year that never was: 1 BC is -1")
    year = parts[0] if parts[0] > 0 else parts[0] + 1
    if abs(year) > 9999:
        written = f"Y{year}"
    else:
        clock = parts[3:] if any(parts[3:]) else []
        clock = clock[:2] if clock[2:] == [0] else clock
        day = "-".join((f"{year:0{5 if year < 0 else 4}d}", *(f"{n:02d}" for n in parts[1:3])))
        written = "T".join(filter(None, (day, ":".join(f"{n:02d}" for n in clock))))
    try:
        return edtf.parse(written).edtf
    except InvalidValue as error:
        raise InvalidInput(_cell(cells, f"{which}.year"), error.problem) from None


def _without_markup(text: str) -> str:
    """Return the words of a field that TimelineJS parses as HTML, and then sets as HTML again."""
    return plain(plain(text))


def _located(location: Mapping[str, Any]) -> dict[str, str]:
    place = {"name": _cut(" ".join(plain(_text_at(location, "name")).split()), _LONGEST_TITLE)}
    lat, lon = (str(location.get(name, "")) for name in ("lat", "lon"))
    if _is_within(lat, 90) and _is_within(lon, 180):
        place |= {"lat": lat, "lon": lon}
    return {name: value for name, value in place.items() if value}


def _is_within(text: str, limit: int) -> bool:
    try:
        return abs(Decimal(text)) <= limit
    except InvalidOperation:
        return False


def _cited(url: str) -> list[dict[str, Any]]:
    try:
        return [{"source": validate(Source, {"url": url}).content()}] if url else []
    except InvalidInput:
        return []  # an address within the publisher's own site, or HTML


def _media(media: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a slide shows as a medium; [] if its address does not say what it is.

    A map, a post or a page stays in the cells of the slide.
    """
    url = _text_at(media, "url")
    said = {
        "kind": kind_of(url),
        "url": url,
        **{name: _cut(plain(_text_at(media, name)), _LONGEST_WORDS) for name in ("alt", "caption")},
        "credit": _cut(" ".join(plain(_text_at(media, "credit")).split()), _LONGEST_TITLE),
    }
    try:
        return [validate(Medium, said).content()] if said["kind"] else []
    except InvalidInput:
        return []


def _inner(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _text_at(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _cell(cells: SlideCells, name: str) -> str:
    """Return the name of the cell that holds a part of a date: its JSON name, or a column."""
    if not any(column in cells for column in SHEET):
        return name
    which, _, part = name.partition("_date.")
    if f"{which.capitalize()} Date" in cells and "Year" not in cells:
        return f"{which.capitalize()} Date"
    column = part.capitalize() if part in DATE_PARTS[:3] else "Time"
    return f"End {column}" if which == "end" else column


# --- An event as dates of a slide ---------------------------------------------------------


def dates(event: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """Return `start_date` and `end_date` (inclusive) of an event; {} if neither end is known."""
    sides = (event.get("occurred_from"), event.get("occurred_to"))
    bounds = [edtf.numbers(bound) for bound in sides if bound]
    if not bounds:
        return {}
    first, last = bounds[0], bounds[-1]
    found = {"start_date": _date(first)}
    # An hour or a minute is drawn at its beginning only.
    if last != first and (last[:3] != first[:3] or "/" in event["occurred"]):
        found["end_date"] = _date(last)
    return found


def _date(numbers: tuple[int, ...]) -> dict[str, int]:
    year, *others = numbers
    return dict(zip(DATE_PARTS, (year if year > 0 else year - 1, *others), strict=False))
