"""Functions that print for people and programs: safe text, layout, receipts, JSON.

Guarantees: no text of a log reaches the terminal as a command. Control characters, bidi controls
and lone surrogates are shown as escapes, in JSON as the escapes of JSON. No line that is laid out
here is wider than the terminal; a Chinese character takes two columns, an accent none.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
import textwrap
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from typing import Any

import click

from timeline.cli.options import is_dry_run
from timeline.formats import prose
from timeline.writing.receipt import Receipt

_HARMFUL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, C1
    "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff"  # bidi controls, line separators, BOM
    "\ud800-\udfff]"  # lone surrogates: Python reads bytes that are not UTF-8 as these
)
_UNSEEN = re.compile("[\xad\u200b\u2060\U000e0000-\U000e007f]")
_STYLES = re.compile("(\x1b\\[(?:[012]|0;3[136])m)")
"""The codes that `bold`, `dim` and `coloured` put around a text, in a group to split a text by."""
RED, YELLOW, CYAN = 31, 33, 36

_SEPARATE = "  "
GAP = len(_SEPARATE)
"""Blanks between two columns of a table."""
_WIDEST = 180
"""Columns of a table, at most: a reader's eye does not find the next line across more."""


def printable(text: str) -> str:
    """Escape in a text everything that a terminal would obey."""
    return _HARMFUL.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code > 0xFFFF:
        return f"\\U{code:08x}"
    return f"\\u{code:04x}" if code > 0xFF else f"\\x{code:02x}"


def one_line(text: str) -> str:
    """Escape as `printable` does, and also line breaks and tabs."""
    return printable(text).replace("\n", "\\n").replace("\t", "\\t")


def refusal(text: str) -> str:
    """Escape as `one_line` does, and also what nobody sees: two words may differ by that alone."""
    return _UNSEEN.sub(_escape, one_line(text))


def echo(text: str = "", *, err: bool = False) -> None:
    """Print one line, or several, escaped as `printable` does; only our own styles stay."""
    parts = _STYLES.split(text)
    click.echo("".join(part if i % 2 else printable(part) for i, part in enumerate(parts)), err=err)


def dump(value: object) -> None:
    """Print a value as indented JSON.

    Where stdout is UTF-8, only characters that a terminal would obey are escaped.
    """
    click.echo(_json(value))


def dump_each(values: Iterable[object]) -> None:
    """Print a list as `dump` does, value by value: a list may be longer than memory."""
    before = "[\n"
    for value in values:
        click.echo(before + textwrap.indent(_json(value), "  "), nl=False)
        before = ",\n"
    click.echo("[]" if before == "[\n" else "\n]")


def _json(value: object) -> str:
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    is_ascii = encoding.lower().replace("-", "") != "utf8"
    text = json.dumps(value, ensure_ascii=is_ascii, indent=2)
    return _HARMFUL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


# --- Layout -------------------------------------------------------------------------------


def width() -> int:
    """Return the number of columns to fill: that of the terminal, from 40 to 120, else 80."""
    return min(max(shutil.get_terminal_size((80, 24)).columns, 40), 120)


def terminal_width() -> int:
    """Return the number of columns for a table: those of the terminal, up to 180."""
    return min(shutil.get_terminal_size((80, 24)).columns, _WIDEST)


def columns(text: str) -> int:
    """Count the columns of a terminal that a text takes, or a few too many."""
    text = _STYLES.sub("", text)
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    no_width = unicodedata.category(character) in ("Mn", "Me") or character == "\u200d"
    # U+FE0F makes some symbols an emoji, which is wide.
    return 0 if no_width and character != "\ufe0f" else 1


def wrapped(text: str, indent: int = 0, first: str = "") -> str:
    """Fold a text to the terminal, with `indent` blanks before each line.

    `first` takes the place of the blanks of line 1, and has `indent` columns at most.
    """
    room = width() - indent
    lines = folded(text, room)
    start = first + " " * (indent - columns(first))
    rest = "\n".join(f"{' ' * indent}{line}".rstrip() for line in lines[1:])
    return f"{start}{lines[0]}".rstrip() + (f"\n{rest}" if rest else "")


