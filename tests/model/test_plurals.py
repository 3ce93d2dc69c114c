"""Units in the plural: English nouns have one, and it is read back as the noun."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.model.plurals import plural, singular


@pytest.mark.parametrize(
    ("one", "several"),
    [
        ("soldier", "soldiers"),
        ("service member", "service members"),
        ("tonne of CO2", "tonnes of CO2"),
        ("shell of 155 mm", "shells of 155 mm"),
        ("prisoner of war", "prisoners of war"),
        ("woman", "women"),
        ("policeman", "policemen"),
        ("human", "humans"),
        ("child", "children"),
        ("displaced person", "displaced people"),
        ("city", "cities"),
        ("day", "days"),
        ("house", "houses"),
        ("size", "sizes"),
        ("bus", "buses"),
        ("church", "churches"),
        ("movie", "movies"),
        ("life", "lives"),
        ("US dollar", "US dollars"),
    ],
)
def test_a_noun_has_a_plural_that_is_read_back(one: str, several: str) -> None:
    assert (plural(one), singular(several)) == (several, one)
    assert (plural(several), singular(one)) == (several, one)


@pytest.mark.parametrize(
    "unit",
    [
        *("F-16", "km", "km2", "CO2", "percent", "aircraft", "troops", "EUR", "Leopard 2"),
        *("wounded", "killed in action", "women and children", "km per hour"),
    ],
)
def test_what_has_no_plural_stays_as_it_is(unit: str) -> None:
    assert plural(unit) == singular(unit) == unit


@given(st.from_regex("[a-z]{1,8}( of [a-z]{1,5})?", fullmatch=True))
def test_the_plural_of_any_noun_is_read_back_as_the_noun(unit: str) -> None:
    noun = singular(unit)
    assert singular(plural(noun)) == singular(noun)
    assert plural(plural(noun)) == plural(noun)
