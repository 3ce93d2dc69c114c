"""What a page says to search engines, chats and readers of feeds, read by their own parsers.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import extruct
import feedparser
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lxml.html import HtmlElement, document_fromstring
from site_in_process import Site, open_site
from ticking_clock import TickingClock

from timeline import Citation, Claim, Event, Place, Source, Timeline, demo
from timeline.model.names import actor_id_of
from timeline.site.views import linked_data

URL = "https://news.example/odesa"
RUTTE = actor_id_of("Mark Rutte")
HOSTILE = (
    "</script><script>alert(1)</script> <!-- \"quoted\" & 'so' \u200f\u05d0\u05d1 ]]>"
    " {{ 7 * 7 }} %s"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("previews") / "odesa.db"
    demo.build(path)
    with open_site(path, url=URL) as opened:
        yield opened


@pytest.fixture
def hostile(tmp_path: Path, clock: TickingClock) -> Iterator[Site]:
    path = tmp_path / "hostile.db"
    with Timeline.create(path, title=HOSTILE, licence=HOSTILE, now=clock) as timeline:
        timeline.about(publisher=HOSTILE, description=HOSTILE)
        timeline.record(
            [
                Event(
                    event_id="hostile",
                    title=HOSTILE,
                    occurred="2025-04-15",
                    summary=HOSTILE,
                    place=Place(name=HOSTILE),
                    claims=[Claim(speaker=HOSTILE, statement=HOSTILE, stance="denies")],
                    citations=[Citation(source=Source(title=HOSTILE))],
                ),
                Event(event_id="long", title="Long " + "word " * 98, occurred="2025-04-16"),
            ]
        )
    with open_site(path, url=URL) as opened:
        yield opened


def head(site: Site, path: str) -> HtmlElement:
    (found,) = document_fromstring(site.ask(path).text).xpath("/html/head")
    return found


def canonical(site: Site, path: str) -> list[str]:
    return list(head(site, path).xpath("link[@rel='canonical']/@href"))


def robots(site: Site, path: str) -> list[str]:
    return list(head(site, path).xpath("meta[@name='robots']/@content"))


def open_graph(site: Site, path: str) -> dict[str, str]:
    (found,) = extruct.extract(site.page(path), syntaxes=["opengraph"])["opengraph"]
    return dict(found["properties"])


def json_ld(site: Site, path: str) -> list[dict[str, Any]]:
    found = extruct.extract(site.page(path), syntaxes=["json-ld"])["json-ld"]
    return [thing for each in found for thing in each.get("@graph", [each])]


# --- The head -----------------------------------------------------------------------------

LIVING = [
    ("/", "/"),
    ("/events", "/"),
    ("/events?order=oldest", "/"),
    ("/map", "/map"),
    ("/?as_of=2025-04-14", "/"),
    ("/events?type=ASSAULT&as_of=2025-04-16", "/types/ASSAULT"),
    ("/events?utm_source=chat", "/"),
    ("/?lang=uk", "/"),
    ("/events/sumy-strike", "/events/sumy-strike"),
    ("/events/sumy-strike/2", "/events/sumy-strike"),
    ("/events/sumy-strike?as_of=2025-04-14", "/events/sumy-strike"),
    ("/events/sumy-strike?type=ASSAULT", "/events/sumy-strike"),
    (f"/actors/{RUTTE}", f"/actors/{RUTTE}"),
    (f"/actors/{RUTTE}?as_of=2025-04-16&order=oldest", f"/actors/{RUTTE}"),
    ("/changes", "/changes"),
    ("/changes?from=2025-04-14&to=2025-04-16", "/changes"),
    ("/verify", "/verify"),
]


@pytest.mark.parametrize(("path", "living"), LIVING)
def test_the_canonical_address_is_that_of_the_living_page(
    path: str, living: str, site: Site
) -> None:
    assert canonical(site, path) == [URL + living]
    assert open_graph(site, path)["og:url"] == URL + living


@pytest.mark.parametrize(
    "path",
    [
        *("/?as_of=2025-04-14", "/events?q=strike", "/events?type=ASSAULT", "/events?nothing=1"),
        *("/events/sumy-strike?as_of=2025-04-14", "/changes?from=2025-04-14", "/no-such-page"),
        *("/events/no-such-event", "/embed", "/embed/events/sumy-strike", "/?part=axis"),
        *(f"/actors/{RUTTE}?as_reported=2025-04-14", "/events?as_of=nonsense"),
    ],
)
def test_the_past_selections_parts_and_problems_are_not_for_search_engines(
    path: str, site: Site
) -> None:
    assert "noindex" in re.findall('<meta name="robots" content="([^"]*)">', site.ask(path).text)


@pytest.mark.parametrize(
    "path", ["/", "/map", "/events/sumy-strike", f"/actors/{RUTTE}", "/changes", "/verify"]
)
def test_every_other_page_may_be_listed_and_has_what_a_chat_shows(path: str, site: Site) -> None:
    assert robots(site, path) == []
    said = open_graph(site, path)
    assert said["og:title"]
    assert said["og:description"]
    assert said["og:site_name"] == "NATO and Odesa, spring 2025"
    assert said["og:locale"] == "en_US"
    (description,) = head(site, path).xpath("meta[@name='description']/@content")
    assert description == said["og:description"]
    assert head(site, path).xpath("meta[@name='twitter:card']/@content")


def test_an_event_is_an_article_with_the_times_of_its_first_and_its_last_version(
    site: Site,
) -> None:
    said = open_graph(site, "/events/sumy-strike")
    assert said["og:type"] == "article"
    assert said["og:title"] == "Ballistic missile strike on Sumy"
    assert said["og:description"].startswith("Two Russian ballistic missiles hit the city of Sumy")
    assert said["article:published_time"] == "2025-04-13T11:30:00.000000Z"
    assert said["article:modified_time"] == "2025-04-16T16:20:00.000000Z"
    assert open_graph(site, "/")["og:type"] == "website"


def test_what_is_not_of_now_says_so_in_its_title(site: Site) -> None:
    strike = "/events/sumy-strike"
    assert open_graph(site, f"{strike}/2")["og:title"].endswith(" (version 2 of 5)")
    assert "(as it stood on 14 " in open_graph(site, f"{strike}?as_of=2025-04-14")["og:title"]
    assert "(as it stood on 14 " in open_graph(site, "/?as_of=2025-04-14")["og:title"]


def test_a_selection_is_described_by_what_it_chooses(site: Site) -> None:
    said = open_graph(site, "/events?type=ASSAULT&type!=AID")
    assert said["og:title"].startswith("Assault, not Aid - ")
    assert re.match(r"\d of 19 events: Assault", said["og:description"])


@pytest.mark.parametrize(
    ("language", "locale"),
    [
        *(("uk", "uk_UA"), ("en-GB", "en_GB"), ("ar", "ar_EG"), ("zh-Hant", "zh_TW")),
        *(("sr-Latn-ME", "sr_ME"), ("tlh", "tlh")),
    ],
)
def test_the_locale_is_that_of_the_log(
    language: str, locale: str, tmp_path: Path, clock: TickingClock
) -> None:
    Timeline.create(tmp_path / "log.db", title="Log", language=language, now=clock).close()
    with open_site(tmp_path / "log.db") as opened:
        assert open_graph(opened, "/")["og:locale"] == locale
        assert open_graph(opened, "/")["og:description"].startswith("0 ")


def test_a_description_is_one_short_line(hostile: Site) -> None:
    said = open_graph(hostile, "/events/long")
    assert said["og:title"] == ("Long " + "word " * 98).strip()
    assert said["og:description"] == "16 April 2025"
    with Timeline.open(hostile.datasette.databases["hostile"].path) as timeline:
        timeline.correct("long", {"summary": "One\n\ntwo  three " * 50}, reason="Longer")
    text = open_graph(hostile, "/events/long")["og:description"]
    assert len(text) <= 301
    assert text.startswith("One two three One two")
    assert text.endswith("\N{HORIZONTAL ELLIPSIS}")


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/events/sumy-strike", "/events?type=ASSAULT&q=strike&as_of=2025-04-16", "/verify"),
        *(f"/actors/{RUTTE}", "/changes", "/events?view=map&type=CONSULT"),
    ],
)
def test_the_feeds_in_the_head_are_those_of_what_the_page_shows(path: str, site: Site) -> None:
    feeds = head(site, path).xpath("link[@type='application/atom+xml']/@href")
    assert len(feeds) == (2 if "as_of" in path else 3)
    read = [feedparser.parse(site.page(feed)) for feed in feeds]
    assert [feed.bozo for feed in read] == [False] * len(feeds)
    assert read[0].entries
    events = read[0].entries
    now = re.sub("(&|(?<=[?]))(as_of|view)=[^&]*", "", path)
    if path.startswith("/events?") and "view" not in path:
        assert sorted(each.title for each in events) == sorted(site.titles(now))


# --- JSON-LD ------------------------------------------------------------------------------

_TEXT = {"type": "string", "minLength": 1}
_WEB = {"type": "string", "pattern": "^https?://"}
_DATE = {"type": "string", "pattern": r"^\d{4}(-\d\d(-\d\d(T[0-9:.]+(Z|[+-]\d\d:\d\d)?)?)?)?$"}
_ORGANISATION = {
    "properties": {"@type": {"const": "Organization"}, "name": _TEXT, "url": _WEB},
    "required": ["@type", "name"],
    "additionalProperties": False,
}
_TYPES: dict[str, Any] = {
    "Event": {
        "properties": {
            "@id": _WEB,
            "url": _WEB,
            "name": _TEXT,
            "description": _TEXT,
            "startDate": _DATE,
            "endDate": _DATE,
            "eventStatus": {"enum": ["https://schema.org/EventScheduled"]},
            "location": {
                "properties": {
                    "@type": {"const": "Place"},
                    "name": _TEXT,
                    "address": {"properties": {"@type": {"const": "PostalAddress"}}},
                    "geo": {"properties": {"@type": {"const": "GeoCoordinates"}}},
                },
                "required": ["@type", "name"],
                "additionalProperties": False,
            },
            "image": _WEB,
            "keywords": {"type": "array", "items": _TEXT},
            "subjectOf": {
                "type": "array",
                "items": {
                    "properties": {
                        "@type": {"const": "CreativeWork"},
                        "name": _TEXT,
                        "url": _WEB,
                        "inLanguage": _TEXT,
                        "datePublished": _DATE,
                        "publisher": _ORGANISATION,
                    },
                    "required": ["@type", "name"],
                    "additionalProperties": False,
                },
            },
        },
        "required": ["@id", "url", "name"],
    },
    "ClaimReview": {
        "properties": {
            "url": _WEB,
            "datePublished": _DATE,
            "author": _ORGANISATION,
            "claimReviewed": _TEXT,
            "itemReviewed": {"properties": {"@type": {"const": "Claim"}, "text": _TEXT}},
            "reviewRating": {
                "properties": {"@type": {"const": "Rating"}, "alternateName": _TEXT},
                "required": ["@type", "alternateName"],
            },
        },
        "required": ["url", "author", "claimReviewed", "itemReviewed", "reviewRating"],
    },
    "Dataset": {
        "properties": {
            "@id": _WEB,
            "url": _WEB,
            "identifier": _TEXT,
            "name": _TEXT,
            "description": _TEXT,
            "inLanguage": _TEXT,
            "creator": _ORGANISATION,
            "license": _TEXT,
            "dateModified": _DATE,
            "temporalCoverage": {"type": "string", "pattern": r"^[0-9-]+/[0-9-]+$"},
            "isAccessibleForFree": {"const": True},
            "distribution": {"type": "array", "minItems": 1},
        },
        "required": ["@id", "url", "name", "distribution"],
    },
}
"""The properties that schema.org gives these types, as far as we use them, with their ranges."""


def checked(things: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The things, if each has only properties that its type has, with values of the right kind."""
    for thing in things:
        own = _TYPES[thing["@type"]]
        known = {**own["properties"], "@type": _TEXT, "@context": {"const": "https://schema.org"}}
        schema = {**own, "properties": known, "additionalProperties": False}
        Draft202012Validator(schema).validate(thing)
    return things


