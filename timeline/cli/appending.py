"""What every command that writes does: one append, its notes, figures and sources in words.

Guarantees: Ctrl-C ends an append without a trace until the moment of the commit.
"""

from __future__ import annotations

import contextlib
import functools
import re
import signal
from collections.abc import Iterator
from typing import Any

import click

from timeline.cli import output
from timeline.errors import InvalidInput, TimelineError
from timeline.facade import Timeline
from timeline.fields import ID_PATTERN, SIGNS
from timeline.model import Said
from timeline.suggestions import Slip
from timeline.writer import Append

_QUALIFIERS = {sign: qualifier for qualifier, sign in SIGNS.items()}


@contextlib.contextmanager
def appending(timeline: Timeline, *, dry_run: bool = False) -> Iterator[Append]:
    """`Timeline.append`, which Ctrl-C ends without a trace until the moment of the commit.

    What comes later cannot be stopped: then nothing may say that nothing was written.
    """
    before = signal.getsignal(signal.SIGINT)
    try:
        with timeline.append(dry_run=dry_run) as append:
            yield append
            new = timeline.unknown(append.names) if append.names else []
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        # What is written is written: the notes come last, behind the receipts.
        for note in (*append.notes, *(map(_of_slip, timeline.slips(new)) if new else ())):
            click.get_current_context().call_on_close(functools.partial(output.echo_note, note))
    except KeyboardInterrupt:
        raise TimelineError("interrupted; nothing was written") from None
    finally:
        signal.signal(signal.SIGINT, before)


def _of_slip(slip: Slip) -> str:
    """That a new name may be a misspelling."""
    return f'new {slip.what} "{slip.name}"; there is "{slip.known}" already'


def figure(text: str) -> dict[str, Any]:
    """The quantity that "killed=>20" or "pledged=2e9 EUR" describes."""
    match = re.fullmatch(r"\s*([^=]+?)\s*=\s*(>=|>|~)?\s*(\S+)(?:\s+(.+?))?\s*", text)
    if not match:
        raise InvalidInput("figure", f'"{text}" is not a figure: write one such as killed=35')
    measure, sign, number, unit = match.groups()
    return {
        "measure": measure,
        "value": number,
        "qualifier": _QUALIFIERS[sign or ""],
        "unit": unit,
    }


def source_id(append: Append, text: str, said: Said) -> str:
    """The id of a source that is named by its id or its address; a new address is recorded."""
    if "://" in text:
        return append.record_source({"url": text}, Said(author=said.author)).id
    if not re.fullmatch(ID_PATTERN, text):
        raise InvalidInput("source", "write an address such as https://example.org/a")
    return text
