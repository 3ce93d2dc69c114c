"""Exports read back by parsers that are not ours."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any, Literal
from xml.etree import ElementTree

import feedparser
import geojson_pydantic
import icalendar
from pydantic import BaseModel, ConfigDict, Field

from timeline.formats import prose
from timeline.formats.about import About
from timeline.formats.exports import FORMATS

Rows = list[dict[str, Any]]


ATOM = "{http://www.w3.org/2005/Atom}"


XHTML = "{http://www.w3.org/1999/xhtml}"


def written(name: str, rows: Iterable[Mapping[str, Any]], about: About) -> tuple[str, int]:
    """A file, and how many events are not in it."""
    pieces = FORMATS[name].write(rows, about)
    found = []
    while True:
        try:
            found.append(next(pieces))
        except StopIteration as end:
            return "".join(found), end.value


def check_json(text: str, rows: Rows) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    citations = [each for event in found["events"] for each in event.get("citations", ())]
    for citation in citations:
        assert ("quote" in citation) == ("selector" in citation)
        exact = citation.pop("selector", [{}])[0].get("exact")
        assert exact == citation.get("quote")
    for event in found["events"]:
        country = event.get("place", {}).get("country")
        assert event.pop("country_code", None) == country
        assert ("country_name" in event) == (country is not None)
        assert ("event_type_label" in event) == ("event_type" in event)
        for name in ("event_type_label", "country_name"):
            event.pop(name, None)
    assert found["events"] == rows
    assert [*found] == [
        "title", "origin", "language", "licence", "time_zone", "as_of", "as_reported",
        "filters", "self", "next", "events",
    ]  # fmt: skip
    assert not re.search("[<\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    return found


def check_geojson(text: str, rows: Rows) -> None:
    collection = geojson_pydantic.FeatureCollection.model_validate_json(text)
    assert len(collection.features) == len(rows)
    parsed = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    for feature, row in zip(parsed["features"], rows, strict=True):
        place = row.get("place", {})
        properties = feature["properties"]
        assert feature["id"] == row["event_id"]
        assert properties["geo_precision"] == place.get("geo_precision")
        assert properties["occurred_precision"] == row["occurred_precision"]
        assert all(not isinstance(value, list | dict) for value in properties.values())
        if "lat" in place:
            lon, lat = feature["geometry"]["coordinates"]
            assert (lon, lat) == (Decimal(place["lon"]), Decimal(place["lat"]))
            assert -180 <= lon <= 180
            assert -90 <= lat <= 90
        else:
            assert feature["geometry"] is None


def check_lines(text: str) -> None:
    """Section 3.1: CRLF, at most 75 octets, no control characters; BEGIN and END in pairs."""
    assert text.endswith("\r\n")
    lines = text.removesuffix("\r\n").split("\r\n")
    assert not re.search("[\x00-\x08\x0a-\x1f\x7f\x85\u2028\u2029]", "".join(lines))
    assert max(len(line.encode()) for line in lines) <= 75
    unfolded = text.replace("\r\n ", "").split("\r\n")
    open_ones = []
    for line in unfolded[:-1]:
        assert re.match("[A-Z-]+[:;]", line), line
        if line.startswith("BEGIN:"):
            open_ones.append(line.removeprefix("BEGIN:"))
        elif line.startswith("END:"):
            assert open_ones.pop() == line.removeprefix("END:")
    assert open_ones == []


def calendar(rows: Rows, about: About) -> tuple[icalendar.Calendar, int]:
    text, left_out = written("ics", rows, about)
    check_lines(text)
    found = icalendar.Calendar.from_ical(text)
    assert isinstance(found, icalendar.Calendar)
    assert found.errors == []
    assert len(found.subcomponents) >= 1
    for component in found.walk():
        assert component.errors == []
    uids = [component["UID"] for component in found.subcomponents]
    assert len(set(uids)) == len(uids)
    return found, left_out


def bounds(component: Any) -> tuple[str, str | None, bool]:
    """First and last day or second of an event in a calendar, and whether it is in UTC."""
    begin = component["DTSTART"].dt
    end = component["DTEND"].dt if "DTEND" in component else None
    if isinstance(begin, datetime):
        is_utc = begin.tzinfo is not None
        assert end is None or (end.tzinfo is not None) == is_utc
        last = (end - timedelta(seconds=1)).replace(tzinfo=None).isoformat() if end else None
        return begin.replace(tzinfo=None).isoformat(), last, is_utc
    assert type(begin) is date
    return begin.isoformat(), (end - timedelta(days=1)).isoformat() if end else None, False


def check_calendar(rows: Rows, about: About) -> None:
    """Every event is in it, with its bounds and texts, or counted."""
    found, left_out = calendar(rows, about)
    by_id = {str(event["UID"]).partition("@")[0]: event for event in found.events}
    assert len(by_id) + left_out == len(rows)
    for row in rows:
        if row["event_id"] not in by_id:
            assert row["occurred_from"] is None or not "0001" < row["occurred_from"] < "9999"
            continue
        event = by_id[row["event_id"]]
        first, last, is_utc = bounds(event)
        if not is_utc:
            assert first in (row["occurred_from"], row["occurred_from"][:10])
            assert last in (row["occurred_to"], (row["occurred_to"] or "")[:10] or None)
        title = clean(row["title"])
        assert event["SUMMARY"] in (title, f"{title} ({prose.occurred(row)})")
        assert event["DTSTAMP"].dt == datetime.fromisoformat(row["recorded_at"]).replace(
            microsecond=0
        )
        tags = [clean(tag) for tag in row.get("tags", ())]
        kinds = [about.labels[row["event_type"]]] if "event_type" in row else []
        categories = event["CATEGORIES"].cats if "CATEGORIES" in event else []
        assert [str(each) for each in categories] == [*kinds, *tags]


def clean(text: str) -> str:
    """A text of one line, as a calendar can hold it."""
    return re.sub("[\x00-\x08\x0a-\x1f\x7f]", "\ufffd", text)


ALLOWED = {"div", "p", "br", "blockquote", "a"}


def check_atom(text: str, rows: Rows) -> Any:
    """RFC 4287, sections 4.1.1 and 4.1.2, and what its schema says of each element."""
    root = ElementTree.fromstring(text)  # noqa: S314 - we wrote it
    assert root.tag == f"{ATOM}feed"
    entries = root.findall(f"{ATOM}entry")
    for element in (root, *entries):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        assert re.fullmatch(
            "urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", element.findtext(f"{ATOM}id", "")
        )
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated", "")).tzinfo is UTC
        assert element.findtext(f"{ATOM}title")
    assert root.findtext(f"{ATOM}author/{ATOM}name")
    ids = [element.findtext(f"{ATOM}id") for element in (root, *entries)]
    assert len(set(ids)) == len(rows) + 1
    updated = [element.findtext(f"{ATOM}updated", "") for element in entries]
    assert updated == sorted(updated, reverse=True) == [row["recorded_at"] for row in rows]
    if updated:
        assert root.findtext(f"{ATOM}updated") == updated[0]
    for entry in entries:
        links = [link.get("rel", "alternate") for link in entry.findall(f"{ATOM}link")]
        assert links.count("alternate") <= 1
        (content,) = entry.findall(f"{ATOM}content")
        assert content.get("type") == "xhtml"
        (div,) = content
        for element in div.iter():
            assert element.tag.removeprefix(XHTML) in ALLOWED
            assert set(element.keys()) <= {"href"}
            assert element.get("href", "https:").startswith(("http:", "https:"))
        assert all(category.get("term") for category in entry.findall(f"{ATOM}category"))
    feed = feedparser.parse(text)
    assert not feed.bozo
    assert feed.version == "atom10"
    assert len(feed.entries) == len(rows)
    return feed


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class SlideDate(Strict):
    year: int
    month: int = Field(ge=1, le=12)
    day: int = Field(ge=1, le=31)
    hour: int | None = Field(None, ge=0, le=23)
    minute: int | None = Field(None, ge=0, le=59)
    second: int | None = Field(None, ge=0, le=59)


class SlideText(Strict):
    headline: str
    text: str


class Slide(Strict):
    """Of TimelineJS's own description, the fields that a slide of ours has."""

    unique_id: str = Field(min_length=1)
    start_date: SlideDate
    end_date: SlideDate | None = None
    display_date: str
    text: SlideText
    group: str | None = None
    autolink: Literal[False]


class TitleSlide(Strict):
    unique_id: str
    text: SlideText
    autolink: Literal[False]


class Storymap(Strict):
    events: list[Slide]
    title: TitleSlide
    scale: Literal["human", "cosmological"]


class Tags(HTMLParser):
    """The tags of an HTML text, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


def check_timelinejs(text: str, rows: Rows) -> Storymap:
    found = Storymap.model_validate_json(text)
    for slide in (*found.events, found.title):
        assert Tags(slide.text.headline).found == []
        for tag, attributes in Tags(slide.text.text).found:
            assert tag in ALLOWED
            assert [name for name, _ in attributes] == (["href"] if tag == "a" else [])
            assert all(str(value).startswith(("http:", "https:")) for _, value in attributes)
    by_id = {row["event_id"]: row for row in rows}
    for slide in found.events:
        # TimelineJS takes the text of these as HTML, and sets it as HTML again.
        for twice in (slide.display_date, slide.group or ""):
            assert Tags(html.unescape(twice)).found == []
        row = by_id[slide.unique_id]
        said = html.unescape(html.unescape(slide.display_date))
        assert said == prose.occurred(row)
    return found
