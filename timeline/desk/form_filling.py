"""Put what a browser sent into the fields of a form, and do what its buttons say.

Guarantees: what was typed is never dropped: a row that is gone by now comes back with its text. A
field that was not sent stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from timeline.desk import form_rows
from timeline.desk.form_rows import BY_ONE, KINDS, FormRow, FormValues
from timeline.desk.forms import OTHERS, SAID, SCALARS, FormFields

_ROW_FIELDS = "|".join(f"{kind.name}\\.[0-9]{{1,4}}\\.({'|'.join(kind.columns)})" for kind in KINDS)
_FIELD = re.compile("|".join([*map(re.escape, (*SCALARS, *SAID, *OTHERS)), _ROW_FIELDS]))
_BUTTON = re.compile(rf"(add|remove|change|keep)-({'|'.join(BY_ONE)})(?:-([0-9]{{1,4}}))?")
_READING = "date-"
"""The beginning of a button that chooses one reading of a date."""


class Pressed(NamedTuple):
    """A button that was pressed leaves other fields, and the id of what gets the focus."""

    fields: FormFields
    focus: str


def sent(fields: FormFields, pairs: Iterable[tuple[str, str]]) -> FormFields:
    """Return the fields of a form after a browser sent pairs of name and text."""
    typed = {name: form_rows.plain(text) for name, text in pairs if _FIELD.fullmatch(name)}
    values = [[name, typed.pop(name, text)] for name, text in fields["values"]]
    values += [[name, text] for name, text in typed.items()]
    kinds = [text for name, text in pairs if name == "kind" and text in ("update", "correct")]
    kind = kinds[0] if kinds and fields["kind"] in ("update", "correct") else fields["kind"]
    return {**fields, "kind": kind, "values": values, "meanwhile": []}


def pressed(fields: FormFields, button: str) -> Pressed | None:
    """Return what a button that changes the form leaves; None for any other button."""
    if button.startswith(_READING):
        text = button.removeprefix(_READING)
        values = [pair for pair in fields["values"] if pair[0] != "occurred"]
        return Pressed({**fields, "values": [*values, ["occurred", text]]}, "occurred")
    if not (match := _BUTTON.fullmatch(button)):
        return None
    what, one, number = match.groups()
    rows = form_rows.rows(fields["values"], BY_ONE[one])
    if what == "add":
        new = FormRow(BY_ONE[one], max((row.number for row in rows), default=-1) + 1, {}).opened()
        return Pressed(_with_row(fields, new), first_field(new))
    row = next((each for each in rows if each.number == int(number or 0)), None)
    if row is None:
        return Pressed(fields, f"add-{one}")
    if what == "change":
        return Pressed(_with_row(fields, row.opened()), first_field(row))
    if what == "keep":
        kept = row._replace(texts={}, is_removed=False)
        return Pressed(_with_row(fields, kept), f"change-{one}-{row.number}")
    if row.kept is None:
        return Pressed({**fields, "values": _without(fields["values"], row)}, f"add-{one}")
    gone = row._replace(texts={}, is_removed=True)
    return Pressed(_with_row(fields, gone), f"keep-{one}-{row.number}")


def first_field(row: FormRow) -> str:
    """Return the id of the first field of a row."""
    return f"{row.name}.{row.kind.columns[0]}"


def _with_row(fields: FormFields, row: FormRow) -> FormFields:
    """Return a form with a row in its place, or behind the others."""
    places = [n for n, (name, _) in enumerate(fields["values"]) if _is_of(name, row)]
    values = _without(fields["values"], row)
    place = places[0] if places else len(values)
    return {**fields, "values": [*values[:place], *row.values, *values[place:]]}


def _without(values: FormValues, row: FormRow) -> list[list[str]]:
    return [[name, text] for name, text in values if not _is_of(name, row)]


def _is_of(name: str, row: FormRow) -> bool:
    return name.startswith(f"{row.name}.")


def renamed(fields: FormFields, what: str, name: str, known: str) -> FormFields:
    """Return a form in which an actor, place or tag with a name has the known one instead."""
    if what == "place":
        values = fields["values"]
        pair = ["place.name", known]
        return {**fields, "values": [pair if each[0] == pair[0] else each for each in values]}
    kind = BY_ONE["tag" if what == "tag" else "person"]
    for row in form_rows.rows(fields["values"], kind):
        opened = row.opened()
        if not row.is_removed and opened.texts.get("name", "").strip() == name:
            texts = {**opened.texts, "name": known}
            fields = _with_row(fields, opened._replace(texts=texts))
    return fields
