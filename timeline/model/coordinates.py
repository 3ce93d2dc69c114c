"""This module reads coordinates as people paste them: decimal degrees north and east.

Guarantees: a plain decimal number stays as it is written. Degrees, minutes and seconds become a
decimal number, rounded to 6 decimals (0.1 m). A letter for the side of the world (N, S, E, W)
decides which number is the latitude, wherever it stands. A text with two readings is refused, and
the message names both. This module knows no model.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from timeline.errors import InvalidInput, InvalidValue
from timeline.model.hints import quoted

_LONGEST = 120
"""Characters of a text with coordinates, at most."""
_PLAIN = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?", re.ASCII)
_SIGNS = str.maketrans({
    **dict.fromkeys("º˚⁰∘", "°"),
    **dict.fromkeys("−–—‐‑‒―", "-"),
    **dict.fromkeys("′’‘‛ʹʼ´`", "'"),
    **dict.fromkeys("″”“‟ʺ〃", '"'),
    "٫": ".",
    **dict.fromkeys("、٬", ","),
    **dict.fromkeys("()[]{}（）", " "),
    **dict.fromkeys(map(chr, (0x200B, 0x200E, 0x200F, 0xFEFF))),
})  # fmt: skip
_WORDS = (
    (r"(?:latitude|lat|longitude|long|lng|lon)\.?\s*[:=]?", " "),
    (r"north|nord|norte|norden|с\.?\s*ш\.?|пн\.?\s*ш\.?", "n"),
    (r"south|süd|sud|sur|sul|süden|ю\.?\s*ш\.?|пд\.?\s*ш\.?", "s"),
    (r"east|ost|est|este|osten|в\.?\s*д\.?|сх\.?\s*д\.?", "e"),
    (r"west|ouest|oeste|westen|з\.?\s*д\.?|зх\.?\s*д\.?", "w"),
    (r"(?:degrees?|deg|d)\.?", "°"),
    (r"(?:minutes?|min)\.?", "'"),
    (r"(?:seconds?|sec)\.?", '"'),
)
"""Patterns of words beside coordinates, in lower case, each with the sign that replaces it."""
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([°'\"]?)\s*")
_TWO_DECIMAL_COMMAS = re.compile(r"[0-9],[0-9].*[;/\s].*[0-9],[0-9]")
_SIDES = {
    "n": ("latitude", 1),
    "s": ("latitude", -1),
    "e": ("longitude", 1),
    "w": ("longitude", -1),
}
_WKT = re.compile(
    r"\s*(?:srid=[0-9]+;)?\s*point\s*\(\s*([-+]?[0-9.]+)\s+([-+]?[0-9.]+)\s*\)\s*", re.I | re.ASCII
)
"""A point as Wikidata and PostGIS write it (WKT): the longitude, then the latitude."""
_LIMITS = {"latitude": 90, "longitude": 180}
_MARKS = ("°", "'", '"')
_UNITS = ("degrees", "minutes", "seconds")
_EXAMPLE = "write coordinates such as 50.45, 30.52 or 50°27'N 30°31'E"


class Coordinates(NamedTuple):
    """A point has a latitude and a longitude, each a decimal number in a string."""

    lat: str
    lon: str


class _Side(NamedTuple):
    """One half of a text, which says one of the two numbers."""

    value: str
    axis: str | None
    """The axis that a letter names: "latitude" or "longitude"."""


def read(text: str, *, decimal_comma: bool = False) -> Coordinates:
    """Read a latitude and a longitude from one text, such as "50.45N 30.52E".

    Latitude comes first, unless letters say otherwise, or it is "Point(30.52 50.45)". With
    `decimal_comma` a comma between two digits is always a decimal comma. Raises InvalidValue.
    """
    if point := _WKT.fullmatch(text[: _LONGEST + 1]):
        text = f"{point[2]}, {point[1]}"
    plain = _plain(text)
    halves = _halves(plain, decimal_comma=decimal_comma)
    if halves is None:
        raise _no_number(text, None)
    first, second = (_side(half, text) for half in halves)
    if first.axis and first.axis == second.axis:
        raise InvalidValue(text, f"{quoted(text)} has two {first.axis}s: {_EXAMPLE}")
    if first.axis == "longitude" or second.axis == "latitude":
        first, second = second, first
    return _within(Coordinates(first.value, second.value))


def latitude(text: str, *, decimal_comma: bool = True) -> str:
    """Read a latitude, such as "50°27'N", as a decimal number. Raises InvalidValue."""
    return _one(text, "latitude", decimal_comma=decimal_comma)


def longitude(text: str, *, decimal_comma: bool = True) -> str:
    """Read a longitude, such as "30°31'E", as a decimal number. Raises InvalidValue."""
    return _one(text, "longitude", decimal_comma=decimal_comma)


def in_place(place: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a place with `lat` and `lon` as decimal numbers.

    Both may stand in one of the two fields. Letters put right what stands in the wrong field. What
    is no text, or a plain number, stays as it is. Raises InvalidInput about `lat` or `lon`.
    """
    lat, lon = (_filled(place.get(name)) for name in Coordinates._fields)
    texts = {"lat": lat, "lon": lon}
    if all(text is None or _is_plain(text) for text in texts.values()):
        _check_order(lat, lon)
        return dict(place)
    for name, other in (("lat", lon), ("lon", lat)):
        text = texts[name]
        if isinstance(text, str) and (other is None or other == text):
            return {**place, **_named(name, read, text)._asdict()}
    first, second = (str(each) for each in (lat, lon))
    axes = _axis(first), _axis(second)
    if axes[0] != axes[1] and (axes[0] == "longitude" or axes[1] == "latitude"):
        first, second = second, first
    found = _named("lat", latitude, first), _named("lon", longitude, second)
    return {**place, "lat": found[0], "lon": found[1]}


