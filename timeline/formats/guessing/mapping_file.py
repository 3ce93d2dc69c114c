"""Write a mapping as TOML that a person can read and mend, with an example beside each column.

Guarantees: what is written is a mapping like any other; `tomllib` reads it as it was.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from timeline.formats.guessing.guess import Guessed

_LONGEST_EXAMPLE = 50
"""Characters of an example in a comment, at most."""
_BARE_KEY = re.compile("[A-Za-z0-9_-]+")


def written(mapping: Mapping[str, Any], columns: Iterable[Guessed], name: str) -> str:
    """Return the mapping of the sheet of this name, with comments on its columns."""
    return "".join(f"{line}\n" for line in _lines(mapping, {c.column: c for c in columns}, name))


def with_date_rule(text: str, mapping: Mapping[str, Any]) -> str:
    """Return the text of a mapping with the rule for the date that a mapping has.

    All else stays as a person wrote it; so does a rule that takes more than one line.
    """
    rule = f"occurred = {_value(mapping['fields']['occurred'])}"
    lines = text.split("\n")
    found = [number for number, line in enumerate(lines) if _DATE_RULE.match(line)]
    if len(found) == 1 and _is_whole(lines[found[0]]):
        lines[found[0]] = rule
    return "\n".join(lines)


_DATE_RULE = re.compile(r"\s*occurred\s*=")


def _is_whole(line: str) -> bool:
    try:
        tomllib.loads(line)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _lines(mapping: Mapping[str, Any], columns: Mapping[str, Guessed], name: str) -> Iterator[str]:
    yield f"# Says how timeline reads {_one_line(name)}. You may change it:"
    yield "# the next `timeline import sheet` of this file goes by it."
    yield ""
    for setting, value in mapping.items():
        if setting in ("leave_out", "fields"):
            continue
        yield f"{setting} = {_value(value)}{_NOTES.get(setting, '')}"
    if left := mapping.get("leave_out"):
        yield ""
        yield "# Columns that do not go into the log, where all is public for ever. To keep one,"
        yield "# take it out of this list and give it a field below."
        yield "leave_out = ["
        for column in left:
            why = columns[column].why if column in columns else ""
            yield f"  {_value(column)},{f'  # {_one_line(why)}' if why else ''}"
        yield "]"
    yield ""
    yield "[fields]"
    for path, rule in mapping["fields"].items():
        yield f"{_key(path)} = {_value(rule)}{_example(rule, columns)}"


_NOTES = {
    "scheme": "  # names the rows of this sheet in the log: keep it",
    "id": "  # tells the rows apart",
    "language": "  # the language of its dates and numbers",
    "decimal": "  # stands before decimals",
}


def _example(rule: object, columns: Mapping[str, Guessed]) -> str:
    """Return a comment with a cell of the column that a rule reads."""
    if isinstance(rule, list):
        rule = rule[0]
    column = rule.get("column") if isinstance(rule, dict) else rule
    known = columns.get(column) if isinstance(column, str) else None
    if known is None or not known.example:
        return ""
    text = _one_line(known.example)
    short = text if len(text) <= _LONGEST_EXAMPLE else f"{text[: _LONGEST_EXAMPLE - 3]}..."
    return f"  # such as {short}"


def _one_line(text: str) -> str:
    """Return a text as one line without the control characters that TOML forbids in comments."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else _value(name)


def _value(value: object) -> str:
    if isinstance(value, dict):
        inside = ", ".join(f"{_key(key)} = {_value(item)}" for key, item in value.items())
        return f"{{ {inside} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value)
