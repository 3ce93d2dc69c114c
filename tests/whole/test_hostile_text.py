"""Hostile text in every field that takes text: refused, or kept as given and shown harmless.

The fields are those of the JSON Schema, so that a new one is tried by itself.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote
from xml.etree import ElementTree

import icalendar
import pytest
from once_accepted import as_once_accepted
from running import done, widest
from samples import PLAIN, Way, sample, ways, with_text
from site_in_process import Site, open_site
from terminal import forbidden, on_a_terminal, strings

from timeline import Timeline
from timeline.errors import InvalidInput
from timeline.formats.exports import FORMATS
from timeline.model.base import Content
from timeline.model.content import Actor, Said, Source, Statement
from timeline.model.log_info import LogInfo
from timeline.model.validation import validate
from timeline.proof.verify import verify

HOSTILE = {
    "sql": "'; DROP TABLE log; --",
    "sql-quotes": '"); DELETE FROM events; SELECT ("',
    "html": "<script>alert(1)</script>",
    "image": "<img src=x onerror=alert(1)>",
    "attribute": "\" onmouseover=alert(1) x='",
    "single": "' onfocus=alert(1) autofocus '",
    "closing": "--></title></style></textarea></script><svg/onload=alert(1)>",
    "cdata": "]]></summary><entry>&xxe;&#x3c;b&#62;",
    "script-url": "javascript:alert(1)",
    "data-url": "data:text/html,<b>x",
    "csi": "\x1b[2J\x1b[31mred\x1b[0m",
    "osc": "\x1b]8;;http://evil.example\x07x\x1b]52;c;eA==\x1b\\",
    "c1": "\x9b31m\x9d0;x\x9c\x90q\x85",
    "bells": "\x07\x08\x08\x7f\x0e\x0f",
    "marks-of-search": "\x02\x03\x03a\x02\x02",
    "override": "\u202egnp.exe\u202d",
    "isolates": "\u2066\u2067\u2068\u061c\u200f\u200e",
    "zero-width": "a\u200b\u200c\u200d\u2060\ufeff\u00adb",
    "separators": "a\u2028b\u2029c",
    "accents": "e" + "\u0301" * 4_000,
    "few-accents": "e" + "\u0301" * 50,
    "breaks": "a\r\nb\nc\rd\te",
    "calendar": "a\r\nEND:VEVENT\r\nBEGIN:VALARM",
    "formula": "=cmd|' /C calc'!A0",
    "plus": "+1+1",
    "minus": "-2+3",
    "at": "@SUM(1+9)",
    "template": "{{ 7*7 }}{% raw %}${7*7}#{7*7}",
    "format": "%s%n%(x)s{0}{x!r}{}",
    "path": "../../../etc/passwd",
    "windows": "C:\\x\\..\\NUL:~$a",
    "pointer": "/a~1b/-/0",
    "shell": "$(id)`id`;id|id&",
    "noncharacters": "\uffff\ufffe\U0010ffff\ue000",
    "not-equal": "\u212b\ufb01\u0130\u1e9e",
    "blanks": "\xa0\u3000\u2003a\u180e",
    "nul": "a\x00b",
    "half": "a\ud800b",
}


def taken(model: type[Content], text: str) -> tuple[Any, list[Way]]:
    """The sample of a model with a text in every field that takes it; the ways to these."""
    filled, found = copy.deepcopy(sample(model)), []
    # Keys last, from the inside out: they stand on the ways of others.
    for way in sorted(ways(filled), key=lambda way: (way[-1] == "key", -len(way))):
        tried = with_text(filled, way, text)
        try:
            validate(model, tried)
        except InvalidInput as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017
            assert len(str(error)) < 500  # noqa: PT017
            assert not forbidden(str(error)), way  # noqa: PT017
        else:
            filled = tried
            found.append(way)
    return filled, found


MODELS = pytest.mark.parametrize("model", [Statement, Source, Actor, LogInfo, Said])


@MODELS
def test_every_field_takes_its_sample(model: type[Content]) -> None:
    """Else nothing below would say anything about a field."""
    given = sample(model)
    assert validate(model, given).model_dump(exclude_unset=True).keys() == given.keys()
    assert {way[0] for way in ways(given)} == model.model_fields.keys()


@MODELS
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_is_refused_or_kept_as_it_is(name: str, model: type[Content]) -> None:
    text = HOSTILE[name]
    given, found = taken(model, text)
    kept = validate(model, given).model_dump(mode="json")
    for way in found:
        here: Any = kept
        for step in way[: -1 if way[-1] == "key" else None]:
            here = here[step if step != PLAIN or step in here else text.strip()]
        assert way[-1] == "key" or here.strip() in (text.strip(), text.strip().lower()), way
    if "\x00" in text or "\ud800" in text:
        assert found == []
    elif model is not Said and name not in ("accents", "breaks", "calendar", "separators", "c1"):
        assert found


# --- A log that is full of it -------------------------------------------------------------


class Told(NamedTuple):
    """A timeline in which an event has a hostile text wherever one is taken."""

    path: Path
    events: dict[str, tuple[str, list[Way]]]
    """The text of each event, by id, and the ways to where it stands."""


def _told(path: Path, hostile: dict[str, str]) -> Told:
    told = Told(path, {})
    texts = {name: text for name, text in hostile.items() if not re.search("[\0\ud800]", text)}
    lines = [text for text in texts.values() if len(text) < 60 and text.splitlines() == [text]]
    mixed = " ".join(lines)
    info = {"title": mixed[:500], "notice": mixed[-500:], "licence": mixed[200:700]}
    with Timeline.create(path, **info) as timeline:
        with timeline.append() as append:
            # Without words of its own, a log takes any mode and context.
            append.update_log({"vocabulary": {}})
            types = [{"code": f"t{n}", "label": text} for n, text in enumerate(lines)]
            append.update_log({"vocabulary": {"event_types": types}}, Said(reason=mixed))
            for number, (name, text) in enumerate([*texts.items(), ("plain", PLAIN)]):
                event, found = taken(Statement, text)
                del event["relations"], event["quantities"][0]["source_ids"]
                del event["claims"][0]["source_ids"], event["media"][0]["source_id"]
                event["event_id"] = f"e-{name}"
                event["event_type"] = f"t{number % len(lines)}"
                event["external_ids"] = [f"a:{number}"]
                event["participants"][0]["actor_id"] = f"actor-{number}"
                event["citations"][0]["source"]["source_id"] = f"source-{number}"
                append.record(event)
                told.events[f"e-{name}"] = (
                    text,
                    [
                        way
                        for way in found
                        if way[0] not in ("event_type", "relations", "external_ids")
                    ],
                )
                actor, _ = taken(Actor, text)
                append.record_actor({**actor, "actor_id": f"actor-{number}"})
        with timeline.append() as append:
            for number, (event_id, (text, _)) in enumerate(told.events.items()):
                changes = {
                    "summary": text * 2,
                    "note": None,
                    "tags.-": "other",
                    "claims.-": {"speaker": "S", "statement": text},
                    "quantities.0.value": 36,
                }
                if number:
                    changes["relations.-"] = {"type": "part_of", "event_id": "e-sql"}
                append.correct(event_id, changes, Said(reason=text, author="A"))
                if number % 5 == 4:
                    append.retract(event_id, Said(reason=text))
                if number % 7 == 6:
                    append.withdraw_source(f"source-{number}", Said(reason=text))
    return told


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with as_once_accepted():
        made = _told(tmp_path_factory.mktemp("hostile") / "story.db", HOSTILE)
    before = made.path.read_bytes()
    yield made
    assert verify(made.path).findings == []
    assert made.path.read_bytes() == before


def test_what_was_taken_is_shown_as_it_was_given(told: Told) -> None:
    for event_id, (text, found) in told.events.items():
        shown = json.loads(done("-d", told.path, "show", f"{event_id}@1", "--json"))
        (first, *_) = json.loads(done("-d", told.path, "history", event_id, "--json"))
        with Timeline.open(told.path) as timeline:
            (source,) = timeline._reader.execute(
                "SELECT payload FROM log WHERE kind = 'source.recorded' AND subject = ?",
                (f"source/{shown['citations'][0]['source_id']}",),
            ).fetchone()
        for way in found:
            here: Any = {**first, **shown}
            if way[:3] == ("citations", 0, "source"):
                here, way = json.loads(source), way[3:]
            for step in way[: -1 if way[-1] == "key" else None]:
                here = here[step if step != PLAIN or step in here else text.strip()]
            assert way[-1] == "key" or here.strip() in (text.strip(), text.strip().lower()), way


READERS = [
    *(["list"], ["list", "--state", "all"], ["log"], ["about"], ["facets"], ["doctor"], ["schema"]),
    *(["changes", "--from", "#0"], ["changes", "--from", "#9"]),
    *(["search", word] for word in ("a", "alert", "plain", "DROP", "e\u0301")),
]


@pytest.mark.parametrize("arguments", READERS, ids=" ".join)
def test_lists_are_harmless_on_a_terminal(arguments: list[str], told: Told) -> None:
    shown = done("-d", told.path, *arguments)
    assert shown
    assert not forbidden(shown)
    assert arguments == ["schema"] or widest(shown) <= 80
    if arguments[0] not in ("doctor", "schema"):
        as_json = done("-d", told.path, *arguments, "--json")
        assert not forbidden(as_json)
        json.loads(as_json)


@pytest.mark.parametrize("command", ["show", "history", "diff"])
def test_an_event_is_harmless_on_a_terminal(command: str, told: Told) -> None:
    for event_id in told.events:
        for options in ([], ["--json"]):
            shown = done("-d", told.path, command, event_id, *options)
            assert shown
            assert not forbidden(shown), event_id
            assert options or widest(shown) <= 80


@pytest.mark.parametrize("name", ["csv", "json"])
def test_a_file_on_a_terminal_is_harmless(name: str, told: Told) -> None:
    shown = on_a_terminal("-d", told.path, "export", name, cwd=told.path.parent)
    assert not forbidden(shown.replace("\r\n", "\n").replace("\t", " "))


# --- Files of other programs --------------------------------------------------------------


def exported(told: Told, name: str) -> str:
    path = told.path.parent / f"out.{name}"
    done("-d", told.path, "export", name, "--state", "all", "-o", path)
    return path.read_bytes().decode()


def test_no_cell_of_a_sheet_is_a_formula(told: Told) -> None:
    rows = [*csv.reader(io.StringIO(exported(told, "csv")))]
    assert len(rows) == len(told.events) + 1
    assert len({len(row) for row in rows}) == 1
    cells = [cell for row in rows for cell in row]
    assert [cell for cell in cells if re.match(r"[=+@\t\r]|-(?![\d.]+$)", cell)] == []
    assert f"'{HOSTILE['formula']}" in cells


def test_nothing_in_a_calendar_comes_from_a_text(told: Told) -> None:
    calendar = icalendar.Calendar.from_ical(exported(told, "ics"))
    assert {part.name for part in calendar.walk()} == {"VCALENDAR", "VEVENT"}
    happened = calendar.walk("VEVENT")
    plain = next(part for part in happened if PLAIN in part["SUMMARY"])
    assert len(happened) == len(told.events)
    assert {key for part in happened for key in part} <= {*plain.keys(), "STATUS"}


def test_nothing_in_a_feed_comes_from_a_text(told: Told) -> None:
    feed = ElementTree.fromstring(exported(told, "atom"))  # noqa: S314 - our own
    entries = [entry for entry in feed if entry.tag.endswith("}entry")]
    assert len(entries) == len(told.events)

    def shapes(element: Any) -> set[tuple[str, frozenset[str]]]:
        return {(part.tag, frozenset(part.attrib)) for part in element.iter()}

    plain = next(entry for entry in entries if PLAIN in "".join(entry.itertext()))
    for entry in entries:
        assert shapes(entry) <= shapes(plain)
        for part in entry.iter():
            if part.get("type") in ("html", "xhtml"):
                assert shape_of(part.text or "") <= shape_of("<p><b><br><ul><li><a href rel>")


@pytest.mark.parametrize(
    "name",
    [name for name, each in FORMATS.items() if "json" in each.media_type and name != "jsonl"],
)
def test_other_files_are_json(name: str, told: Told) -> None:
    text = exported(told, name)
    assert any("DROP TABLE" in text for text in strings(json.loads(text)))
    links = re.findall(r'"(?:url|link|href|archive_url|thumbnail)": *"([^"]*)"', text)
    assert all(re.match("https?://", link) for link in links)


# --- The pages ----------------------------------------------------------------------------

Shape = tuple[str, frozenset[str]]


class _Reader(HTMLParser):
    """The elements of a page with the names of their attributes; where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.shapes: set[Shape] = set()
        self.links: list[str] = []
        self.scripts: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        # What is not said of every element of its kind says nothing here.
        names = {name for name, _ in attributes} - {"class", "open", "checked", "selected"}
        self.shapes.add((tag, frozenset(names)))
        self.links += [
            value or "" for name, value in attributes if name in ("href", "src", "action")
        ]
        is_data = ("type", "application/ld+json") in attributes
        self._in_script = tag in ("script", "style") and not is_data

    def handle_endtag(self, tag: str) -> None:
        self._in_script = False

    def handle_data(self, data: str) -> None:
        if self._in_script:
            self.scripts.append(data)


