"""iCalendar (RFC 5545), which has one VEVENT for each event, on the days when it may have been.

Guarantees:

- A date that is known to the day or less precisely (a month, a quarter, an interval) is an all-day
  event over the whole period, from its first to its last day. If it is not exactly a day or an
  interval of days, the title ends with the date in words.
- A time with an offset is written in UTC: the instant that the source says, whatever the time zone
  of the log. A time without one is written as floating time, "10:15
  on the clock": the source did not say on whose clock, and the log's time zone would claim more
  than the source said.
- An open end stays open: the event is on the day on which it began, and its title says "since".
- An event whose beginning is not known, or with a day before the year 1 or after 9999, is left out
  and counted, because iCalendar cannot express it.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

from timeline.formats import markup, prose
from timeline.formats.about import About
from timeline.formats.media_links import MediaLink, media_links
from timeline.model import edtf
from timeline.reading.rows import EventDict

_LINE_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
"""Everything that a program may read as the end of a line: no text may begin a new property."""

_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
_EXACT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]+(Z|[+-][0-9:]+)?)?")
_CLOCK = re.compile(r"T[0-9:]+(.*)")
_NEVER = "19700101T000000Z"


def write(events: Iterable[EventDict], about: About) -> Generator[str, None, int]:
    """Yield one calendar; return how many events were left out."""
    labels = about.labels
    yield _content_lines(_heading(about))
    written = left_out = 0
    stamp = _NEVER
    for event in events:
        dates = _dates(event)
        if dates is None:
            left_out += 1
            stamp = max(stamp, _stamp(event))
        else:
            written += 1
            yield _content_lines(_event(event, dates, about, labels))
    if left_out or not written:  # a calendar needs at least one component
        yield _content_lines(_remark(_count(left_out), stamp, about))
    yield _content_lines([("END", "VCALENDAR")])
    return left_out


Property = tuple[str, str]


def _heading(about: About) -> list[Property]:
    title = _escaped_text(about.info.get("title", ""))
    return [
        ("BEGIN", "VCALENDAR"),
        ("VERSION", "2.0"),
        ("PRODID", "-//Timeline//timeline-store//EN"),
        ("NAME", title),  # RFC 7986
        ("X-WR-CALNAME", title),  # the name that most programs read
        *([("SOURCE;VALUE=URI", _uri(about.self_url))] if about.self_url else []),
    ]


def _event(
    event: EventDict, dates: list[Property], about: About, labels: Mapping[str, str]
) -> list[Property]:
    place = event.get("place", {})
    code = event.get("event_type")
    categories = [labels.get(code, code)] if code else []
    categories += event.get("tags", ())
    location = prose.place(place)
    found = [
        ("BEGIN", "VEVENT"),
        ("UID", _uid(event["event_id"], about)),
        ("SEQUENCE", str(event["version"] - 1)),
        ("DTSTAMP", _stamp(event)),
        ("LAST-MODIFIED", _stamp(event)),
        *dates,
        ("SUMMARY", _escaped_text(_summary(event))),
        ("DESCRIPTION", _escaped_text(_description(event, about, labels))),
        ("STATUS", _status(event)),
        ("TRANSP", "TRANSPARENT"),  # nobody is busy because something happened
    ]
    if categories:
        found.append(("CATEGORIES", ",".join(map(_escaped_text, categories))))
    if location:
        found.append(("LOCATION", _escaped_text(location)))
    if "lat" in place:
        found.append(("GEO", f"{place['lat']};{place['lon']}"))
    if about.address:
        found.append(("URL", _uri(about.address(event["event_id"]))))
    found += map(_attached, media_links(event, about))
    return [*found, ("END", "VEVENT")]


def _attached(link: MediaLink) -> Property:
    """Return a picture of the site as one to show (RFC 7986), and any other medium as a link."""
    kind = link.medium.get("media_type")
    form = f";FMTTYPE={kind}" if kind else ""
    if link.is_ours and link.medium["kind"] == "image":
        return f"IMAGE;VALUE=URI;DISPLAY=FULLSIZE{form}", _uri(link.url)
    return f"ATTACH{form}", _uri(link.url)


def _summary(event: EventDict) -> str:
    """Return the title, with the date in words if a calendar cannot show the date exactly."""
    sides = event["occurred"].split("/")
    if all(_EXACT.fullmatch(side) for side in sides):
        return prose.title(event)
    return f"{prose.title(event)} ({prose.occurred(event)})"


def _description(event: EventDict, about: About, labels: Mapping[str, str]) -> str:
    cited = [
        f"{title} {url}" if url not in ("", title) else title
        for title, url in markup.sources(event, about.lookup)
    ]
    said = [*markup.paragraphs(event, labels, about.lookup.language)]
    return "\n\n".join([*said, *(["\n".join(["Sources:", *cited])] if cited else [])])


def _status(event: EventDict) -> str:
    if (
        event["state"] != "current"
        or event["modality"] == "negated"
        or event["verification"] == "refuted"
    ):
        return "CANCELLED"
    return "TENTATIVE" if event["modality"] in ("planned", "hypothetical") else "CONFIRMED"


def _dates(event: EventDict) -> list[Property] | None:
    """Return DTSTART and DTEND, or None if iCalendar cannot express the date.

    DTEND is exclusive, and is left out if the end is open. An interval to 11:00 ends at 11:00;
    everything else ends when its last second has ended.
    """
    if event.get("occurred_from") is None:
        return None
    when = edtf.parse(event["occurred"])  # the bounds of an event are in the zone of the log
    first, last = str(when.occurred_from), when.occurred_to
    left, _, right = when.edtf.partition("/")
    begin = _CLOCK.search(left)
    end = _CLOCK.search(right) if right and last else begin
    try:
        # Times are written if both sides have one, and both an offset or neither; else only days.
        if begin and end and bool(begin[1]) == bool(end[1]):
            found = [("DTSTART", _moment(first, begin[1]))]
            if last:
                is_end = right and first < last == edtf.parse(right).occurred_from
                found.append(("DTEND", _moment(last, end[1], seconds=0 if is_end else 1)))
        else:
            found = [("DTSTART;VALUE=DATE", _day(first))]
            if last:
                found.append(("DTEND;VALUE=DATE", _day(last, days=1)))
    except (ValueError, OverflowError):
        return None
    return found


def _moment(bound: str, offset: str, *, seconds: int = 0) -> str:
    moment = datetime.fromisoformat(bound + offset)
    if offset:
        moment = moment.astimezone(UTC)
    moment = moment.replace(tzinfo=None) + timedelta(seconds=seconds)
    return re.sub("[-:]", "", moment.isoformat()) + ("Z" if offset else "")


def _day(bound: str, *, days: int = 0) -> str:
    day = date.fromisoformat(bound.partition("T")[0]) + timedelta(days=days)
    return day.isoformat().replace("-", "")


def _stamp(event: EventDict) -> str:
    return re.sub("[-:]", "", event["recorded_at"][:19]) + "Z"


def _uid(name: str, about: About) -> str:
    return _escaped_text(f"{name}@{about.info.get('origin', '')}")


def _count(left_out: int) -> str:
    if not left_out:
        return "No events"
    if left_out == 1:
        return "1 event is not in this calendar: iCalendar cannot say when it happened"
    return f"{left_out} events are not in this calendar: iCalendar cannot say when they happened"


def _remark(text: str, stamp: str, about: About) -> list[Property]:
    """Return a VJOURNAL component without a date that holds a remark."""
    return [
        ("BEGIN", "VJOURNAL"),
        ("UID", _uid("left-out", about)),
        ("DTSTAMP", stamp),
        ("SUMMARY", _escaped_text(text)),
        ("END", "VJOURNAL"),
    ]


# --- Content lines (section 3.1) ----------------------------------------------------------


def _escaped_text(text: str) -> str:
    """Escape a text as a value of type TEXT (section 3.3.11)."""
    escaped = re.sub(r"([\\;,])", r"\\\1", _LINE_BREAK.sub("\n", text)).replace("\n", "\\n")
    return _CONTROL.sub("\ufffd", escaped)


def _uri(url: str) -> str:
    return _CONTROL.sub("", _LINE_BREAK.sub("", url))


def _content_lines(properties: Iterable[Property]) -> str:
    return "".join(_folded(f"{name}:{value}") for name, value in properties)


def _folded(line: str) -> str:
    """Fold a line into pieces of at most 75 octets, without splitting a character."""
    if len(line) <= 75 and line.isascii():
        return f"{line}\r\n"
    octets = line.encode()
    pieces = []
    start, room = 0, 75
    while start < len(octets):
        end = start + room
        while end < len(octets) and octets[end] & 0xC0 == 0x80:
            end -= 1
        pieces.append(octets[start:end].decode())
        start, room = end, 74  # the blank that begins the next piece is one of its 75 octets
    return "\r\n ".join(pieces) + "\r\n"
