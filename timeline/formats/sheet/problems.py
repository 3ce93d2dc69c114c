"""Gather what is wrong with a sheet, so that a person can mend all of it at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from timeline.errors import InvalidInput, InvalidSheet


class Problems:
    """Gathers the errors of the cells and rows of a sheet."""

    def __init__(self) -> None:
        self._found: list[InvalidInput] = []

    @contextlib.contextmanager
    def gathered(self) -> Iterator[None]:
        """Keep an InvalidInput or InvalidSheet of the block, and go on behind the block."""
        try:
            yield
        except InvalidInput as error:
            self._found.append(error)
        except InvalidSheet as error:
            self._found.extend(error.problems)

    def __bool__(self) -> bool:
        """Return whether an error was gathered."""
        return bool(self._found)

    def check(self) -> None:
        """Raise the error that was gathered; InvalidSheet if there are several."""
        found = sorted({str(each): each for each in self._found}.values(), key=_line)
        if len(found) > 1:
            raise InvalidSheet(found)
        if found:
            raise found[0]


def _line(error: InvalidInput) -> int:
    return error.line or 0
