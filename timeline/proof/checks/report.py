"""The report of a verification: it lists what was found, and what could not be checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

OnProgress = Callable[[str, int], object]
"""A function that is called with a part ("log", "tables") and a count of entries."""

_SHOWN = 100
"""Findings of one kind that are listed, at most; others are only counted."""


class Finding(NamedTuple):
    """A finding is one thing that is wrong in a file."""

    what: str
    """The kind of check, such as "leaf" or "table events"."""
    where: str
    """The entry, such as "#41", or the key of a row."""
    expected: str
    found: str


@dataclass
class Report:
    """A report has the main facts about a file, and everything that is wrong in it."""

    origin: str = ""
    size: int = 0
    """Number of entries in the log."""
    root: bytes = b""
    erased: int = 0
    """Number of entries whose payload was erased."""
    checkpoints: int = 0
    signed: int = 0
    """Number of entries that the newest checkpoint covers."""
    texts: int = 0
    media: int = 0
    """Number of attached files in this file."""
    media_absent: int = 0
    """Number of files that events show now, which are not in this file and were not erased."""
    texts_absent: int = 0
    """Number of texts of sources that are not in this file: left out, or erased."""
    findings: list[Finding] = field(default_factory=list)
    unlisted: int = 0
    """Number of findings that are not listed in `findings`."""
    unnoticed: list[str] = field(default_factory=list)
    """Sentences about what this verification could not check."""

    def add(self, what: str, where: object, expected: object, found: object) -> None:
        """Add a finding, or only count it if there are many of its kind."""
        if sum(known.what == what for known in self.findings) < _SHOWN:
            self.findings.append(Finding(what, str(where), str(expected), str(found)))
        else:
            self.unlisted += 1


def text_of(raw: bytes) -> str:
    """Decode bytes for display; bytes that are not UTF-8 are escaped."""
    return raw.decode("utf-8", "backslashreplace")
