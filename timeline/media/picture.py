"""Define what the readers of all types of pictures share."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Picture(NamedTuple):
    """A picture without its metadata, and its size in pixels; None for what is no picture."""

    body: bytes
    width: int | None
    height: int | None


class CutOff(Exception):
    """The bytes of a picture end too early, or are not what its type says."""


class Bytes:
    """Reads the bytes of a file one after the other."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self._content = content
        self.at = at
        """The position of the next byte."""

    @property
    def is_at_end(self) -> bool:
        """Return whether all bytes were read."""
        return self.at >= len(self._content)

    def take(self, count: int) -> bytes:
        """Return the next bytes. Raises CutOff if there are fewer."""
        end = self.at + count
        if count < 0 or end > len(self._content):
            raise CutOff
        found = self._content[self.at : end]
        self.at = end
        return found

    def number(self, count: int, order: Literal["big", "little"] = "big") -> int:
        """Return the number that the next bytes are, big or little end first."""
        return int.from_bytes(self.take(count), order)
