"""What can be said, how it is stored, and what is refused in which words."""

from __future__ import annotations

import itertools
import json
import re
import typing
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from strategies import events, files, sources

from timeline.errors import InvalidInput
from timeline.model import edtf, strict_json, validation
from timeline.model.base import Content
from timeline.model.content import (
    Actor,
    Annotation,
    Citation,
    Claim,
    Event,
    Mark,
    Merge,
    Participant,
    Place,
    Quantity,
    Relation,
    Said,
    Source,
    Statement,
)
from timeline.model.field_types import ID_PATTERN
from timeline.model.log_info import LogInfo, Term, Vocabulary
from timeline.model.validation import validate
from timeline.store import codec

MODELS = (
    Event,
    Statement,
    Said,
    Source,
    Actor,
    Merge,
    Annotation,
    LogInfo,
    Place,
    Participant,
    Quantity,
    Claim,
    Relation,
    Citation,
    Mark,
    Term,
    Vocabulary,
)


def event(**fields: Any) -> dict[str, Any]:
    """The content of an event with these fields."""
    return validate(Event, {"title": "T", "occurred": "2025", **fields}).content()


def refusal(kind: type[Content], data: object) -> str:
    """The whole message of a refusal: always one printable line."""
    with pytest.raises(InvalidInput) as caught:
        validate(kind, data)
    message = str(caught.value)
    assert message == (
        f"{caught.value.field}: {caught.value.problem}" if caught.value.field else message
    )
    assert message.isprintable()
    return message


def event_refusal(**fields: Any) -> str:
    return refusal(Event, {"title": "T", "occurred": "2025", **fields})


# --- Every field: what is accepted, and how it is stored --------------------------------------


@pytest.mark.parametrize(
    ("field", "given_value", "stored"),
    [
        ("title", "  Talks in Odesa ", "Talks in Odesa"),
        ("title", "tab\tinside, and \x1f", "tab\tinside, and \x1f"),
        ("title", "x" * 500, "x" * 500),
        ("summary", "Line one.\nLine two.\n", "Line one.\nLine two."),
        ("note", "n", "n"),
        ("event_type", " CONSULT ", "CONSULT"),
        ("mode", "visit", "visit"),
        ("contexts", ["military", "military", "legal"], ["military", "legal"]),
        ("tags", ["Sea", " sea", "ÉTÉ", "SEA "], ["sea", "été"]),
        ("occurred", "15 April 2025", "2025-04-15"),
        ("occurred", "first quarter of 2025", "2025-33"),
        ("occurred", " 2025-04-15t10:15 ", "2025-04-15T10:15"),
        ("occurred_text", "last Tuesday", "last Tuesday"),
        ("occurred_basis", "inferred", "inferred"),
        ("place", {"name": "Odesa"}, {"name": "Odesa"}),
        ("place", {"country": "ua"}, {"country": "UKR"}),
        ("place", {"country": "the Netherlands"}, {"country": "NLD"}),
        (
            "place",
            {"admin1": "Crimea", "geo_precision": "4"},
            {"admin1": "Crimea", "geo_precision": 4},
        ),
        ("place", {"lat": 46.4825, "lon": "30.7233"}, {"lat": "46.4825", "lon": "30.7233"}),
        ("place", {"lat": -90, "lon": "180.0"}, {"lat": "-90", "lon": "180"}),
        ("about_place", {"name": "Black Sea"}, {"name": "Black Sea"}),
        ("participants", [{"name": "NATO"}], [{"name": "NATO"}]),
        ("participants", [{"name": "NATO", "role": "actor"}], [{"name": "NATO"}]),
        (
            "participants",
            [{"role": "host", "name": " Володимир Зеленський ", "country": "Ukraine"}],
            [{"name": "Володимир Зеленський", "role": "host", "country": "UKR"}],
        ),
        (
            "quantities",
            [{"value": 35, "measure": "Killed"}],
            [{"measure": "killed", "value": "35", "unit": "person"}],
        ),
        (
            "quantities",
            [{"measure": "injured", "low": 3, "high": 1, "unit": "Soldier", "qualifier": "exact"}],
            [{"measure": "injured", "low": "3", "high": "1", "unit": "soldier"}],
        ),
        (
            "quantities",
            [{"measure": "pledged", "value": 0, "unit": "EUR", "dated": "April 2025"}],
            [{"measure": "pledged", "value": "0", "unit": "EUR", "dated": "2025-04"}],
        ),
        ("claims", [{"speaker": "TASS"}], [{"speaker": "TASS"}]),
        ("claims", [{"speaker": "A", "stance": "denies"}], [{"speaker": "A", "stance": "denies"}]),
        (
            "claims",
            [{"speaker": "A", "source_ids": ["nato", "abc", "nato"]}],
            [{"speaker": "A", "source_ids": ["nato", "abc"]}],
        ),
        (
            "relations",
            [{"type": "about", "event_id": "abc"}, {"event_id": "abc", "type": "about"}],
            [{"type": "about", "event_id": "abc"}],
        ),
        ("citations", [{"source_id": "nato"}], [{"source_id": "nato"}]),
        (
            "citations",
            [{"source": {"url": "https://example.org/"}, "quote": " as it stands "}],
            [{"source": {"url": "https://example.org/"}, "quote": " as it stands "}],
        ),
        (
            "citations",
            [{"source_id": "nato", "quote_start": 0, "quote_end": "7", "credibility": "2"}],
            [{"source_id": "nato", "quote_start": 0, "quote_end": 7, "credibility": 2}],
        ),
        ("modality", "planned", "planned"),
        ("verification", "disputed", "disputed"),
        ("external_ids", ["gdelt:1", "x-my.csv+2:Ä/ü", "gdelt:1"], ["gdelt:1", "x-my.csv+2:Ä/ü"]),
        ("extra", {"csv": {"b": "2", "a": " 1"}}, {"csv": {"b": "2", "a": " 1"}}),
        (
            "extra",
            {"b": {"k": "v"}, "a": {"k": "v", "n": ""}, "c": {}},
            {"a": {"k": "v"}, "b": {"k": "v"}},
        ),
    ],
)
def test_a_field_is_stored_in_its_one_spelling(field: str, given_value: Any, stored: Any) -> None:
    content = event(**{field: given_value})
    assert content[field] == stored
    assert json.dumps(content[field]) == json.dumps(stored)  # the order of keys, too
    assert event(**{field: stored}) == content


