"""Draw a card as a PNG of 1200 by 630 pixels, in the light colours of the pages.

Guarantees: the same card gives the same bytes with the same version of Pillow. One card is drawn at
a time, in about 25 ms and 5 MB, whatever its texts are. A text with letters that the font lacks is
left out. Knows no database.
"""

from __future__ import annotations

import functools
import hashlib
import io
import threading
from typing import TYPE_CHECKING

from timeline.formats import prose
from timeline.site.cards.letters import Typeface, balanced, drawable, lines_of, width, write
from timeline.site.views.card import HEIGHT, WIDTH, Card, CardFigure
from timeline.site.views.event_classes import EventClass

if TYPE_CHECKING:
    from PIL.Image import Image

_DRAWING = 1
"""The version of the drawing: a higher number makes all cards anew."""
_KEY = "Card"
"""The name of the text in a PNG that tells its card from others."""

_LEFT, _RIGHT = 64, WIDTH - 64
_FOOT = 536
"""Pixels from the top to the line above the foot."""
_INK, _INK2, _PAPER, _LINE = "#191817", "#57534c", "#fffefb", "#d8d3c8"
_COLOURS: dict[EventClass, str] = {
    "talk": "#2a6496",
    "help": "#2b6f4e",
    "demand": "#8a5500",
    "force": "#b3242b",
    "other": "#625e57",
}
_TITLES = ((72, 1), (64, 1), (68, 2), (58, 2), (52, 3), (42, 4))
"""The sizes of a title in pixels, each with its most lines; the first that has room is taken."""
_AMOUNTS = (132, 104, 76, 56, 42)
"""The sizes of a figure in pixels; the first one at which it fits is taken."""
_SHORT = 460.0
"""Pixels of what stands beside another text, at most."""
_CAPITAL = 0.68
"""The height of a number, as a part of the size of its letters."""
_STEPS = 8
"""How many times larger shapes are drawn before they are made small, so that edges are smooth."""

_AT_LEAST = "\N{GREATER-THAN OR EQUAL TO} "
"""The sign before a number on a chart, which the font lacks."""

_turn = threading.Lock()


def key_of(card: Card) -> str:
    """Return the key of a card, which is another one for each other card or drawing."""
    return hashlib.sha256(f"{_DRAWING} {card!r}".encode()).hexdigest()[:32]


def key_in(png: bytes) -> str:
    """Return the key of the card in a PNG, by its first bytes; "" if it has none."""
    _, found, rest = png.partition(f"tEXt{_KEY}\0".encode())
    return rest[:32].decode("latin-1") if found else ""