def test_an_event_is_described_with_its_day_its_place_and_its_sources(site: Site) -> None:
    event, *reviews = checked(json_ld(site, "/events/sumy-strike"))
    assert event["@type"] == "Event"
    assert event["name"] == "Ballistic missile strike on Sumy"
    assert event["startDate"] == event["endDate"] == "2025-04-13"
    assert event["location"]["name"] == "Sumy"
    assert event["location"]["geo"]["latitude"] == "50.91"
    assert len(event["subjectOf"]) == len(
        document_fromstring(site.page("/events/sumy-strike")).cssselect("ol.sources > li")
    )
    assert reviews
    assert {each["@type"] for each in reviews} == {"ClaimReview"}


def test_only_the_living_page_describes_its_event(site: Site) -> None:
    assert json_ld(site, "/events/sumy-strike/2") == []
    assert json_ld(site, "/events/sumy-strike?as_of=2025-04-14") == []
    assert json_ld(site, "/?as_of=2025-04-14") == []
    assert json_ld(site, "/events?type=ASSAULT") == []


def test_the_whole_is_a_dataset_and_each_of_its_files_is_there(site: Site) -> None:
    (dataset,) = checked(json_ld(site, "/"))
    assert dataset["@type"] == "Dataset"
    assert dataset["creator"]["name"] == "The demonstration desk"
    assert dataset["dateModified"] == "2025-04-18T13:05:00.000000Z"
    for file in dataset["distribution"]:
        answer = site.ask(file["contentUrl"].removeprefix(URL))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(file["encodingFormat"])


