"""The slides of TimelineJS 3: from the cells of a file to an event, and to a slide again.

Guarantees: `slide` gives of the cells of JSON and of a sheet (CSV) the slide that TimelineJS
makes of them, without what is empty; numbers are texts, for TimelineJS reads both. `event` says
of it what has a place in the model, in words without tags. Neither knows the rest of the file:
what that says of a slide stands in cells of its own, whose names begin with "file.":

    file.part   event, title or era: where the slide stands
    file.dates  of the title, which has no date: from the first to the last of the slides
    file.scale  cosmological or human, where the file says so
    file.twin   which one it is of several slides of the same name and day, from 2

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
from timeline.model.validation import validate

Cells = Mapping[str, str]

SCHEME = "timelinejs"
PART, DATES, SCALE, TWIN = "file.part", "file.dates", "file.scale", "file.twin"
DATE_PARTS = ("year", "month", "day", "hour", "minute", "second")
SHEET = (
    "Year", "Month", "Day", "Time", "End Year", "End Month", "End Day", "End Time",
    "Display Date", "Headline", "Text", "Media", "Media Credit", "Media Caption",
    "Media Thumbnail", "Alt Text", "Type", "Group", "Tag", "Background",
)  # fmt: skip
"""The columns of a sheet that TimelineJS reads."""

NO_EVENTS = {"era": "era", "title": "title slide"}
"""How the slides that are no events are tagged."""

_TEXTS = frozenset(
    ("alt", "caption", "credit", "display_date", "group", "headline", "text", "title", "unique_id")
)
_LONGEST_TITLE = 500
_LONGEST_TAG = 60
_BEGINNING = 100
"""Characters of the text of a slide that has no headline."""


# --- Cells to a slide ---------------------------------------------------------------------


def slide(cells: Cells) -> dict[str, Any]:
    """The slide as TimelineJS has it in JSON. Raises InvalidInput for a time that is none."""
    given = {name: text.strip() for name, text in cells.items() if text.strip()}
    if any(column in given for column in SHEET):
        return _of_a_sheet(given)
    found: dict[str, Any] = {}
    for name, text in given.items():
        if not name.startswith("file."):
            _place(found, name, _value(name.rpartition(".")[2], text))
    return {name: _listed(value) for name, value in found.items()}


def _place(found: dict[str, Any], name: str, value: object) -> None:
    """Put a value where its name with dots says, or under the whole name if that is taken."""
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


def _value(key: str, text: str) -> str | bool | int:
    """What is no text in JavaScript, where it makes a difference: "false" and "0" are true."""
    if text == "0" and key in (*DATE_PARTS, "millisecond"):
        return 0
    return text == "true" if text in ("true", "false") and key not in _TEXTS else text


def _listed(value: Any) -> Any:
    """Lists, which `reading.flat` gives numbers for names."""
    if not isinstance(value, dict):
        return value
    inner = {key: _listed(item) for key, item in value.items()}
    if inner.keys() == {str(number) for number in range(len(inner))}:
        return [inner[str(number)] for number in range(len(inner))]
    return inner


def _of_a_sheet(row: Cells) -> dict[str, Any]:
    """As `extractEventFromCSVObject` of TimelineJS does."""
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


def _sheet_date(row: Cells, which: str) -> dict[str, str | int]:
    if not row.get(f"{which}Year"):
        return {}
    parts = {part: row.get(f"{which}{part.capitalize()}", "") for part in DATE_PARTS[:3]}
    found: dict[str, str | int] = {
        part: re.sub(r"[\s,]+", "", text) for part, text in parts.items() if text
    }
    if clock := row.get(f"{which}Time"):
        found |= _clock(f"{which}Time", clock)
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
        found["millisecond"] = 100 * int(match["fraction"])  # so TimelineJS
    half = (match["half"] or "").lower()
    if half == "p" and found["hour"] != 12:
        found["hour"] += 12
    elif half == "a" and found["hour"] == 12:
        found["hour"] = 0
    return found


# --- A slide as an event ------------------------------------------------------------------


def event(cells: Cells) -> dict[str, Any]:
    """The fields of a `model.Event` that the slide says. Raises InvalidInput, naming the cell.

    The media are cited where they have an address on the web: by that alone, for a caption says
    what a slide sees in them, not what they are called. A group is a tag, and so is what is no
    event.
    """
    found = slide(cells)
    part = cells.get(PART)
    occurred = cells.get(DATES, "") if part == "title" else _occurred(cells, found)
    if not occurred:
        reason = "no slide has a date" if part == "title" else "has no year: this slide has no date"
        raise InvalidInput(_cell(cells, "start_date.year"), reason)
    shown = _cut(" ".join(_shown(_text(found, "display_date")).split()), _LONGEST_TITLE)
    tags = (group(found), NO_EVENTS.get(part or ""))
    fields = {
        "title": title(found),
        "summary": plain(_text(_inner(found, "text"), "text")),
        "tags": [tag for tag in dict.fromkeys(tags) if tag],
        "occurred": occurred,
        "occurred_text": shown,
        "occurred_basis": "inferred" if part == "title" else None,
        "place": _located(_inner(found, "location")),
        "citations": _cited(_text(_inner(found, "media"), "url")),
    }
    return {name: value for name, value in fields.items() if value}


def title(found: Mapping[str, Any]) -> str:
    """The headline; without one the beginning of the text, else what its media are called."""
    text, media = _inner(found, "text"), _inner(found, "media")
    names = (
        plain(_text(text, "headline")),
        _cut(plain(_text(text, "text")), _BEGINNING),
        plain(_text(media, "caption")),
        _text(media, "url"),
    )
    said = next((name for name in names if name), "Slide")
    return _cut(" ".join(said.split()), _LONGEST_TITLE)


def group(found: Mapping[str, Any]) -> str:
    """The group of a slide as a tag; "" if there is none, or none that is short enough."""
    tag = " ".join(_shown(_text(found, "group")).split()).lower()
    return tag if len(tag) <= _LONGEST_TAG else ""


def start(cells: Cells) -> str:
    """The EDTF of the date on which a slide starts, or "". Raises InvalidInput."""
    return _edtf(cells, slide(cells), "start_date")


def _occurred(cells: Cells, found: Mapping[str, Any]) -> str:
    first, last = (_edtf(cells, found, which) for which in ("start_date", "end_date"))
    written = f"{first}/{last}" if first and last and last != first else first
    try:
        return edtf.parse(written).edtf if written else ""
    except InvalidValue as error:
        raise InvalidInput(_cell(cells, "end_date.year"), error.problem) from None


def _edtf(cells: Cells, found: Mapping[str, Any], which: str) -> str:
    """A date of a slide. What JavaScript would make up is left out: the day of no month.

    A clock at midnight, or a second 0, is what programs fill in: it is not taken for said.
    """
    given = _inner(found, which)
    parts: list[int] = []
    for name in DATE_PARTS:
        text = str(given.get(name, "")).strip()
        if not text:
            break
        if not re.fullmatch(r"-?[0-9]{1,15}", text):
            raise InvalidInput(_cell(cells, f"{which}.{name}"), "must be a whole number")
        parts.append(int(text))
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


def _shown(text: str) -> str:
    """The words of what TimelineJS takes for HTML, and then sets as HTML again."""
    return plain(plain(text))


def _located(location: Mapping[str, Any]) -> dict[str, str]:
    place = {"name": _cut(" ".join(plain(_text(location, "name")).split()), _LONGEST_TITLE)}
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
        return []  # an address within the user's own site, or HTML


def _inner(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = found.get(name)
    return value if isinstance(value, dict) else {}


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _cell(cells: Cells, name: str) -> str:
    """Where a part of a date of a slide stands: under its own name, or in a column."""
    if not any(column in cells for column in SHEET):
        return name
    which, _, part = name.partition("_date.")
    column = part.capitalize() if part in DATE_PARTS[:3] else "Time"
    return f"End {column}" if which == "end" else column


# --- An event as dates of a slide ---------------------------------------------------------


def dates(event: Mapping[str, Any]) -> dict[str, dict[str, int]]:
    """`start_date` and `end_date`, inclusive; nothing where both are open."""
    sides = (event.get("occurred_from"), event.get("occurred_to"))
    bounds = [edtf.numbers(bound) for bound in sides if bound]
    if not bounds:
        return {}
    first, last = bounds[0], bounds[-1]
    found = {"start_date": _date(first)}
    # An hour or a minute stands where it begins.
    if last != first and (last[:3] != first[:3] or "/" in event["occurred"]):
        found["end_date"] = _date(last)
    return found


def _date(numbers: tuple[int, ...]) -> dict[str, int]:
    year, *others = numbers
    return dict(zip(DATE_PARTS, (year if year > 0 else year - 1, *others), strict=False))
