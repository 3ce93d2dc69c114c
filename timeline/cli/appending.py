"""Every command that writes uses this module: one append, its notes, its figures and sources.

Guarantees: until the moment of the commit, Ctrl-C ends an append and nothing is written.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import operator
import os
import re
import signal
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import click

from timeline.api import Timeline
from timeline.cli import output
from timeline.cli.options import CiteWords, is_dry_run
from timeline.errors import (
    ClockBehind,
    ClockLeapt,
    InvalidInput,
    InvalidValue,
    NotFound,
    TimelineError,
)
from timeline.formats import prose
from timeline.model import figures, typed_dates
from timeline.model.content import Said
from timeline.model.hints import quoted
from timeline.model.limits import ID
from timeline.model.typed_dates import TypedDate
from timeline.reading.twins import misspellings
from timeline.reading.twins.misspellings import Name, Slip
from timeline.store import storage
from timeline.writing.receipt import Receipt
from timeline.writing.recording_time import check_clock
from timeline.writing.writer import Append

_RECEIPTS_AT_HAND = 10_000
"""The number of receipts that are kept in memory; older ones go into a file."""


@contextlib.contextmanager
def appending(timeline: Timeline, *, dry_run: bool = False) -> Iterator[Append]:
    """Open an append that Ctrl-C ends until the moment of the commit, with nothing written.

    From the commit on, Ctrl-C is ignored: a message that nothing was written would be wrong.
    """

    def ignore_interrupts() -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    dry_run = dry_run or is_dry_run()
    settle_clock(timeline)
    click.get_current_context().meta["timeline.language"] = language_of(timeline)
    before = signal.getsignal(signal.SIGINT)
    try:
        with timeline.append(dry_run=dry_run) as append:
            append.at_commit = ignore_interrupts
            yield append
            new = _unknown(timeline.path, append.names) if append.names else []
        # The append is committed. The notes are printed last, after the receipts.
        slips = map(_of_slip, _slips(timeline.path, new)) if new else ()
        notes = itertools.chain(append.notes, [*slips])
        click.get_current_context().call_on_close(functools.partial(_echo_notes, notes))
    except KeyboardInterrupt:
        raise TimelineError("interrupted; nothing was written") from None
    finally:
        signal.signal(signal.SIGINT, before)


def settle_clock(timeline: Timeline) -> None:
    """Let a timeline trust the clock as the options say, or as a person on a terminal answers.

    The options also say whether a mirror may become a log of its own.
    """
    timeline.fork = is_fork_meant()
    timeline.ahead = click.get_current_context().meta.get("timeline.ahead")
    timeline.trust_clock = timeline.trust_clock or is_clock_right(timeline.path)


def is_ahead_allowed() -> bool:
    """Return whether --ahead gives a reason to write entries that are ahead of the clock."""
    return bool(click.get_current_context().meta.get("timeline.ahead"))


def is_fork_meant() -> bool:
    """Return whether --fork allows to make a mirror a log of its own."""
    return bool(click.get_current_context().meta.get("timeline.fork"))


def is_clock_right(path: str | Path) -> bool:
    """Return whether --yes, $TIMELINE_TRUST_CLOCK or a person says that the clock is right.

    A person on a terminal is asked only if the clock is far ahead of the log.
    """
    is_said = click.get_current_context().meta.get("timeline.yes")
    if is_said or os.environ.get("TIMELINE_TRUST_CLOCK"):
        return True
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    with storage.storage_errors(path), contextlib.closing(storage.connect(path)) as connection:
        try:
            check_clock(connection, path)
        except ClockLeapt as leap:
            return click.confirm(
                output.hanging(
                    f"The clock here says {prose.instant(leap.now)}, {leap.span} after the newest "
                    "entry and the last change of the file. Is the clock right?",
                    0,
                ),
                err=True,
            )
        except ClockBehind:
            pass
    return False


@contextlib.contextmanager
def naming(file: str) -> Iterator[None]:
    """Raise an InvalidInput about a whole file as an error that names the file, or stdin."""
    try:
        yield
    except InvalidInput as error:
        if error.field or error.line or error.item:
            raise
        name = "stdin" if file in ("-", "<stdin>") else file
        raise TimelineError(f"{name} {error.problem}") from None


class KeptReceipts:
    """A list of receipts that keeps the newest in memory and older ones in a file.

    The receipts of an append are printed after the commit, and may be too many for memory.
    """

    def __init__(self) -> None:
        self.count = 0
        self._newest: list[Receipt] = []
        self._older: IO[str] | None = None

    def append(self, receipt: Receipt) -> None:
        self.count += 1
        self._newest.append(receipt)
        if len(self._newest) >= _RECEIPTS_AT_HAND:
            self._put_away()

    def _put_away(self) -> None:
        if self._older is None:
            import tempfile

            self._older = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115
            click.get_current_context().call_on_close(self._older.close)
        rows = map(operator.attrgetter(*Receipt.__slots__), self._newest)
        self._older.writelines(f"{json.dumps(row)}\n" for row in rows)
        self._newest.clear()

    def __iter__(self) -> Iterator[Receipt]:
        if self._older:
            self._older.seek(0)
            for line in self._older:
                fields = dict(zip(Receipt.__slots__, json.loads(line), strict=True))
                yield Receipt(**{**fields, "notes": tuple(fields["notes"])})
        yield from self._newest


def _echo_notes(notes: Iterable[str]) -> None:
    for note in notes:
        output.echo_note(note)


def _unknown(path: Path, names: Iterable[Name]) -> list[Name]:
    """Return the names that no committed entry contains."""
    with storage.storage_errors(path), _reading(path) as connection:
        return misspellings.unknown(connection, names)


def _slips(path: Path, names: Iterable[Name]) -> list[Slip]:
    """Return the new names that look like a misspelling of a known one."""
    with storage.storage_errors(path), _reading(path) as connection:
        return [*misspellings.slips(connection, names)]


def _reading(path: Path) -> contextlib.closing[sqlite3.Connection]:
    """Open a second connection: it does not see what the append has not committed."""
    return contextlib.closing(storage.connect(path))


def _of_slip(slip: Slip) -> str:
    """Say that a new name may be a misspelling of a known one."""
    return f'new {slip.what} "{slip.name}"; there is "{slip.known}" already'


def figure(text: str, language: str = "en") -> dict[str, Any]:
    """Read a figure such as "killed=20 to 40" or "pledged=EUR 20bn" as a quantity.

    `language` is that of the log. Raises InvalidInput.
    """
    measure, equals, number = (part.strip() for part in text.partition("="))
    if not (measure and equals and number):
        raise InvalidInput("figure", f"{quoted(text)} is not a figure: write one such as killed=35")
    try:
        return figures.quantity(measure, number, language)
    except InvalidValue as error:
        raise InvalidInput("figure", error.problem) from None


def with_coordinates(changes: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return changes by path with the coordinates among them as decimal numbers.

    One value may hold both. Raises InvalidInput.
    """
    found: list[tuple[str, Any]] = []
    for path, value in changes:
        is_typed = path[-4:] in (".lat", ".lon", "/lat", "/lon") and isinstance(value, str)
        found += _coordinates(path, value) if is_typed and value.strip() else [(path, value)]
    return found