@pytest.mark.parametrize(
    ("licence", "address"),
    [
        ("CC-BY-4.0", "https://creativecommons.org/licenses/by/4.0/"),
        ("cc-by-nc-sa-3.0", "https://creativecommons.org/licenses/by-nc-sa/3.0/"),
        ("CC0-1.0", "https://creativecommons.org/publicdomain/zero/1.0/"),
        ("Apache-2.0", "Apache-2.0"),
        ("https://example.org/terms", "https://example.org/terms"),
    ],
)
def test_a_licence_of_creative_commons_is_named_by_its_address(
    licence: str, address: str, tmp_path: Path, clock: TickingClock
) -> None:
    Timeline.create(tmp_path / "log.db", title="Log", licence=licence, now=clock).close()
    with open_site(tmp_path / "log.db") as opened:
        (dataset,) = checked(json_ld(opened, "/"))
        assert dataset["license"] == address
        assert "temporalCoverage" not in dataset


@pytest.mark.parametrize(
    ("occurred", "begin", "end"),
    [
        ("2025-04-15", "2025-04-15", "2025-04-15"),
        ("2025-04", "2025-04", "2025-04"),
        ("1987", "1987", "1987"),
        ("2025-04-15/2025-04-18", "2025-04-15", "2025-04-18"),
        ("2025-04-15/..", "2025-04-15", None),
        ("../2025-04-15", None, "2025-04-15"),
        ("2025-04~", None, None),
        ("2025-04-15?", None, None),
        ("198X", None, None),
        ("2025-21", None, None),
        ("Y-20000", None, None),
        ("-0044-03-15", None, None),
    ],
)
def test_only_a_sure_date_is_told(
    occurred: str, begin: str | None, end: str | None, tmp_path: Path, clock: TickingClock
) -> None:
    with Timeline.create(tmp_path / "log.db", title="Log", now=clock) as timeline:
        timeline.record(Event(event_id="one", title="One", occurred=occurred))
    with open_site(tmp_path / "log.db") as opened:
        (event,) = checked(json_ld(opened, "/events/one"))
        assert (event.get("startDate"), event.get("endDate")) == (begin, end)


