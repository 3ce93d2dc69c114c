"""Know the days of checkpoints: what was known at the last checkpoint of each of them.

Guarantees: a page of such a day shows the entries that the checkpoint signed, and no later one, so
whoever kept the checkpoint can prove all of it. A static site has a bounded number of such pages.
Reads on the connection it is given; knows no request and no template.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from timeline.errors import NotFound
from timeline.formats import prose
from timeline.languages.translation import gettext, ngettext, number
from timeline.site.views.value_pages import ValueHead
from timeline.store import log

PATTERN = "/known/(?P<known>[0-9]{4}-[0-9]{2}-[0-9]{2})"

PAGE_SIZE = 500
"""The number of events on a page of a static site: the past is read anew for each page, which
takes 0.2 s for 1,000 events."""

_MOST_DAYS = 366
"""The number of days, the newest, that are all kept; of each month before, only the last is."""

_MOST_EVENTS = 50_000
"""The number of events on the pages of all days: 60 MB, and 10 to 100 s of publishing. If there
are more, a static site has the last day of each month only, or else of each year."""


class KnownDay(NamedTuple):
    """A day has the size of the last checkpoint that was stored on it, and when that was."""

    day: str
    size: int
    stored_at: str

    @property
    def path(self) -> str:
        """Return the path of the page of the day."""
        return f"/known/{self.day}"


def days(connection: sqlite3.Connection) -> list[KnownDay]:
    """Return the days of checkpoints, by the clock of the log, the oldest first."""
    zone = log.time_zone(connection)
    rows = connection.execute(
        "SELECT size, min(stored_at) FROM checkpoints WHERE size > 0 GROUP BY size ORDER BY size"
    )
    found: dict[str, KnownDay] = {}
    for size, stored_at in rows:
        day = prose.local_day(stored_at, zone)
        found[day] = KnownDay(day, size, stored_at)
    return sorted(found.values())


def kept(connection: sqlite3.Connection) -> list[KnownDay]:
    """Return the days of which a static site has pages, the oldest first."""
    return of_those(connection, days(connection))


def of_those(connection: sqlite3.Connection, every: Sequence[KnownDay]) -> list[KnownDay]:
    """Return those of all days of which a static site has pages; the newest is one of them."""
    recent = every[-_MOST_DAYS:]
    older = every[: -len(recent)] if recent else []
    by_month, by_year = ([*_last_of_each(every, length)] for length in (7, 4))
    for some in ([*_last_of_each(older, 7), *recent], by_month, by_year):
        if sum(_events(connection, some)) <= _MOST_EVENTS:
            return some
    left, few = _MOST_EVENTS, list[KnownDay]()
    for each, events in zip(by_year[::-1], _events(connection, by_year[::-1]), strict=True):
        left -= events
        if few and left < 0:
            break
        few.insert(0, each)
    return few


def _last_of_each(some: Sequence[KnownDay], length: int) -> Iterable[KnownDay]:
    """Return the last day of each period, which so many characters of a day name."""
    return {each.day[:length]: each for each in some}.values()


def _events(connection: sqlite3.Connection, some: Iterable[KnownDay]) -> Iterator[int]:
    """Yield the number of events that had been recorded by the checkpoint of each day."""
    for each in some:
        sql = "SELECT count(*) FROM events WHERE event_key < ?"
        yield connection.execute(sql, (each.size,)).fetchone()[0]


def known_page(connection: sqlite3.Connection, *, is_frozen: bool) -> dict[str, Any]:
    """Return what the page of all these days shows: those of each year, the newest first."""
    years: dict[str, list[tuple[KnownDay, str, int]]] = {}
    found = (kept if is_frozen else days)(connection)[::-1]
    for each, events in zip(found, _events(connection, found), strict=True):
        years.setdefault(each.day[:4], []).append((each, prose.date(each.day), events))
    return {"years": [*years.items()]}


def pairs_at(connection: sqlite3.Connection, day: str) -> list[tuple[str, str]]:
    """Return the parameter that leads to what was known on a day. Raises NotFound."""
    for each in days(connection):
        if each.day == day:
            return [("as_of", f"#{each.size - 1}")]
    raise NotFound("checkpoint of", day, "/known lists the days that have one")


def head_of(connection: sqlite3.Connection, day: str, *, is_frozen: bool) -> ValueHead:
    """Return the head of the page of a day, with the days before and after it."""
    found = (kept if is_frozen else days)(connection)
    place = next(number for number, each in enumerate(found) if each.day == day)
    known = found[place]
    stored = prose.instant(known.stored_at, log.time_zone(connection))
    signed = ngettext(
        "The checkpoint of {time} signed the first entry of the log, and nothing later is shown.",
        "The checkpoint of {time} signed the first {count} entries of the log, and nothing later"
        " is shown.",
        known.size,
    )
    beside = [*found[max(place - 1, 0) : place], *found[place + 1 : place + 2]]
    return ValueHead(
        gettext("Known on {day}").format(day=prose.date(day)),
        "",
        "/known",
        gettext("All days with a checkpoint"),
        signed.format(time=stored, count=number(known.size)),
        [(each.path, prose.date(each.day)) for each in beside],
    )