@pytest.mark.parametrize(
    "fields",
    [
        {"modality": "actual"},
        {"verification": "reported"},
        {"summary": ""},
        {"summary": None},
        {"tags": []},
        {"tags": ()},
        {"place": {}},
        {"place": None},
        {"extra": {}},
        {"extra": {"csv": {}}},
        {"extra": {"csv": {"a": "", "b": None}}},
        {"event_id": "odesa-visit"},
    ],
)
def test_what_is_empty_default_or_the_own_id_is_not_in_the_content(fields: dict[str, Any]) -> None:
    assert event(**fields) == {"title": "T", "occurred": "2025"}


@pytest.mark.parametrize(
    ("url", "stored"),
    [
        ("https://example.org", "https://example.org"),
        (" http://example.org:8080/a?b=c&d=%20#e ", "http://example.org:8080/a?b=c&d=%20#e"),
        ("HTTPS://Пример.org/ä", "HTTPS://Пример.org/ä"),
        ("https://example.org/" + "a" * 1980, "https://example.org/" + "a" * 1980),
        ("http://[::1]/", "http://[::1]/"),
    ],
)
def test_a_web_address_is_kept_as_it_is_given(url: str, stored: str) -> None:
    assert validate(Source, {"url": url}).content() == {"url": stored}


# --- Numbers ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spellings", "stored"),
    [
        (
            (35, "35", 35.0, "35.0", 3.5e1, "3.5e1", " 035 ", "+35", Decimal("35.00"), "350e-1"),
            "35",
        ),
        ((0, "0", 0.0, "-0", "-0.0", "0e5", "0e-500", "0.000"), "0"),
        ((-1.5, "-1.50", "-15e-1", Decimal("-1.5")), "-1.5"),
        ((1e21, 10**21, "1e21"), "1" + "0" * 21),
        (("1e38", 1e38, 10**38, "1" + "0" * 38, "1" + "0" * 38 + ".0"), "1" + "0" * 38),
        (("9" * 38, Decimal("9" * 38), int("9" * 38)), "9" * 38),
        (("-" + "9" * 38,), "-" + "9" * 38),
        (("1e-38", "0." + "0" * 37 + "1"), "0." + "0" * 37 + "1"),
        ((0.1, "0.1", "1e-1"), "0.1"),
        (("1." + "0" * 90,), "1"),
    ],
)
def test_a_number_has_one_spelling(spellings: tuple[Any, ...], stored: str) -> None:
    for spelling in spellings:
        figure = {"measure": "killed", "value": spelling}
        (found,) = event(quantities=[figure])["quantities"]
        assert found["value"] == stored
        (again,) = event(quantities=[found])["quantities"]
        assert again == found


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (True, "must be a number, or a number in a string"),
        (False, "must be a number, or a number in a string"),
        ([], None),
        ([1], "must be a number, or a number in a string"),
        ({"a": 1}, "must be a number, or a number in a string"),
        ("NaN", '"NaN" is not a number: write one such as 35 or 3.5'),
        (float("nan"), '"nan" is not a number: write one such as 35 or 3.5'),
        ("sNaN1", '"sNaN1" is not a number: write one such as 35 or 3.5'),
        ("many", '"many" is not a number: write one such as 35 or 3.5'),
        ("a\nb", r'"a\nb" is not a number: write one such as 35 or 3.5'),
        ("1_000", '"1_000" is not a number: write one such as 35 or 3.5'),
        ("1,000", '"1,000" is not a number: write one such as 35 or 3.5'),
        ("0x10", '"0x10" is not a number: write one such as 35 or 3.5'),
        ("\u0663\u0665", '"\u0663\u0665" is not a number: write one such as 35 or 3.5'),
        ("Infinity", "Infinity is too large: at most 1e38"),
        (float("-inf"), "-inf is too large: at most 1e38"),
        ("1e39", "1e39 is too large: at most 1e38"),
        (1e39, "1e+39 is too large: at most 1e38"),
        ("-1.1e38", "-1.1e38 is too large: at most 1e38"),
        ("1e999999999", "1e999999999 is too large: at most 1e38"),
        (10**39, "is too large: at most 1e38"),
        (-(10**5000), "is too large: at most 1e38"),
        ("9" * 39, "999999999999999999999999999999999999999 is too large: at most 1e38"),
        (
            "1." + "1" * 38,
            "1.11111111111111111111111111111111111111 has too many digits: at most 38",
        ),
        ("1e-39", "1e-39 has too many digits: at most 38"),
        ("1e-999999999", "1e-999999999 has too many digits: at most 38"),
        ("1" * 1000, "1" * 42 + "... has too many digits: at most 38"),
        ("0." + "5" + "0" * 10**6, "0.5" + "0" * 39 + "... has too many digits: at most 38"),
    ],
    ids=itertools.count(),  # some of these values are too long to be shown
)
def test_what_is_no_number_or_too_long_is_refused(value: Any, problem: str | None) -> None:
    message = event_refusal(quantities=[{"measure": "killed", "value": value}])
    if problem is None:  # empty is absent
        assert message == "quantities.0: needs a value, a low or a high"
    else:
        assert message == f"quantities.0.value: {problem}"


