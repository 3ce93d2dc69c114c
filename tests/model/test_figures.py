from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import InvalidValue
from timeline.formats import prose
from timeline.model import figures
from timeline.model.content import Quantity
from timeline.model.validation import validate

PEOPLE = "killed"
THINGS = "delivered"


def in_short(text: str, measure: str = THINGS, *, is_english: bool = True) -> str:
    """Return the amount that a text says as "QUALIFIER VALUE (LOW to HIGH) UNIT"."""
    amount = figures.read(text, measure, is_english=is_english)
    assert isinstance(amount, figures.Amount)
    value, low, high, qualifier, unit = amount
    span = f"({low or '?'} to {high or '?'})" if low or high else None
    named = None if qualifier == "exact" else qualifier
    return " ".join(part for part in (named, value, span, unit) if part)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("34", "34"),
        ("20 to 40", "(20 to 40)"),
        ("20-40", "(20 to 40)"),
        ("20 \N{EN DASH} 40", "(20 to 40)"),
        ("between 20 and 40", "(20 to 40)"),
        ("from 20 to 40", "(20 to 40)"),
        ("at least 8", "at_least 8"),
        ("8+", "at_least 8"),
        ("8 or more", "at_least 8"),
        ("more than 20", "more_than 20"),
        ("over 20", "more_than 20"),
        ("Over 20", "more_than 20"),
        (">=20", "at_least 20"),
        ("~ 20", "about 20"),
        ("about 15", "about 15"),
        ("up to 60", "(? to 60)"),
        ("? to 60", "(? to 60)"),
        ("35 (20 to ?)", "35 (20 to ?)"),
        ("35 (20-40)", "35 (20 to 40)"),
        ("1,200", "1200"),
        ("1 200", "1200"),
        ("1\N{NO-BREAK SPACE}200", "1200"),
        ("1\N{NARROW NO-BREAK SPACE}200", "1200"),
        ("1'200'000", "1200000"),
        ("1.200.000", "1200000"),
        ("2e3", "2000"),
        ("1.5 thousand", "1500"),
        ("12 people", "12 person"),
        ("1,200 people", "1200 person"),
        ("60 soldiers", "60 soldier"),
    ],
)
def test_people_are_counted_as_reporters_write_it(text: str, amount: str) -> None:
    assert in_short(text, PEOPLE) == amount


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("20 million EUR", "20000000 EUR"),
        ("EUR 20bn", "20000000000 EUR"),
        ("$1.5bn", "1500000000 USD"),
        ("US$ 1.5 billion", "1500000000 USD"),
        ("€20m to €30m", "(20000000 to 30000000) EUR"),
        ("20-40 million EUR", "(20000000 to 40000000) EUR"),
        ("up to EUR 20bn", "(? to 20000000000) EUR"),
        ("20 eur", "20 EUR"),
        ("20 euros", "20 EUR"),
        ("₴500k", "500000 UAH"),
        ("-5 EUR", "-5 EUR"),
        ("20,000,000,000 EUR", "20000000000 EUR"),
        ("20.000.000,50 EUR", "20000000.5 EUR"),
        ("1,234.5 km", "1234.5 km"),
        ("1.234,5 km", "1234.5 km"),
        ("3,5 km", "3.5 km"),
        ("0.125 km", "0.125 km"),
        ("1.2340 km", "1.234 km"),
        ("1234.567 km", "1234.567 km"),
        ("12%", "12 percent"),
        ("12.5 per cent", "12.5 percent"),
        ("24 F-16", "24 F-16"),
        ("12 km2", "12 km2"),
        ("5 tonnes of CO2", "5 tonne of CO2"),
        ("5 T-72", "5 T-72"),
        ("2 Leopard 2", "2 Leopard 2"),
        ("20 top officials", "20 top official"),
        ("3 women and children", "3 women and children"),
        ("-5 to -3 degrees", "(-5 to -3) degree"),
    ],
)
def test_other_things_have_units_and_currencies(text: str, amount: str) -> None:
    assert in_short(text) == amount


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1.200", 'can mean 1200 or 1.200: write "1200"'),
        ("12.345.6", "is no number"),
        ("-5", "counts people"),
        ("2.5", "counts people"),
        ("12,5", "counts people"),
        ("2.5 to 4", "counts people"),
        ("9/11", "a rate or a date"),
        ("5 of 10", "is not a figure"),
        ("twenty", "is not a figure"),
        ("", "is not a figure"),
        ("12-Oct", "is not a figure"),
        ("2E+09", "cut by a spreadsheet"),
        ("1e39", "is too large: at most 1e38"),
        (f"1e{'9' * 5_000}", "is too large: at most 1e38"),
        ("5k", "write thousand"),
        ("5m", "write million"),
        ("2 dozen", 'number word "dozen"'),
        ("less than 20", 'write it, "up to 20" or one less'),
        ("fewer than 20 soldiers", 'write it, "up to 20" or one less'),
        ("40-20", "counts down"),
        ("20 or 30", "write a span as 20 to 40"),
        ("1,20,000", "is no number"),
        ("1,200.000,5", "is no number"),
        ("? to ?", "has no number"),
        ("20 to 30 to 40", "is not a figure"),
        ("20 to 40 (10 to 50)", "is not a figure"),
        ("up to 20 to 40", "is not a figure"),
        ("about 20+", "is not a figure"),
        ("½", "is not a figure"),
    ],
)
def test_what_is_no_number_of_people_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        figures.read(text, PEOPLE)
    assert problem in refusal.value.problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("3 155 mm shells", 'write "shells of 155 mm" for the unit, or "3155 mm shells"'),
        ("20 000 km", 'write "20000 km"'),
        ("1 234 567 km", 'write "1234567 km"'),
        ("1.234 km", '"1234" or "1.2340"'),
        ("5m", "write million, or the unit in full"),
        ("500 to 1 million EUR", "write it for both"),
        ("20 million to 40 EUR", "write it for both"),
        ("EUR 20 to 40 USD", "has two units, EUR and USD"),
        ("$20 cars", "has two units, USD and cars"),
        ("5 kr", "write DKK, NOK, SEK or ISK"),
        ("¥500", "write JPY or CNY"),
        ("A$5bn", "write AUD"),
        ("1.5e0 km", "is no whole number"),
    ],
)
def test_what_can_be_meant_in_two_ways_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        figures.read(text, THINGS)
    assert problem in refusal.value.problem


