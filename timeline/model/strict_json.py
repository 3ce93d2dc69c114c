"""Read JSON from outside so strictly that every JSON reader agrees on what it means.

Guarantees: a value that is returned means the same to every reader. A key given twice, NaN, a
number of more than 38 digits or beyond 1e38, half a surrogate pair and NUL are refused, never
repaired; fractions are exact. A refusal names the line if the text has more than one.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, NoReturn

from timeline.errors import InvalidInput, InvalidValue
from timeline.model import hints
from timeline.model.limits import MAX_DIGITS, MAX_NUMBER

_MAX_SAFE_INTEGER = 2**53  # up to here every reader is exact; a larger integer becomes a Decimal


def parse_json(text: str) -> Any:
    """Read one JSON value, with fractions as Decimal.

    Integers beyond 2**53 become Decimal too. Raises InvalidInput for malformed JSON and for
    everything that JSON readers disagree about; it has the line of the error if the text has
    more than one.
    """
    value, end = _decode(text, _skip_blanks(text, 0), suspicious=_is_suspicious(text))
    end = _skip_blanks(text, end)
    if end != len(text):
        raise _malformed(text, end, "Extra data")
    return value


def parse_json_items(text: str) -> Iterator[tuple[int, Any]]:
    """Yield the items of a JSON array, or the one value that `text` is, each with its line.

    Lines count from 1. Raises InvalidInput as `parse_json` does, but only when the wrong item
    is reached.
    """
    suspicious = _is_suspicious(text)
    position = _skip_blanks(text, 0)
    if not text.startswith("[", position):
        line = text.count("\n", 0, position) + 1
        value, end = _decode(text, position, suspicious=suspicious)
        end = _skip_blanks(text, end)
        if end != len(text):
            raise _malformed(text, end, "Extra data (for one object a line, use --nl)")
        yield line, value
        return
    line, counted = 1, 0
    position = _skip_blanks(text, position + 1)
    while not text.startswith("]", position):
        line, counted = line + text.count("\n", counted, position), position
        value, position = _decode(text, position, suspicious=suspicious)
        yield line, value
        position = _skip_blanks(text, position)
        if text.startswith(",", position):
            position = _skip_blanks(text, position + 1)
            if text.startswith("]", position):
                raise _malformed(text, position, "A comma without an item behind it")
        elif not text.startswith("]", position):
            raise _malformed(text, position, "Expecting ',' or ']'")
    end = _skip_blanks(text, position + 1)
    if end != len(text):
        raise _malformed(text, end, "Extra data")


_BLANKS = re.compile(r"[ \t\n\r]*")


def _skip_blanks(text: str, position: int) -> int:
    if not text[position : position + 1].isspace():
        return position
    match = _BLANKS.match(text, position)
    return match.end() if match else position


def _is_suspicious(text: str) -> bool:
    """Tell whether a string in this JSON may hold NUL or half a surrogate pair.

    Asked once for a whole text, so that the strings of most texts need no check.
    """
    return "\\u" in text or (not text.isascii() and _SURROGATE.search(text) is not None)


def _decode(text: str, start: int, *, suspicious: bool) -> tuple[Any, int]:
    """Read and check the JSON value that begins at `start`; return it and the position after it.

    This function is called for every item of a text: if the item is right, the time it takes
    does not depend on the length of the text.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
        if suspicious:
            _check_texts(value)
    except json.JSONDecodeError as error:
        raise _malformed(text, error.pos, error.msg) from None
    except InvalidValue as error:
        raise InvalidInput("", error.problem).at(line=_line(text, start)) from None
    except RecursionError:
        raise InvalidInput("", "is nested too deeply").at(line=_line(text, start)) from None
    return value, int(end)


def _line(text: str, position: int) -> int | None:
    """Return the line of a position, counted from 1, or None in a text of one line."""
    return text.count("\n", 0, position) + 1 if "\n" in text.strip() else None


def _malformed(text: str, position: int, problem: str) -> InvalidInput:
    column = position - text.rfind("\n", 0, position)
    message = f"is not JSON: {problem.removesuffix(' at')} at character {column}"
    return InvalidInput("", message).at(line=_line(text, position))


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        times = Counter(name for name, _ in pairs)
        twice = next(name for name in times if times[name] > 1)
        raise InvalidValue(twice, f"has the key {hints.quoted(twice, escaped=True)} twice")
    return fields


def _fraction(digits: str) -> Decimal:
    try:
        number = Decimal(digits)
    except InvalidOperation:  # an exponent of more than 18 digits
        raise InvalidValue(digits, "has a number beyond 1e38") from None
    _, figures, exponent = number.as_tuple()
    if len(figures) > MAX_DIGITS or int(exponent) < -MAX_DIGITS:
        raise InvalidValue(digits, f"has a number of more than {MAX_DIGITS} digits")
    if number.copy_abs() > MAX_NUMBER:
        raise InvalidValue(digits, "has a number beyond 1e38")
    return number


def _integer(digits: str) -> int | Decimal:
    if len(digits.removeprefix("-")) > MAX_DIGITS:
        raise InvalidValue(digits, f"has a number of more than {MAX_DIGITS} digits")
    number = int(digits)
    return number if abs(number) <= _MAX_SAFE_INTEGER else Decimal(digits)


def _no_constant(name: str) -> NoReturn:
    raise InvalidValue(name, f"has {name}, which is not a JSON number")


# Half a surrogate pair: Python reads a byte that is not UTF-8 as one.
_SURROGATE = re.compile("[\ud800-\udfff]")


def _check_texts(value: object) -> None:
    """Refuse strings with half a surrogate pair or NUL, which JSON can write as escapes.

    UTF-8 cannot hold half a pair; SQLite cuts a text at NUL. Raises InvalidValue.
    """
    if isinstance(value, str):
        if "\x00" in value:
            raise InvalidValue(value, "holds a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidValue(value, "holds half a character (a lone surrogate)") from None
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(key)
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_no_duplicates,
    parse_float=_fraction,
    parse_int=_integer,
    parse_constant=_no_constant,
)
