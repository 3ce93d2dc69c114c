"""Check the settings of a mapping, each with the place where it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from timeline.errors import InvalidInput
from timeline.model import hints


def check_names(where: str, said: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise InvalidInput for a name that is not known, with the nearest one."""
    for name in said:
        if name not in known:
            near = hints.nearest(name, known)
            hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
            raise InvalidInput(f"{where}.{name}".strip("."), f"is not a setting: {hint}")


def check_texts(where: str, said: Mapping[str, Any], names: Sequence[str]) -> None:
    """Raise InvalidInput for a setting that is no text, or an empty one."""
    for name in names:
        if name in said and (not isinstance(said[name], str) or not said[name]):
            raise InvalidInput(f"{where}.{name}", "must be text")


def texts(where: str, said: Any, what: str) -> tuple[str, ...]:
    """Return the texts of a setting that is one text or a list of texts. Raises InvalidInput."""
    several = [said] if isinstance(said, str) else said
    if not are_texts(several):
        raise InvalidInput(where, f"must be {what}, or a list")
    return tuple(several)


def are_texts(value: Any) -> bool:
    """Tell whether a value is a list of texts that are not empty."""
    return isinstance(value, list) and all(isinstance(item, str) and item for item in value)