@functools.lru_cache(maxsize=64)
def draw(card: Card) -> bytes:
    """Return a card as PNG: 10 to 40 kB, of which the last 64 are kept."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    with _turn:
        sheet = _Sheet()
        sheet.band(_INK if card.bars else _COLOURS[card.event_class])
        y = _title(sheet, card, _head(sheet, card))
        if card.figure:
            _figure(sheet, card.figure, _COLOURS[card.event_class], y)
        else:
            y = _summary(sheet, card.summary, y, _FOOT - 30 - (150 if card.bars else 0))
            _bars(sheet, card, y)
        _foot(sheet, card)
        info, file = PngInfo(), io.BytesIO()
        info.add_text(_KEY, key_of(card))
        few = sheet.image.quantize(64, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        few.save(file, "PNG", pnginfo=info, compress_level=6)
    return file.getvalue()


# --- Parts of a card, from the top --------------------------------------------------------


def _head(sheet: _Sheet, card: Card) -> float:
    """Draw what kind of event it is, and when and where; return the place below."""
    x, y, style = float(_LEFT), 104.0, Typeface(29)
    if card.kind:
        sheet.mark(card.event_class, x + 13, y - 10, 26, _COLOURS[card.event_class])
        x += 41
        bold = style._replace(weight=700)
        for line in lines_of(drawable(card.kind), bold, _SHORT, 1):
            x = sheet.write(x, y, line, bold, _INK) + 24
    facts = prose.listed(*map(drawable, card.facts))
    for line in lines_of(facts, style, _RIGHT - x, 1):
        sheet.write(x, y, line, style, _INK2)
    return y


def _title(sheet: _Sheet, card: Card, y: float) -> float:
    """Draw the title as large as there is room for; return the place below."""
    title = drawable(card.title)
    most = 2 if card.figure or card.bars else 4
    style, lines = Typeface(0), list[str]()
    for size, number in _TITLES:
        style = Typeface(size, 700)
        lines = lines_of(title, style, _RIGHT - _LEFT, min(number, most))
        if " ".join(lines) == title:
            break
    for number, line in enumerate(balanced(lines, style, _RIGHT - _LEFT)):
        y += style.size * 1.15 if number else style.size + 16
        sheet.write(_LEFT, y, line, style, _INK)
    return y


def _summary(sheet: _Sheet, text: str, y: float, end: float) -> float:
    """Draw the sentences about it as far as there is room; return the place below."""
    style, step = (Typeface(34), 48) if end - y > 200 else (Typeface(30), 42)
    number = int((end - y - 14) // step)
    for line in lines_of(drawable(text), style, _RIGHT - _LEFT, number) if number > 0 else ():
        y += step
        sheet.write(_LEFT, y + 14, line, style, _INK2)
    return y


def _figure(sheet: _Sheet, figure: CardFigure, colour: str, y: float) -> None:
    """Draw the leading figure on the left, and how it changed on the right."""
    if figure.points:
        _chart(sheet, figure, colour, y + 56)
    room = 400.0 if figure.points else float(_RIGHT - _LEFT)
    small, step = Typeface(25), 33
    words = [line for text in figure.words for line in lines_of(drawable(text), small, room, 2)]
    if amount := drawable(figure.amount):
        high = _FOOT - y - 60 - step * len(words)
        fitting = (
            Typeface(size, 700)
            for size in _AMOUNTS
            if size * _CAPITAL <= high and width(amount, Typeface(size, 700)) <= room
        )
        style = next(fitting, Typeface(_AMOUNTS[-1], 700))
        (line, *_) = lines_of(amount, style, room, 1)
        whole = style.size * _CAPITAL + 14 + step * len(words)
        y += (_FOOT - y - whole) / 2 + style.size * _CAPITAL
        sheet.write(_LEFT, y, line, style, colour)
        for number, each in enumerate(words, 1):
            sheet.write(_LEFT, y + 10 + step * number, each, small, _INK2)


def _chart(sheet: _Sheet, figure: CardFigure, colour: str, top: float) -> None:
    left, right, bottom = 500.0, float(_RIGHT), _FOOT - 40.0
    sheet.line(left, bottom, right, bottom, _LINE, 2)

    def across(x: float) -> float:
        return left + x * (right - left) / 100

    def down(y: float) -> float:
        return top + y * (bottom - top) / 100

    for x, y, x_end, y_end in figure.steps:
        sheet.line(across(x), down(y), across(x_end), down(y_end), colour, 6)
    for point in figure.points:
        x, y = across(point.x), down(point.y)
        sheet.mark("point apart" if point.is_apart else "point", x, y, 18, colour)
        label = drawable(point.label.replace(_AT_LEAST, "")) + "+" * (_AT_LEAST in point.label)
        ink = _INK2 if point.is_apart else _INK
        sheet.write(x, y - 20, label, Typeface(25, 700), ink, "m")


def _bars(sheet: _Sheet, card: Card, y: float) -> None:
    """Draw the bars of the axis, with the words for their beginning and end below."""
    if not card.bars:
        return
    top, bottom = max(y + 40, _FOOT - 200.0), _FOOT - 54.0
    highest = max(sum(events for _, events in bar.parts) for bar in card.bars)
    scale = (bottom - top) / max(highest, 3)
    for bar in card.bars:
        x = _LEFT + bar.left * (_RIGHT - _LEFT) / 100
        wide = min(max(bar.width * (_RIGHT - _LEFT) / 100 - 2, 2), 40)
        low = bottom
        for event_class, events in bar.parts:
            high = low - events * scale
            sheet.fill(x, high, x + wide, low, _COLOURS[event_class])
            low = high
    sheet.line(_LEFT, bottom + 1, _RIGHT, bottom + 1, _LINE, 2)
    for words, x, anchor in zip(card.ends, (_LEFT, _RIGHT), "lr", strict=True):
        sheet.write(x, bottom + 32, drawable(words), Typeface(24), _INK2, anchor)


def _foot(sheet: _Sheet, card: Card) -> None:
    """Draw which timeline this is, and which state of it."""
    sheet.line(_LEFT, _FOOT, _RIGHT, _FOOT, _INK, 2)
    style, y, room = Typeface(25), _FOOT + 50.0, float(_RIGHT - _LEFT)
    for line in lines_of(drawable(card.edition), style, _SHORT, 1):
        sheet.write(_RIGHT, y, line, style, _INK, "r")
        room -= width(line, style) + 40
    bold = style._replace(weight=700)
    for line in lines_of(drawable(card.source), bold, room, 1):
        sheet.write(_LEFT, y, line, bold, _INK)


# --- The sheet ----------------------------------------------------------------------------


class _Sheet:
    """A sheet is the paper of a card; its places are in pixels from the top left."""

    def __init__(self) -> None:
        from PIL import Image, ImageDraw

        self.image = Image.new("RGB", (WIDTH, HEIGHT), _PAPER)
        self._canvas = ImageDraw.Draw(self.image)

    def band(self, colour: str) -> None:
        self._canvas.rectangle((0, 0, WIDTH, 15), fill=colour)

    def write(
        self, x: float, y: float, text: str, style: Typeface, colour: str, anchor: str = "l"
    ) -> float:
        return write(self._canvas, x, y, text, style, colour, anchor)

    def line(self, x: float, y: float, x_end: float, y_end: float, colour: str, thick: int) -> None:
        """Draw a line along or down, which is as thick on either side."""
        half = thick / 2
        self.fill(
            min(x, x_end) - (half if x == x_end else 0),
            min(y, y_end) - half,
            max(x, x_end) + (half if x == x_end else 0),
            max(y, y_end) + half,
            colour,
        )

    def fill(self, x: float, y: float, x_end: float, y_end: float, colour: str) -> None:
        box = (round(x), round(y), max(round(x_end) - 1, round(x)), round(y_end) - 1)
        if box[3] >= box[1]:
            self._canvas.rectangle(box, fill=colour)

    def mark(self, name: str, x: float, y: float, size: int, colour: str) -> None:
        """Draw the shape of a class of events, or of a point of a chart, around a place."""
        place = round(x - size / 2), round(y - size / 2)
        for part, ink in (("", _PAPER), ("inner", colour)):
            if part or name.startswith("point"):
                self.image.paste(ink, place, _mask(f"{name} {part}".strip(), size))


@functools.cache
def _mask(name: str, size: int) -> Image:
    """Return the shape of a mark with smooth edges."""
    from PIL import Image, ImageDraw

    full = size * _STEPS
    large = Image.new("L", (full, full), 0)
    canvas, end = ImageDraw.Draw(large), full - 1
    ring = full // 5
    match name:
        case "talk inner" | "point":
            canvas.ellipse((0, 0, end, end), fill=255)
        case "point inner":
            canvas.ellipse((ring * 0.7, ring * 0.7, end - ring * 0.7, end - ring * 0.7), fill=255)
        case "help inner":
            canvas.rectangle((ring / 2, ring / 2, end - ring / 2, end - ring / 2), fill=255)
        case "demand inner":
            canvas.polygon(((full / 2, 0), (end, end), (0, end)), fill=255)
        case "other inner":
            canvas.ellipse((0, 0, end, end), fill=255)
            canvas.ellipse((ring, ring, end - ring, end - ring), fill=0)
        case _:
            half = full / 2
            canvas.polygon(((half, 0), (end, half), (half, end), (0, half)), fill=255)
            if name == "point apart inner":
                edge = full / 4
                inner = ((half, edge), (end - edge, half), (half, end - edge), (edge, half))
                canvas.polygon(inner, fill=0)
    return large.resize((size, size), Image.Resampling.LANCZOS)
