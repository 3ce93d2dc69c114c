"""Compare two contents of an event or a source, field by field.

Guarantees: pure functions of the bytes in the log. Items of a list that only moved because
another item came or went are not reported. Contents are the JSON of payloads, not models.

Knows neither database nor clock.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from timeline.projection.fold import StoredContent

_encode = json.JSONEncoder(ensure_ascii=False).encode


class FieldChange(NamedTuple):
    """A field that differs: `path` is an RFC 6901 pointer; a value is text, or JSON."""

    path: str
    old_value: str | None
    new_value: str | None


def differences(old: StoredContent, new: StoredContent) -> list[FieldChange]:
    """List what changed between two contents, field by field.

    Items of a list that only moved because another came or went are not listed. The indexes in
    a pointer count in `new`; in the pointer to an item that is gone they count in `old`.
    """
    return list(_compare("", old, new))


def _compare(path: str, old: object, new: object) -> Iterator[FieldChange]:
    if old == new:
        return
    if isinstance(old, Mapping | None) and isinstance(new, Mapping | None):
        old, new = old or {}, new or {}
        for key in dict.fromkeys((*old, *new)):
            step = str(key).replace("~", "~0").replace("/", "~1")
            yield from _compare(f"{path}/{step}", old.get(key), new.get(key))
    elif isinstance(old, list | None) and isinstance(new, list | None):
        yield from _compare_lists(path, old or [], new or [])
    else:
        yield FieldChange(path, _as_text(old), _as_text(new))


def _compare_lists(path: str, old: list[Any], new: list[Any]) -> Iterator[FieldChange]:
    import difflib  # most events never change

    # With 200 items or more, autojunk keeps items that occur very often from taking minutes.
    matcher = difflib.SequenceMatcher(
        None, [_as_text(item) for item in old], [_as_text(item) for item in new], autojunk=True
    )
    for operation, old_from, old_to, new_from, new_to in matcher.get_opcodes():
        if operation == "equal":
            continue
        paired = min(old_to - old_from, new_to - new_from)
        for step in range(paired):
            yield from _compare(
                f"{path}/{new_from + step}", old[old_from + step], new[new_from + step]
            )
        for index in range(old_from + paired, old_to):
            yield FieldChange(f"{path}/{index}", _as_text(old[index]), None)
        for index in range(new_from + paired, new_to):
            yield FieldChange(f"{path}/{index}", None, _as_text(new[index]))


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _encode(value)
