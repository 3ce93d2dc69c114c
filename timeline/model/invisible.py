"""Find the characters of a text that nobody sees, and put names into one form without them.

Guarantees: these are pure functions of a text. Scripts that need joiners, and emoji, keep them.
"""

import re
import unicodedata
from collections.abc import Iterator

from timeline.model.patterns import lazy_pattern

_DROPPED = dict.fromkeys((0x00AD, 0x200B, 0x2060, 0xFEFF))
"""The soft hyphen, and the characters without width that join and separate words."""
_JOINERS_AT_AN_EDGE = lazy_pattern("(?<![^\\s])[\u200c\u200d]+|[\u200c\u200d]+(?![^\\s])")
"""Joiners at an end or beside a blank, where they join nothing."""
_CHANGED = lazy_pattern("[\u00ad\u200b-\u200d\u2060\ufeff]")
_JOINS_NONE = ("LATIN", "CYRILLIC", "GREEK", "DIGIT")
"""The beginnings of the names of letters and digits that are never joined."""
_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]+\U000e007f"
"""A flag such as that of Scotland is written in the tags that are refused elsewhere."""
_DECEIVES = "[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
_MAY_DECEIVE = lazy_pattern(_DECEIVES)
_DECEIVING = lazy_pattern(f"{_FLAG}|({_DECEIVES})")


def one_form(name: str) -> str:
    """Return a name composed (NFC), and without characters that nobody sees.

    one_form(one_form(name)) == one_form(name).
    """
    if has_one_form(name):
        return name.strip()
    without = _JOINERS_AT_AN_EDGE.sub("", name.translate(_DROPPED))
    return unicodedata.normalize("NFC", without).strip()


def has_one_form(name: str) -> bool:
    """Tell whether a name is in one form already, but for blanks at its ends."""
    return name.isascii() or (not _CHANGED.search(name) and unicodedata.is_normalized("NFC", name))


def without(text: str) -> str:
    """Return a text without the characters that nobody sees, to recognize a word of ours."""
    if text.isascii():
        return text
    return "".join(each for each in text if not _is_hidden(each))


def blanked(text: str) -> str:
    """Return a text of the same length, with a blank for each character that nobody sees."""
    if text.isascii():
        return text
    return "".join(" " if _is_hidden(each) else each for each in text)


def hidden(text: str) -> str:
    """Return the first character that nobody sees, but for joiners; an empty text if none is."""
    if text.isascii():
        return ""
    return next((each for each in text if _is_hidden(each) and each not in "\u200c\u200d"), "")


def idle_joiner(text: str) -> str:
    """Return the first joiner beside a letter of a script that joins none; "" if there is none."""
    for place, each in enumerate(text):
        if each in "\u200c\u200d":
            beside = text[max(0, place - 1) : place] + text[place + 1 : place + 2]
            if any(unicodedata.name(letter, "").startswith(_JOINS_NONE) for letter in beside):
                return each
    return ""


def deceiving(text: str) -> str | None:
    """Return the first character that nobody sees and that changes what is seen, or None.

    It turns the direction of the text, or is a tag, which only programs read.
    """
    if not _MAY_DECEIVE.search(text):
        return None
    return next((found[1] for found in _DECEIVING.finditer(text) if found[1]), None)


def marked(text: str) -> str:
    """Return a text in which every deceiving character is shown as its number: [U+202E]."""
    return _DECEIVING.sub(lambda found: f"[{code(found[1])}]" if found[1] else found[0], text)


def pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Yield the pieces of a text in order, and whether one is a character that nobody sees.

    Such a character is a piece of its own. Joiners, and the flags written in tags, are seen.
    """
    if text.isascii():
        yield text, False
        return
    flags = {at for found in re.finditer(_FLAG, text) for at in range(*found.span())}
    start = 0
    for at, character in enumerate(text):
        if _is_hidden(character) and character not in "\u200c\u200d" and at not in flags:
            if start < at:
                yield text[start:at], False
            yield character, True
            start = at + 1
    if start < len(text):
        yield text[start:], False


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) == "Cf"


def code(character: str) -> str:
    """Return the number of a character as Unicode writes it: U+202E."""
    return f"U+{ord(character):04X}"


def named(character: str) -> str:
    """Return the number and the name of a character: "U+202E (RIGHT-TO-LEFT OVERRIDE)"."""
    return f"{code(character)} ({unicodedata.name(character, 'without a name')})"
