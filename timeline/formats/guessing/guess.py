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
from timeline.formats.guessing.contents import Column, country_of, has_unit
from timeline.formats.guessing.roles import LONGEST_TITLE, MOST, roles_of
from timeline.formats.several_in_cell import links_in
from timeline.model.countries import known_country
from timeline.model.log_info import Term
from timeline.model.terms import term
from timeline.model.units import COUNTED_IN_PEOPLE

_TITLED = 0.8
"""The share of the rows in which a title is filled, at least."""
_HAS_YEAR = re.compile(r"[0-9]{4}|[./-][0-9]{2}$|'[0-9]{2}")
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


def guess(
    seen: Mapping[str, Column],
    scheme: str,
    event_types: Iterable[Term] = (),
) -> Guess:
    """Guess the mapping of a sheet by the columns that were seen.

    `event_types` are those of the log. Raises InvalidInput if no column can be the title, or none
    the date.
    """
    found = roles_of(seen)
    guesser = _Guesser(seen, tuple(event_types), found.taken, found.left, found.reasons)
    return guesser.guess(scheme)


@dataclass
class _Guesser:
    """Gives each column of a sheet its role, and makes a mapping of the roles."""

    seen: Mapping[str, Column]
    event_types: tuple[Term, ...]
    taken: dict[str, list[str]]
    """The columns of each role, the best first."""
    left: dict[str, str]
    """Why a column is left out, by its name."""
    reasons: dict[str, str]
    """Why a column has its role, if its name does not say it."""
    paths: dict[str, str] = field(default_factory=dict)
    """The field of each column that fills one, by its name."""

    def guess(self, scheme: str) -> Guess:
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
        return Guess(mapping, [*self._guessed(identity)])

    def _guessed(self, identity: Iterable[str]) -> Iterable[Guessed]:
        for name, column in self.seen.items():
            path = self.paths.get(name, "")
            if path:
                why = self.reasons.get(name, "its name")
            elif name in identity:
                path, why = "id", "its name"
            else:
                why = self.left.get(name, "not known")
            yield Guessed(name, path, why, column.example)

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
        rows = max(column.filled for column in self.seen.values())
        named = [name for role in ("title", "summary") for name in self.taken.get(role, ())]
        fitting = [name for name in named if self._can_be_title(name)]
        if full := [name for name in fitting if self.seen[name].filled >= rows * _TITLED]:
            return self._as_title(full[0])
        parts = [self.taken[role][0] for role in ("type", "place") if role in self.taken]
        if len(parts) == 2 and all(self.seen[name].filled >= rows * _TITLED for name in parts):
            for name in self.taken.pop("title", ()):
                self.left[name] = "empty in most rows"
            return {"title": {"text": ": ".join(f"{{{name}}}" for name in parts)}}
        texts = [
            name
            for name, why in self.left.items()
            if why == "not known" and self._can_be_title(name) and self._has_words(name)
        ]
        texts.sort(key=lambda name: -self.seen[name].average)
        if found := fitting or texts:
            return self._as_title(found[0])
        raise InvalidInput(
            "", f"has no column that looks like a title: {_listed(self.seen)}. {_by_hand('title')}"
        )

    def _can_be_title(self, name: str) -> bool:
        return bool(self.seen[name].filled) and self.seen[name].average <= LONGEST_TITLE

    def _has_words(self, name: str) -> bool:
        """Tell whether the cells of a column are texts of several words, and no addresses."""
        column = self.seen[name]
        return column.share(lambda cell: " " in cell) >= MOST and column.links < MOST

    def _as_title(self, name: str) -> dict[str, Any]:
        if self.left.pop(name, None):
            self.reasons[name] = "the longest text"
        if name in self.taken.get("summary", ()):
            self.taken["summary"].remove(name)
        self.paths[name] = "title"
        for other in self.taken.pop("title", ()):
            if other != name and not self.taken.get("summary") and self.seen[other].average > 40:
                self.taken["summary"] = [other]
            elif other != name:
                self.left[other] = f"{name} is the title"
        return {"title": name}

    def _occurred(self) -> dict[str, Any]:
        start = self._first("start")
        end = self._first("end")
        date = self._first("date")
        if not any(self.taken.get(role) for role in ("date", "start", "year")):
            date = self._first("timestamp")
        for name in self.taken.get("timestamp", ()):
            if name != date:
                self.left[name] = "the time of the entry"
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
            if year := self._first("year"):
                if self.seen[begin].share(lambda cell: bool(_HAS_YEAR.search(cell))) < MOST:
                    self.paths[year] = "occurred"
                    rule["year"] = year
                else:
                    self.left[year] = f"{begin} says it already"
            return {"occurred": rule}
        if parts := self._parts(""):
            ends = self._parts("end ")
            return {"occurred": {"start": parts, "end": ends} if ends else parts}
        shown = "; ".join(
            f"{name}: {column.example[:30]}" for name, column in self.seen.items() if column.filled
        )
        raise InvalidInput("", f"has no column with dates ({shown[:300]}). {_by_hand('occurred')}")

    def _parts(self, side: str) -> dict[str, str]:
        """Return the columns of the year, the month and the day of one side of a date."""
        rule: dict[str, str] = {}
        for part in ("year", "month", "day"):
            if (name := self._first(f"{side}{part}")) is None:
                break
            rule[part] = name
            self.paths[name] = "occurred"
        return rule

    def _has_times(self, name: str) -> bool:
        return self.seen[name].share(lambda cell: bool(re.search("[0-9]:[0-9]{2}", cell))) >= MOST

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
        fields |= self._sources()
        fields |= self._fill("summary", "summary")
        fields |= self._fill("reported_at", "reported")
        fields |= self._type_and_tags()
        fields |= self._figures()
        fields |= self._image()
        for role in ("source title", "publisher", "image alt", "image credit"):
            for name in self.taken.get(role, ()):
                if name not in self.paths:
                    self.left.setdefault(name, "not taken by itself")
        for role in ("time", "month", "day", "end year", "end month", "end day", "id"):
            for name in self.taken.get(role, ()):
                if name not in self.paths:
                    why = "not needed" if role != "id" else "not in every row"
                    self.left.setdefault(name, why)
        return fields

    def _sources(self) -> dict[str, Any]:
        """Take the links, with title and publisher if each row has one link at most."""
        links = self.taken.get("link", [])
        about = {"title": self._first("source title"), "publisher": self._first("publisher")}
        has_one = len(links) == 1 and self.seen[links[0]].share(_is_one_link) == 1
        if not (has_one or (about["title"] and not links)) or not any(about.values()):
            return self._lists("citations", "link", "links")
        found = {"url": links[0] if links else None, **about}
        rules = {f"citations.0.source.{part}": name for part, name in found.items() if name}
        self.paths |= dict.fromkeys(rules.values(), "citations")
        return rules

    def _image(self) -> dict[str, Any]:
        """Take the address of an image, if another column says what the image shows."""
        image, alt = self._first("image"), self._first("image alt")
        if image and not alt:
            self.left[image] = "no column says what it shows (Alt)"
        if not image or not alt:
            return {}
        found = {"url": image, "alt": alt, "credit": self._first("image credit")}
        rules = {f"media.0.{part}": name for part, name in found.items() if name}
        self.paths |= dict.fromkeys(rules.values(), "media")
        return {"media.0.kind": {"value": "image"}, **rules}

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
            term(word, self.event_types, "event type")
        except ValueError:
            return False
        return True

    def _figures(self) -> dict[str, Any]:
        measures: dict[str, str] = {}
        for role in ("killed", "injured"):
            if name := self._first(role):
                measures[name] = role
        for role in ("figure", "people count"):
            for name in self.taken.get(role, ()):
                measures[name] = _measure(name)
        rules = []
        for name in sorted(measures, key=[*self.seen].index):
            rule = {"column": name, "split": ";", "measure": measures[name]}
            unit = names_of_columns.in_brackets(name)
            if re.fullmatch("[A-Z]{3}", unit):
                rule["unit"] = unit
            elif name in self.taken.get("people count", ()):
                rule["unit"] = "person"
            elif measures[name] not in COUNTED_IN_PEOPLE and self.seen[name].share(has_unit) < 1:
                self.left[name] = "no unit: say unit in the mapping"
                continue
            self.paths[name] = measures[name]
            rules.append(rule)
        return {"quantities": rules[0] if len(rules) == 1 else rules} if rules else {}

    # --- What tells rows apart --------------------------------------------------------------

    def _identity(self) -> list[str]:
        """Return the columns that tell rows apart: an id, or title, date and place."""
        rows = max(column.filled for column in self.seen.values())
        if (found := self.taken.get("id")) and self.seen[found[0]].filled == rows:
            return [found[0]]
        by_path = {path: name for name, path in reversed(self.paths.items())}
        title = by_path.get("title", "")
        if title and self.seen[title].is_unique:
            return [title]
        paths = ("title", "occurred", "event_type", "tags", "place.name")
        wanted = ("title", "occurred", "place.name") if title else paths
        return [by_path[path] for path in wanted if path in by_path]

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


def _measure(name: str) -> str:
    """Return what a column counts: "arrested" for "Number of people arrested"."""
    key = names_of_columns.key_of(name)
    return _NUMBER_OF.sub("", key)[:60] or key[:60]


_NUMBER_OF = re.compile(r"^(?:(?:total|number of|no|nr|nb|count of|people|persons) )+")


def _is_one_link(cell: str) -> bool:
    return re.fullmatch(r"https?://\S+", cell) is not None and len(links_in(cell).addresses) == 1


def _separator(column: Column) -> str:
    """Return what separates the tags in the cells of a column."""
    return max(";", ",", "|", key=lambda mark: sum(mark in cell for cell in column.samples))


def _listed(names: Iterable[str]) -> str:
    shown = [*names]
    return ", ".join(shown[:12]) + (" ..." if len(shown) > 12 else "")


def _by_hand(path: str) -> str:
    return f'Say it in a mapping: {path} = "COLUMN", and give it with --map FILE'
