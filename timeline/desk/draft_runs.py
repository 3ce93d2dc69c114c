"""Let a model draft proposals for an article, in a process beside the desk.

Guarantees: the desk never waits for it; one article has one run at a time; a run that is still
going when the desk ends is ended.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from typing import IO

from timeline.model import clock

_LONGEST_OUTPUT = 4_000
"""Characters at the end of what a run wrote that are looked at for its last line."""


class DraftRun:
    """One run of `timeline draft`, which may have ended."""

    def __init__(self, path: Path, source_id: str, model: str) -> None:
        self.model = model
        self.started: datetime = clock.now()
        self._output: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115
        command = [sys.executable, "-m", "timeline", "-d", str(path)]
        self._process = subprocess.Popen(  # noqa: S603 - it is this program
            [*command, "draft", "-m", model, "--", source_id],
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=subprocess.STDOUT,
        )

    @property
    def is_running(self) -> bool:
        """Tell whether the run is still going."""
        return self._process.poll() is None

    @property
    def has_failed(self) -> bool:
        """Tell whether the run has ended with an error."""
        return bool(self._process.poll())

    @property
    def lines(self) -> list[str]:
        """Return the last lines that the run has written, oldest first."""
        # The process writes through a descriptor of its own file position: reading at an offset
        # moves neither.
        size = os.fstat(self._output.fileno()).st_size
        start = max(0, size - _LONGEST_OUTPUT)
        text = os.pread(self._output.fileno(), _LONGEST_OUTPUT, start).decode("utf-8", "replace")
        return [line for line in text.splitlines() if line.strip()]

    def end(self) -> None:
        """End the run, if it is still going."""
        if self.is_running:
            self._process.terminate()
        self._process.wait()
        self._output.close()


class DraftRuns:
    """The runs of one desk, the newest of each article."""

    def __init__(self) -> None:
        self._runs: dict[str, DraftRun] = {}
        atexit.register(self.close)

    def of(self, source_id: str) -> DraftRun | None:
        """Return the newest run for an article; None if there was none."""
        return self._runs.get(source_id)

    def start(self, path: Path, source_id: str, model: str) -> bool:
        """Start a run for an article; return False if one is going already."""
        before = self._runs.get(source_id)
        if before and before.is_running:
            return False
        if before:
            before.end()
        self._runs[source_id] = DraftRun(path, source_id, model)
        return True

    def close(self) -> None:
        """End all runs that are still going."""
        for run in self._runs.values():
            run.end()
        self._runs.clear()
