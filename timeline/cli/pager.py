"""Long output, page by page, as git shows it.

Guarantees: what fits on the screen is printed as it is, what is longer streams into the pager as
it is made. A pager that is missing, or left early, is no error. Nothing here changes a text.
"""

from __future__ import annotations

import contextlib
import io
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, TextIO, cast

from timeline.cli import output


def _command() -> list[str]:
    """The program to page with, and its options; empty for none."""
    chosen = os.environ.get("TIMELINE_PAGER", os.environ.get("PAGER", "less"))
    try:
        words = shlex.split(chosen)
    except ValueError:  # a quote without its other half
        return []
    return words if words and words != ["cat"] and shutil.which(words[0]) else []


@contextlib.contextmanager
def paged() -> Iterator[None]:
    """Whatever is printed meanwhile goes through a pager; stdout is a terminal."""
    pager = _command()
    if not pager or os.environ.get("TERM") == "dumb":
        yield
        return
    stream = _Paged(sys.stdout, pager)
    try:
        with contextlib.redirect_stdout(cast(TextIO, stream)):
            yield
    finally:
        stream.finish()


class _Paged(io.TextIOBase):
    """Holds back a screenful; what is longer goes to the pager, the beginning at once."""

    def __init__(self, terminal: TextIO, pager: list[str]) -> None:
        self._terminal = terminal
        self._pager = pager
        self._held = ""
        self._process: subprocess.Popen[str] | None = None
        self._to: IO[str] | None = None

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self._terminal.encoding

    def isatty(self) -> bool:
        """A terminal it is, as far as styles are concerned."""
        return True

    def fileno(self) -> int:
        return self._terminal.fileno()

    def write(self, text: str) -> int:
        if self._to:
            self._send(text)
        else:
            self._held += text
            if _is_longer_than_a_screen(self._held):
                self._to = self._started() or self._terminal
                self._send(self._held)
                self._to.flush()
        return len(text)

    def _started(self) -> IO[str] | None:
        """What the pager reads; None if it does not start."""
        environment = {"LESS": "FRX", "LV": "-c", **os.environ}
        if self.encoding.lower() == "utf-8":
            # Whatever the locale says: these are the bytes that the terminal would have got.
            environment.setdefault("LESSCHARSET", "utf-8")
        try:
            self._process = subprocess.Popen(  # noqa: S603
                self._pager,
                env=environment,
                stdin=subprocess.PIPE,
                encoding=self.encoding,
                errors=self._terminal.errors,
            )
        except OSError:
            return None
        return self._process.stdin

    def _send(self, text: str) -> None:
        try:
            cast(IO[str], self._to).write(text)
        except BrokenPipeError:
            # Whoever read has seen enough.
            raise SystemExit(0) from None

    def finish(self) -> None:
        """Print what was held back, or wait until the pager has been left."""
        if not self._to:
            self._terminal.write(self._held)
            self._terminal.flush()
        if self._process:
            with contextlib.suppress(BrokenPipeError):
                cast(IO[str], self._process.stdin).close()
            while self._process.returncode is None:
                with contextlib.suppress(KeyboardInterrupt):  # the pager's own business
                    self._process.wait()


def _is_longer_than_a_screen(text: str) -> bool:
    """Whether its first line would be gone once the prompt is back."""
    size = shutil.get_terminal_size()
    rows = (-(-output.columns(line) // size.columns) or 1 for line in text.splitlines())
    return sum(rows) >= size.lines
