"""Tell files that `append` cannot read as events, and say which command or option reads them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import IO

import click

_SHEETS = {".csv": "--csv", ".tsv": "--tsv", ".tab": "--tsv"}
_WORKBOOKS = (".xlsx", ".xlsm", ".ods")
_BEGINNING = 4096
"""Bytes of a file that are looked at."""


def check_kind(file: IO[bytes], *, is_sheet: bool, is_lines: bool) -> None:
    """Raise UsageError for a file that is not what the options of append say, and name the way.

    Only a named file is looked at, and by its name and first bytes.
    """
    name = str(getattr(file, "name", "-"))
    if name in ("-", "<stdin>") or not file.seekable():
        return
    beginning = file.read(_BEGINNING)
    file.seek(0)
    start = beginning.lstrip(b"\xef\xbb\xbf \t\r\n")
    suffix, is_json = Path(name).suffix.lower(), start[:1] in (b"{", b"[")
    if suffix in _WORKBOOKS and not is_sheet:
        raise click.UsageError(f"{name} is a workbook: timeline import sheet {name}")
    if re.match(rb'\{"envelope": ?"', start):
        raise click.UsageError(f"{name} is an export of a timeline: timeline import jsonl {name}")
    if suffix in _SHEETS and not (is_sheet or is_lines or is_json) and start:
        raise click.UsageError(f"{name} is a sheet: add {_SHEETS[suffix]}")
    has_lines = re.match(rb"\{[^\r\n]*\}\s*[\r\n]\s*\{", start)
    if suffix in (".jsonl", ".ndjson") and has_lines and not (is_sheet or is_lines):
        raise click.UsageError(f"{name} has an event on each line: add --nl")
