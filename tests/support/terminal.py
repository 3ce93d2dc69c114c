"""What a terminal must never be sent, and what a command writes to one."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
from pathlib import Path
from typing import Any

from running import PROGRAM, environment

HOSTILE_TITLE = "\x1b[31mred\x1b[0m \x9b5n \u202egnihton\u202c \u2066x\u2069\x07\x7f"


def forbidden(text: str) -> list[str]:
    """Controls other than line feed, and whatever turns the direction of a text."""
    return _FORBIDDEN.findall(text)


_FORBIDDEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def strings(value: Any) -> Any:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def on_a_terminal(*arguments: object, cwd: Path) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, *map(str, arguments)], cwd=cwd, env=environment(PAGER="cat"), stdout=theirs
    ) as running:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # the terminal is closed at the other end
            while select.select([ours], [], [], 30)[0] and (piece := os.read(ours, 65536)):
                shown += piece
    os.close(ours)
    assert running.returncode == 0
    return shown.decode()


def conversation(*arguments: object, answers: str, cwd: Path) -> tuple[int, str]:
    """The exit code of a command on a terminal, and what the terminal shows: answers too."""
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*PROGRAM, *map(str, arguments)],
        cwd=cwd,
        env=environment(PAGER="cat"),
        **dict.fromkeys(("stdin", "stdout", "stderr"), theirs),
    ) as running:
        os.close(theirs)
        os.write(ours, answers.encode())
        shown = b""
        with contextlib.suppress(OSError):  # the terminal is closed at the other end
            while select.select([ours], [], [], 30)[0] and (piece := os.read(ours, 65536)):
                shown += piece
    os.close(ours)
    return running.returncode, " ".join(shown.decode().split())