def in_statement(statement: object) -> object:
    """Return a statement in JSON with the coordinates of its places as decimal numbers.

    Anything else is returned as it is. Raises InvalidInput, with the path of the field.
    """
    if not isinstance(statement, dict):
        return statement
    for name in ("place", "about_place"):
        place = statement.get(name)
        if isinstance(place, dict) and not place.keys().isdisjoint(Coordinates._fields):
            try:
                statement = {**statement, name: in_place(place)}
            except InvalidInput as error:
                raise InvalidInput(f"{name}.{error.field}", error.problem) from None
    return statement


def _named(name: str, reading: Any, text: str) -> Any:
    try:
        return reading(text)
    except InvalidValue as error:
        raise InvalidInput(name, error.problem) from None


def _filled(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


def _is_plain(value: object) -> bool:
    """Tell whether a value is none of ours to read: no text, or a number as the model takes it."""
    if not isinstance(value, str) or _PLAIN.fullmatch(value):
        return True
    try:
        return value.isascii() and "_" not in value and Decimal(value.strip()).is_finite()
    except InvalidOperation:
        return False


def _check_order(lat: object, lon: object) -> None:
    """Raise InvalidInput if two plain numbers are only in range the other way round."""
    try:
        are_swapped = 90 < _size(lat) <= 180 and 0 < _size(lon) <= 90
    except InvalidOperation:
        return
    if are_swapped:
        raise InvalidInput("lat", _swapped(str(lat).strip(), str(lon).strip()))


def _size(number: object) -> Decimal:
    return Decimal(str(number)).copy_abs()


def _swapped(lat: str, lon: str) -> str:
    return (
        f"{lat} is not a latitude: it lies between -90 and 90; the two seem swapped: "
        f"latitude {lon}, longitude {lat}"
    )


# --- One text -----------------------------------------------------------------------------


def _plain(text: str) -> str:
    """Return a text in lower case, with ASCII digits and one sign for each meaning."""
    if len(text) > _LONGEST:
        raise InvalidValue(text, f"{quoted(text)} is too long: {_EXAMPLE}")
    plain = unicodedata.normalize("NFKC", text.translate(_SIGNS)).translate(_SIGNS).casefold()
    plain = re.sub(r"\d", lambda digit: str(int(digit[0])), plain).strip().removeprefix("geo:")
    if re.search(r"[^\W\d_]{2}|[^\W\d_nsew]", plain):
        for words, sign in _WORDS:
            plain = re.sub(rf"(?<![^\W\d_])(?:{words})(?![^\W\d_])", sign, plain)
    return " ".join(plain.replace("''", '"').split())


def _axis(text: str) -> str | None:
    """Return the axis that the letters of a text name, if it is one."""
    axes = {_SIDES[letter][0] for letter in re.findall("[nsew]", _plain(text))}
    return axes.pop() if len(axes) == 1 else None


def _one(text: str, axis: str, *, decimal_comma: bool) -> str:
    if _is_plain(text):
        return _checked(text.strip(), axis)
    plain = _plain(text)
    if decimal_comma:
        plain = _with_points(plain)
    side = _side(plain, text, axis)
    if side.axis and side.axis != axis:
        raise InvalidValue(text, f"{quoted(text)} is a {side.axis}, not a {axis}")
    return _checked(side.value, axis)


def _checked(value: str, axis: str) -> str:
    if _size(value) > (limit := _LIMITS[axis]):
        raise InvalidValue(value, f"{value} is not a {axis}: it lies between -{limit} and {limit}")
    return value


def _within(point: Coordinates) -> Coordinates:
    if 90 < _size(point.lat) <= 180 and _size(point.lon) <= 90:
        raise InvalidValue(point, _swapped(*point))
    _checked(point.lat, "latitude")
    _checked(point.lon, "longitude")
    return point


def _with_points(text: str) -> str:
    return re.sub(r"(?<=[0-9]),(?=[0-9])", ".", text)


def _halves(text: str, *, decimal_comma: bool) -> tuple[str, str] | None:
    """Return the two halves of a text; None if it cannot be cut in two. Raises InvalidValue."""
    has_letters = len(re.findall("[nsew]", text)) == 2
    if decimal_comma or has_letters or _TWO_DECIMAL_COMMAS.search(text):
        text = _with_points(text)
    if has_letters:
        cut = r"\s*[,;/]?\s*"
        number = r"[^nsew,;/]*[0-9][^nsew,;/]*"
        match = re.fullmatch(rf"({number}[nsew]){cut}({number}[nsew])", text) or re.fullmatch(
            rf"([nsew]{number}?){cut}([nsew]{number})", text
        )
        return (match[1], match[2]) if match else None
    parts = [part.strip() for part in re.split(r"[,;/]", text)]
    if len(parts) == 2:
        if re.fullmatch(r"[+-]?[0-9]{1,3},[0-9]+", text):
            raise InvalidValue(
                text,
                f'"{text}" can be read as {text.replace(",", ".")} or as {parts[0]} and {parts[1]}:'
                " write a point, or a blank after the comma",
            )
        return (parts[0], parts[1]) if all(parts) else None
    if len(parts) != 1:
        return None
    if text.count("°") == 2:
        match = re.fullmatch(r"(.*?°.*?)\s*([+-]?[0-9.]+\s*°.*)", text)
        return (match[1], match[2]) if match else None
    numbers = text.split()
    if len(numbers) == 2 and all(map(str.isdecimal, numbers)):
        first, second = numbers
        raise InvalidValue(
            text,
            f'"{text}" can be read as {first} degrees {second} minutes or as two coordinates: '
            f"write {first}°{second}' or {first}, {second}",
        )
    half, odd = divmod(len(numbers), 2)
    if odd or not 1 <= half <= 3:
        return None
    return " ".join(numbers[:half]), " ".join(numbers[half:])


def _side(half: str, text: str, axis: str | None = None) -> _Side:
    """Read one half of a text: degrees, and perhaps minutes, seconds and a letter."""
    if re.search(r"(?<![^\W\d_])o(?![^\W\d_])", half):
        problem = f'{quoted(text)}: "O" is east in German and west in French: write E or W'
        raise InvalidValue(text, problem)
    match = re.fullmatch(r"([nsew]?)\s*([+-]?)\s*([^nsew]*?)\s*([nsew]?)", half)
    if match is None or (match[1] and match[4]):
        raise _no_number(text, axis)
    letter = match[1] or match[4]
    if match[2] == "-" and letter:
        raise InvalidValue(
            text, f"{quoted(text)} has both a minus and the letter {letter.upper()}: write one"
        )
    numbers, marks, end = [], [], 0
    while found := _PART.match(match[3], end):
        numbers.append(found[1])
        marks.append(found[2])
        end = found.end()
    if not numbers or end < len(match[3]) or len(numbers) > 3:
        raise _no_number(text, axis)
    if any(mark and mark != right for mark, right in zip(marks, _MARKS, strict=False)):
        raise _no_number(text, axis)
    for number, unit in zip(numbers[1:], _UNITS[1:], strict=False):
        if Decimal(number) >= 60:
            raise InvalidValue(text, f"{quoted(text)} has {number} {unit}: write less than 60")
    if any("." in number for number in numbers[:-1]):
        raise _no_number(text, axis)
    sign = -1 if match[2] == "-" or (letter and _SIDES[letter][1] < 0) else 1
    named = _SIDES[letter][0] if letter else None
    return _Side(_degrees(numbers, sign), named)


def _no_number(text: str, axis: str | None) -> InvalidValue:
    if axis is None:
        return InvalidValue(text, f"{quoted(text)} is not a latitude and a longitude: {_EXAMPLE}")
    return InvalidValue(text, f"{quoted(text)} is not a {axis}: write a number such as 50.45")


def _degrees(numbers: list[str], sign: int) -> str:
    if len(numbers) == 1:
        return f"{'-' if sign < 0 else ''}{numbers[0]}"
    value = sum(Decimal(number) / 60**power for power, number in enumerate(numbers))
    rounded = (sign * Decimal(value)).quantize(Decimal("0.000001")).normalize()
    return format(rounded + 0, "f")