@given(st.decimals(-(10**30), 10**30, allow_nan=False, places=6))
def test_any_number_of_up_to_38_digits_keeps_its_value(number: Decimal) -> None:
    (found,) = event(quantities=[{"measure": "killed", "value": number}])["quantities"]
    assert Decimal(found["value"]) == number
    assert re.fullmatch(
        r"0|-?([1-9][0-9]*|0\.[0-9]*[1-9]|[1-9][0-9]*\.[0-9]*[1-9])", found["value"]
    )


# --- Every field: what is refused -------------------------------------------------------------

AN_ID = "must be 3 to 64 characters of a-z, 0-9, - and _, beginning with a letter or digit"
A_LINK = "must be a web address that begins with http:// or https://"
A_LEVEL = "must be a whole number from 1 (exact place) to 7 (sea or air space)"
A_ROLE = "must be one of actor, recipient, host, mediator, participant, speaker"
A_RELATION = "must be one of " + ", ".join(
    (
        *("part_of", "follows", "responds_to", "condition_of"),
        *("fulfils", "contradicts", "same_as", "about"),
    )
)
A_TAG = "must be a language tag such as en or pt-BR"
A_HASH = "must be sha256: and 64 lower-case hex digits"
AN_ORIGIN = "must be a name without blanks or +, such as example.org/odesa"
A_ZONE = "must be a time zone such as Europe/Kyiv or UTC"
A_DAY = "is not a day or a time: write one such as 2025-04-15"
A_POSITION = "must be a whole number of code points, from 0"


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"title": None}, "title: is required"),
        ({"title": ""}, "title: is required"),
        ({"title": "   "}, "title: must not be empty"),
        ({"title": "two\nlines"}, "title: must be one line"),
        ({"title": "two\rlines"}, "title: must be one line"),
        ({"title": "two\u2028lines"}, "title: must be one line"),
        ({"title": "two\x85lines"}, "title: must be one line"),
        ({"title": "a\x00b"}, "title: must be one line"),
        ({"title": "\ud800"}, "title: holds half a character (a lone surrogate)"),
        ({"title": "x" * 501}, "title: is too long: at most 500 characters"),
        ({"occurred": None}, "occurred: is required"),
        ({"occurred": 2025}, 'occurred: must be a date in a string, such as "2025-04-15"'),
        (
            {"occurred": "2025-02-29"},
            'occurred: "2025-02-29" is not a date: February 2025 has 28 days',
        ),
        ({"summary": "a\x00b"}, "summary: must not hold a NUL character"),
        ({"summary": "\udfff"}, "summary: holds half a character (a lone surrogate)"),
        ({"summary": "x" * 100_001}, "summary: is too long: at most 100000 characters"),
        ({"note": 3}, "note: must be text"),
        ({"event_id": "AB"}, f"event_id: {AN_ID}"),
        ({"event_id": "ab"}, f"event_id: {AN_ID}"),
        ({"event_id": "-abc"}, f"event_id: {AN_ID}"),
        ({"event_id": "abc\n"}, f"event_id: {AN_ID}"),
        ({"event_id": "a" * 65}, f"event_id: {AN_ID}"),
        ({"event_id": "événement"}, f"event_id: {AN_ID}"),
        ({"event_type": "x" * 61}, "event_type: is too long: at most 60 characters"),
        ({"tags": ["a", "\u0130" * 60]}, "tags.1: is too long: at most 60 characters"),
        ({"tags": [" "]}, "tags.0: must not be empty"),
        ({"contexts": ["a"] * 51}, "contexts: has too many items: at most 50"),
        ({"tags": ["a"] * 201}, "tags: has too many items: at most 200"),
        (
            {"occurred_basis": "guessed"},
            "occurred_basis: must be one of stated, resolved, inferred",
        ),
        (
            {"place": {"geo_precision": 3}},
            "place: needs a name, a country or a point (lat and lon)",
        ),
        ({"place": {"name": "x", "lat": 1}}, "place: needs lat and lon together, or neither"),
        ({"place": {"name": "x", "lon": 0}}, "place: needs lat and lon together, or neither"),
        (
            {"place": {"lat": 91, "lon": 0}},
            "place.lat: 91 is not a latitude: it lies between -90 and 90",
        ),
        (
            {"place": {"lat": "-90.0001", "lon": 0}},
            "place.lat: -90.0001 is not a latitude: it lies between -90 and 90",
        ),
        (
            {"about_place": {"lat": 0, "lon": -181}},
            "about_place.lon: -181 is not a longitude: it lies between -180 and 180",
        ),
        ({"place": {"name": "x", "geo_precision": 0}}, f"place.geo_precision: {A_LEVEL}"),
        ({"place": {"name": "x", "geo_precision": 8}}, f"place.geo_precision: {A_LEVEL}"),
        ({"place": {"name": "x", "geo_precision": 1.0}}, f"place.geo_precision: {A_LEVEL}"),
        ({"place": {"name": "x", "geo_precision": True}}, f"place.geo_precision: {A_LEVEL}"),
        (
            {"place": {"country": 804}},
            "place.country: must be a country: a name or an ISO 3166-1 code",
        ),
        ({"participants": [{"role": "host"}]}, "participants.0.name: is required"),
        (
            {"participants": [{"name": "x", "role": "victim"}]},
            f"participants.0.role: {A_ROLE}",
        ),
        ({"participants": [{"name": "x", "actor_id": "X"}]}, f"participants.0.actor_id: {AN_ID}"),
        (
            {"participants": [{"name": "x", "wikidata": "q57792"}]},
            "participants.0.wikidata: must be a Wikidata item such as Q57792",
        ),
        (
            {"participants": [{"name": "x", "wikidata": "Q0"}]},
            "participants.0.wikidata: must be a Wikidata item such as Q57792",
        ),
        (
            {"participants": [{"name": "x", "wikidata": "https://www.wikidata.org/wiki/Q1"}]},
            "participants.0.wikidata: must be a Wikidata item such as Q57792",
        ),
        (
            {"participants": [{"name": "x"}] * 1001},
            "participants: has too many items: at most 1000",
        ),
        ({"quantities": [{"measure": "killed"}]}, "quantities.0: needs a value, a low or a high"),
        ({"quantities": [{"value": 3, "unit": "EUR"}]}, "quantities.0.measure: is required"),
        ({"quantities": [{"measure": "pledged", "value": 3}]}, "quantities.0.unit: is required"),
        (
            {"quantities": [{"measure": "pledged", "value": 3, "unit": "EUX"}]},
            'quantities.0.unit: "EUX" is not an ISO 4217 currency: did you mean EUR?',
        ),
        (
            {"quantities": [{"measure": "killed", "value": 3, "qualifier": "fewer"}]},
            "quantities.0.qualifier: must be one of exact, more_than, at_least, about",
        ),
        (
            {"claims": [{"speaker": "x", "stance": "hopes"}]},
            "claims.0.stance: must be one of asserts, denies, disputes",
        ),
        ({"claims": [{"statement": "x"}]}, "claims.0.speaker: is required"),
        (
            {"claims": [{"speaker": "x", "source_ids": ["ok1", "No"]}]},
            f"claims.0.source_ids.1: {AN_ID}",
        ),
        (
            {"relations": [{"type": "like", "event_id": "abc"}]},
            f"relations.0.type: {A_RELATION}",
        ),
        ({"relations": [{"type": "about"}]}, "relations.0.event_id: is required"),
        (
            {"event_id": "abc", "relations": [{"type": "about", "event_id": "abc"}]},
            "relations: an event cannot relate to itself",
        ),
        ({"citations": [{"quote": "q"}]}, "citations.0: needs either source_id or source"),
        (
            {"citations": [{"source_id": "abc", "source": {"title": "x"}}]},
            "citations.0: needs either source_id or source",
        ),
        (
            {"citations": [{"source": {"publisher": "x"}}]},
            "citations.0.source: needs a title or a url",
        ),
        (
            {"citations": [{"source_id": "abc", "quote_start": 0}]},
            "citations.0: needs quote_start and quote_end together, or neither",
        ),
        (
            {"citations": [{"source_id": "abc", "quote_end": 5}]},
            "citations.0: needs quote_start and quote_end together, or neither",
        ),
        (
            {"citations": [{"source_id": "abc", "quote_start": 5, "quote_end": 5}]},
            "citations.0: quote_end must lie after quote_start",
        ),
        (
            {"citations": [{"source_id": "abc", "quote_start": -1, "quote_end": 5}]},
            f"citations.0.quote_start: {A_POSITION}",
        ),
        (
            {"citations": [{"source_id": "abc", "quote_start": 0, "quote_end": 2**53 + 1}]},
            f"citations.0.quote_end: {A_POSITION}",
        ),
        (
            {"citations": [{"source_id": "abc", "source_version": 0}]},
            "citations.0.source_version: must be a version, from 1",
        ),
        (
            {"citations": [{"source_id": "abc", "credibility": 7}]},
            "citations.0.credibility: must be a whole number from 1 to 6",
        ),
        (
            {"citations": [{"source_id": "abc", "quote": "x" * 20_001}]},
            "citations.0.quote: is too long: at most 20000 characters",
        ),
        (
            {"modality": "maybe"},
            "modality: must be one of actual, ongoing, planned, hypothetical, negated",
        ),
        (
            {"verification": "true"},
            "verification: must be one of reported, corroborated, disputed, refuted",
        ),
        ({"external_ids": ["1024"]}, "external_ids.0: must be scheme:id, such as gdelt:1024"),
        ({"external_ids": ["GDELT:1"]}, "external_ids.0: must be scheme:id, such as gdelt:1024"),
        ({"external_ids": ["gdelt:a b"]}, "external_ids.0: must be scheme:id, such as gdelt:1024"),
        ({"external_ids": ["gdelt:"]}, "external_ids.0: must be scheme:id, such as gdelt:1024"),
        (
            {"external_ids": [f"x:{n}" for n in range(51)]},
            "external_ids: has too many items: at most 50",
        ),
        ({"extra": {"csv": "x"}}, "extra.csv: must be an object with fields"),
        ({"extra": {"csv": {"a": 3}}}, "extra.csv.a: must be text"),
        ({"extra": {"csv": {"a": {"b": "c"}}}}, "extra.csv.a: must be text"),
        ({"extra": {" a": {"k": "1"}, "a": {"k": "2"}}}, 'extra: has the name "a" twice'),
        ({"extra": {"a": {"k": "1", "k ": "2"}}}, 'extra: has the name "k" twice'),
        (
            {"extra": {f"n{n}": {"k": "v"} for n in range(51)}},
            "extra: has too many items: at most 50",
        ),
        (
            {"extra": {"a": {f"k{n}": "v" for n in range(1001)}}},
            "extra.a: has too many items: at most 1000",
        ),
    ],
)
def test_a_field_that_is_wrong_is_refused_by_name_with_what_would_be_right(
    fields: dict[str, Any], message: str
) -> None:
    assert event_refusal(**fields) == message


