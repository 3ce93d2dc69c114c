"""Read the JSON-LD of a page: find the article that it is about, and the texts in its properties.

Guarantees: wrong JSON is counted and left out; an object that only refers to another one by its
`@id` is looked up; the work is bounded, whatever a page holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

LONGEST_JSON_LD = 2**20
"""Characters of one piece of JSON-LD that is read; a long live blog has 200,000."""
_MOST_OBJECTS = 5_000
"""Objects at the top of the JSON-LD of a page that are looked at."""
_MOST_TEXTS = 200
"""Texts of one property that are read, such as the names of authors."""

_BEFORE = ("//", "<!--", "<![CDATA[")
_BEHIND = (";", "]]>", "-->", "//")
_PAGES = ("webpage", "itempage", "aboutpage", "profilepage", "mediaobject", "videoobject")


class JsonLd:
    """Holds the objects of the JSON-LD of one page."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.wrong = 0
        """The number of pieces that are not JSON."""
        self._objects: list[Mapping[str, Any]] = []
        for text in texts:
            try:
                value = json.loads(_bare(text) or "[]", strict=False)
            except (ValueError, RecursionError):
                self.wrong += 1
                continue
            self._objects += _at_the_top(value)
            del self._objects[_MOST_OBJECTS:]
        self._by_id = {
            each["@id"]: each
            for each in self._objects
            if isinstance(each.get("@id"), str) and len(each) > 1
        }

    def about_the_page(self) -> list[Mapping[str, Any]]:
        """Return the article of the page and the page itself, as far as there are any."""
        articles = [each for each in self._objects if _is_article(each)]
        pages = [each for each in self._objects if _types(each) & {*_PAGES}]
        return [*articles[:1], *pages[:1]]

    def texts(self, value: object, *names: str) -> list[str]:
        """Return the texts in the value of a property: a text, an object, or a list of those.

        `names` are the properties of an object that hold its text, in order.
        """
        found = []
        for item in value[:_MOST_TEXTS] if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                whole = {**self._by_id.get(_text(item.get("@id")), {}), **item}
                item = next(filter(None, (_first(whole.get(n)) for n in names or ("name",))), "")
            if text := _text(item):
                found.append(text)
        return found


def _bare(text: str) -> str:
    """Return a piece of JSON-LD without the marks of a comment or of CDATA around it."""
    text = text.strip()
    for mark in _BEFORE:
        text = text.removeprefix(mark).lstrip()
    for mark in _BEHIND:
        text = text.removesuffix(mark).rstrip()
    return text


def _at_the_top(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of a piece: itself, those of a list, of `@graph`, and of `mainEntity`."""
    waiting = [value]
    for _ in range(_MOST_OBJECTS):
        if not waiting:
            return
        item = waiting.pop(0)
        if isinstance(item, list):
            waiting += item[:_MOST_OBJECTS]
        elif isinstance(item, dict):
            yield item
            waiting += [item[name] for name in ("@graph", "mainEntity") if name in item]


def _types(item: Mapping[str, Any]) -> set[str]:
    given = item.get("@type")
    kinds = given[:20] if isinstance(given, list) else [given]
    return {re.split("[/:#]", _text(kind))[-1].lower() for kind in kinds}


def _is_article(item: Mapping[str, Any]) -> bool:
    return any(
        kind.endswith(("article", "posting", "blogpost")) or kind in ("report", "review")
        for kind in _types(item)
    )


def _first(value: object) -> str:
    return _text(value[0]) if isinstance(value, list) and value else _text(value)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
