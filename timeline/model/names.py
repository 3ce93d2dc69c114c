"""Fold names to compare them, and make the ids of actors that are known by name only.

Guarantees: these are pure functions of a text. Entries and tables hold their results, so the
result for a name never changes.
"""

import hashlib
import re
import unicodedata
from functools import lru_cache

OWN_LETTERS = str.maketrans(
    {
        "Ł": "L", "ł": "l", "Ø": "O", "ø": "o", "Đ": "D", "đ": "d", "Ð": "D", "ð": "d",
        "Ħ": "H", "ħ": "h", "Ŧ": "T", "ŧ": "t", "\u0131": "i", "Æ": "AE", "æ": "ae", "Œ": "OE",
        "œ": "oe", "ẞ": "SS", "ß": "ss", "Þ": "Th", "þ": "th", "Ə": "E", "ə": "e",
    }
)  # fmt: skip
"""Maps letters that Unicode does not decompose to the letters people type instead."""

_VOICED = "\u3099\u309a"
"""The marks by which Japanese names differ: they are letters there, as in Gato and Kato."""


@lru_cache(maxsize=10_000)
def fold(text: str) -> str:
    """Return the form in which names are compared: no case, no diacritics, single blanks.

    Characters that nobody sees are left out.

    fold(fold(text)) == fold(text).
    """
    decomposed = unicodedata.normalize("NFKD", text)
    letters = "".join(each for each in decomposed if _is_kept(each))
    return " ".join(letters.casefold().split())


def _is_kept(character: str) -> bool:
    """Tell whether a character tells names apart: no accent does, and none that nobody sees."""
    if unicodedata.combining(character):
        return character in _VOICED
    return unicodedata.category(character) != "Cf"


@lru_cache(maxsize=10_000)
def actor_id_of(name: str) -> str:
    """Return the id of an actor that is known by name only: readable, and always the same.

    Names that fold alike have the same id.
    """
    key = fold(name)
    plain = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40]
    digest = hashlib.sha256(key.encode()).hexdigest()[:8]
    return f"{slug}-{digest}" if slug else f"actor-{digest}"