def test_a_country_that_is_none_is_refused_with_the_nearest() -> None:
    message = event_refusal(place={"country": "Atlantis"})
    assert message.startswith('place.country: "Atlantis" is not a country')


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JavaScript://example.org/%0aalert(1)",
        "ftp://example.org/file",
        "data:text/html,x",
        "//example.org",
        "example.org",
        "http:",
        "http://",
        "http:///path",
        "https:example.org",
        "https://exa mple.org",
        "https://example.org/a b",
        "https://example.org/a\tb",
        "https://example.org/\u00a0b",
        'https://example.org/"onclick="',
        "https://example.org/<script>",
        "https://example.org/\x1b",
        "http://[::1",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    for field in ("url", "archive_url"):
        assert refusal(Source, {"title": "x", field: url}) == f"{field}: {A_LINK}"


@pytest.mark.parametrize(
    ("kind", "data", "message"),
    [
        (Source, {"publisher": "NATO"}, "needs a title or a url"),
        (
            Source,
            {"title": "x", "url": "https://e.org/" + "a" * 2000},
            "url: is too long: at most 2000 characters",
        ),
        (Source, {"title": "x", "language": "english"}, f"language: {A_TAG}"),
        (Source, {"title": "x", "language": "EN"}, f"language: {A_TAG}"),
        (
            Source,
            {"title": "x", "reliability": "G"},
            "reliability: must be one of A, B, C, D, E, F",
        ),
        (Source, {"title": "x", "text_sha256": "00" * 32}, f"text_sha256: {A_HASH}"),
        (Source, {"title": "x", "text_sha256": "sha256:" + "AB" * 32}, f"text_sha256: {A_HASH}"),
        (Source, {"title": "x", "authors": "NATO"}, "authors: must be a list"),
        (Actor, {"aliases": ["x"]}, "name: is required"),
        (Actor, {"name": "x", "aliases": ["a"] * 501}, "aliases: has too many items: at most 500"),
        (Merge, {}, "into: is required"),
        (Merge, {"into": "X"}, f"into: {AN_ID}"),
        (Said, {"author": "x" * 101}, "author: is too long: at most 100 characters"),
        (Said, {"reason": "x" * 5001}, "reason: is too long: at most 5000 characters"),
        (Said, {"reported_at": "2025-04"}, f'reported_at: "2025-04" {A_DAY}'),
        (Said, {"reported_at": 20250415}, "reported_at: must be text"),
        (Annotation, {"marks": []}, "text_sha256: is required"),
        (Mark, {"start": 5, "end": 5, "state": "commentary"}, "end must lie after start"),
        (Mark, {"start": 5, "end": 6, "state": "event"}, "state: must be one of commentary"),
        (LogInfo, {"title": "x"}, "origin: is required"),
        (LogInfo, {"title": "x", "origin": "a b"}, f"origin: {AN_ORIGIN}"),
        (LogInfo, {"title": "x", "origin": "a+b"}, f"origin: {AN_ORIGIN}"),
        (LogInfo, {"title": "x", "origin": "o", "time_zone": "Kyiv time"}, f"time_zone: {A_ZONE}"),
        (
            LogInfo,
            {"title": "x", "origin": "o", "vocabulary": {"modes": [{"code": "x"}]}},
            "vocabulary.modes.0.label: is required",
        ),
    ],
)
def test_sources_actors_and_the_log_are_refused_as_events_are(
    kind: type[Content], data: dict[str, Any], message: str
) -> None:
    assert refusal(kind, data) == message


