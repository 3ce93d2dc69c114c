"""Read figures as people write them: "20 to 40", "at least 8", "EUR 20bn", "1,200".

Guarantees: a figure that the pages, the forms and the sheets print is read as the figure that it
was printed from. A text that can be read in two ways is refused, with both. Every refusal is an
InvalidValue of one line that says what to write instead.

The model of a quantity is older and takes more: nothing that a log holds is judged by these rules.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Context, Decimal
from functools import cache
from typing import Any, NamedTuple

from timeline.errors import InvalidValue
from timeline.model import hints, plurals, units
from timeline.model.limits import MAX_NUMBER
from timeline.model.patterns import lazy_pattern

SIGNS = {"exact": "", "more_than": ">", "at_least": ">=", "about": "~"}
"""The sign that is written before a number, by the qualifier of its figure."""


class Amount(NamedTuple):
    """An amount has the fields of a `Quantity` that one text says together."""

    value: str | None
    low: str | None
    high: str | None
    qualifier: str
    unit: str | None


_QUALIFIERS = {
    "more_than": (">", "more than", "over", "above"),
    "at_least": (">=", "\N{GREATER-THAN OR EQUAL TO}", "at least", "no fewer than", "no less than"),
    "about": ("~", "\N{ALMOST EQUAL TO}", "about", "around", "approximately", "approx.", "roughly"),
    "exact": ("exactly",),
    "at_most": ("<=", "\N{LESS-THAN OR EQUAL TO}", "up to", "at most", "no more than"),
    "less_than": ("<", "less than", "fewer than", "under", "below", "almost", "nearly"),
}
_QUALIFIER_OF = {words: name for name, several in _QUALIFIERS.items() for words in several}

SCALES = {"thousand": 3, "million": 6, "milliard": 9, "billion": 9, "trillion": 12}
"""Powers of ten, in the English of today, that count beside every unit."""

SHORT_SCALES = {"k": 3, "m": 6, "mn": 6, "bn": 9, "tn": 12}
"""Powers of ten that count beside a currency only: elsewhere m may be metres."""

_SYMBOLS = {
    "US$": "USD",
    "$": "USD",
    "\N{EURO SIGN}": "EUR",
    "\N{POUND SIGN}": "GBP",
    "\N{HRYVNIA SIGN}": "UAH",
    "\N{RUBLE SIGN}": "RUB",
    "\N{INDIAN RUPEE SIGN}": "INR",
    "\N{TURKISH LIRA SIGN}": "TRY",
}
_CODES = {symbol.lower(): code for symbol, code in _SYMBOLS.items()}
_UNCLEAR_SYMBOLS = {
    "\N{YEN SIGN}": ("JPY", "CNY"),
    "kr": ("DKK", "NOK", "SEK", "ISK"),
    "A$": ("AUD",),
    "C$": ("CAD",),
    "HK$": ("HKD",),
    "NZ$": ("NZD",),
    "R$": ("BRL",),
    "S$": ("SGD",),
}
_NAMED_CURRENCIES = {"euro": "EUR", "euros": "EUR"}
_SHARED_SCALE = {"first": "second", "low": "high"}
"""The side whose scale counts for both, by the other side: "20 to 40 million"."""
_OTHER_SIDE = {second: first for first, second in _SHARED_SCALE.items()}

_MARKS = ".,'_\N{RIGHT SINGLE QUOTATION MARK}"
"""Marks within a number; "_" stands for a blank that keeps its neighbours on one line."""

_EXACT = Context(prec=400)
"""Digits, in number, that are kept while a scale is applied: more than a log takes."""

_PERCENT = ("%", "percent", "per cent")
_PEOPLE = ("person", "persons", "people")

_NUMBER_WORDS = frozenset(
    (  # words apart by blanks
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
        " sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety"
        " hundred hundreds thousand thousands million millions billion billions trillion trillions"
        " dozen dozens"
    ).split()
)
_DASH = lazy_pattern("[\N{HYPHEN}-\N{HORIZONTAL BAR}\N{MINUS SIGN}]")
_FIXED_BLANK = lazy_pattern("[\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}]")

_WORD_ENDS = r"(?![^\W\d_])"


def _any_of(words: Iterable[str]) -> str:
    """Return a pattern for one of some words, the longest first; a word ends at its last letter."""
    return "|".join(
        re.escape(word) + (_WORD_ENDS if word[-1].isalpha() else "")
        for word in sorted(words, key=len, reverse=True)
    )


@cache
def _figure() -> re.Pattern[str]:
    """Return the pattern of a figure.

    It is made when the first figure is read: that takes 15 ms, and most commands read none.
    """
    to = r"(?:\ to\ |\ and\ |\ ?-\ ?)"
    scale = rf"(?:{_any_of({**SCALES, **SHORT_SCALES})})"
    symbol = _any_of({**_SYMBOLS, **_UNCLEAR_SYMBOLS})
    code = rf"(?:{'|'.join(sorted(units.currencies()))}){_WORD_ENDS}"
    # "20 top officials" has no currency, though TOP is a code.
    currency = rf"(?:{symbol}|{code}(?=$|\)|\ \(|\ ?\+|\ or\ |{to}))"
    number = rf"""-?(?:
          [0-9]+(?:\.[0-9]+)?e\+?[0-9]+
        | [0-9]{{1,3}}(?:\ [0-9]{{3}})+(?=$|\)|\ \(|\ ?\+|{to}|\ ?{scale}|\ ?{currency})
        | [0-9]+(?:[{re.escape(_MARKS)}][0-9]+)*
        )"""

    def side(name: str) -> str:
        return rf"""
            (?:(?P<{name}_before>{symbol}|{code})\ ?)?
            (?P<{name}>\?|{number})
            (?:\ ?(?P<{name}_scale>{scale}))?
            (?:\ ?(?P<{name}_after>{currency}))?"""

    return re.compile(
        rf"""
        (?:(?P<sign>{_any_of(_QUALIFIER_OF)})\ ?)?
        (?P<between>between\ |from\ )?
        {side("first")}
        (?P<or_more>\ ?\+|\ or\ more)?
        (?:{to}{side("second")})?
        (?:\ ?\({side("low")}{to}{side("high")}\))?
        (?:\ (?P<unit>[^\W\d_].*)|\ ?(?P<percent>%))?
        """,
        re.VERBOSE | re.IGNORECASE,
    )


def is_english(language: str) -> bool:
    """Tell whether a language tag, such as "en-GB", names English."""
    return language.partition("-")[0].lower() == "en"


def plain_number(text: str) -> str:
    """Return a stored number as a text that `read` reads: three decimals get a fourth.

    "1.234" could be read as 1,234; "1.2340" could not.
    """
    return f"{text}0" if re.fullmatch(r"-?[0-9]+\.[0-9]{3}", text) else text


def written(
    figure: Mapping[str, Any],
    signs: Mapping[str, str] = SIGNS,
    number: Callable[[str], str] = plain_number,
    unit: Callable[[str], str] = str,
) -> str:
    """Return a figure as sheets and forms have it: ">60 soldier", "10 to 12", "35 (20 to ?)".

    It has no hyphen, because a spreadsheet would make a date of "10-12". `signs` are what stands
    before the number, by qualifier. `number` writes each stored number, and `unit` the unit of more
    than one.
    """
    stored = [figure[field] for field in ("value", "low", "high") if field in figure]
    value, low, high = (
        number(figure[field]) if field in figure else None for field in ("value", "low", "high")
    )
    text = value or ""
    if low or high:
        span = f"{low or '?'} to {high or '?'}"
        text = f"{text} ({span})" if text else span
    noun = figure["unit"] if {*stored} == {"1"} else unit(figure["unit"])
    if figure["unit"] == "person":
        noun = "person" if {*stored} == {"1"} else "people"
        noun = "" if figure["measure"] in units.COUNTED_IN_PEOPLE else noun
    return f"{signs[figure.get('qualifier', 'exact')]}{text} {noun}".rstrip()


def read(text: str, measure: str = "", *, is_english: bool = True) -> Amount:
    """Return the amount that a text says of a measure.

    `measure` is what is counted: killed and injured are persons unless a unit is given.
    `is_english` tells whether the log is in English: then "service members" are counted in the
    unit "service member". In other languages a comma before three digits and the word "billion"
    have two readings.

    Raises InvalidValue for a text that is no figure, or that could be meant as another figure.
    """
    from timeline.model import figure_words

    if (translated := figure_words.in_english(text)) is None:
        return _read(text, measure, is_english)
    try:
        return _read(translated, measure, is_english)
    except InvalidValue as error:
        problem = error.problem.replace(hints.quoted(translated), hints.quoted(text))
        raise InvalidValue(text, problem) from None


def quantity(measure: str, text: str, language: str = "en") -> dict[str, Any]:
    """Return the fields of a `Quantity` that a measure and the text of its figure say.

    `language` is that of the log. Raises InvalidValue, as `read` does, and for a figure without a
    unit that is not of people.
    """
    amount = read(text, measure, is_english=is_english(language))
    if amount.unit is None and measure.strip().lower() not in units.COUNTED_IN_PEOPLE:
        said = " ".join(text.split())
        problem = f'has no unit: write it too, as in "{said} people", or "EUR 20 billion"'
        raise InvalidValue(text, f"{hints.quoted(text)} {problem}")
    return {"measure": measure, **amount._asdict()}


def _read(text: str, measure: str, is_english: bool) -> Amount:
    plain = " ".join(_DASH.sub("-", _FIXED_BLANK.sub("_", text)).split())
    match = _figure().fullmatch(plain)
    if not match:
        raise _not_a_figure(text, plain)
    spans = (match["second"] is not None) + (match["low"] is not None)
    qualifier = "at_least" if match["or_more"] else "exact"
    if match["sign"]:
        qualifier = _QUALIFIER_OF[match["sign"].lower()]
    if (
        spans == 2
        or (match["between"] and not match["second"])
        or (match["or_more"] and (spans or match["sign"]))
        or (qualifier in ("at_most", "less_than") and spans)
    ):
        raise _not_a_figure(text, plain)
    reader = _Reader(text, match, measure, is_english)
    first, second, low, high = map(reader.number, ("first", "second", "low", "high"))
    if match["second"]:
        first, low, high = None, first, second
        if low and high and Decimal(high) < Decimal(low) and " to " not in plain:
            raise InvalidValue(
                text, f"{hints.quoted(text)} counts down: write the lower number first"
            )
    if qualifier == "less_than":
        problem = f'leaves the highest number open: write it, "up to {first}" or one less'
        raise InvalidValue(text, f"{hints.quoted(text)} {problem}")
    if qualifier == "at_most":
        first, high, qualifier = None, first, "exact"
    if not (first or low or high):
        raise InvalidValue(text, f"{hints.quoted(text)} has no number")
    return Amount(first, low, high, qualifier, "person" if reader.unit in _PEOPLE else reader.unit)


class _Reader:
    """A reader turns the pieces of one matched text into numbers and a unit."""

    def __init__(self, text: str, match: re.Match[str], measure: str, is_english: bool) -> None:
        self._text = text
        self._match = match
        self._is_english = is_english
        self._has_currency = False
        self.unit = self._unit()
        self._counts_people = self.unit in _PEOPLE or (
            measure.strip().lower() in units.COUNTED_IN_PEOPLE
            and self.unit != "percent"
            and not self._has_currency
        )

    def _refusal(self, problem: str) -> InvalidValue:
        return InvalidValue(self._text, f"{hints.quoted(self._text)} {problem}")

    def _unit(self) -> str | None:
        """Return the unit, or the currency, as it is stored; None if the text has none."""
        written = {
            piece
            for side in ("first", "second", "low", "high")
            for where in ("before", "after")
            if (piece := self._match[f"{side}_{where}"])
        }
        currencies = {self._currency(piece) for piece in written}
        noun = (self._match["unit"] or self._match["percent"] or "").strip()
        if noun.lower() in _NAMED_CURRENCIES:
            currencies.add(_NAMED_CURRENCIES[noun.lower()])
            noun = ""
        if len(currencies) > 1 or (currencies and noun):
            named = " and ".join(sorted(currencies | ({noun} if noun else set())))
            raise self._refusal(f"has two units, {named}: write a figure for each")
        if currencies:
            self._has_currency = True
            return currencies.pop()
        if noun.lower() in _PERCENT:
            return "percent"
        for word in noun.lower().split():
            if word in _NUMBER_WORDS:
                raise self._refusal(f'has the number word "{word}" in its unit: write digits')
        if noun.split(" ")[0].lower() in ("to", "or", "and", "of"):
            raise self._refusal("is not a figure: write a span as 20 to 40")
        if units.is_currency(noun):
            self._has_currency = True
            return noun
        if not self._is_english or re.fullmatch("[A-Z]{3}", noun):
            return noun or None
        return plurals.singular(noun if re.search("[0-9]", noun) else noun.lower()) or None

    def _currency(self, written: str) -> str:
        if code := _CODES.get(written.lower()):
            return code
        for symbol, codes in _UNCLEAR_SYMBOLS.items():
            if symbol.lower() == written.lower():
                several = " or ".join(filter(None, (", ".join(codes[:-1]), codes[-1])))
                raise self._refusal(f"has the sign {written}: write {several} for it")
        return written.upper()

    def number(self, name: str) -> str | None:
        """Return the number of one side as decimal digits; None for one that is absent or "?"."""
        written = self._match[name]
        if written is None or written == "?":
            return None
        number = Decimal(self._digits(written)).scaleb(self._scale(name), _EXACT)
        is_whole = number == number.to_integral_value()
        if "e" in written.lower() and not is_whole:
            raise self._refusal("is no whole number: write its digits")
        if self._counts_people and (not is_whole or number < 0):
            raise self._refusal("counts people: write a whole number, not below 0")
        return format(number.normalize(_EXACT), "f")

    def _scale(self, name: str) -> int:
        """Return the power of ten of one side. A scale after both sides counts for both."""
        own = (self._match[f"{name}_scale"] or "").lower()
        shared = _SHARED_SCALE.get(name)
        if not own and shared:
            own = (self._match[f"{shared}_scale"] or "").lower()
            if (
                own
                and "?" not in (lower := self._match[name], higher := self._match[shared])
                and Decimal(self._digits(lower)) >= Decimal(self._digits(higher))
            ):
                raise self._refusal("says the scale of one side only: write it for both")
        if not own:
            if name in _OTHER_SIDE and self._match[f"{_OTHER_SIDE[name]}_scale"]:
                raise self._refusal("says the scale of one side only: write it for both")
            return 0
        if own in SHORT_SCALES:
            if self._has_currency:
                return SHORT_SCALES[own]
            word = next(word for word, power in SCALES.items() if power == SHORT_SCALES[own])
            raise self._refusal(f'has "{own}" for its scale: write {word}, or the unit in full')
        if own in ("billion", "trillion") and not self._is_english:
            power = SCALES[own]
            raise self._refusal(
                f"can mean 1 and {power} zeros or, outside English, 1 and {2 * power - 6} zeros:"
                " write the digits"
            )
        return SCALES[own]

    def _digits(self, written: str) -> str:
        """Return a number without its marks, with a point before its decimals."""
        if "e" in written.lower():
            if "+" in written:
                raise self._refusal("was cut by a spreadsheet: format the cell as a whole number")
            exponent = written.lower().partition("e")[2].lstrip("0") or "0"
            if len(exponent) > 2 or int(exponent) > MAX_NUMBER.adjusted():
                raise self._refusal("is too large: at most 1e38")
            return written
        sign, digits = ("-", written[1:]) if written.startswith("-") else ("", written)
        marks = [character for character in digits if not character.isdecimal()]
        if not marks:
            return written
        last = marks[-1]
        decimal = last if last in ".," and self._is_decimal(digits, marks) else ""
        whole, _, rest = digits.rpartition(decimal) if decimal else (digits, "", "")
        groups = re.split(f"[{re.escape(_MARKS)} ]", whole)
        thousands = marks[:-1] if decimal else marks
        if len({*thousands}) > 1 or (
            thousands and (len(groups[0]) > 3 or any(len(group) != 3 for group in groups[1:]))
        ):
            raise self._refusal('is no number: write one such as "1,200" or "1200.5"')
        return f"{sign}{''.join(groups)}{'.' if decimal else ''}{rest}"

    def _is_decimal(self, digits: str, marks: list[str]) -> bool:
        """Tell whether the last mark of a number stands before its decimals."""
        last = marks[-1]
        whole, _, rest = digits.rpartition(last)
        if len(marks) > 1:
            return last not in marks[:-1]
        if len(rest) != 3 or len(whole) > 3 or whole.startswith("0"):
            return True
        if last == "," and (self._counts_people or self._is_english):
            return False
        decimal = "" if self._counts_people else f' or "{whole}.{rest}0"'
        raise self._refusal(
            f'can mean {whole}{rest} or {whole}.{rest}: write "{whole}{rest}"{decimal}'
        )


def _not_a_figure(text: str, plain: str) -> InvalidValue:
    """Return the refusal of a text that has no form of a figure."""
    problem = "is not a figure: write one such as 35, >20, 20 to 40, about 15 or 20 million EUR"
    grouped = re.fullmatch(r"(-?[0-9]{1,3}(?: [0-9]{3})+) ([^\W\d_].*)", plain)
    whole = f"{grouped[1].replace(' ', '')} {grouped[2]}" if grouped else ""
    found = re.fullmatch(r"-?[0-9.,]+ ([0-9]+ ?\S+) (.+)", plain)
    if grouped and (grouped[1].count(" ") > 1 or grouped[1].split(" ")[1].startswith("0")):
        problem = f'has a blank within its number: write "{whole}"'
    elif grouped and found:
        problem = f'has a number in its unit: write "{found[2]} of {found[1]}" for the unit'
        problem += f', or "{whole}" if the number goes on behind the blank'
    elif found:
        problem = f'has a number in its unit: write "{found[2]} of {found[1]}" for the unit'
    elif "/" in plain:
        problem = "can be a fraction, a rate or a date: write one number, or two figures"
    return InvalidValue(text, f"{hints.quoted(text)} {problem}")
