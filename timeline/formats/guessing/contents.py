"""Tell by its cells what a column of a sheet holds: dates, links, numbers, countries, ids.

Guarantees: of a sheet of any length, the first `MOST_ROWS` rows are looked at, and of a column
only some cells are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property

from timeline.errors import InvalidValue
from timeline.formats.guessing import columns as names_of_columns
from timeline.formats.imports import Row
from timeline.formats.several_in_cell import links_in
from timeline.formats.spelling import number
from timeline.model import coordinates, countries, figures, typed_dates
from timeline.model.date_habits import DateHabits
from timeline.model.names import fold

MOST_ROWS = 10_000
"""The rows of a sheet that are looked at, at most."""
_MOST_SAMPLES = 100
"""The different cells of a column that are kept and tried, at most."""
_ANY_DATE = DateHabits(day_first=True, year=2024)
"""The habits by which a cell is tried as a date: any order, and a year with 29 February."""
_LIKE_A_DATE = re.compile(r"[0-9]")
_MARKS_OF_NOTHING = frozenset(("", "-", "--", "na", "n/a", "nan", "null", "none", "?"))


@dataclass
class Column:
    """Holds what was seen of one column of a sheet."""

    name: str
    language: str = "en"
    """The language in which its dates are read."""
    filled: int = 0
    """The number of cells that hold something."""
    samples: list[str] = field(default_factory=list)
    """The first different cells that hold something."""
    is_unique: bool = True
    """Whether no cell that holds something stands twice."""
    length: int = 0
    """The characters of all filled cells."""
    _seen: set[int] = field(default_factory=set)

    def add(self, cell: str) -> None:
        """Take one more cell into account."""
        text = cell.strip()
        if text.lower() in _MARKS_OF_NOTHING:
            return
        self.filled += 1
        self.length += len(text)
        if (key := hash(text)) in self._seen:
            self.is_unique = False
            return
        self._seen.add(key)
        if len(self.samples) < _MOST_SAMPLES:
            self.samples.append(text)

    @property
    def distinct(self) -> int:
        """Return the number of different cells."""
        return len(self._seen)

    @property
    def example(self) -> str:
        """Return a cell that shows what the column holds, or ""."""
        return self.samples[0] if self.samples else ""

    @property
    def average(self) -> float:
        """Return the characters of a filled cell, on average."""
        return self.length / self.filled if self.filled else 0.0

    def share(self, is_one: Callable[[str], bool]) -> float:
        """Return the share of the kept cells for which a test holds."""
        return sum(map(is_one, self.samples)) / len(self.samples) if self.samples else 0.0

    @cached_property
    def dates(self) -> float:
        """Return the share of the cells that are dates, or say that the date is unknown."""
        return self.share(lambda cell: is_date(cell, self.language) or is_no_date(cell))

    @cached_property
    def links(self) -> float:
        """Return the share of the cells that hold an address."""
        return self.share(lambda cell: bool(links_in(cell).addresses))

    @cached_property
    def numbers(self) -> float:
        """Return the share of the cells that are a plain number."""
        return self.share(is_number)

    @cached_property
    def figures(self) -> float:
        """Return the share of the cells that are a figure in the grammar of `model.figures`."""
        return self.share(is_figure)

    @cached_property
    def pairs(self) -> float:
        """Return the share of the cells that hold latitude and longitude."""
        return self.share(is_pair)

    @cached_property
    def coordinates(self) -> float:
        """Return the share of the cells that hold one coordinate."""
        return self.share(is_coordinate)

    @cached_property
    def countries(self) -> float:
        """Return the share of the cells that name a country, in English or their language."""
        return self.share(lambda cell: country_of(cell, self.language) is not None)


def columns_of(rows: Iterable[Row], language: str = "en") -> dict[str, Column]:
    """Return what rows hold, by column, in the order of the columns.

    `language` is the one of the sheet if the names of its columns do not say it.
    """
    found: dict[str, Column] = {}
    for row in rows:
        for name, cell in row.cells.items():
            if (column := found.get(name)) is None:
                column = found[name] = Column(name)
            column.add(cell)
    said = names_of_columns.language_of(found, language)
    for column in found.values():
        column.language = said
    return found


SERIAL = re.compile(r"[2-5][0-9]{4}")
"""Finds the days from 1954 to 2064 as Excel counts them."""


def is_date(cell: str, language: str = "en") -> bool:
    """Tell whether a cell can be read as a date, whatever its order of day and month."""
    if len(cell) > 60 or not _LIKE_A_DATE.search(cell):
        return False
    if SERIAL.fullmatch(cell):
        return True
    try:
        typed_dates.read(cell, language=language, habits=_ANY_DATE)
    except InvalidValue:
        return False
    return True


def country_of(cell: str, language: str) -> str | None:
    """Return the alpha-3 code of a country, named in English or in a language; else None."""
    return countries.known_country(cell) or _countries_in(language).get(fold(cell))


@cache
def _countries_in(language: str) -> dict[str, str]:
    """Return the alpha-3 codes of the countries by their names in a language, of CLDR."""
    if language == "en":
        return {}
    from babel import Locale

    codes = {each.alpha2: each.alpha3 for each in countries.countries()}
    territories = Locale.parse(language).territories
    return {fold(name): codes[code] for code, name in territories.items() if code in codes}


_NO_DATE = re.compile(
    r"\?+|tb[cad]|n\.? ?d\.?|n/d|s\.? ?d\.|[^\W\d_]\. ?[^\W\d_]\.|(?:date )?(?:tb[ac]|unknown)"
    r"|undated|unclear|not (?:set|known|yet)|date not (?:set|known)|(?:no|without) date"
    r"|to be (?:confirmed|announced|decided)|unbekannt|inconnue?|desconocid[ao]|nieznan[ay]"
    r"|sconosciuta|невідомо|неизвестно|onbekend",
    re.I,
)
"""Finds words by which people say that a date is not known."""


def is_no_date(cell: str) -> bool:
    """Tell whether a cell says that a date is not known: "tbc", "n.d.", "?"; or is empty."""
    text = " ".join(cell.split()).lower().strip("()[]")
    return text in _MARKS_OF_NOTHING or _NO_DATE.fullmatch(text) is not None


def is_number(cell: str) -> bool:
    """Tell whether a cell is a plain number, with a point or a comma before its decimals."""
    return any(
        re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", number(cell, decimal=mark)) for mark in (".", ",")
    )


def is_figure(cell: str) -> bool:
    """Tell whether a cell is a figure, such as "at least 8"; one in doubt is a figure too."""
    if not re.search("[0-9]", cell) or len(cell) > 60:
        return False
    try:
        figures.read(cell)
    except InvalidValue:
        return bool(re.match(r"[0-9.,/ ]+$", cell))
    return True


def has_unit(cell: str) -> bool:
    """Tell whether a figure says its unit, such as "EUR 20bn" or "12 houses"."""
    try:
        return figures.read(cell).unit is not None
    except InvalidValue:
        return False


def is_pair(cell: str) -> bool:
    """Tell whether a cell holds a latitude and a longitude, such as "50.45, 30.52"."""
    return _is_read(coordinates.read, cell)


def is_coordinate(cell: str) -> bool:
    """Tell whether a cell holds one coordinate, such as "50.45" or "30°31'E"."""
    return _is_read(coordinates.latitude, cell) or _is_read(coordinates.longitude, cell)


def _is_read(read: Callable[[str], object], cell: str) -> bool:
    try:
        read(cell)
    except InvalidValue:
        return False
    return True