def test_ten_thousand_marks_fit_and_one_more_does_not() -> None:
    marks = [{"start": n, "end": n + 1, "state": "commentary"} for n in range(10_001)]
    fields: dict[str, Any] = {"text_sha256": "sha256:" + "00" * 32}
    assert len(validate(Annotation, {**fields, "marks": marks[:-1]}).marks) == 10_000
    message = refusal(Annotation, {**fields, "marks": marks})
    assert message == "marks: has too many items: at most 10000"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"titel": "x"}, "titel: is not a field: did you mean title?"),
        ({"place": {"nmae": "x"}}, "place.nmae: is not a field: did you mean name?"),
        (
            {"participants": [{"rôle": "host"}]},
            "participants.0.rôle: is not a field: did you mean role?",
        ),
        ({"quantities": [{"valeu": 3}]}, "quantities.0.valeu: is not a field: did you mean value?"),
        ({"claims": [{"speeker": "x"}]}, "claims.0.speeker: is not a field: did you mean speaker?"),
        (
            {"relations": [{"event": "x"}]},
            "relations.0.event: is not a field: did you mean event_id?",
        ),
        (
            {"citations": [{"source": {"titel": "x"}}]},
            "citations.0.source.titel: is not a field: did you mean title?",
        ),
        ({"title\n": "x"}, r"title\n: is not a field: did you mean title?"),
        (
            {"relations": [{"xyz": "x"}]},
            "relations.0.xyz: is not a field: known are type, event_id",
        ),
    ],
)
def test_an_unknown_field_is_refused_at_every_depth_with_the_nearest(
    data: dict[str, Any], message: str
) -> None:
    """Also when the field that was meant is missing: that is the same slip."""
    assert refusal(Event, data).startswith(message)


