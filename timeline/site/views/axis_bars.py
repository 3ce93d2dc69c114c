"""Draw the bars of an axis as SVG, in one string.

Guarantees: what the log says is escaped. A template takes several times as long: an axis has a
hundred bars, and each of their pieces would pass through the generators of all templates around.
"""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup, escape

from timeline.languages.translation import ngettext, number
from timeline.site.views.address import Address
from timeline.site.views.axis import Axis, Bar

_WIDEST = 4.0
"""Per cent of the axis: the width of a bar, at most."""
_FILLED = 0.88
"""The part of its period that a bar fills, if it is not too wide."""


def drawn_bars(axis: Axis, to: str | None, asked: Address, new_tab: str, is_small: bool) -> Markup:
    """Return the bars of an axis.

    A bar leads to the page `to`, with the selection `asked` and its period; without a page it is no
    link. `new_tab` are attributes of the links. The bars of a small axis have no cards.
    """
    top = axis.scale[-1]
    query = asked.of_periods()
    drawn: list[str] = []
    for bar in axis.bars:
        counted = ngettext("{number} event", "{number} events", bar.events)
        label = escape(f"{bar.label}: {counted.format(number=number(bar.events))}")
        inside = "".join(_rectangles(bar, top))
        if to is None:
            drawn.append(f'<g class="bar" role="img" aria-label="{label}">{inside}</g>')
        else:
            address = escape(to + query(bar.first, bar.last))
            card = "" if is_small else _card(axis, bar)
            link = f'<a class="bar" href="{address}"{escape(new_tab)} aria-label="{label}"{card}>'
            drawn.append(f"{link}{inside}</a>")
    return Markup("\n    ".join(drawn))  # noqa: S704 - each text in it is escaped


def _card(axis: Axis, bar: Bar) -> str:
    """Return the attributes of which the card of a bar is made."""
    parts = escape("\n".join(f"{number(n)} {axis.words(each)}" for each, n in bar.parts))
    more = f' data-more="{escape(bar.more)}"' if bar.more else ""
    titles = escape("\n".join(bar.titles))
    return f' data-parts="{parts}"{more} data-titles="{titles}"'


def _rectangles(bar: Bar, top: int) -> Iterator[str]:
    """Yield the rectangles of a bar: one to point at, and one for each class, from the bottom."""
    yield f'<rect class="hit" x="{bar.left}%" y="0" width="{bar.width}%" height="100%"/>'
    width = min(bar.width * _FILLED, _WIDEST)
    left = bar.left + (bar.width - width) / 2
    floor = 0
    for event_class, events in bar.parts:
        floor += events
        yield (
            f'<rect class="of-{event_class}" x="{left:.3f}%" y="{100 - 100 * floor / top:.2f}%"'
            f' width="{width:.3f}%" height="{100 * events / top:.2f}%"/>'
        )
