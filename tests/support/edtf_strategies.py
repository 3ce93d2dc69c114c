"""Strategies of hypothesis for every kind of canonical EDTF."""

import calendar

from hypothesis import assume
from hypothesis import strategies as st

from timeline.errors import InvalidValue
from timeline.model.edtf import parse


def year_text(year: int) -> str:
    return f"-{-year:04d}" if year < 0 else f"{year:04d}"


years = st.one_of(st.integers(1900, 2100), st.integers(-9999, 9999)).map(year_text)


@st.composite
def days(draw: st.DrawFn) -> str:
    year = draw(years)
    month = draw(st.integers(1, 12))
    length = 29 if month == 2 and calendar.isleap(int(year)) else LENGTHS[month - 1]
    return f"{year}-{month:02d}-{draw(st.integers(1, length)):02d}"


LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)

months = st.builds("{}-{:02d}".format, years, st.integers(1, 12))
parts_of_year = st.builds("{}-{}".format, years, st.sampled_from([*range(21, 37), 40, 41]))
unspecified = st.one_of(
    years.map(lambda year: year[:-1] + "X"),
    years.map(lambda year: year[:-2] + "XX"),
    years.map("{}-XX".format),
    years.map("{}-XX-XX".format),
    months.map("{}-XX".format),
)
signs = st.sampled_from(["", "-"])
five_to_twelve_digits = st.integers(10_000, 10**12 - 1)
long_years = st.builds("Y{}{}".format, signs, five_to_twelve_digits)
exponents = st.builds("Y{}{}E{}".format, signs, st.integers(1, 99_999), st.integers(1, 7))
rounded = st.one_of(
    st.builds("{}{}S{}".format, signs, st.integers(1000, 9999), st.integers(2, 4)),
    st.builds("Y{}{}S{}".format, signs, five_to_twelve_digits, st.integers(1, 5)),
    st.builds("Y{}{}E3S{}".format, signs, st.integers(10, 99_999), st.integers(1, 5)),
)
plain = st.one_of(days(), months, years, parts_of_year, unspecified, long_years, exponents, rounded)
qualifiers = st.sampled_from("?~%")
qualified = st.builds("{}{}".format, plain, qualifiers)
component_qualified = st.one_of(
    st.builds("{}{}-{}".format, months, qualifiers, st.just("11")),
    st.builds("{}{}-06-11".format, years, qualifiers),
    st.builds("{}-{}06".format, years, qualifiers),
    st.builds("{}{}-06-{}11".format, qualifiers, years, qualifiers),
    st.builds("{}-{}06-{}11".format, years, qualifiers, qualifiers),
    st.builds("{}{}".format, qualifiers, years),
)
clocks = st.one_of(
    st.integers(0, 23).map("{:02d}".format),
    st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.integers(0, 59)),
    st.times().map(lambda time: time.strftime("%H:%M:%S")),
)
zones = st.one_of(
    st.sampled_from(["", "Z", "+14:00", "+02"]),
    st.builds(
        "{}{:02d}:{:02d}".format, st.sampled_from("+-"), st.integers(1, 13), st.integers(0, 59)
    ),
)
times = st.builds("{}T{}{}".format, days(), clocks, zones)
points = st.one_of(plain, qualified, component_qualified, times)


@st.composite
def intervals(draw: st.DrawFn) -> str:
    left, right = draw(st.one_of(st.tuples(points, points), neighbours()))
    if str(parse(left).occurred_from) > str(parse(right).occurred_from):
        left, right = right, left
    try:
        return parse(f"{left}/{right}").edtf
    except InvalidValue:  # two offsets may order the other way round
        assume(False)
        raise


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[str, str]:
    """Two sides that share a year, a month or a day, as most intervals do."""
    year = draw(years)
    tails = draw(
        st.sampled_from(
            [
                ("-03-11", "-03-25"),
                ("-03-11", "-04-01"),
                ("-02", "-04"),
                ("-33", "-35"),
                ("-21", "-23"),
                ("-25", "-27"),
                ("-03-11T10:15", "-03-11T11:30"),
                ("-03-11T10:15Z", "-03-11T11:30Z"),
                ("-03-11T10:15+02:00", "-03-11T11:30+02:00"),
                ("-03-11T10", "-03-11T12"),
                ("-03-11T10Z", "-03-11T12Z"),
                ("-03-11T10:15", "-03-11T12"),
                ("-03-11", "-03"),
                ("", ""),
            ]
        )
    )
    return year + tails[0], year + tails[1]


half_known = st.builds(
    lambda point, form: form.format(point),
    points,
    st.sampled_from(["../{}", "{}/..", "/{}", "{}/"]),
)
canonical = st.one_of(points, intervals(), half_known, st.just("../.."))
