"""An address asks for no more than a page can give: more is refused in one line, in any format.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from open_datasette import Site, serving
from site_in_process import FILES

from timeline.model.names import actor_id_of
from timeline.site import arguments
from timeline.site.views.address import FACETS

OURS = [
    *("/", "/events", "/embed", "/embed/events/sumy-strike", *(f"/{file}" for file in FILES)),
    *("/events/sumy-strike", "/events/sumy-strike.json", "/events/sumy-strike/2"),
    *("/events/sumy-strike/2.json", "/events/sumy-strike/2.tlog-proof"),
    *(f"/actors/{actor_id_of('Mark Rutte')}{ending}" for ending in ("", ".json")),
    *("/changes", "/changes.json", "/changes.atom", "/corrections.atom"),
    *("/verify", "/verify.json", "/verify.txt"),
]
"""Addresses of every kind of our pages but those of sources, whose ids are made anew."""

THEIRS = ["/story", "/story/events", "/story/events.json", "/story/current_events", "/story/log"]
"""Addresses of Datasette's own pages of a timeline."""

SINGLE = (
    "q",
    "place",
    "area",
    "since",
    "until",
    "as_of",
    "as_reported",
    "order",
    "after",
    "all",
    "box",
)


@pytest.fixture(scope="module")
def site(story: Path) -> Iterator[Site]:
    # What is measured here is size: the largest page has time enough on a busy machine.
    with serving(story, settings={"sql_time_limit_ms": 20_000}) as opened:
        yield opened


def refused(answer: Any, path: str) -> str:
    """The one line in which a request was refused."""
    assert answer.status == 400, (path, answer.status, answer.text[-500:])
    if path.endswith(".json") and path in OURS:
        line = json.loads(answer.text)["error"]
    elif answer.headers["content-type"].startswith("text/html"):
        line = answer.text.partition("<p>")[2].partition("</p>")[0]
    else:
        line = answer.text.removesuffix("\n")
    assert line
    assert "\n" not in line
    assert "Traceback" not in answer.text
    return str(line)


@pytest.mark.parametrize("path", OURS + THEIRS)
def test_too_many_parameters_and_values_are_refused_everywhere(path: str, site: Site) -> None:
    names = [(f"_x{number}", "1") for number in range(65)]
    values = [("tag", f"tag-{number}") for number in range(65)]
    both = [(f"_x{number % 60}", str(number)) for number in range(257)]
    for pairs, said in (
        (names, "the address has 65 different parameters: give at most 64"),
        (values, "tag: has 65 values: give at most 64"),
        (both, "the address has 257 values of parameters: give at most 256"),
    ):
        assert refused(site.ask(f"{path}?{urlencode(pairs)}"), path) == said


@pytest.mark.parametrize("path", OURS)
def test_a_value_that_is_too_long_is_refused_everywhere(path: str, site: Site) -> None:
    for name in (*SINGLE, *FACETS, "kind", "from", "anything"):
        line = refused(site.ask(f"{path}?{name}={'a ' * 1_000}b"), path)
        assert line == f"{name}: has 2,001 characters: give at most 2,000"


def test_datasette_refuses_a_search_that_is_too_long_and_takes_long_sql(site: Site) -> None:
    for name in ("_search", "_search_title"):
        line = refused(site.ask(f"/story/events?{name}={'a' * 2_001}"), "/story/events")
        assert line == f"{name}: has 2,001 characters: give at most 2,000"
    sql = quote(f"select '{'a' * 3_000}'")
    assert "a" * 3_000 in site.ask(f"/story/-/query.json?_shape=array&sql={sql}").text + (
        site.ask(f"/story.json?_shape=array&sql={sql}").text
    )


@pytest.mark.parametrize(
    ("path", "name"), [(path, "q") for path in OURS] + [(path, "_search") for path in THEIRS]
)
def test_too_many_words_to_search_for_are_refused(path: str, name: str, site: Site) -> None:
    for text in ("a " * 65, '"' + "a-" * 65 + '"', "\u00e9'" * 65):
        line = refused(site.ask(f"{path}?{name}={quote(text)}"), path)
        assert line == f"{name}: has 65 words: give at most 64"


