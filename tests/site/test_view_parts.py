"""The pure parts of the site: addresses, ways to cite."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.site.views.address import FACETS, Address
from timeline.site.views.cite import citations_of

# --- Addresses ----------------------------------------------------------------------------

words = st.text(min_size=1, max_size=8).filter(str.strip).map(str.strip)
pairs = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *FACETS,
                "actor!",
                "tag!",
                "actor_match",
                "measure",
                "at_least",
                "find_actor",
                "values",
                *("q", "since", "as_of", "order", "after", "else"),
            ]
        ),
        words,
    )
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
    address = Address.of([each for each in given_pairs if each != (f"{facet}!", value)])
    address = address._replace(after="")
    once = Address.of(parse_qsl(address.toggled(facet, value).removeprefix("?")))
    twice = Address.of(parse_qsl(once.toggled(facet, value).removeprefix("?")))
    assert ((facet, value) in once.chosen) != ((facet, value) in address.chosen)
    assert twice == address


@given(pairs, st.sampled_from([*FACETS]), words)
def test_what_is_chosen_is_not_excluded(
    given_pairs: list[tuple[str, str]], facet: str, value: str
) -> None:
    address = Address.of([*given_pairs, (facet, value), (f"{facet}!", value)])
    assert (facet, value) not in address.chosen
    assert (f"{facet}!", value) in address.chosen
    wanted = Address.of(parse_qsl(address.toggled(facet, value).removeprefix("?")))
    assert (facet, value) in wanted.chosen
    assert (f"{facet}!", value) not in wanted.chosen
    for name in ("measure", "actor"):
        rest = address.without_filter(name).filters
        assert name not in rest
        assert name != "measure" or "at_least" not in rest


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