@pytest.mark.parametrize(
    ("fields", "types", "verdict"),
    [
        ({}, ["Event"], None),
        ({"modality": "planned"}, ["Event"], None),
        ({"modality": "negated"}, [], None),
        ({"modality": "hypothetical"}, [], None),
        ({"verification": "corroborated"}, ["Event"], None),
        ({"verification": "disputed"}, ["Event", "ClaimReview"], "Disputed"),
        ({"verification": "refuted"}, ["ClaimReview"], "Refuted"),
        ({"claims": [Claim(speaker="Moscow", statement="All is well")]}, ["Event"], None),
        (
            {
                "claims": [
                    Claim(speaker="Moscow", statement="A hit", stance="denies"),
                    Claim(speaker="Kyiv", statement="A hit", stance="disputes"),
                    Claim(speaker="Minsk", statement="A hit"),
                ]
            },
            ["Event", "ClaimReview"],
            "Denied by Moscow; Disputed by Kyiv",
        ),
    ],
)
def test_only_what_the_log_says_happened_is_an_event_and_what_is_disputed_is_reviewed(
    fields: dict[str, Any],
    types: list[str],
    verdict: str | None,
    tmp_path: Path,
    clock: TickingClock,
) -> None:
    with Timeline.create(tmp_path / "log.db", title="Log", now=clock) as timeline:
        timeline.record(Event(event_id="one", title="One", occurred="2025-04-15", **fields))
        with open_site(tmp_path / "log.db") as opened:
            found = checked(json_ld(opened, "/events/one"))
            assert [each["@type"] for each in found] == types
            verdicts = [
                each["reviewRating"]["alternateName"] for each in found if "reviewRating" in each
            ]
            assert verdicts == ([verdict] if verdict else [])
        timeline.retract("one", reason="It was another day")
    with open_site(tmp_path / "log.db") as opened:
        assert json_ld(opened, "/events/one") == []
        said = open_graph(opened, "/events/one")["og:description"]
        assert said.startswith("This event was retracted")