def _coordinates(path: str, value: str) -> list[tuple[str, str]]:
    """Return the changes that one coordinate, or two in one value, make to the place of a path."""
    from timeline.model import coordinates

    read = coordinates.latitude if path.endswith("lat") else coordinates.longitude
    try:
        return [(path, read(value))]
    except InvalidValue as error:
        with contextlib.suppress(InvalidValue):
            both = coordinates.read(value)._asdict()
            return [(path[:-3] + axis, text) for axis, text in both.items()]
        raise InvalidInput(path, error.problem) from None


def typed_date(field: str, text: str, language: str = "en") -> TypedDate:
    """Read the date that a person typed for a field; `language` is that of the log.

    Raises InvalidInput.
    """
    try:
        return typed_dates.read(text, language=language)
    except InvalidValue as error:
        raise InvalidInput(field, error.problem) from None


def language_of(timeline: Timeline) -> str:
    """Return the language of a log: figures and dates are read by it."""
    return str(timeline.info.get("language", "en"))


def source_id(append: Append, text: str, said: Said) -> str:
    """Return the id of a source, given by its id or its address; record a new address."""
    if "://" in text:
        return append.record_source({"url": text}, Said(author=said.author)).id
    if not re.fullmatch(ID, text):
        raise InvalidInput("source", "write an address such as https://example.org/a")
    return text


def recorded_sources(append: Append, options: dict[str, Any], said: Said) -> dict[str, str]:
    """Return the ids of the sources in the options, by their text; a new address is recorded."""
    return {source: source_id(append, source, said) for source in options.get("sources", ())}


def citations(
    timeline: Timeline, append: Append, cites: Iterable[CiteWords], said: Said
) -> list[dict[str, str]]:
    """Return the citations that --cite and --quote describe; a new address is recorded."""
    found = []
    for source, quotes in cites:
        key = _cited_source(timeline, append, source, said)
        found += [{"source_id": key, "quote": quote} for quote in quotes] or [{"source_id": key}]
    return found


def _cited_source(timeline: Timeline, append: Append, text: str, said: Said) -> str:
    try:
        return timeline.resolve_source(text)
    except NotFound:
        if "://" in text:
            return source_id(append, text, said)
        raise


@contextlib.contextmanager
def quote_named() -> Iterator[None]:
    """Raise an InvalidInput about the quote of a citation as one about the option --quote."""
    try:
        yield
    except InvalidInput as error:
        if re.fullmatch(r"citations\.[0-9]+\.quote", error.field):
            raise InvalidInput("quote", error.problem) from None
        raise


def described_figures(
    timeline: Timeline, options: dict[str, Any], source_ids: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return the quantities that --figure, --said-by, --dated and --source describe.

    `source_ids` are those of all sources in the options, by their text.
    """
    language = language_of(timeline)
    return [
        {
            **figure(words.text, language),
            "reported_by": words.said_by,
            "dated": words.dated and typed_date("dated", words.dated, language).edtf,
            "source_ids": [source_ids[source] for source in words.sources],
        }
        for words in options.get("figures", ())
    ]


def print_receipt(
    receipt: Receipt, as_json: bool, into: str = "", *, dry_run: bool = False
) -> None:
    """Print a receipt: as JSON, or as a sentence."""
    if as_json:
        output.dump(output.receipt_fields(receipt))
    else:
        output.echo_receipt(receipt, dry_run=dry_run, into=into)