@pytest.mark.parametrize("path", OURS)
def test_too_many_beginnings_of_words_to_search_for_are_refused(path: str, site: Site) -> None:
    for text in ("w* a* \u00e9* b* c*", '"a*" ' * 5, "a*b*c*d*e*"):
        line = refused(site.ask(f"{path}?q={quote(text)}"), path)
        assert line == "q: has 5 beginnings of words: give at most 4"
    assert site.ask(f"{path}?q={quote('w* a* b* c* * * *')}").status == 200


def test_as_much_as_is_allowed_is_answered(site: Site) -> None:
    facets = [
        (facet, value)
        for facet, values in {
            "tag": [f"tag-{number}" for number in range(64)],
            "actor": [f"Actor {number}" for number in range(64)],
            "source": [f"https://example.org/{number}" for number in range(64)],
            "state": ["current"],
        }.items()
        for value in values
    ]
    words = " ".join(f"{'w' * 28}{number}" for number in range(64))[:2_000]
    for pairs in ([*facets, ("q", words)], [(f"utm_{number}", "1") for number in range(64)]):
        for path in ("/events", "/events.csv", "/events.json"):
            assert site.ask(f"{path}?{urlencode(pairs)}").status == 200
    tags = [("_tag", f"tag-{number}") for number in range(64)]
    assert site.ask(f"/story/events?{urlencode(tags)}").status == 200


def test_datasette_beside_a_timeline_takes_what_it_takes(story: Path, tmp_path: Path) -> None:
    many = urlencode([(f"_x{number}", "1") for number in range(65)])
    other = tmp_path / "other.db"
    with contextlib.closing(sqlite3.connect(other)) as made:
        made.execute("CREATE TABLE things (name)")
    with serving(story, other) as site:
        assert site.ask(f"/other?{many}").status == 200
        assert site.ask(f"/story?{many}").status == 400


@pytest.mark.parametrize("path", ["/changes", "/changes.json"])
@pytest.mark.parametrize(
    "number", ["9" * 16, "9" * 19, "9" * 500, "-1", "1e3", "x", "\u0661\u0662"]
)
def test_a_number_that_is_none_of_an_entry_is_refused(path: str, number: str, site: Site) -> None:
    line = refused(site.ask(f"{path}?before={quote(number)}"), path)
    assert "is not a number: write one such as 41" in line
    assert site.ask(f"{path}?before={'9' * 15}").status == 200


NASTY = [
    *("9" * 19, "9" * 1_000, "-" + "9" * 19, "#" + "9" * 19, "1e999", "\0", "\u00b2", "a\0b"),
    *('"', '"' * 2_000, "(" * 2_000, "{" * 2_000, "{..2025}", "Y" * 2_000, "Y-17E7"),
    *("Y" + "9" * 18, "9999-12-31T23:59:59.999999999999", "-9999", "a AND", "a b " * 500),
]
"""Values that no page expects."""


@pytest.mark.parametrize("value", NASTY, ids=range(len(NASTY)))
def test_no_value_makes_a_page_fail(value: str, site: Site) -> None:
    text = quote(value)
    asked = [
        *(f"/events.json?{name}={text}" for name in (*SINGLE, *FACETS)),
        *(f"/events{ending}?q={text}" for ending in ("", ".csv", ".atom", ".jsonl")),
        *(f"/changes.json?from={a}&to={b}" for a, b in ((text, ""), ("%230", text))),
        *(f"{path}?as_of={text}&after={text}" for path in ("/events/sumy-strike", OURS[-8])),
        *(f"/story/events.json?{name}={text}" for name in ("_actor", "_period", "_search")),
        f"/story/events.json?_facet_size={text}&_facet_m2m=actors&_facet_period=occurred",
    ]
    failed = [path for path in asked if site.ask(path).status >= 500]
    assert failed == []


def test_arguments_are_read_in_their_order_with_empty_ones() -> None:
    assert arguments.arguments("b=1&a=&b=%20x+y") == [("b", "1"), ("a", ""), ("b", " x y")]