def hanging(text: str, indent: int) -> str:
    """Fold a text to the terminal, with `indent` blanks before it, and two more from line 2 on."""
    return wrapped(text, indent + 2)[2:]


def folded(text: str, room: int) -> list[str]:
    """Fold a text into lines of at most `room` columns, escaped as `printable` does."""
    return [line for each in printable(text).split("\n") for line in _folded(each, room)]


def beside(cells: Sequence[Sequence[str]], sizes: Sequence[int]) -> str:
    """Put cells beside each other; each is a list of lines that fit into its column of `sizes`."""
    return "\n".join(
        _SEPARATE.join(
            line + " " * (size - columns(line)) for line, size in zip(lines, sizes, strict=True)
        ).rstrip()
        for lines in zip_longest(*cells, fillvalue="")
    )


def _folded(text: str, room: int) -> list[str]:
    """Fold one paragraph into lines at its blanks; a word longer than a line is broken."""
    lines, taken = [""], 0
    for word in re.split(r"[ \t]+", text.strip(" \t")):
        needed = columns(word) + bool(lines[-1])
        if taken + needed <= room:
            lines[-1] += f" {word}" if lines[-1] else word
            taken += needed
            continue
        if lines[-1]:
            lines.append("")
        lines[-1:] = _pieces(word, room)
        taken = columns(lines[-1])
    return lines


def _pieces(word: str, room: int) -> Iterator[str]:
    """Split a word into pieces that fit.

    A piece may have any number of accents, because they take no column.
    """
    start = taken = 0
    for index, character in enumerate(word):
        size = _columns(character)
        if taken + size > room:
            yield word[start:index]
            start, taken = index, 0
        taken += size
    yield word[start:]


def flow(parts: Sequence[str], indent: int = 4) -> str:
    """Put parts beside each other, and on the next line where a part does not fit."""
    lines: list[str] = []
    for part in filter(None, parts):
        longer = f"{lines[-1]}{_SEPARATE}{part}" if lines else part
        if columns(longer) <= width():
            lines[-1:] = [longer]
        elif columns(part) <= width() - indent:
            lines.append(" " * indent + part)
        else:
            lines += wrapped(_STYLES.sub("", part), indent).split("\n")
    return "\n".join(lines)


def table(rows: Sequence[Sequence[str]], indent: int = 0) -> str:
    """Lay out rows in columns as wide as they need to be, the last one folded to the terminal.

    If too little room is left for the last column, each row is a paragraph.
    """
    rows = [[printable(cell).replace("\n", " ") for cell in row[:-1]] + [row[-1]] for row in rows]
    sizes = [max(map(columns, cells)) for cells in zip(*(row[:-1] for row in rows), strict=True)]
    start = indent + sum(size + len(_SEPARATE) for size in sizes)
    lines = []
    for row in rows:
        if start <= width() * 2 // 3:
            head = "".join(
                cell + " " * (size - columns(cell)) + _SEPARATE
                for cell, size in zip(row[:-1], sizes, strict=True)
            )
            lines.append(wrapped(row[-1], start, " " * indent + head))
        else:
            lines.append(hanging(_SEPARATE.join(cell for cell in row if cell), indent))
    return "\n".join(lines)


def change(what: str, old: str | None, new: str, indent: int = 2) -> str:
    """Write a change as "- killed: 34 -> 35", or on two lines if that is too long for one."""
    line = f"- {what}: {new if old is None else f'{old} -> {new}'}"
    if old is None or ("\n" not in line and columns(printable(line)) <= width() - indent):
        return hanging(line, indent)
    sides = table([["was", old], ["now", new]], indent + 4)
    return hanging(f"- {what}", indent) + "\n" + sides


def bold(text: str) -> str:
    """Escape a text, and show it in bold on a terminal."""
    return click.style(printable(text), bold=True)


def coloured(text: str, colour: int) -> str:
    """Escape a text, and show it in a colour on a terminal."""
    return f"\x1b[0;{colour}m{printable(text)}\x1b[0m"


