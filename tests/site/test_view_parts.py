"""The pure parts of the site: addresses, bars, circles, ways to cite."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.model import edtf
from timeline.site.views.address import FACETS, Address
from timeline.site.views.cite import citations_of
from timeline.site.views.histogram import bars_of, ticks

# --- Addresses ----------------------------------------------------------------------------

words = st.text(min_size=1, max_size=8).filter(str.strip).map(str.strip)
pairs = st.lists(
    st.tuples(st.sampled_from([*FACETS, "q", "since", "as_of", "order", "after", "else"]), words)
)


@given(pairs)
def test_an_address_that_is_written_is_read_back(given_pairs: list[tuple[str, str]]) -> None:
    address = Address.of(given_pairs)
    again = Address.of(parse_qsl(address.query(after=address.after).removeprefix("?")))
    assert again == address


@given(pairs, st.sampled_from([*FACETS]), words)
def test_what_is_chosen_twice_is_not_chosen(
    given_pairs: list[tuple[str, str]], facet: str, value: str
) -> None:
    address = Address.of(given_pairs)._replace(after="")
    once = Address.of(parse_qsl(address.toggled(facet, value).removeprefix("?")))
    twice = Address.of(parse_qsl(once.toggled(facet, value).removeprefix("?")))
    assert ((facet, value) in once.chosen) != ((facet, value) in address.chosen)
    assert twice == address


def test_a_change_leads_to_the_first_page_and_keeps_the_moment() -> None:
    address = Address.of([("after", "2025~e"), ("type", "AID"), ("as_of", "#4"), ("q", "x")])
    assert address.query(q="y") == "?q=y&as_of=%234&type=AID"
    assert address.cleared() == "?as_of=%234"
    assert address.filters == {"event_type": ["AID"]}


@pytest.mark.parametrize(
    ("as_of", "as_reported", "said"),
    [
        ("", "", ""),
        ("2025-04-13", "", "as it stood on 13 April 2025"),
        ("13 April 2025", "", "as it stood on 13 April 2025"),
        ("2025-04-13T12:00", "", "as it stood at 13 April 2025, 12:00"),
        ("2025-04-13T12:00:00.25Z", "", "as it stood at 2025-04-13T12:00:00.25Z"),
        ("#41", "", "as it stood after entry 41"),
        ("41", "", "as it stood after entry 41"),
        ("", "2025-04-13", "with only what had been reported up to 13 April 2025"),
        (
            "#41",
            "2025-04-13T12:00:00Z",
            "as it stood after entry 41, with only what had been reported up to"
            " 13 April 2025, 12:00:00 UTC",
        ),
        (
            "2025-04-14",
            "#3",
            "as it stood on 14 April 2025, with only what had been reported up to entry 3",
        ),
    ],
)
def test_a_page_says_which_moment_it_shows(as_of: str, as_reported: str, said: str) -> None:
    assert Address(as_of=as_of, as_reported=as_reported).moment == said


# --- Bars ---------------------------------------------------------------------------------


def _bar(spans: list[tuple[str | None, str | None, int]], label: str) -> tuple[int, int]:
    bars = bars_of(spans)
    assert bars is not None
    (found,) = [bar for bar in bars.bars if bar.label == label]
    return found.certain, found.possible


def test_an_event_of_a_quarter_is_drawn_over_the_quarter_never_on_its_first_day() -> None:
    spans: list[tuple[str | None, str | None, int]] = [
        ("2025-01-01", "2025-03-31", 1),
        ("2025-02-10", "2025-02-10", 2),
        ("2025-05-30", "2025-05-30", 1),
    ]
    assert bars_of(spans).unit == "month"  # type: ignore[union-attr]
    assert _bar(spans, "January 2025") == (0, 1)
    assert _bar(spans, "February 2025") == (2, 1)
    assert _bar(spans, "March 2025") == (0, 1)
    assert _bar(spans, "April 2025") == (0, 0)


def test_what_has_an_open_end_could_be_up_to_the_end_of_the_axis() -> None:
    spans: list[tuple[str | None, str | None, int]] = [
        ("2025-04-01", "2025-04-01", 1),
        ("2025-04-10", "2025-04-10", 1),
        ("2025-04-08", None, 1),
        (None, "2025-04-02", 1),
    ]
    bars = bars_of(spans)
    assert bars is not None
    assert (bars.unit, len(bars.bars), bars.open_ended) == ("day", 10, 2)
    assert [bar.possible for bar in bars.bars] == [1, 1, 0, 0, 0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("first", "last", "unit"),
    [
        ("2025-04-01", "2025-04-01", "day"),
        ("2025-01-01", "2025-04-20", "day"),
        ("2025-01-01", "2026-12-31", "month"),
        ("1950-01-01", "2025-12-31", "year"),
        ("1066-01-01", "2025-12-31", "10 years"),
        (edtf.sortable(-3000, 1, 1), "2025-12-31", "100 years"),
        (edtf.sortable(-13_800_000_000, 1, 1), "2025-12-31", "1,000,000,000 years"),
        (edtf.sortable(-44, 3, 15), edtf.sortable(-44, 3, 15), "year"),
    ],
)
def test_the_unit_fits_the_axis(first: str, last: str, unit: str) -> None:
    bars = bars_of([(first, first, 1), (last, last, 1)])
    assert bars is not None
    assert (bars.unit, len(bars.bars) <= 125) == (unit, True)
    assert (bars.bars[0].certain > 0, bars.bars[-1].certain > 0) == (True, True)
    for bar in (bars.bars[0], bars.bars[-1]):
        assert edtf.parse(bar.first).occurred_from is not None
        assert bar.label


_days = st.dates().map(str)
_spans = st.lists(
    st.tuples(st.none() | _days, st.none() | _days, st.integers(1, 5)).map(
        lambda span: (
            (span[1], span[0], span[2]) if span[0] and span[1] and span[0] > span[1] else span
        )
    ),
    min_size=1,
    max_size=8,
)


@given(_spans)
def test_a_bar_holds_what_the_filter_by_its_period_finds(
    spans: list[tuple[str | None, str | None, int]],
) -> None:
    bars = bars_of(spans)
    if bars is None:
        assert all(first is None and last is None for first, last, _ in spans)
        return
    for bar in bars.bars:
        since = edtf.parse(bar.first).occurred_from or ""
        until = edtf.parse(bar.last).occurred_to or ""
        found = sum(
            count
            for first, last, count in spans
            if (last is None or last >= since) and (first is None or first <= until)
        )
        assert bar.certain + bar.possible == found
    assert sum(bar.certain for bar in bars.bars) <= sum(count for *_, count in spans)
    assert ticks(bars.bars)[0] == 0
    assert len(ticks(bars.bars)) <= 6


# --- To cite ------------------------------------------------------------------------------


def test_a_citation_names_version_and_entry_in_every_form() -> None:
    event = {
        "event_id": "talks",
        "title": "Talks & 50% of {it}_",
        "version": 3,
        "seq": 41,
        "recorded_at": "2025-04-15T10:15:00.000000Z",
    }
    info = {"title": "A story", "origin": "example.org/story"}
    address = "https://example.org/events/talks/3"
    (_, plain), (_, bibtex), (_, csl) = citations_of(event, info, address)
    assert plain == (
        '"Talks & 50% of {it}_", version 3, entry 41 of example.org/story, recorded 2025-04-15. '
        "In: A story. https://example.org/events/talks/3"
    )
    assert r"title = {Talks \& 50\% of \{it\}\_}" in bibtex
    assert bibtex.startswith("@misc{talks-v3,\n")
    (item,) = json.loads(csl)
    assert (item["id"], item["version"], item["URL"]) == ("talks-v3", "3", address)
    assert item["issued"] == {"date-parts": [[2025, 4, 15]]}
