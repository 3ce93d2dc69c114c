"""Say the words of the interface in the language of a reader.

Guarantees: a word that a catalogue lacks is said in English; outside of `speaking`, everything is
English, so the terminal always is. A language is loaded when its first word is asked for.

The catalogues are files of gettext, `catalogues/uk.po` and so on, whose messages are the English
words themselves. Knows no database, no request and no page.
"""

from __future__ import annotations

import gettext as gnu
import io
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = {
    "en": "English",
    "uk": "Українська",
    "fr": "Français",
    "de": "Deutsch",
    "es": "Español",
    "ar": "العربية",
}
"""The languages of the interface, each with its own name for itself, by tag (BCP 47)."""

CATALOGUES = Path(__file__).parent / "catalogues"

_current: ContextVar[str] = ContextVar("language", default="en")


def current() -> str:
    """Return the tag of the language in which words are said now."""
    return _current.get()


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Say all words within the block in one of LANGUAGES."""
    token = _current.set(language)
    try:
        yield
    finally:
        _current.reset(token)


def closest(tag: str) -> str:
    """Return the language of the interface for a log in this language: "uk" for "uk-UA".

    It is English if the interface is not translated into that language.
    """
    first = tag.lower().partition("-")[0]
    return first if first in LANGUAGES else "en"


def gettext(text: str) -> str:
    """Return an English text in the current language."""
    return _catalogue(current()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a text that this count asks for, in the current language."""
    return _catalogue(current()).ngettext(one, many, count)


def pgettext(context: str, text: str) -> str:
    """Return a text that means several things; `context` tells the translator which one."""
    return _catalogue(current()).pgettext(context, text)


def number(count: int | Decimal) -> str:
    """Return a number with separators, as the current language writes it: "12,345"."""
    grouped = f"{count:,f}" if isinstance(count, Decimal) else f"{count:,}"
    language = current()
    return grouped if language == "en" else grouped.translate(_separators(language))


@cache
def _separators(language: str) -> dict[int, str]:
    """Return the signs that a language has for the comma and the point of English numbers."""
    from babel import Locale

    symbols = Locale.parse(language).number_symbols["latn"]
    return {ord(","): symbols["group"], ord("."): symbols["decimal"]}


@cache
def _catalogue(language: str) -> gnu.NullTranslations:
    path = CATALOGUES / f"{language}.po"
    if language == "en" or not path.is_file():
        return gnu.NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = io.BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return gnu.GNUTranslations(compiled)


def install(environment: Any) -> None:
    """Let the templates of an environment of Jinja say their words in the current language."""
    environment.add_extension("jinja2.ext.i18n")
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext)
