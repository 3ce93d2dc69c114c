"""Programs in a terminal of their own, as a person at the keyboard finds them."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Any

import pexpect
from running import environment

PATIENCE = 30


def command_folder(folder: Path) -> Path:
    """A folder with a `timeline` that runs this checkout, to go on the PATH."""
    program = folder / "bin" / "timeline"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m timeline "$@"\n')
    program.chmod(0o755)
    return program.parent


def terminal(program: str, *arguments: object, cwd: Path, columns: int = 80, **env: str) -> Any:
    """A program in a terminal of 40 lines."""
    return pexpect.spawn(
        program,
        [str(argument) for argument in arguments],
        cwd=str(cwd),
        env=environment(TERM="xterm", HISTFILE="/dev/null", **{"COLUMNS": str(columns), **env}),
        encoding="utf-8",
        timeout=PATIENCE,
        dimensions=(40, columns),
    )
