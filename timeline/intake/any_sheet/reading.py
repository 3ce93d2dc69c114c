"""Bring together what is needed to import a sheet: its mapping, its dates, its good and bad rows.

Guarantees: the columns that go into the log are those that the mapping uses, and no others.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO, Any

from timeline.errors import InvalidInput, InvalidValue
from timeline.formats.guessing.contents import Column
from timeline.formats.guessing.dates import SettledDate, SettledDates
from timeline.formats.guessing.guess import Guessed
from timeline.formats.guessing.mapping_file import written
from timeline.formats.importers import gdelt
from timeline.formats.imports import Cells, Format, Reading
from timeline.formats.mapped.cells import FILE_YEAR
from timeline.formats.mapped.importer import importer_of
from timeline.formats.mapped.mapping import Mapping as CheckedMapping
from timeline.formats.mapped.mapping import checked
from timeline.formats.several_in_cell import links_in, names_in
from timeline.intake.any_sheet import problem_sheet
from timeline.intake.any_sheet.first_look import (
    DateHabit,
    FirstLook,
    guessed,
    look,
    settled_dates,
    with_dates,
)
from timeline.intake.any_sheet.survey import Survey, bad_rows, only_good, survey
from timeline.model.content import Statement
from timeline.model.log_info import Term
from timeline.model.terms import term

_FAILED_FORMULA = re.compile(r"#(?:REF!|NAME\?|VALUE!|DIV/0!|NUM!|NULL!|ERROR!|SPILL!)")
"""Finds what a spreadsheet shows in place of a value that its formula cannot give."""


@dataclass
class OpenSheet:
    """Holds a sheet that is open, and the mapping by which it is read."""

    file: IO[bytes]
    name: str
    seen: FirstLook
    unsettled: dict[str, Any]
    """The settings of the mapping before the dates of this sheet were settled."""
    columns: Sequence[Guessed]
    """What became of each column of the sheet."""
    is_guessed: bool
    """Whether the mapping was guessed now."""
    event_types: Sequence[Term]
    """The event types of the log."""
    dates: SettledDates | None = None

    def __post_init__(self) -> None:
        self.said = self.unsettled
        """The settings of the mapping, as TOML has them."""

    @property
    def newly_settled(self) -> list[SettledDate]:
        """Return the dates that the given mapping had not settled already."""
        rule = self.unsettled["fields"]["occurred"]
        habits = rule if isinstance(rule, dict) else {}
        known = {*habits.get("words", {})}
        if self.dates is None or "day_first" in habits:
            return []
        if "year" in habits:
            known.update(each.cell for each in self.dates.without_year)
        return [each for each in self.dates.settled if each.cell not in known]

    @property
    def is_changed(self) -> bool:
        """Return whether the mapping is new, or says more now than the one that was given."""
        return self.is_guessed or self.said != self.unsettled

    @property
    def mapping(self) -> CheckedMapping:
        """Return the mapping, checked. Raises InvalidInput."""
        return checked(self.said)

    @property
    def toml(self) -> str:
        """Return the mapping as TOML."""
        return written(self.said, self.columns, self.name)

    @property
    def new_columns(self) -> list[str]:
        """Return the columns that a mapping of its own neither uses nor leaves out."""
        known = {*self.mapping.columns, *self.said.get("leave_out", ())}
        return [] if self.is_guessed else [name for name in self.seen.columns if name not in known]

    def settle(self, habit: DateHabit) -> None:
        """Settle the dates by what a person said, and keep in the mapping what was settled."""
        self.dates = settled_dates(self.file, self.unsettled, habit)
        if self.dates is not None:
            self.said = with_dates(self.unsettled, self.dates)

    def survey(
        self, tell: Callable[[Statement], object], progress: Callable[[int], object]
    ) -> Survey:
        """Read all rows. Raises InvalidInput for a mapping that is not of this sheet."""
        notes = cell_notes(self.said)
        return survey(self._whole, self.file, self._check, notes, tell, progress)

    def good_rows(self, found: Survey) -> Format:
        """Return the format that reads the rows without a problem, and the mapped columns."""
        mapping = self.mapping
        kept = {*mapping.columns, *mapping.patterns, *mapping.only, FILE_YEAR}
        return only_good(importer_of(mapping), found, kept)

    def write_bad_rows(self, found: Survey, into: IO[bytes]) -> None:
        """Write the rows that cannot be read as a sheet, with all of their columns."""
        rows = bad_rows(self._whole, self.file, found, self._check)
        problem_sheet.write(rows, [*self.seen.columns], into)

    @property
    def _whole(self) -> Format:
        """Return the format that reads all rows with all columns."""
        form = importer_of(dataclasses.replace(self.mapping, left_out=frozenset()))
        used = self.mapping.columns

        def event(cells: Cells) -> dict[str, Any] | Reading:
            for column in used:
                if _FAILED_FORMULA.fullmatch(cells.get(column, "").strip()):
                    problem = "is the error of a formula: mend the formula, or empty the cell"
                    raise InvalidInput(column, f'"{cells[column].strip()}" {problem}')
            return form.event(cells)

        return dataclasses.replace(form, event=event)

    def _check(self, statement: Statement) -> None:
        """Check what only the log knows of an event: its event type. Raises InvalidInput."""
        if statement.event_type and self.event_types:
            try:
                term(statement.event_type, self.event_types, "event type")
            except InvalidValue as error:
                raise InvalidInput("event_type", error.problem) from None


def opened_sheet(
    file: IO[bytes],
    name: str,
    mapping: Mapping[str, Any] | None,
    terms: Sequence[Term],
    language: str,
    encoding: str | None = None,
) -> OpenSheet:
    """Look at a sheet, and guess its mapping if none is given. Raises InvalidInput.

    `terms` are the event types of the log, and `language` is the language of the log.
    """
    if mapping is not None and encoding is not None:
        mapping = {**mapping, "encoding": encoding}
    known = {"encoding": encoding} if mapping is None else mapping
    seen = look(file, known, language)
    if mapping is not None:
        columns = _described(mapping, seen.columns)
        return OpenSheet(file, name, seen, dict(mapping), columns, False, terms)
    _check_header(seen.columns)
    found = guessed(seen, name, terms, encoding)
    return OpenSheet(file, name, seen, found.mapping, found.columns, True, terms)


def _check_header(columns: Mapping[str, Column]) -> None:
    """Raise InvalidInput for a file of GDELT, whose first line is no header."""
    if len(columns) in gdelt.LAYOUTS and next(iter(columns)).isdecimal():
        raise InvalidInput("", "is a file of GDELT: import it by timeline import gdelt FILE")


def _described(said: Mapping[str, Any], columns: Mapping[str, Column]) -> list[Guessed]:
    """Return what a mapping makes of each column of a sheet."""
    mapping = checked(dict(said))
    fields: dict[str, str] = {}
    for rule in mapping.rules:
        for column in rule.columns:
            fields.setdefault(column, rule.path)
    left_out = {*said.get("leave_out", ())}
    return [
        Guessed(
            name,
            fields.get(name, "id" if name in mapping.identifying else ""),
            "left out by the mapping" if name in left_out else "" if name in fields else "new",
            column.example,
        )
        for name, column in columns.items()
    ]


def cell_notes(said: Mapping[str, Any]) -> Callable[[Cells], Iterator[str]]:
    """Return what tells of the cells of a row that are read as more than they say.

    These are several names between commas, and addresses without their ``https://``.
    """
    fields = said["fields"]
    names = [*_split_columns(fields.get("participants"), "names")]
    links = [*_split_columns(fields.get("citations"), "links")]

    def notes(cells: Cells) -> Iterator[str]:
        for column in names:
            cell = cells.get(column, "")
            if "," in cell and ";" not in cell and len(found := names_in(cell)) > 1:
                yield f"{cell}: {' and '.join(found)}"
        for column in links:
            if (found_links := links_in(cells.get(column, ""))).added:
                yield f"{cells[column].strip()}: {', '.join(found_links.addresses)}"

    return notes


def _split_columns(rules: Any, how: str) -> Iterator[str]:
    """Yield the columns of a rule, or of a list of them, that are split in this way."""
    for rule in rules if isinstance(rules, list) else [rules]:
        if isinstance(rule, dict) and rule.get("split") == how and "column" in rule:
            yield rule["column"]
