"""This module completes names and ids when Tab is pressed; click completes commands and options.

Guarantees: it reads the file that the command would read, and offers nothing if that file is
missing or broken. Every offer is one printable line. The module is only loaded while completing.
"""

from __future__ import annotations

import contextlib
import os
import re
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from click.shell_completion import BashComplete, CompletionItem, FishComplete, add_completion_class

from timeline.cli import default_database
from timeline.cli.output import one_line
from timeline.errors import TimelineError
from timeline.projection import tables
from timeline.store import storage

_MOST = 500
"""The most offers: a longer list helps nobody to choose."""
_LONGEST_HELP = 80
"""The most characters of the text beside an offer."""

Item = tuple[str, str | None]
"""An offer: the text to type, and a short text about it or None."""


def offer(command: click.Command) -> None:
    """Complete the parameters of a command that name something in the log."""
    for subcommand in getattr(command, "commands", {}).values():
        offer(subcommand)
    for parameter in command.params:
        look_up = _LOOK_UPS.get(parameter.name or "")
        if look_up and parameter.type is click.STRING:
            parameter.type = _Known(look_up)


class _Known(click.types.StringParamType):
    """A parameter type: a text that is completed from the log."""

    def __init__(self, look_up: Callable[[sqlite3.Connection, str], Iterator[Item]]) -> None:
        self._look_up = look_up

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        database = ctx.find_root().params.get("database") or default_database()
        try:
            # The shell has not replaced ~ and $HOME yet: the text is as it was typed.
            path = Path(os.path.expandvars(database)).expanduser()
            with contextlib.closing(storage.connect(path)) as connection:
                tables.check(connection, str(path))
                return [
                    CompletionItem(one_line(text), help=_short(about))
                    for text, about in self._look_up(connection, incomplete)
                ]
        except (TimelineError, sqlite3.DatabaseError, OSError, RuntimeError):
            return []


def _short(about: str | None) -> str | None:
    line = one_line(about or "")
    return line if len(line) <= _LONGEST_HELP else f"{line[: _LONGEST_HELP - 3]}..."


# --- What is in the log -------------------------------------------------------------------


def _events(connection: sqlite3.Connection, beginning: str) -> Iterator[Item]:
    """Yield the events whose id begins so; after an @, the versions of one event.

    The shell fills in the beginning that all offers share. If there are too many events to offer,
    the newest are offered, and the first and the last by id: so that beginning is still right.
    """
    event_id, at, version = beginning.partition("@")
    if at:
        for number, kind, reason in connection.execute(
            "SELECT version, kind, reason FROM event_versions WHERE event_id = ?"
            " ORDER BY version DESC LIMIT ?",
            (event_id, _MOST),
        ):
            if str(number).startswith(version):
                about = kind.partition(".")[2]
                yield f"{event_id}@{number}", f"{about}: {reason}" if reason else about
        return
    begins = "event_id >= :beginning AND event_id < :beginning || '~'"
    found = f"SELECT event_id, title FROM events WHERE {begins} ORDER BY"  # noqa: S608
    yield from connection.execute(
        f"SELECT * FROM ({found} +seq DESC LIMIT :most)"  # noqa: S608
        f" UNION SELECT * FROM ({found} event_id LIMIT 1)"
        f" UNION SELECT * FROM ({found} event_id DESC LIMIT 1)",
        {"beginning": beginning, "most": _MOST},
    )


def _like(sql: str) -> Callable[[sqlite3.Connection, str], Iterator[Item]]:
    """Make a function that offers rows of `sql` by their beginning, but none if too many match."""

    def look_up(connection: sqlite3.Connection, beginning: str) -> Iterator[Item]:
        pattern = re.sub(r"([%_\\])", r"\\\1", beginning) + "%"
        sql_like = f"SELECT * FROM ({sql}) WHERE text LIKE ? ESCAPE '\\' LIMIT ?"  # noqa: S608
        found = connection.execute(sql_like, (pattern, _MOST + 1)).fetchall()
        yield from found if len(found) <= _MOST else ()

    return look_up


_actors = _like("SELECT name AS text, NULL FROM actors")
_countries = _like("SELECT name AS text, alpha3 FROM countries")
_places = _like("SELECT DISTINCT place AS text, NULL FROM events")
_sources = _like("SELECT source_id AS text, coalesce(title, url) FROM sources")
_tags = _like("SELECT DISTINCT tag AS text, NULL FROM event_tags")

_LOOK_UPS = {
    "event": _events,
    "into": _events,
    "into_actor": _actors,
    "event_type": _like("SELECT code AS text, label FROM event_types"),
    "actor": _actors,
    "actors": _actors,
    "said_by": _actors,
    "country": _countries,
    "place": _places,
    "source": _sources,
    "sources": _sources,
    "cites": _sources,
    "tag": _tags,
    "tags": _tags,
}
"""Functions that look up offers, by the name of the parameter that they complete."""


# --- Shells -------------------------------------------------------------------------------


class _Bash(BashComplete):
    """A completion for bash that quotes: bash puts an offer into the line as it is."""

    source_template = BashComplete.source_template.replace("read type", "read -r type").replace(
        "COMPREPLY+=($value)", 'COMPREPLY+=("$value")'
    )

    def format_completion(self, item: CompletionItem[str]) -> str:
        words = os.environ["COMP_WORDS"].split("\n")
        typed = words[min(int(os.environ["COMP_CWORD"]), len(words) - 1)]
        text = str(item.value)
        if item.type != "plain":
            pass
        elif typed.startswith("'"):
            text = text.replace("'", "'\\''")
        elif typed.startswith('"'):
            text = re.sub(r'(["$`\\])', r"\\\1", text)
        else:
            text = re.sub(r"([^\w@%+,./:-])", r"\\\1", text)
        return f"{item.type},{text}"


class _Fish(FishComplete):
    """A completion for fish that keeps commas: click's own script ends a text at the first one."""

    source_template = FishComplete.source_template.replace(
        'string split ","', 'string split --max 1 ","'
    )


add_completion_class(_Bash)
add_completion_class(_Fish)
