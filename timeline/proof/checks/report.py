"""What a verification found, and what it could not have seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

OnProgress = Callable[[str, int], object]
"""Called with a part ("log", "tables") and a count of entries."""

_SHOWN = 100
"""Findings of one kind that are told apart; the rest are counted."""


class Finding(NamedTuple):
    """One thing that does not hold."""

    what: str
    """What was checked, such as "leaf" or "table events"."""
    where: str
    """Such as "#41", or the key of a row."""
    expected: str
    found: str


@dataclass
class Report:
    """What a file says, and what does not hold."""

    origin: str = ""
    size: int = 0
    """Entries in the log."""
    root: bytes = b""
    erased: int = 0
    """Entries whose payload was taken out."""
    checkpoints: int = 0
    signed: int = 0
    """Entries that the newest checkpoint covers."""
    texts: int = 0
    texts_absent: int = 0
    """Texts of sources that are not in this file: left out of it, or erased."""
    findings: list[Finding] = field(default_factory=list)
    unlisted: int = 0
    """Findings beyond those in `findings`."""
    unnoticed: list[str] = field(default_factory=list)
    """What this check could not have seen, in sentences."""

    def add(self, what: str, where: object, expected: object, found: object) -> None:
        """Keep a finding, or count it if there are many of the kind."""
        if sum(known.what == what for known in self.findings) < _SHOWN:
            self.findings.append(Finding(what, str(where), str(expected), str(found)))
        else:
            self.unlisted += 1


def text_of(raw: bytes) -> str:
    """Bytes of text as they can be shown."""
    return raw.decode("utf-8", "backslashreplace")