def read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page)
    reader.close()
    return reader


def shape_of(page: str) -> set[Shape]:
    return read(page).shapes


@pytest.fixture(scope="module")
def site(told: Told) -> Iterator[Site]:
    with open_site(told.path) as opened:
        yield opened


EACH = ["/events/{}", "/events/{}/1", "/story/events/{}"]
PAGES = [
    *("/", "/events", "/events?state=all&all=tag", "/events?q=alert", "/events?q=a", "/changes"),
    *("/changes?from=%230", "/story", "/story/events", "/story/log", "/story/sources"),
    *("/story/event_search", "/story/field_changes", "/story/event_tags", "/story/actors"),
]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[Shape]]:
    """What the same pages are made of in a story in which every text is plain."""
    path = tmp_path_factory.mktemp("plain") / "story.db"
    told = _told(path, {name: f"{PLAIN} {number}" for number, name in enumerate(HOSTILE)})
    with open_site(path) as opened:
        shapes = {page: shape_of(opened.page(re.sub("q=.*", "q=plain", page))) for page in PAGES}
        for page in EACH:
            shapes[page] = set[Shape]().union(
                *(shape_of(opened.page(page.format(event_id))) for event_id in told.events)
            )
    return shapes


def check(page: str, allowed: set[Shape]) -> None:
    found = read(page)
    assert found.shapes <= allowed, found.shapes - allowed
    for link in found.links:
        assert re.match(r"https?://|/(?!/)|[#?]|\.|$|events|data:image/svg", link), link
    for script in found.scripts:
        assert "alert" not in script


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_made_of_the_same_parts_as_a_plain_one(
    page: str, site: Site, plain: dict[str, set[Shape]]
) -> None:
    check(site.page(page), plain[page])


@pytest.mark.parametrize("page", EACH)
def test_the_page_of_an_event_is_made_of_the_same_parts_as_a_plain_one(
    page: str, site: Site, plain: dict[str, set[Shape]], told: Told
) -> None:
    for event_id in told.events:
        check(site.page(page.format(event_id)), plain[page])


def test_a_text_in_an_address_stays_a_text(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    # Where it is installed, Datasette 0.65 wants to print what nobody raised, and fails.
    monkeypatch.setattr("datasette.handle_exception.rich", None, raising=False)
    for text in HOSTILE.values():
        given = quote(text[:500], errors="surrogatepass")
        for name in ("q", "actor", "tag", "country", "since", "as_of", "after", "all", given):
            answer = site.ask(f"/events?{name}={given}")
            assert answer.status_code < 500, (name, text)
            for tag, names in shape_of(answer.text):
                assert tag not in {"img", "b", "entry", "textarea"}
                assert not any(each.startswith("on") for each in names)
        assert site.ask(f"/events/{given}").status_code < 500
