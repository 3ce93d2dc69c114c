"""Guess which field each column of a sheet fills, and write the guess as a mapping.

Guarantees: a column that is about the work on the sheet (Status, Owner, Notes), and one that
nobody can place, are left out and named: what a log holds is public for ever. A guess by the name
of a column is given up if its cells hold something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from timeline.errors import InvalidInput
from timeline.formats.guessing import columns as names_of_columns
from timeline.formats.guessing.columns import ColumnRole
from timeline.formats.guessing.contents import Column, country_of
from timeline.model import vocabulary
from timeline.model.countries import known_country
from timeline.model.log_info import Term

_LONGEST_TITLE = 250
"""Characters of a cell that can be a title, on average."""
_MOST = 0.5
"""The share of the cells of a column that must be what its name says, at least."""
_NEARLY_ALL = 0.8
"""The share of the cells that must be alike to say what a column without a known name holds."""
_MOST_CATEGORIES = 40
"""Different words of a column of categories, at most."""

_FIELDS = {
    "title": "title", "place": "place.name", "region": "place.admin1", "country": "place.country",
    "lat": "place.lat", "lon": "place.lon", "summary": "summary", "reported": "reported_at",
    "type": "event_type", "tags": "tags", "people": "participants", "link": "citations",
    "killed": "killed", "injured": "injured",
}  # fmt: skip
"""The field, or the measure, that a role fills."""


class Guessed(NamedTuple):
    """Says what became of one column."""

    column: str
    becomes: str
    """The field that the column fills; "" if it is left out."""
    why: str
    """Why: "its name", "its cells", or the reason for leaving it out."""
    example: str
    """A cell of the column."""


@dataclass
class Guess:
    """Holds a mapping that was guessed, and the reason for each of its columns."""

    mapping: dict[str, Any]
    """The settings of the mapping, as TOML has them."""
    columns: list[Guessed]
    """What became of each column, in the order of the sheet."""
    dates: tuple[str, ...] = ()
    """The columns that are read as the date of an event."""
    has_ids: bool = False
    """Whether a column of the sheet has an id for each row; if not, others serve as one."""


def guess(
    seen: Mapping[str, Column],
    scheme: str,
    event_types: Iterable[Term] = (),
) -> Guess:
    """Guess the mapping of a sheet by the columns that were seen.

    `event_types` are those of the log. Raises InvalidInput if no column can be the title, or none
    the date.
    """
    return _Guesser(seen, tuple(event_types)).guess(scheme)


@dataclass
class _Guesser:
    """Gives each column of a sheet its role, and makes a mapping of the roles."""

    seen: Mapping[str, Column]
    event_types: tuple[Term, ...]
    taken: dict[str, list[str]] = field(default_factory=dict)
    """The columns of each role, the best first."""
    left: dict[str, str] = field(default_factory=dict)
    """Why a column is left out, by its name."""
    reasons: dict[str, str] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    """The field of each column that fills one, by its name."""

    def guess(self, scheme: str) -> Guess:
        self._take_by_name()
        self._take_by_contents()
        fields: dict[str, Any] = {}
        fields |= self._title()
        fields |= self._occurred()
        fields |= self._place()
        fields |= self._others()
        mapping: dict[str, Any] = {"scheme": scheme}
        identity = self._identity()
        mapping["id"] = identity[0] if len(identity) == 1 else identity
        language = next((each.language for each in self.seen.values()), "en")
        if language != "en":
            mapping["language"] = language
        if self._has_decimal_commas():
            mapping["decimal"] = ","
        used = {*self.paths, *identity}
        if left := [name for name in self.seen if name not in used]:
            mapping["leave_out"] = left
        mapping["fields"] = fields
        dates = tuple(name for name, path in self.paths.items() if path == "occurred")
        return Guess(mapping, [*self._guessed()], dates, "id" in self.taken)

    def _guessed(self) -> Iterable[Guessed]:
        for name, column in self.seen.items():
            path = self.paths.get(name, "")
            if path:
                why = self.reasons.get(name, "its name")
            elif name in self.taken.get("id", ()):
                path, why = "id", "its name"
            else:
                why = self.left.get(name, "not known")
            yield Guessed(name, path, why, column.example)

    # --- Roles ------------------------------------------------------------------------------

    def _take_by_name(self) -> None:
        candidates: dict[str, list[tuple[bool, int, int, str]]] = {}
        for place, (name, column) in enumerate(self.seen.items()):
            roles = names_of_columns.roles(name)
            if any(role.name == "working" and role.is_whole for role in roles):
                roles = [role for role in roles if role.name == "working"]
            for role in roles:
                if self._is_like(role, column):
                    key = (not role.is_whole, role.rank, place, name)
                    candidates.setdefault(role.name, []).append(key)
                    break
            else:
                self.left[name] = "not known" if not roles else _unlike(roles[0], column)
        for role_name, found in candidates.items():
            self.taken[role_name] = [name for *_, name in sorted(found)]
        for name in self.taken.pop("working", ()):
            self.left[name] = "about the work on the sheet"
        for name in self.taken.pop("number", ()):
            self.left[name] = "counts the rows"

    def _is_like(self, role: ColumnRole, column: Column) -> bool:
        """Tell whether the cells of a column are what its name says."""
        if not column.filled:
            return role.name in ("working", "number") or (
                role.is_whole and role.name not in ("title", "date", "id", "start", "year", "type")
            )
        match role.name:
            case "date" | "start" | "end" | "reported":
                return column.dates >= _MOST and not (
                    role.name != "date" and column.numbers > _NEARLY_ALL and column.average < 4
                )
            case "year":
                return column.share(lambda cell: bool(re.fullmatch("[12][0-9]{3}", cell))) >= _MOST
            case "month" | "day":
                return column.average <= 12
            case "time":
                return column.share(lambda cell: bool(re.match("[0-9]{1,2}[:.hH]", cell))) >= _MOST
            case "link" | "image":
                return column.links >= 0.2
            case "lat" | "lon":
                return column.coordinates >= _MOST
            case "coordinates":
                return column.pairs >= _MOST
            case "killed" | "injured" | "figure":
                return column.figures >= _MOST
            case "country":
                return column.countries >= _MOST
            case "id":
                return column.is_unique
            case "title":
                return column.average <= _LONGEST_TITLE and column.dates < _MOST
            case _:
                return role.is_whole or role.name in ("working", "place", "people", "summary")

    def _take_by_contents(self) -> None:
        """Find the date, the links and the point by their cells, where no name says them."""
        has_date = any(role in self.taken for role in ("date", "start", "year"))
        for name in [*self.left]:
            column = self.seen[name]
            if self.left[name] == "about the work on the sheet" or not column.filled:
                continue
            if not has_date and column.dates >= _NEARLY_ALL and column.average > 4:
                has_date = True
                self._take("date", name)
            elif "link" not in self.taken and column.links >= _NEARLY_ALL:
                self._take("link", name)
            elif "lat" not in self.taken and column.pairs >= _NEARLY_ALL:
                self._take("coordinates", name)

    def _take(self, role: str, name: str) -> None:
        self.taken.setdefault(role, []).append(name)
        self.reasons[name] = "its cells"
        self.left.pop(name, None)

    def _first(self, role: str) -> str | None:
        """Return the best column of a role; the others are left out."""
        found = self.taken.get(role, [])
        for other in found[1:]:
            self.left[other] = f"{found[0]} says it already"
        return found[0] if found else None

    def _fill(self, path: str, role: str) -> dict[str, Any]:
        """Return the rule that gives a field the best column of a role."""
        if (name := self._first(role)) is None:
            return {}
        self.paths[name] = path
        return {path: name}

    # --- Fields -----------------------------------------------------------------------------

    def _title(self) -> dict[str, Any]:
        for role in ("title", "summary"):
            found = [name for name in self.taken.get(role, ()) if self.seen[name].filled]
            if found and self.seen[found[0]].average <= _LONGEST_TITLE:
                self.taken[role].remove(found[0])
                return self._as_title(found[0])
        texts = [
            name
            for name, why in self.left.items()
            if why == "not known"
            and 10 <= self.seen[name].average <= _LONGEST_TITLE
            and self.seen[name].links < _MOST
        ]
        if texts:
            longest = max(texts, key=lambda name: self.seen[name].average)
            self.reasons[longest] = "the longest text"
            return self._as_title(longest)
        raise InvalidInput(
            "", f"no column looks like a title: {_listed(self.seen)}. {_by_hand('title')}"
        )

    def _as_title(self, name: str) -> dict[str, Any]:
        self.left.pop(name, None)
        self.paths[name] = "title"
        for other in self.taken.pop("title", ()):
            if other != name and "summary" not in self.taken and self.seen[other].average > 40:
                self.taken["summary"] = [other]
            elif other != name:
                self.left[other] = f"{name} is the title"
        return {"title": name}

    def _occurred(self) -> dict[str, Any]:
        start = self._first("start")
        end = self._first("end")
        date = self._first("date")
        begin, end = (date or start or end), (end if date or start else None)
        if date and start:
            self.left[start] = f"{date} says it already"
        if begin and end:
            self.paths |= {begin: "occurred", end: "occurred"}
            return {"occurred": {"start": begin, "end": end}}
        if begin:
            self.paths[begin] = "occurred"
            rule = {"column": begin}
            if (time := self._first("time")) and not self._has_times(begin):
                self.paths[time] = "occurred"
                rule["time"] = time
            if (year := self._first("year")) is not None:
                self.left[year] = f"{begin} says it already"
            return {"occurred": rule}
        if year := self._first("year"):
            rule = {"year": year}
            for part in ("month", "day"):
                if (name := self._first(part)) and len(rule) == ("month", "day").index(part) + 1:
                    rule[part] = name
            self.paths |= dict.fromkeys(rule.values(), "occurred")
            return {"occurred": rule}
        shown = "; ".join(
            f"{name}: {column.example[:30]}" for name, column in self.seen.items() if column.filled
        )
        raise InvalidInput("", f"no column holds dates ({shown[:300]}). {_by_hand('occurred')}")

    def _has_times(self, name: str) -> bool:
        return self.seen[name].share(lambda cell: bool(re.search("[0-9]:[0-9]{2}", cell))) >= _MOST

    def _place(self) -> dict[str, Any]:
        fields = self._fill("place.name", "place")
        fields |= self._fill("place.admin1", "region")
        fields |= self._country()
        if "lat" in self.taken and "lon" in self.taken:
            fields |= self._fill("place.lat", "lat") | self._fill("place.lon", "lon")
        elif name := self._first("coordinates"):
            self.paths[name] = "place.lat"
            fields["place.lat"] = name  # a latitude may have its longitude beside it
        for role in ("lat", "lon"):
            for name in self.taken.get(role, ()):
                if name not in self.paths:
                    self.left.setdefault(name, "half of a point")
        return fields

    def _country(self) -> dict[str, Any]:
        """Return the rule for the country; names that are not English get their codes."""
        fields = self._fill("place.country", "country")
        for path, name in [*fields.items()]:
            column = self.seen[name]
            codes = {cell: country_of(cell, column.language) for cell in column.samples}
            if any(code and known_country(cell) is None for cell, code in codes.items()):
                words = {cell: code for cell, code in codes.items() if code}
                fields[path] = {"column": name, "words": words}
        return fields

    def _others(self) -> dict[str, Any]:
        fields = self._lists("participants", "people", "names")
        fields |= self._lists("citations", "link", "links")
        fields |= self._fill("summary", "summary")
        fields |= self._fill("reported_at", "reported")
        fields |= self._type_and_tags()
        fields |= self._figures()
        for role in ("source title", "publisher", "image", "image alt", "image credit"):
            for name in self.taken.get(role, ()):
                self.left.setdefault(name, "not taken by itself")
        for role in ("time", "month", "day", "id"):
            for name in self.taken.get(role, ()):
                if name not in self.paths and (role != "id" or name != self.taken["id"][0]):
                    self.left.setdefault(name, "not needed")
        return fields

    def _lists(self, path: str, role: str, split: str) -> dict[str, Any]:
        found = self.taken.get(role, [])
        found = sorted(found, key=[*self.seen].index)
        self.paths |= dict.fromkeys(found, path)
        rules = [{"column": name, "split": split} for name in found]
        return {path: rules[0] if len(rules) == 1 else rules} if rules else {}

    def _type_and_tags(self) -> dict[str, Any]:
        """Take categories as the event type if the log knows all of their words, else as tags."""
        fields: dict[str, Any] = {}
        kinds = [*self.taken.get("type", ())]
        tags = [*self.taken.get("tags", ())]
        for name in kinds:
            column = self.seen[name]
            if not fields and column.samples and all(map(self._is_term, column.samples)):
                self.paths[name] = "event_type"
                fields["event_type"] = name
            elif column.distinct <= _MOST_CATEGORIES and column.average <= 40:
                tags.append(name)
            else:
                self.left[name] = "not words of the log's event types"
        tags.sort(key=[*self.seen].index)
        self.paths |= dict.fromkeys(tags, "tags")
        rules = [{"column": name, "split": _separator(self.seen[name])} for name in tags]
        if rules:
            fields["tags"] = rules[0] if len(rules) == 1 else rules
        return fields

    def _is_term(self, word: str) -> bool:
        try:
            vocabulary.term(word, self.event_types, "event type")
        except ValueError:
            return False
        return True

    def _figures(self) -> dict[str, Any]:
        measures: dict[str, str] = {}
        for role in ("killed", "injured"):
            if name := self._first(role):
                measures[name] = role
        for name in self.taken.get("figure", ()):
            measures[name] = names_of_columns.key_of(name)[:60]
        rules = []
        for name in sorted(measures, key=[*self.seen].index):
            rule = {"column": name, "split": ";", "measure": measures[name]}
            unit = names_of_columns.in_brackets(name)
            if re.fullmatch("[A-Z]{3}", unit):
                rule["unit"] = unit
            self.paths[name] = measures[name]
            rules.append(rule)
        return {"quantities": rules[0] if len(rules) == 1 else rules} if rules else {}

    # --- What tells rows apart --------------------------------------------------------------

    def _identity(self) -> list[str]:
        """Return the columns that tell rows apart: an id, or title, date and place."""
        if found := self.taken.get("id"):
            return [found[0]]
        by_path = {path: name for name, path in reversed(self.paths.items())}
        title = by_path["title"]
        if self.seen[title].is_unique:
            return [title]
        found = [title, by_path["occurred"]]
        return [*found, by_path["place.name"]] if "place.name" in by_path else found

    def _has_decimal_commas(self) -> bool:
        """Tell whether a comma stands before decimals in the columns of numbers."""
        cells = [
            cell
            for name, path in self.paths.items()
            if path.startswith(("place.l", *_measures(self.paths)))
            for cell in self.seen[name].samples
        ]
        commas = r"[+-]?[0-9. \u00a0]*[0-9],(?:[0-9]{1,2}|[0-9]{4,})"
        points = r"[+-]?[0-9]+\.[0-9]+"
        return any(re.fullmatch(commas, cell) for cell in cells) and not any(
            re.fullmatch(points, cell) for cell in cells
        )


def _measures(paths: Mapping[str, str]) -> tuple[str, ...]:
    """Return the measures among the fields that columns fill."""
    fields = {*_FIELDS.values(), "occurred"} - {"killed", "injured"}
    return tuple(path for path in paths.values() if path not in fields)


def _separator(column: Column) -> str:
    """Return what separates the tags in the cells of a column."""
    return max(";", ",", "|", key=lambda mark: sum(mark in cell for cell in column.samples))


def _unlike(role: ColumnRole, column: Column) -> str:
    """Say why a column is not what its name says."""
    what = {
        "date": "dates", "start": "dates", "end": "dates", "reported": "dates", "link": "links",
        "image": "links", "country": "countries", "figure": "figures", "killed": "figures",
        "injured": "figures", "lat": "numbers", "lon": "numbers", "year": "years",
        "coordinates": "coordinates", "time": "times",
    }  # fmt: skip
    if role.name == "id":
        return "an id stands twice"
    if not column.filled:
        return "empty"
    return f"holds no {what[role.name]}" if role.name in what else "not known"


def _listed(names: Iterable[str]) -> str:
    shown = [*names]
    return ", ".join(shown[:12]) + (" ..." if len(shown) > 12 else "")


def _by_hand(path: str) -> str:
    return f'Say it in a mapping: {path} = "COLUMN", and give it with --map FILE'
