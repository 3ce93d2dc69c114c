"""Fill a text with the cells of a row: "{kind} in {town} ({country})".

Guarantees: a text of which all cells are empty is empty. The marks beside an empty cell go with it:
": Sumy" becomes "Sumy", and "Sumy ()" too. Words beside it stay, unless they only join two cells.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

_IN_BRACES = re.compile(r"\{([^{}]+)\}")
_OPENING = re.compile(r"\s*[(\[<{«\u201c\u2018\"']\s*$")
_CLOSING = re.compile(r"^[^()\[\]<>]*?[)\]>}»\u201d\u2019\"']")


@dataclass(frozen=True)
class Template:
    """A template is a text with columns in braces."""

    text: str

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return the columns in their order."""
        return tuple(_IN_BRACES.findall(self.text))

    @cached_property
    def between(self) -> tuple[str, ...]:
        """Return the texts before, between and behind the columns."""
        return tuple(_IN_BRACES.split(self.text)[::2])

    def filled(self, cell: Callable[[str], str]) -> str:
        """Return the text with what `cell` gives for each column."""
        cells = [cell(column) for column in self.columns]
        if self.columns and not any(cells):
            return ""
        pieces = [*self.between]
        for place, text in enumerate(cells):
            if not text:
                self._drop(pieces, cells, place)
        said = "".join(piece + text for piece, text in zip(pieces, [*cells, ""], strict=True))
        return " ".join(said.split())

    def _drop(self, pieces: list[str], cells: list[str], place: int) -> None:
        """Take the marks beside an empty cell out of the pieces around it."""
        before, behind = pieces[place], pieces[place + 1]
        if _OPENING.search(before) and _CLOSING.search(behind):  # "({n} dead)"
            pieces[place] = _OPENING.sub("", before)
            pieces[place + 1] = _CLOSING.sub("", behind)
            return
        if any(cells[:place]):
            if not _has_words(before) or not any(cells[place + 1 :]):
                pieces[place] = ""
        elif not _has_words(pieces[0]) or not _has_words(behind):
            pieces[place + 1] = ""


def _has_words(text: str) -> bool:
    return any(character.isalnum() for character in text)
