"""The examples of README.md and docs/, run as a reader would, page by page.

Blocks of a page run in their order, in one folder:

* ``console``: commands behind ``$``, in a shell. What stands below one is what it prints; if
  nothing does, it must end well and print nothing on stderr.
* ``python``: cells of one notebook. A ``text`` block below one is what it prints, its last
  expression included.
* ``python scrape.py``, or any language with a name: a file of that name.

Run this module to write all that is printed anew (``...`` is enough to begin with).
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from running import CHECKOUT, environment

PAGES = [CHECKOUT / "README.md", *sorted((CHECKOUT / "docs").glob("*.md"))]
_FENCED = re.compile(r"(?ms)^```(?P<language>\w+)(?: (?P<name>\S+))?\n(?P<body>.*?)^```$")
_COMMAND = re.compile(r"(?m)^\$ (?P<command>(?:.*\\\n)*.*\n)(?P<output>(?:(?!\$ ).*\n)*)")
_GIVEN = {
    "README.md": {
        "events.jsonl": "\n".join(
            json.dumps({"title": title, "occurred": "May 2025"}) for title in ("A", "B")
        )
    }
}
"""Files that a page takes for granted."""


class Block(NamedTuple):
    """A fenced block and where its body stands in the page."""

    language: str
    name: str | None
    body: str
    start: int
    end: int


def blocks(text: str, language: str | None = None) -> list[Block]:
    """The fenced blocks of a page, of one language or of all that name one."""
    return [
        Block(found["language"], found["name"], found["body"], *found.span("body"))
        for found in _FENCED.finditer(text)
        if language in (None, found["language"])
    ]


def commands(text: str) -> list[str]:
    """The commands of the console blocks of a page."""
    return [
        found["command"]
        for block in blocks(text, "console")
        for found in _COMMAND.finditer(block.body)
    ]


def printed_anew(page: Path, folder: Path) -> str:
    """The text of a page with all that its examples print, from a run in an empty folder.

    Raises AssertionError for an example that fails and does not show it.
    """
    for name, content in _GIVEN.get(page.name, {}).items():
        (folder / name).write_text(content)
    shell = _shell(folder)
    cells: dict[str, Any] = {"__name__": page.name}
    text = page.read_text(encoding="utf-8")
    pieces, end = [], 0
    printed: str | None = None
    for block in blocks(text):
        body = block.body
        if block.name:
            (folder / block.name).write_text(body)
        elif block.language == "console":
            body = "".join(_run(found, folder, shell) for found in _COMMAND.finditer(body))
        elif block.language == "text" and printed is not None:
            body = printed
        is_cell = block.language == "python" and not block.name
        printed = _run_cell(page.name, body, folder, cells) if is_cell else None
        pieces += [text[end : block.start], body]
        end = block.end
    return "".join((*pieces, text[end:]))


def _shell(folder: Path) -> dict[str, str]:
    """The environment of a shell that finds `timeline` and `python`."""
    programs = folder / ".bin"
    programs.mkdir()
    for name, arguments in (("timeline", "-m timeline"), ("python", "")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
        program.chmod(0o755)
    known = environment()
    return {**known, "PATH": f"{programs}:{known['PATH']}"}


def _run(found: re.Match[str], folder: Path, shell: dict[str, str]) -> str:
    """A command with what it prints, if the page shows that."""
    command, shown = found["command"], found["output"]
    if re.match(r"timeline\b.* serve\b", command):  # would not end
        return found[0]
    done = subprocess.run(
        command,
        shell=True,
        cwd=folder,
        env=shell,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if shown else subprocess.PIPE,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    if not shown:
        assert (done.returncode, done.stderr) == (0, ""), command
        return found[0]
    assert done.returncode == 0 or "Error: " in done.stdout, command
    return f"$ {command}{_trimmed(done.stdout)}"


def _run_cell(name: str, code: str, folder: Path, namespace: dict[str, Any]) -> str:
    """What a cell prints; of its last line, if that is an expression, the value."""
    lines = ast.parse(code, name).body
    last = [lines.pop()] if isinstance(lines[-1], ast.Expr) else []
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()) as output:
        exec(compile(ast.Module(lines, []), name, "exec"), namespace)
        exec(compile(ast.Interactive(last), name, "single"), namespace)
    return _trimmed(output.getvalue())


def _trimmed(printed: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in printed.rstrip().split("\n"))


if __name__ == "__main__":
    for page in PAGES:
        with tempfile.TemporaryDirectory() as folder:
            page.write_text(printed_anew(page, Path(folder)), encoding="utf-8")