def test_the_number_of_further_errors_is_said() -> None:
    assert (
        refusal(Event, {"title": 3, "occurred": 4, "note": 5}) == "title: must be text (and 2 more)"
    )


# --- Wrong types at every field ---------------------------------------------------------------


def fields_of(kind: type[Content], path: str = "") -> Iterator[tuple[str, Any]]:
    """Every field of a model and of those inside it: its path, and its annotation."""
    for name, field in kind.model_fields.items():
        yield path + name, field.annotation
        for inner in inner_models(field.annotation):
            step = ".0" if "tuple" in str(field.annotation) else ""
            yield from fields_of(inner, f"{path}{name}{step}.")


def inner_models(annotation: Any) -> Iterator[type[Content]]:
    if isinstance(annotation, type) and issubclass(annotation, Content):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from inner_models(argument)


EVENT_FIELDS = [path for path, _ in fields_of(Event)]


def holding(path: str, value: object) -> dict[str, Any]:
    """An object with a value at a path, and nothing else."""
    for step in reversed(path.split(".")):
        value = [value] if step == "0" else {step: value}
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("path", EVENT_FIELDS)
def test_a_value_of_the_wrong_type_is_refused_at_its_path(path: str) -> None:
    for wrong in (object(), 1.5, True, b"bytes", {"a": 1}, [{"a": 1}], ["x", 1], {1: 2}):
        numeric = path.rpartition(".")[2] in ("value", "low", "high", "lat", "lon")
        if (numeric and wrong == 1.5) or (path == "highlight" and wrong is True):
            continue
        with pytest.raises(InvalidInput) as caught:
            validate(Event, holding(path, wrong))
        assert str(caught.value).isprintable()
        with pytest.raises(ValidationError) as found:
            Event.model_validate(holding(path, wrong))
        places = [".".join(map(str, error["loc"])) for error in found.value.errors()]
        assert any(place == path or place.startswith(path + ".") for place in places)


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("data", ["text", 3, None, [], [{}], True])
def test_what_is_no_object_is_refused(kind: type[Content], data: object) -> None:
    assert refusal(kind, data) == "must be an object with fields"


