"""Remove from a page of HTML the passages that its readers do not see.

Guarantees: a passage is removed if a browser hides it because of the attribute `hidden`, or of a
`style` attribute that says so: `display`, `visibility`, `opacity`, `font-size` or `font`. So is a
`<template>`, which no browser shows, and a `<script>`, which is not counted: the JSON-LD in it may
hold another article than the page. A part that is shown again within a hidden passage stays
where CSS allows that.

Does not read style sheets, scripts, colours or places on the page. `aria-hidden` hides nothing from
people who read with their eyes, so these passages stay.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

_COMMENT = re.compile(r"/\*.*?(?:\*/|$)", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:([0-9a-fA-F]{1,6})[ \t\r\n\f]?|(.))", re.DOTALL)
_IMPORTANT = re.compile(r"!\s*important$")
_ZERO = re.compile(r"[+-]?(?:0+\.?0*|\.0+)(?:e[+-]?\d+)?(?:%|[a-z]+)?")
_TINY = re.compile(r"\+?(?:[01](?:\.0*)?|0*\.\d+)(?:px|pt)")
"""A length of at most 1 px or pt, in which nobody can read."""
_RELATIVE = re.compile(r"inherit|unset|smaller|larger|[+-]?[\d.]+(?:%|em|ex|ch)")
"""A size that stays zero if the size around it is zero."""


_WIDE = r"inherit|initial|unset|revert|revert-layer"
_SIZE = r"\+?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?(?:%|[a-z]+)?"
_VALID = {
    name: re.compile(rf"{values}|{_WIDE}")
    for name, values in {
        "display": r"(?:none|contents|block|inline|flow|flow-root|flex|grid|table|list-item|ruby"
        r"|inline-[a-z]+|table-[a-z-]+|ruby-[a-z-]+|run-in|math| )+",
        "visibility": "visible|hidden|collapse",
        "opacity": r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?%?",
        "font-size": rf"{_SIZE}|(?:xx?-|xxx-)?(?:small|large)|medium|smaller|larger|math",
        "font": rf".*(?:^| ){_SIZE}(?: ?/ ?\S+)? \S.*",
    }.items()
}
"""Which values of a property a browser accepts; it reads a style as if any other were not there."""


class _State(NamedTuple):
    """Holds what an element inherits: the passage that hides it, for each of two reasons."""

    invisible: list[bool] | None = None
    """The passage that `visibility` hides; None if it hides nothing here."""
    tiny: list[bool] | None = None
    """The passage that the size of the font hides; None if it hides nothing here."""


def remove_hidden(tree: Any) -> int:
    """Remove the hidden passages from an lxml tree; return how many of them had words."""
    passages: list[list[bool]] = []
    waiting = [(tree, _State())]
    while waiting:
        element, around = waiting.pop()
        if not isinstance(element.tag, str):  # a comment
            continue
        style = _declarations(element.get("style", ""))
        if _is_gone(element, style):
            has_words = element.tag != "script" and _has_words("".join(element.itertext()))
            passages.append([has_words])
            _drop(element)
            continue
        state = _State(
            _inherited(around.invisible, _visibility(style), passages),
            _inherited(around.tiny, _has_tiny_font(style), passages),
        )
        children = [*element]
        if passage := state.invisible or state.tiny:
            words = [element.text, *(child.tail for child in children)]
            passage[0] = passage[0] or _has_words("".join(filter(None, words)))
            element.text = None
            for child in children:
                child.tail = None
        waiting += [(child, state) for child in children]
    return sum(passage[0] for passage in passages)


def _inherited(
    around: list[bool] | None, hides: bool | None, passages: list[list[bool]]
) -> list[bool] | None:
    """Return the passage in which an element is, a new one if it hides itself; None if shown."""
    if hides is None:
        return around
    if not hides:
        return None
    if around is None:
        passages.append(around := [False])
    return around


def _is_gone(element: Any, style: Mapping[str, str]) -> bool:
    """Tell whether an element is hidden with everything in it, whatever that says."""
    display = style.get("display", "none" if "hidden" in element.attrib else "")
    return (
        element.tag in ("template", "script")
        or display == "none"
        or re.fullmatch(rf"-.+|{_ZERO.pattern}", style.get("opacity", "")) is not None
    )


def _visibility(style: Mapping[str, str]) -> bool | None:
    """Tell whether a style hides by `visibility`; None if it leaves that as it is."""
    return {"hidden": True, "collapse": True, "visible": False, "initial": False}.get(
        style.get("visibility", "")
    )


def _has_tiny_font(style: Mapping[str, str]) -> bool | None:
    """Tell whether a style makes the font too small to be seen; None if it says nothing of it."""
    size = style.get("font-size", "inherit")
    if _RELATIVE.fullmatch(size) and not _ZERO.fullmatch(size):
        return None
    return bool(_ZERO.fullmatch(size) or _TINY.fullmatch(size))


def _declarations(style: str) -> dict[str, str]:
    """Return the value of each property that can hide, in lower case: the one that counts.

    A later one counts more, and one that is important more than any other. The size in `font`
    becomes that of `font-size`.
    """
    found: dict[str, str] = {}
    important: dict[str, str] = {}
    for declaration in _COMMENT.sub("", style).split(";"):
        name, _, value = _ESCAPE.sub(_unescaped, declaration).lower().partition(":")
        name, value = name.strip(), " ".join(value.split())
        plain = _IMPORTANT.sub("", value).strip()
        if name in _VALID and _VALID[name].fullmatch(plain):
            said = found if plain == value else important
            if name == "font":
                name = "font-size"
                plain = plain if re.fullmatch(_WIDE, plain) else _size(plain)
            said[name] = plain
    return found | important


def _size(font: str) -> str:
    """Return the size in a value of `font`: what is before the family, without a line height."""
    sizes = (word.partition("/")[0] for word in font.split(" "))
    return next(
        (
            size
            for size in sizes
            if re.fullmatch(_SIZE, size) and not re.fullmatch(r"[1-9]\d*", size)  # a weight
        ),
        "medium",
    )


def _unescaped(match: re.Match[str]) -> str:
    if match[2]:
        return match[2]
    code = int(match[1], 16)
    return chr(code) if 0 < code < 0x110000 else "\ufffd"


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text))


def _drop(element: Any) -> None:
    """Remove an element with its content, and keep the text after it."""
    parent = element.getparent()
    if parent is None:
        element.text = None
        element[:] = []
        return
    before = element.getprevious()
    if element.tail and before is None:
        parent.text = (parent.text or "") + element.tail
    elif element.tail:
        before.tail = (before.tail or "") + element.tail
    parent.remove(element)
