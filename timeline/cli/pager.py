"""Long output is shown page by page, as git does.

Guarantees: output that fits on the screen is printed as it is; longer output streams into the
pager while it is made. A pager that is missing, or is quit early, is no error. Nothing here
changes a text.
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
    """Return the pager and its options; an empty list means no pager."""
    chosen = os.environ.get("TIMELINE_PAGER", os.environ.get("PAGER", "less"))
    try:
        words = shlex.split(chosen)
    except ValueError:  # an opening quote without a closing one
        return []
    return words if words and words != ["cat"] and shutil.which(words[0]) else []


@contextlib.contextmanager
def paged() -> Iterator[None]:
    """Send what is printed inside the block through a pager; stdout must be a terminal."""
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
    """A stdout that holds back one screenful; if more comes, all of it goes to the pager."""

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
        """Return True, so that click keeps the styles."""
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
        """Start the pager, and return the stream that it reads; None if it does not start."""
        environment = {"LESS": "FRX", "LV": "-c", **os.environ}
        if self.encoding.lower() == "utf-8":
            # Otherwise less shows UTF-8 as escapes if the locale names another encoding.
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
            # The person has quit the pager.
            raise SystemExit(0) from None

    def finish(self) -> None:
        """Print what was held back, or wait until the person quits the pager."""
        if not self._to:
            self._terminal.write(self._held)
            self._terminal.flush()
        if self._process:
            with contextlib.suppress(BrokenPipeError):
                cast(IO[str], self._process.stdin).close()
            while self._process.returncode is None:
                with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C is for the pager
                    self._process.wait()


def _is_longer_than_a_screen(text: str) -> bool:
    """Tell whether the first line would scroll away before the prompt is back."""
    size = shutil.get_terminal_size()
    rows = (-(-output.columns(line) // size.columns) or 1 for line in text.splitlines())
    return sum(rows) >= size.lines