# --- Contents ---------------------------------------------------------------------------------

any_event = events(inline=sources, attached=files)
MODELS_BY_FIELD = {**validation._models_by_field(), "": Event}


def parts(content: dict[str, Any], field: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in a content that is one of a model, and the field that holds it."""
    yield field, content
    for name, value in content.items():
        if name != "extra":
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    yield from parts(item, name)


def values(value: Any) -> Iterator[Any]:
    yield value
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from values(item)


def shuffled(value: Any) -> Any:
    """The same value with all keys the other way round."""
    if isinstance(value, dict):
        return {key: shuffled(item) for key, item in reversed(value.items())}
    return [shuffled(item) for item in value] if isinstance(value, list) else value


@given(any_event)
@settings(deadline=None)
def test_a_content_that_is_read_again_is_the_same_content(fields: dict[str, Any]) -> None:
    content = validate(Event, fields).content()
    text = json.dumps(content)
    assert json.dumps(validate(Event, content).content()) == text
    assert json.dumps(validate(Event, json.loads(text)).content()) == text


@given(any_event)
@settings(deadline=None)
def test_equal_content_has_equal_bytes(fields: dict[str, Any]) -> None:
    content = validate(Event, fields).content()
    payload = codec.encode_payload(None, None, content)
    again = validate(Event, {**shuffled(fields), "extra": fields.get("extra")}).content()
    assert codec.encode_payload(None, None, again) == payload
    with_nothing = {**fields, "note": fields.get("note") or "", "tags": fields.get("tags") or None}
    assert validate(Event, with_nothing).content() == content
    statement = validate(Statement, {"author": "mk", "reported_at": "2025-04-15", **fields})
    assert codec.encode_payload(None, None, statement.content()) == payload


@given(any_event)
@settings(deadline=None)
def test_a_content_is_json_without_floats_empty_values_and_defaults(fields: dict[str, Any]) -> None:
    content = validate(Event, fields).content()
    for value in values(content):
        assert value is True or type(value) in (str, int, list, dict)
        assert value not in ("", [], {})
        assert not isinstance(value, int) or abs(value) <= 2**53
    for field, part in parts(content):
        for name, value in part.items():
            assert value != MODELS_BY_FIELD[field].model_fields[name].default


@given(any_event)
@settings(deadline=None)
def test_the_keys_of_a_content_are_in_the_order_of_its_model(fields: dict[str, Any]) -> None:
    content = validate(Event, fields).content()
    for field, part in parts(content):
        order = [name for name in MODELS_BY_FIELD[field].model_fields if name in part]
        assert list(part) == order
    extra = content.get("extra", {})
    assert list(extra) == sorted(extra)
    for dataset, inner in extra.items():
        given = [name.strip() for name in fields["extra"][dataset]]
        assert list(inner) == [name for name in given if name in inner]


@given(any_event)
@settings(deadline=None)
def test_a_content_can_be_written_and_read_back_from_outside(fields: dict[str, Any]) -> None:
    content = validate(Event, fields).content()
    payload = codec.encode_payload("mk", "why", content)
    assert strict_json.parse_json(payload) == {"author": "mk", "reason": "why", **content}


@given(any_event)
@settings(deadline=None)
def test_the_date_of_an_event_is_the_one_that_is_stored(fields: dict[str, Any]) -> None:
    found = validate(Event, fields)
    assert found.when == edtf.parse(found.content()["occurred"])


@given(sources)
@settings(deadline=None)
def test_a_source_that_is_read_again_is_the_same_source(fields: dict[str, Any]) -> None:
    content = validate(Source, fields).content()
    assert "source_id" not in content
    assert validate(Source, content).content() == content


def test_the_strategy_of_events_gives_every_field_at_every_depth() -> None:
    seen: set[str] = set()

    @given(any_event)
    @settings(deadline=None, max_examples=400, database=None)
    def look(fields: dict[str, Any]) -> None:
        for field, part in parts(validate(Event, fields).content()):
            seen.update(f"{field}.{name}" for name in part)

    look()
    expected = {".".join(path.replace(".0", "").split(".")[-2:]) for path in EVENT_FIELDS}
    expected = {path if "." in path else f".{path}" for path in expected}
    assert seen == expected - {".event_id"}


def test_the_models_are_frozen() -> None:
    found = validate(Event, {"title": "T", "occurred": "2025"})
    with pytest.raises(ValidationError, match="frozen"):
        found.title = "Other"


def test_models_can_be_given_as_objects() -> None:
    found = Event(
        title="Talks",
        occurred="15 April 2025",
        place=Place(name="Odesa", country="Ukraine"),
        participants=(Participant(name="NATO"),),
        citations=(Citation(source=Source(url="https://example.org/")),),
    )
    assert found.content() == {
        "title": "Talks",
        "occurred": "2025-04-15",
        "place": {"name": "Odesa", "country": "UKR"},
        "participants": [{"name": "NATO"}],
        "citations": [{"source": {"url": "https://example.org/"}}],
    }


def test_a_log_may_leave_its_words_free() -> None:
    info = validate(LogInfo, {"origin": "example.org", "title": "T"})
    assert info.content() == {"origin": "example.org", "title": "T"}
    assert validate(LogInfo, info.content()) == info
    assert validate(LogInfo, {**info.content(), "vocabulary": {"modes": []}}) == info


# --- Descriptions and limits ------------------------------------------------------------------


@pytest.mark.parametrize("kind", MODELS)
def test_every_field_has_a_description(kind: type[Content]) -> None:
    assert kind.__doc__
    for name, field in kind.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert field.description.isprintable()


@pytest.mark.parametrize("kind", MODELS)
def test_every_model_that_holds_fields_is_known_to_the_refusal_of_unknown_ones(
    kind: type[Content],
) -> None:
    for name, field in kind.model_fields.items():
        for inner in inner_models(field.annotation):
            assert validation._models_by_field()[name] is inner


def schemas(value: Any) -> Iterator[dict[str, Any]]:
    """Every schema inside a JSON Schema."""
    if isinstance(value, dict):
        yield value
        for key, inner in value.items():
            if key in ("properties", "$defs"):
                for item in inner.values():
                    yield from schemas(item)
            elif key in ("items", "additionalProperties"):
                yield from schemas(inner)
            elif key == "anyOf":
                for item in inner:
                    yield from schemas(item)


@pytest.mark.parametrize("kind", MODELS)
def test_the_json_schema_of_a_model_is_one_and_states_its_limits(kind: type[Content]) -> None:
    schema = kind.model_json_schema()
    json.dumps(schema)
    definitions = schema.get("$defs", {})
    allowed = {"string", "number", "integer", "boolean", "array", "object", "null"}
    for part in schemas(schema):
        kind_of = part.get("type")
        assert kind_of in allowed or part.keys() & {"$ref", "anyOf", "const", "enum"}
        if "$ref" in part:
            assert part["$ref"].removeprefix("#/$defs/") in definitions
        if kind_of == "object" and "properties" in part:
            assert part["additionalProperties"] is False
            assert set(part.get("required", ())) <= set(part["properties"])
            assert all(
                "description" in inner or "const" in inner for inner in part["properties"].values()
            )
        elif kind_of == "object":
            assert part["maxProperties"] > 0
        if kind_of == "array":
            assert part["maxItems"] > 0
        if kind_of in ("integer", "number") and "enum" not in part:
            assert part["minimum"] < part["maximum"]
        if kind_of == "string" and not part.keys() & {"enum", "const", "maxLength"}:
            assert "pattern" in part or part == {"type": "string"}  # a country, a report
        if "pattern" in part:
            re.compile(part["pattern"])


def test_the_json_schema_of_an_event_allows_what_the_model_takes() -> None:
    properties = Event.model_json_schema()["properties"]
    assert properties["title"] == {
        "description": "What happened, in one line.",
        "maxLength": 500,
        "minLength": 1,
        "pattern": properties["title"]["pattern"],
        "title": "Title",
        "type": "string",
    }
    line = re.compile(properties["title"]["pattern"])
    assert line.search("Одеса 1")
    for separator in (
        "\n",
        "\r",
        "\x0b",
        "\x0c",
        "\x1c",
        "\x1d",
        "\x1e",
        "\x85",
        "\u2028",
        "\u2029",
        "\x00",
    ):
        assert not line.search(f"a{separator}b")
    place = Event.model_json_schema()["$defs"]["Place"]["properties"]
    (number, text, _) = place["lat"]["anyOf"]
    assert number == {"maximum": 90, "minimum": -90, "type": "number"}
    assert text["type"] == "string"


def test_the_pattern_of_an_id_is_that_of_the_codec() -> None:
    assert f"^{codec._FORMS['id']}$" == ID_PATTERN
