"""Read and change the values at paths into a content.

A path is an RFC 6901 pointer (``/quantities/0/value``), or its steps with dots between them
(``quantities.0.value``). The step ``-`` is the position after the last item of a list.
Guarantees: contents and values that are given are never altered. Knows nothing of models.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

from timeline.errors import InvalidInput

Changes = Mapping[str, Any] | Sequence[tuple[str, Any]]
"""New values by path; pairs if one path, such as ``tags.-``, comes more than once."""

_GONE: Any = object()
"""Replaces an item that is taken out, so that the others keep their numbers until the end."""


def steps(path: str) -> list[str]:
    """Split a path into its steps, unescaped. Raises InvalidInput if a step is empty."""
    if path.startswith("/"):
        parts = [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]
    else:
        parts = path.split(".")
    if not all(parts):
        raise InvalidInput("", f'"{path}" is not a path: write one such as place.name')
    return parts


def value_at(content: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path, or None if there is none.

    Raises InvalidInput if a step of the path is empty.
    """
    here: Any = content
    for step in steps(path):
        if isinstance(here, list) and step.isdecimal() and int(step) < len(here):
            here = here[int(step)]
        elif isinstance(here, Mapping):
            here = here.get(step)
        else:
            return None
    return here


def changed(content: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Return a copy of `content` with the value at each path replaced; None and "" remove it.

    Paths number the items of a list as they are before the changes. Missing objects and lists
    on a path are made. Raises InvalidInput, naming the path, for a step that leads nowhere, and
    for a content that is nested too deeply.
    """
    result = copy.deepcopy(dict(content))
    path = ""
    try:
        for path, value in changes.items() if isinstance(changes, Mapping) else changes:
            _put(result, path, steps(path), None if value == "" else copy.deepcopy(value))
        left: dict[str, Any] = _without_gone(result)
    except RecursionError:
        raise InvalidInput(path, "is nested too deeply") from None
    return left


def _without_gone(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_gone(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_gone(item) for item in value if item is not _GONE]
    return value


def _put(whole: dict[str, Any], path: str, way: list[str], value: object) -> None:
    here: Any = whole
    for number, step in enumerate(way):
        last = number == len(way) - 1
        if isinstance(here, list):
            index = _index(path, step, here)
            if last and value is None:
                here[index : index + 1] = [_GONE] * (index < len(here))
                return
            if index == len(here):
                here.append(None)
            key: Any = index
        elif isinstance(here, dict):
            key = step
            if last and value is None:
                here.pop(key, None)
                return
        else:
            raise InvalidInput(path, "leads nowhere: what stands before it has no fields")
        if last:
            here[key] = value
            return
        if isinstance(here, dict):
            here.setdefault(key, None)
        if here[key] is None:
            here[key] = [] if way[number + 1] == "-" or way[number + 1].isdecimal() else {}
        here = here[key]


def _index(path: str, step: str, items: list[Any]) -> int:
    if step == "-":
        return len(items)
    if not re.fullmatch(r"0|[1-9][0-9]{0,8}", step) or int(step) > len(items):
        known = f"0 to {len(items) - 1}" if items else "none yet"
        raise InvalidInput(path, f'there is no item "{step}": the items are {known}; - adds one')
    return int(step)
