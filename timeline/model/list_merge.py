"""Merge two changes of one list: that of a person, and that of somebody else meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def merged(mine: Sequence[T], old: Sequence[T], current: Sequence[T]) -> list[T]:
    """Return `mine`, which a person made of `old`, on top of `current`.

    What somebody else has added to `old` is kept, behind the person's own items; what somebody
    else has removed is not added again.
    """
    items = [item for item in mine if item in current or item not in old]
    items += [item for item in current if item not in old and item not in items]
    return items
