"""Read the terms of an event vocabulary: of PLOVER, or of a log's own file.

Guarantees: a file that is accepted has no code and no label twice in one list. A refusal is an
InvalidValue of one line that names the file's line and column.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from timeline.errors import InvalidInput, InvalidValue
from timeline.model import text_files
from timeline.model.hints import nearest, quoted
from timeline.model.log_info import Term, Vocabulary
from timeline.model.names import fold
from timeline.model.resources import data
from timeline.model.validation import validate

_FIELDS = {"event_type": "event_types", "mode": "modes", "context": "contexts"}
"""The field of a Vocabulary for each name of a list in a file."""
_COLUMNS = ("code", "label", "definition")


class _Row(NamedTuple):
    where: str  # file and line or item, as an error names the row: "words.csv, line 3"
    cells: dict[str, str]


@cache
def plover() -> Vocabulary:
    """Return the default vocabulary: PLOVER, the event ontology of the Open Event Data Alliance.

    It has the codes of the PLOVER codebook (github.com/openeventdata/PLOVER, draft 1.3) but for
    the auxiliary modes future, hypothetical, negation and historical: an event's modality says
    the first three, its date says the last. The labels and definitions are our own.
    """
    name = "plover.csv"
    return stored(_content(name, _csv_rows(name, data(name))))


def read_vocabulary(path: Path) -> Vocabulary:
    """Read the vocabulary in a file that a log's owner wrote.

    The file is CSV (comma or semicolon) with the columns code, label, definition and, if it has
    more than event types, list (event_type, mode, context); or, if its name ends in .json, an
    array of objects with these keys. Raises InvalidValue, which names the line or item and the
    column, and InvalidInput, which names the field, for a text or a list that is too long.
    """
    try:
        text = text_files.decoded(path.read_bytes(), "save the file as UTF-8")
    except InvalidInput as error:
        problem = f"{path.name}, line {error.line}: {error.problem}"
        raise InvalidValue(str(path), problem) from None
    except OSError as error:
        raise InvalidValue(str(path), f"{path}: cannot be read: {error.strerror}") from None
    rows = _json_rows if path.suffix.lower() == ".json" else _csv_rows
    text = io.StringIO(text, newline=None).read()  # whatever ends a line is a line feed now
    content = _content(path.name, rows(path.name, text))
    try:
        return validate(Vocabulary, content)
    except InvalidInput as error:
        raise InvalidInput(f"vocabulary.{error.field}", error.problem) from None


def stored(content: Mapping[str, Any]) -> Vocabulary:
    """Return the vocabulary with this content, which was validated before it was stored."""
    lists: dict[str, Any] = {field: stored_terms(terms) for field, terms in content.items()}
    return Vocabulary.model_construct(**lists)


def stored_terms(rows: Iterable[Mapping[str, Any]]) -> tuple[Term, ...]:
    """Return the terms with these fields, which were validated before they were stored."""
    return tuple(Term.model_construct(**row) for row in rows)


def _csv_rows(name: str, text: str) -> list[_Row]:
    delimiter = text_files.delimiter_of(text.partition("\n")[0], ",;")
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows = []
    try:
        columns = text_files.named_columns([fold(cell) for cell in next(reader, [])])
        _check_columns(f"{name}, line 1", columns)
        start = reader.line_num + 1
        for cells in reader:
            where = f"{name}, line {start}"
            start = reader.line_num + 1
            if any(cell.strip() for cell in cells[len(columns) :]):
                raise InvalidValue(name, f"{where}: has more cells than there are columns")
            if any(cell.strip() for cell in cells):
                rows.append(_Row(where, dict(zip(columns, cells, strict=False))))
    except csv.Error as error:
        problem = f"{name}, line {reader.line_num}: is not CSV: {error}"
        raise InvalidValue(name, problem) from None
    return rows


def _json_rows(name: str, text: str) -> list[_Row]:
    try:
        # Objects are read as tuples of pairs, so that a key that is given twice is noticed.
        items = json.loads(text, object_pairs_hook=tuple)
    except json.JSONDecodeError as error:
        problem = f"{name}, line {error.lineno}, column {error.colno}: is not JSON: {error.msg}"
        raise InvalidValue(name, problem) from None
    except (ValueError, RecursionError):
        raise InvalidValue(name, f"{name}: is not JSON that can be read") from None
    if not isinstance(items, list):
        raise InvalidValue(name, f"{name}: must be an array of objects")
    rows = []
    for number, item in enumerate(items, start=1):
        where = f"{name}, item {number}"
        if not isinstance(item, tuple):
            raise InvalidValue(item, f"{where}: must be an object")
        _check_columns(where, [fold(key) for key, _ in item])
        for key, value in item:
            if not isinstance(value, str):
                raise InvalidValue(value, f"{where}, column {quoted(key)}: must be text")
        rows.append(_Row(where, {fold(key): value for key, value in item}))
    return rows


def _check_columns(where: str, columns: Sequence[str]) -> None:
    known = (*_COLUMNS, "list")
    for column in columns:
        if column not in known:
            near = nearest(column, known)
            hint = f'did you mean "{near}"?' if near else f"known are {', '.join(known)}"
            problem = f"{where}, column {quoted(column)}: is not a column of a vocabulary: {hint}"
            raise InvalidValue(column, problem)
        if columns.count(column) > 1:
            raise InvalidValue(column, f'{where}, column "{column}": stands there twice')
    for column in _COLUMNS:
        if column not in columns:
            raise InvalidValue(column, f'{where}, column "{column}": is missing')


def _content(name: str, rows: Iterable[_Row]) -> dict[str, list[dict[str, str]]]:
    """Return the content of the Vocabulary that the rows of a file describe."""
    content: dict[str, list[dict[str, str]]] = {field: [] for field in _FIELDS.values()}
    taken: dict[tuple[str, str], str] = {}
    for where, cells in rows:
        found = {column: _cell(where, cells, column) for column in _COLUMNS}
        kind = fold(cells.get("list", "event_type"))
        if kind not in _FIELDS:
            raise InvalidValue(kind, f'{where}, column "list": must be {", ".join(_FIELDS)}')
        for column in ("code", "label"):
            word = found[column]
            other = taken.setdefault((kind, fold(word)), where)
            if other != where:
                problem = f'{where}, column "{column}": {quoted(word)} is taken already: {other}'
                raise InvalidValue(word, problem)
        content[_FIELDS[kind]].append(found)
    if not content["event_types"]:
        raise InvalidValue(name, f"{name}: has no event type")
    return content


def _cell(where: str, cells: dict[str, str], column: str) -> str:
    raw = cells.get(column, "")
    text = " ".join(raw.split())
    problem = ""
    if not text and column != "definition":
        problem = "must not be empty"
    elif column == "code" and " " in text:
        problem = (
            f"{quoted(text)} must be one word without blanks: {quoted(text.replace(' ', '-'))}"
        )
    elif not text.isprintable():
        problem = "holds a character that cannot be printed"
    if problem:
        raise InvalidValue(raw, f'{where}, column "{column}": {problem}')
    return text
