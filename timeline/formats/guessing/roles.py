"""Give each column of a sheet the role that its name and its cells say.

Guarantees: a role by name is given up if the cells hold something else. By their cells alone only
dates, addresses, coordinates and, if the name has a currency, amounts are found, for nothing
else is told so surely.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from timeline.formats.guessing import columns as names_of_columns
from timeline.formats.guessing.columns import ColumnRole
from timeline.formats.guessing.contents import Column
from timeline.model import units

LONGEST_TITLE = 250
"""Characters of a cell that can be a title, on average."""
MOST = 0.5
"""The share of the cells of a column that must be what its name says, at least."""
_SOME = 0.2
"""The share of the cells that must be dates or deaths in a column whose whole name says so, at
least: totals and notes may stand below a short table, and marks of footnotes behind figures."""
WORKING = "about the work on the sheet"
"""The reason for leaving out a column such as Status or Notes."""
_NEARLY_ALL = 0.8
"""The share of the cells that must be alike to say what a column without a known name holds."""
_SHORTEST_SUMMARY = 30
"""Characters of a cell, on average, of a column that only a part of its name calls a summary."""
_YEAR = re.compile(r"[12][0-9]{3}(?:\.0)?")
_MONTH = re.compile(r"[01]?[0-9](?:\.0)?|[^\W\d_]{3,12}\.?")
_DAY = re.compile(r"[0-3]?[0-9](?:\.0)?")
_WORDS = ("title", "place", "region", "people", "summary", "type", "tags")
"""Roles of a column that holds words: codes and counts are none."""
_MAY_BE_EMPTY = (
    *("place", "region", "country", "lat", "lon", "people", "link", "summary", "tags"),
    *("killed", "injured", "month", "day", "end year", "end month", "end day"),
)
"""Roles of a column that nobody has filled yet, if its whole name is known."""


@dataclass
class Roles:
    """Holds the columns of each role, and the columns without one."""

    taken: dict[str, list[str]] = field(default_factory=dict)
    """The columns of each role, the best first."""
    left: dict[str, str] = field(default_factory=dict)
    """Why a column is left out, by its name."""
    reasons: dict[str, str] = field(default_factory=dict)
    """Why a column has its role, if its name does not say it."""

    def take(self, role: str, name: str) -> None:
        """Give a column a role by its cells."""
        self.taken.setdefault(role, []).append(name)
        self.reasons[name] = "its cells"
        self.left.pop(name, None)


def roles_of(seen: Mapping[str, Column]) -> Roles:
    """Return the roles of the columns of a sheet."""
    found = Roles()
    _take_by_name(found, seen)
    _take_by_contents(found, seen)
    return found


def _take_by_name(found: Roles, seen: Mapping[str, Column]) -> None:
    """Give columns their roles by their names, if their cells are like it."""
    candidates: dict[str, list[tuple[bool, int, int, str]]] = {}
    for place, (name, column) in enumerate(seen.items()):
        roles = names_of_columns.roles(name)
        if any(role.name == "working" and role.is_whole for role in roles):
            roles = [role for role in roles if role.name == "working"]
        for role in roles:
            if _is_like(role, column):
                key = (not role.is_whole, role.rank, place, name)
                candidates.setdefault(role.name, []).append(key)
                break
        else:
            found.left[name] = "not known" if not roles else _unlike(roles[0], column)
    for role_name, several in candidates.items():
        found.taken[role_name] = [name for *_, name in sorted(several)]
    for name in found.taken.pop("working", ()):
        found.left[name] = WORKING
    for name in found.taken.pop("number", ()):
        found.left[name] = "counts the rows"


def _is_like(role: ColumnRole, column: Column) -> bool:
    """Tell whether the cells of a column are what its name says."""
    if not column.filled:
        return role.name in ("working", "number") or (role.is_whole and role.name in _MAY_BE_EMPTY)
    if role.name in _WORDS and column.numbers >= _NEARLY_ALL:
        return False
    least = _SOME if role.is_whole else MOST
    match role.name:
        case "people" if column.figures >= _NEARLY_ALL:
            return False
        case "place" if column.pairs >= _NEARLY_ALL:  # its cells are points, not names
            return False
        case "date" | "start" | "end" | "reported" | "timestamp":
            return column.dates >= least and not (
                role.name != "date" and column.numbers > _NEARLY_ALL and column.average < 4
            )
        case "year" | "end year":
            return column.share(lambda cell: bool(_YEAR.fullmatch(cell))) >= least
        case "month" | "end month":
            return column.share(lambda cell: bool(_MONTH.fullmatch(cell))) >= MOST
        case "day" | "end day":
            return column.share(lambda cell: bool(_DAY.fullmatch(cell))) >= MOST
        case "time":
            return column.share(lambda cell: bool(re.match("[0-9]{1,2}[:.hH]", cell))) >= MOST
        case "link" | "image":
            return column.links >= 0.2
        case "lat" | "lon":
            return column.coordinates >= MOST
        case "coordinates":
            return column.pairs >= MOST
        case "killed" | "injured":
            return column.figures >= least
        case "figure" | "people count":
            return column.figures >= MOST
        case "country":
            return column.countries >= MOST
        case "publisher" | "source title":
            return role.is_whole and column.links < MOST
        case "id":
            return column.is_unique
        case "summary":
            return role.is_whole or column.average > _SHORTEST_SUMMARY
        case "title":
            return column.average <= LONGEST_TITLE and column.dates < MOST
        case _:
            return role.is_whole or role.name in ("working", "place", "people", "type")


def _take_by_contents(found: Roles, seen: Mapping[str, Column]) -> None:
    """Find the date, the links and the point by their cells, where no name says them."""
    has_date = any(role in found.taken for role in ("date", "start", "year", "timestamp"))
    for name in [*found.left]:
        column = seen[name]
        if found.left[name] == WORKING or not column.filled:
            continue
        if not has_date and column.dates >= _NEARLY_ALL and column.average > 4:
            has_date = True
            found.take("date", name)
        elif "link" not in found.taken and column.links >= _NEARLY_ALL:
            found.take("link", name)
        elif "lat" not in found.taken and column.pairs >= _NEARLY_ALL:
            found.take("coordinates", name)
        elif units.is_currency(names_of_columns.in_brackets(name)) and column.figures >= MOST:
            found.take("figure", name)


def _unlike(role: ColumnRole, column: Column) -> str:
    """Say why a column is not what its name says."""
    what = {
        "date": "dates", "start": "dates", "end": "dates", "reported": "dates", "link": "links",
        "image": "links", "country": "countries", "figure": "figures", "killed": "figures",
        "people count": "figures", "injured": "figures", "lat": "numbers", "lon": "numbers",
        "year": "years",
        "coordinates": "coordinates", "time": "times",
    }  # fmt: skip
    if role.name == "id":
        return "an id stands twice"
    if not column.filled:
        return "empty"
    return f"holds no {what[role.name]}" if role.name in what else "not known"