def test_a_merged_event_is_found_under_the_other_one(tmp_path: Path, clock: TickingClock) -> None:
    with Timeline.create(tmp_path / "log.db", title="Log", now=clock) as timeline:
        for name in ("one", "two"):
            timeline.record(Event(event_id=name, title=name, occurred="2025-04-15"))
        timeline.merge("one", into="two", reason="The same")
    with open_site(tmp_path / "log.db", url=URL) as opened:
        assert canonical(opened, "/events/one") == [f"{URL}/events/two"]


# --- Hostile texts ------------------------------------------------------------------------


def test_no_text_of_a_log_leaves_its_place(hostile: Site) -> None:
    for path in ("/", "/events/hostile", "/changes", "/events/long"):
        text = hostile.page(path)
        document = document_fromstring(text)
        data = document.xpath("//script[not(@src)]")
        assert [each.get("type") for each in data] == ["application/ld+json"] * len(data)
        for each in data:
            json.loads(each.text)
    event, review = checked(json_ld(hostile, "/events/hostile"))
    stored = HOSTILE.strip()
    assert event["name"] == event["description"] == event["location"]["name"] == stored
    assert event["subjectOf"][0]["name"] == stored
    assert review["claimReviewed"] == stored
    said = open_graph(hostile, "/events/hostile")
    assert said["og:title"] == said["og:description"] == said["og:site_name"] == stored
    (dataset,) = checked(json_ld(hostile, "/"))
    assert dataset["license"] == dataset["creator"]["name"] == stored


@given(st.text())
def test_json_ld_never_ends_its_element_and_reads_as_it_was_written(text: str) -> None:
    written = linked_data.safe({"name": text})
    assert not re.search("[<>&]", written)
    assert json.loads(written) == {"name": text}
