"""Mark up the language and the direction of texts on a page, for browsers and screen readers.

Guarantees: a page has the direction of the language that its reader chose, else of the log's, and
every text of a user has its own, which the browser finds by the first letters. Our own words are in
a language of the interface; the texts of a log and of its sources are in the languages that these
name.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from timeline.languages import translation
from timeline.model.vocabulary import plover, stored

_LEFTWARD_LANGUAGES = frozenset(
    ("ar", "arc", "ckb", "dv", "fa", "he", "khw", "ks", "ps", "sd", "syr", "ug", "ur", "yi")
)
"""The languages that are written from right to left, unless their tag names another script."""
_LEFTWARD_SCRIPTS = frozenset(("adlm", "arab", "hebr", "mand", "nkoo", "rohg", "syrc", "thaa"))
"""The scripts that are written from right to left (ISO 15924)."""


def marks(info: Mapping[str, Any], chosen: str = "") -> dict[str, Any]:
    """Return what templates need to mark up texts of a log that says this about itself.

    `chosen` is the language of the interface that a reader chose, if any. `language` is that of the
    page, and `own_language` that of our words if it is another one. `of_ours` are the attributes of
    an element with our words, beside words of another direction, `of_log` those of an element whose
    words are all of the log, `of_types` those of an element with the label of an event type, and
    `of_definitions` with what it means, which is in English for the types that every log has;
    `of_source` returns those of an element with only words of a source, which is in the language of
    the log unless it says another one.
    """
    of_log = str(info.get("language") or "en")
    ours = spoken(info, chosen)
    language = chosen or of_log
    own = "" if _first(of_log) == ours else of_log
    is_default = _is_default(info.get("vocabulary", {}))
    return {
        "language": language,
        "own_language": "" if _first(language) == ours else ours,
        "direction": direction(language),
        "of_ours": Markup(' dir="{}"').format(direction(ours)),
        "of_log": _attributes(own),
        "of_types": _attributes("" if is_default else own),
        "of_definitions": _attributes(("" if ours == "en" else "en") if is_default else own),
        "of_source": lambda source: _attributes(str(source.get("language") or own)),
    }


def spoken(info: Mapping[str, Any], chosen: str = "") -> str:
    """Return the language of the interface: the chosen one, else the closest to the log's."""
    return chosen or translation.closest(str(info.get("language") or "en"))


def direction(language: str) -> str:
    """Return the direction in which a language is written, by its tag (BCP 47)."""
    first, *rest = language.lower().split("-")
    scripts = [part for part in rest if len(part) == 4 and part.isalpha()]
    if scripts:
        return "rtl" if scripts[0] in _LEFTWARD_SCRIPTS else "ltr"
    return "rtl" if first in _LEFTWARD_LANGUAGES else "ltr"


def isolated(text: str) -> str:
    """Return a text for a place where no element can stand, such as a tip.

    Characters that isolate it are put around a text that is written from right to left: nothing
    beside it changes the order of its words.
    """
    return f"\u2068{text}\u2069" if _has_leftward_letters(text) else text


def isolating(text: str, attributes: Markup, *pieces: str) -> Markup:
    """Return a text of ours as HTML, and isolate the pieces in it that are written leftward."""
    leftward = "|".join(re.escape(piece) for piece in pieces if _has_leftward_letters(piece))
    parts = re.split(f"({leftward})", text) if leftward else [text]
    return Markup().join(
        Markup("<bdi{}>{}</bdi>").format(attributes, part) if number % 2 else part
        for number, part in enumerate(parts)
    )


def _has_leftward_letters(text: str) -> bool:
    return any(unicodedata.bidirectional(letter) in ("R", "AL") for letter in text)


def _is_default(vocabulary: Mapping[str, Any]) -> bool:
    return stored(vocabulary).event_types == plover().event_types


def _first(language: str) -> str:
    return language.lower().partition("-")[0]


def _attributes(language: str) -> Markup:
    return Markup(' dir="auto" lang="{}"').format(language) if language else Markup(' dir="auto"')