@pytest.mark.parametrize("text", ["1,200", "about  800", "20 to 40"])
def test_what_is_not_counted_in_people_needs_a_unit(text: str) -> None:
    with pytest.raises(InvalidValue, match=r'has no unit: write it too, as in ".* people"'):
        figures.quantity("strikers", text)
    assert figures.quantity("strikers", f"{text} people")["unit"] == "person"
    assert figures.quantity("killed", text)["unit"] is None  # the model knows it


@pytest.mark.parametrize("text", ["1,234 km", "20 billion EUR", "2 trillion EUR"])
def test_outside_english_a_comma_and_a_billion_have_two_readings(text: str) -> None:
    assert in_short(text)
    with pytest.raises(InvalidValue, match=r"can mean .* or") as refusal:
        figures.read(text, THINGS, is_english=False)
    assert "write" in refusal.value.problem
    assert in_short("1,234", PEOPLE, is_english=False) == "1234"


NUMBERS = st.one_of(
    st.integers(0, 10**14).map(str),
    st.decimals(-(10**9), 10**9, places=3, allow_nan=False).map(str),
    st.decimals(-(10**6), 10**6, places=2, allow_nan=False).map(str),
)
UNITS = st.sampled_from(
    [
        *("EUR", "person", "percent", "F-16", "tonne of CO2", "soldier", "km2", "km", "woman"),
        *("service member", "city", "bus", "company", "top official", "aircraft"),
    ]
)


@st.composite
def quantities(draw: st.DrawFn) -> dict[str, object]:
    """Draw the content of a quantity that people could have given."""
    measure = draw(st.sampled_from(["killed", "injured", "pledged", "displaced"]))
    unit = draw(UNITS)
    people = unit == "person" or measure in ("killed", "injured")
    number = st.integers(0, 10**12).map(str) if people else NUMBERS
    fields = draw(st.sampled_from([("value",), ("low",), ("low", "high"), ("value", "high")]))
    qualifier = "exact"
    if fields == ("value",):
        qualifier = draw(st.sampled_from(["exact", "more_than", "at_least", "about"]))
    said = {"measure": measure, "unit": unit, "qualifier": qualifier}
    said |= {field: draw(number) for field in fields}
    return validate(Quantity, said).content()


@given(quantities(), st.sampled_from(["en", "en-GB", "de", "uk"]))
def test_what_the_pages_print_is_read_as_the_figure_that_it_was_printed_from(
    quantity: dict[str, object], language: str
) -> None:
    measure = str(quantity["measure"])
    printed = prose.amount(quantity, language)
    amount = figures.read(printed, measure, is_english=figures.is_english(language))
    assert validate(Quantity, {"measure": measure, **amount._asdict()}).content() == quantity


@pytest.mark.parametrize(
    ("language", "figure", "printed"),
    [
        ("en", {"value": "20000", "unit": "km"}, "20,000 km"),
        ("de", {"value": "20000", "unit": "km"}, "20\u202f000 km"),
        ("de", {"value": "1234567.5", "unit": "EUR"}, "1\u202f234\u202f567.5 EUR"),
        ("en", {"value": "60", "qualifier": "more_than", "unit": "item"}, "more than 60 items"),
        ("en", {"value": "1", "unit": "item"}, "1 item"),
        ("en", {"low": "1", "high": "2", "unit": "item"}, "1 to 2 items"),
        ("en", {"value": "1", "unit": "person"}, "1 person"),
        ("en", {"value": "2", "unit": "person"}, "2 people"),
        ("en", {"value": "5", "unit": "items"}, "5 items"),
        ("es", {"value": "5", "unit": "avión"}, "5 avión"),
    ],
)
def test_a_number_and_its_unit_are_printed_as_the_language_of_the_log_has_them(
    language: str, figure: dict[str, str], printed: str
) -> None:
    assert prose.amount({"measure": "delivered", **figure}, language) == printed