def dim(text: str) -> str:
    """Escape a text, and show it faint on a terminal."""
    return click.style(printable(text), dim=True)


# --- Receipts -----------------------------------------------------------------------------


def receipt_fields(receipt: Receipt) -> dict[str, Any]:
    """Return the fields of a receipt for JSON."""
    what = receipt.subject.partition("/")[0]
    return {
        f"{what}_id": receipt.id or None,
        "kind": receipt.kind,
        "entry_id": receipt.entry_id,
        "seq": receipt.seq,
        "version": receipt.version,
        "recorded_at": receipt.recorded_at,
        "occurred": receipt.occurred,
        "unchanged": receipt.unchanged,
        "notes": [*receipt.notes],
    }


def occurred(receipt: Receipt) -> str:
    """Return when the event of a receipt happened, in words."""
    return prose.occurred({"occurred": receipt.occurred, "modality": receipt.modality})


def echo_receipt(receipt: Receipt, *, dry_run: bool = False, into: str = "") -> None:
    """Print a receipt: what was done, the id, the entry, and what was understood.

    The date and the figures are said in the words of the pages; the words that an open date was
    read from stand beside it.

    A dry run shows neither the entry nor a generated id: both will differ in the real run.
    """
    verb = "unchanged" if receipt.unchanged else receipt.kind.partition(".")[2]
    is_there = receipt.unchanged or not (dry_run or is_dry_run())
    when = occurred(receipt)
    if receipt.occurred and receipt.occurred != when:
        is_said = ".." not in receipt.occurred or receipt.typed in (None, receipt.occurred, when)
        typed = "" if is_said else f', "{receipt.typed}"'
        when = f"{when} ({receipt.occurred}{typed})"
    echo(
        flow(
            [
                verb if is_there else f"would be {verb}",
                bold(receipt.id or receipt.subject)
                if is_there or receipt.id != receipt.entry_id
                else "",
                f"into {into}" if into else "",
                when,
                f"entry {receipt.seq}, version {receipt.version}" if is_there else "",
            ]
        )
    )
    context = click.get_current_context(silent=True)
    language = context.meta.get("timeline.language", "en") if context else "en"
    for figure in () if receipt.unchanged else receipt.figures:
        echo(hanging(one_line(prose.figure_said_back(figure, language)), 2))


def echo_note(text: str) -> None:
    """Print a note on stderr: something that a person should know beside the answer."""
    echo(hanging(one_line(f"Note: {text}"), 0), err=True)


def found_marks(row: Mapping[str, Any], before: str, after: str) -> dict[str, Any]:
    """Put readable marks around the found words of a row of a search."""
    if row.get("match") is None:
        return dict(row)
    return {**row, "match": row["match"].replace("\x02", before).replace("\x03", after)}


class Progress:
    """A line on stderr that shows the count of work that takes longer than a second.

    It is shown on a terminal only. With `is_brief` it is updated ten times a second, and removed at
    the end; without, it is updated once a second, and stays.
    """

    _WIDTH = 30

    def __init__(self, what: str, *, is_brief: bool = False) -> None:
        self._what = what
        self._is_brief = is_brief
        self._next = time.monotonic() + 1
        self._shown = False

    def __call__(self, count: int, more: str = "", total: int | None = None) -> None:
        """Show the count, then `more`, and a bar if there is a `total`."""
        if time.monotonic() < self._next or not sys.stderr.isatty():
            return
        self._next = time.monotonic() + (0.1 if self._is_brief else 1)
        self._shown = True
        line = f"{count:,} {self._what} {more}".rstrip()
        if total:
            filled = self._WIDTH * count // total
            line = f"[{'#' * filled}{'-' * (self._WIDTH - filled)}] {line} of {total:,}"
        click.echo(f"\r\x1b[K{line}", nl=False, err=True)

    def end(self) -> None:
        """Make room for the answer: remove a brief line, else go to the next line."""
        if self._shown:
            self._shown = False
            click.echo("\r\x1b[K" if self._is_brief else "", nl=not self._is_brief, err=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
