"""Offer a page in the languages of the interface, and keep the one that a reader chose.

Guarantees: only links to pages of this timeline change; those to files, to other pages of Datasette
and to other sites stay as they are. Works on the HTML of a page, so no template has to think of it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterable
from typing import NamedTuple
from urllib.parse import urlencode

from timeline.languages.translation import LANGUAGES
from timeline.site.views.address import PART

LANG = "lang"
"""The parameter that names the language of the interface."""

_LINK = re.compile(
    r'(?P<before><(?P<tag>a|form|iframe)\b[^>]*?\s(?:href|action|src)=")(?P<path>/[^"?#]*)'
    r'(?P<query>\?[^"#]*)?(?P<rest>[^"]*"[^>]*>)'
)


class Translation(NamedTuple):
    """A translation is the same page in a language of the interface."""

    tag: str
    name: str
    """What the language calls itself."""

    query: str
    """The parameters of the address, from the question mark on."""

    is_current: bool


def translations(given: Iterable[tuple[str, str]], current: str) -> list[Translation]:
    """Return a page in every language of the interface, the page that has these parameters."""
    pairs = [pair for pair in given if pair[0] != PART]
    return [
        Translation(tag, name, f"?{urlencode([*pairs, (LANG, tag)])}", tag == current)
        for tag, name in LANGUAGES.items()
    ]


def keep(page: str, language: str, is_page: Callable[[str], bool]) -> str:
    """Return the HTML of a page whose links and forms name the language.

    `is_page` returns whether a path, without its query, leads to a page with the same interface.
    """
    name = html.escape(language)
    field = f'<input type="hidden" name="{LANG}" value="{name}">'

    def kept(link: re.Match[str]) -> str:
        query = (link["query"] or "").removeprefix("?")
        if not is_page(html.unescape(link["path"])) or re.search(rf"(^|[&;]){LANG}=", query):
            return link[0]
        if link["tag"] == "form":
            return link[0] + field
        query = f"?{query}&amp;{LANG}={name}" if query else f"?{LANG}={name}"
        return f"{link['before']}{link['path']}{query}{link['rest']}"

    return _LINK.sub(kept, page)
