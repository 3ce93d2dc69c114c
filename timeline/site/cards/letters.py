"""Measure and draw texts in the letters of the pages, Source Serif.

Guarantees: no letter is drawn that the font does not have. A text with such a letter is "", so
nobody sees boxes; only signs such as emoji are left out of a text. It has Latin, Cyrillic and
Greek letters. Pure: knows texts and pictures, and imports Pillow only when something is drawn.
"""

from __future__ import annotations

import functools
import unicodedata
from bisect import bisect_left
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

_FILES = Path(__file__).parent.parent / "static"
_SCRIPTS = ("latin", "latin-ext", "cyrillic", "greek")
"""The parts of the font, each a file: the first one that has a letter draws it."""

_NOWHERE = "\U0010fffe"
"""A character that no font has."""
_UNSEEN = ("Cc", "Cf", "Co", "Cn", "Cs")
"""The categories of characters that are not drawn, such as marks of direction."""
_MAY_BE_LEFT_OUT = ("So", "Sk", "Mn", "Me")
"""The categories of characters without which a text can still be read, if the font lacks them."""
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


class Typeface(NamedTuple):
    """A typeface has a size in pixels and a weight: 400 is normal, 700 bold."""

    size: int
    weight: int = 400


@functools.lru_cache(maxsize=128)
def _font(script: str, style: Typeface) -> FreeTypeFont:
    from PIL import ImageFont

    path = _FILES / f"source-serif-4-{script}-wght-normal.woff2"
    font = ImageFont.truetype(str(path), style.size)
    font.set_variation_by_axes([style.weight])
    return font


@functools.lru_cache(maxsize=4096)
def _script_of(character: str) -> str | None:
    """Return the part of the font that has a character; None if there is none."""
    return next((script for script in _SCRIPTS if _has(script, character)), None)


def _has(script: str, character: str) -> bool:
    font = _font(script, Typeface(20))
    box, drawn = font.getmask(_NOWHERE), font.getmask(character)
    return (drawn.size, bytes(drawn)) != (box.size, bytes(box))


def drawable(text: str) -> str:
    """Return a text in one line as it can be drawn; "" if the font lacks some of its letters."""
    line = " ".join(unicodedata.normalize("NFC", text).split())
    kept = [
        letter
        for letter in line
        if (kind := unicodedata.category(letter)) not in _UNSEEN
        and (_script_of(letter) or kind not in _MAY_BE_LEFT_OUT)
    ]
    if any(_script_of(letter) is None for letter in kept):
        return ""
    return " ".join("".join(kept).split())


@functools.cache
def are_here() -> bool:
    """Return whether Pillow is installed and can read our font, which is compressed (WOFF2)."""
    try:
        return _has(_SCRIPTS[0], "A")
    except (ImportError, OSError):
        return False


@functools.lru_cache(maxsize=4096)
def width(text: str, style: Typeface) -> float:
    """Return the width of a drawable text in pixels."""
    return sum(_font(script, style).getlength(part) for script, part in _runs(text))


def _runs(text: str) -> list[tuple[str, str]]:
    """Return a text as runs, each with the part of the font that has its letters."""
    return [
        (script, "".join(letters))
        for script, letters in groupby(text, lambda letter: _script_of(letter) or _SCRIPTS[0])
    ]


def lines_of(text: str, style: Typeface, most: float, number: int) -> list[str]:
    """Return a drawable text in lines of this width, at most so many; the last may be cut."""
    found, line, long = list[str](), list[str](), 0.0
    blank = width(" ", style)
    for word in text.split():
        own = width(word, style)
        if line and long + blank + own > most:
            found.append(" ".join(line))
            line, long = [], 0.0
            if len(found) == number:
                found[-1] += _ELLIPSIS
                break
        line.append(word)
        long += blank + own if len(line) > 1 else own
    if line:
        found.append(" ".join(line))
    return [_cut(each, style, most) for each in found]


def balanced(lines: list[str], style: Typeface, most: float) -> list[str]:
    """Return lines anew, as many, but about as wide as each other."""
    text = " ".join(lines)
    low, high = most / 3, most
    while high - low > 8:
        middle = (low + high) / 2
        narrower = lines_of(text, style, middle, len(lines))
        fits = " ".join(narrower) == text and len(narrower) == len(lines)
        low, high = (low, middle) if fits else (middle, high)
    return lines_of(text, style, high, len(lines))


def _cut(line: str, style: Typeface, most: float) -> str:
    """Return a line that is no wider than it may be, with an ellipsis if it was cut."""
    if width(line, style) <= most:
        return line
    line = line.removesuffix(_ELLIPSIS)
    letters = range(1, len(line) + 1)
    short = bisect_left(letters, most, key=lambda end: width(line[:end] + _ELLIPSIS, style))
    return f"{line[:short].rstrip()}{_ELLIPSIS}"


def write(
    canvas: ImageDraw,
    x: float,
    y: float,
    text: str,
    style: Typeface,
    colour: str,
    anchor: str = "l",
) -> float:
    """Draw a drawable text on a base line, and return where it ends.

    The anchor says which point of the text is at x: "l" its left end, "m" its middle, "r" its right
    end.
    """
    whole = width(text, style)
    x -= {"l": 0, "m": whole / 2, "r": whole}[anchor]
    for script, part in _runs(text):
        font = _font(script, style)
        canvas.text((x, y), part, font=font, fill=colour, anchor="ls")
        x += font.getlength(part)
    return x
