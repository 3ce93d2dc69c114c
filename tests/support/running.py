"""Running `timeline` in tests: in this process, or as the process that a user starts."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from timeline.cli import cli

CHECKOUT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "timeline")


def run(
    *arguments: object,
    input: str | bytes | None = None,
    columns: int = 80,
    env: Mapping[str, str | None] | None = None,
) -> Result:
    """What a command does and prints, in this process."""
    return CliRunner().invoke(
        cli,
        [str(argument) for argument in arguments],
        input=input,
        env={
            "COLUMNS": str(columns),
            "TIMELINE_DB": None,
            "TIMELINE_AUTHOR": None,
            **(env or {}),
        },
        prog_name="timeline",
    )


def done(*arguments: object, **settings: Any) -> str:
    """What a command prints that must end well."""
    result = run(*arguments, **settings)
    assert result.exit_code == 0, result.output
    return result.stdout


def one_line(result: Result | subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr of a refusal, without "Error: "."""
    code = result.exit_code if isinstance(result, Result) else result.returncode
    assert code == 1, result.stdout + result.stderr
    assert result.stdout == ""
    assert result.stderr.startswith("Error: ")
    assert result.stderr.count("\n") == 1
    return result.stderr.removeprefix("Error: ").removesuffix("\n")


def environment(**changes: str) -> dict[str, str]:
    """The environment of a process that runs this checkout, installed or not."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("TIMELINE_", "LC_", "LANG", "PYTHON"))
    }
    return {**kept, "PYTHONPATH": str(CHECKOUT), "LANG": "C.UTF-8", "COLUMNS": "80", **changes}


def process(
    *arguments: object, cwd: Path, env: Mapping[str, str] | None = None, **settings: Any
) -> subprocess.CompletedProcess[str]:
    """What a command does and prints, as a process of its own."""
    return subprocess.run(
        [*PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env=env or environment(),
        encoding="utf-8",
        timeout=60,
        check=False,
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **settings},
    )


def dump(path: Path) -> list[str]:
    """All that a database holds, as SQL; nothing is written to the file."""
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return [*connection.iterdump()]


def entries(path: Path) -> list[tuple[Any, ...]]:
    """The log, row by row."""
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute("SELECT * FROM log ORDER BY seq").fetchall()


def widest(text: str) -> int:
    """Columns of the widest line of a text, on a terminal that knows Unicode."""
    return max(sum(map(_columns, line)) for line in text.split("\n"))


def _columns(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
