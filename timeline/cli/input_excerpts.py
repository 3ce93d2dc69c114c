"""Show the line of an input that an error is about, with a caret below the place.

Guarantees: an error that goes to a file or a pipe stays one line; a person at a terminal gets two
more. Where the place is not known for sure, nothing is shown.
"""

from __future__ import annotations

import contextlib
import json
import re
import sys
from collections.abc import Iterator, Sequence
from typing import IO

from timeline.cli import output
from timeline.errors import InvalidCell, InvalidInput, InvalidSheet
from timeline.model import text_files

_LARGEST = 16 * 2**20
"""Bytes of an input of which a line is shown, at most: it is read once more."""
_MOST = 20
"""Problems of one sheet, at most, that are shown with their lines."""
_BREAK = re.compile("\r\n|\n|\r")


@contextlib.contextmanager
def excerpted(
    file: IO[bytes] | None, *, is_sheet: bool, delimiter: str | None, as_json: bool
) -> Iterator[None]:
    """Add the lines of a file to the errors about it that the block raises, for a terminal."""
    try:
        yield
    except (InvalidInput, InvalidSheet) as error:
        if file and not as_json and sys.stderr.isatty():
            problems = error.problems if isinstance(error, InvalidSheet) else [error]
            with contextlib.suppress(OSError, ValueError):  # a pipe; a file that changed since
                _add_excerpts(problems[:_MOST], file, is_sheet=is_sheet, delimiter=delimiter)
        raise


def _add_excerpts(
    problems: Sequence[InvalidInput], file: IO[bytes], *, is_sheet: bool, delimiter: str | None
) -> None:
    file.seek(0)
    content = file.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        return
    text = content.decode(text_files.encoding_of(content[:1000]))
    starts = [0, *(match.end() for match in _BREAK.finditer(text))]
    if is_sheet and delimiter is None:
        header = next((line for line in _BREAK.split(text) if line and line[:4] != "sep="), "")
        hint = re.match("sep=(.)", text)
        delimiter = hint[1] if hint else text_files.delimiter_of(header)
    for problem in problems:
        place = (
            _in_sheet(text, starts, problem, str(delimiter))
            if is_sheet
            else _in_json(text, starts, problem)
        )
        if place is not None:
            problem.add_note(_shown(text, place))


def _shown(text: str, place: int) -> str:
    """Return the line of a text around a place, and the caret below it."""
    start = max(text.rfind("\n", 0, place), text.rfind("\r", 0, place)) + 1
    end = _BREAK.search(text, place)
    before = output.one_line(text[start:place])
    after = output.one_line(text[place : end.start() if end else len(text)])
    room = output.width() - 2
    if output.columns(before) > room // 2:
        before = "..." + _fitting(before[::-1], room // 2 - 3)[::-1]
    line = before + _fitting(after, room - output.columns(before))
    return f"  {line}\n  {' ' * output.columns(before)}^"


def _fitting(text: str, room: int) -> str:
    """Return the beginning of a text that fits into a number of columns."""
    while output.columns(text) > room:
        text = text[: room if len(text) > room else -1]
    return text


# --- Sheets -------------------------------------------------------------------------------


def _in_sheet(
    text: str, starts: Sequence[int], problem: InvalidInput, delimiter: str
) -> int | None:
    """Return where the cell of a problem begins; None if it is about a whole row."""
    if not isinstance(problem, InvalidCell) or not problem.line or problem.line > len(starts):
        return None
    wanted = 0
    for letter in problem.cell.rstrip("0123456789"):
        wanted = wanted * 26 + ord(letter) - ord("A") + 1
    place, column, is_quoted = starts[problem.line - 1], 1, False
    while column < wanted and place < len(text):
        character = text[place]
        if character == '"':
            is_quoted = not is_quoted
        elif not is_quoted and character == delimiter:
            column += 1
        elif not is_quoted and character in "\r\n":
            return None
        place += 1
    return place + (text[place : place + 1] == '"') if column == wanted else None


# --- JSON ---------------------------------------------------------------------------------

_DECODER = json.JSONDecoder()


def _in_json(text: str, starts: Sequence[int], problem: InvalidInput) -> int | None:
    """Return where the value of a problem begins, or where a text is no JSON any more."""
    place: int | None = _past(text, 0, "")
    if problem.item and not problem.line:
        place = _value_at(text, _past(text, 0, ""), [str(problem.item - 1)])
    elif problem.line:
        if problem.line > len(starts):
            return None
        start = starts[problem.line - 1]
        if wrong := re.search(r"is not JSON: .* at character ([0-9]+)$", problem.problem):
            return min(start + int(wrong[1]) - 1, len(text))
        place = _past(text, start, "[,")
    if place is None or not problem.field:
        return None
    return _value_at(text, place, problem.field.split("."))


def _past(text: str, place: int, marks: str) -> int:
    """Return the next place that is neither white space nor one of the marks."""
    while place < len(text) and (text[place].isspace() or text[place] in marks):
        place += 1
    return place


def _value_at(text: str, place: int, steps: Sequence[str]) -> int | None:
    """Return where the value at a path begins; the object that lacks it, if one does."""
    here: int = place
    for step in steps:
        opening = text[here : here + 1]
        if opening not in ("{", "["):
            return here
        found, number = _past(text, here + 1, ""), 0
        while text[found : found + 1] not in ("}", "]", ""):
            key: object = str(number)
            if opening == "{":
                key, found = _DECODER.raw_decode(text, found)
                found = _past(text, found, ":")
            if key == step:
                break
            _, found = _DECODER.raw_decode(text, found)
            found, number = _past(text, found, ","), number + 1
        else:
            return here
        here = found
    return here
