"""Write a selection as a file, in a format of `exporters`, for the address of a browse page.

Guarantees: a file shows one state of the log, however long it takes to write. JSON and files in
order of time come in pages, each with the address of the next; a feed has the newest events; the
other files are complete. JSON Lines are the log itself, unless the address chooses some of its
events.
"""

from __future__ import annotations

import contextlib
import functools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from timeline.formats.about import about_selection
from timeline.formats.exporters import sheet_csv
from timeline.formats.exports import FORMATS
from timeline.formats.file_names import file_name
from timeline.formats.selection_words import Condition
from timeline.languages.translation import gettext
from timeline.reading import entries, query
from timeline.reading.as_of import NOW, parse_as_of
from timeline.reading.attached_files import attached_row
from timeline.reading.facet_index import FacetIndex
from timeline.reading.selection import Selection
from timeline.site.views import media
from timeline.site.views.address import Address
from timeline.site.views.browse import selected
from timeline.site.views.panel import Chip, as_stored, chips_of

NAMES = {f"{each.stem}{each.suffix}": name for name, each in FORMATS.items() if each.is_installed}
"""The names of the formats that can be written here, by the name of the site's file."""

JSON_SIZE = 1_000
"""The number of events in a page of JSON."""
FEED_SIZE = 100
"""The number of events in a feed."""


@contextlib.contextmanager
def feed(
    connection: sqlite3.Connection,
    name: str,
    address: Address,
    page_of: Callable[[str], str],
    feed_at: Callable[[str], str],
    file_at: Callable[[str], str],
    list_at: Callable[[str], str] | None,
    index: FacetIndex | None = None,
    *,
    size: int = JSON_SIZE,
) -> Iterator[tuple[str, Iterator[str | bytes]]]:
    """Choose the events that an address names, and yield the name and the pieces of their file.

    The file is in the format `name`, and is made as its pieces are asked for. `page_of` makes the
    absolute address of an event's page from its id, `feed_at` that of this file with another query
    string, `file_at` that of an attached file from its name, and `list_at` that of
    the page of a list from its query string; None if there is none of the past. A file of JSON,
    and one in order of time, has `size` events at most. Raises TimelineError for an address whose
    values cannot be read or name an unknown entry.
    """
    chosen = FORMATS[name]
    point = parse_as_of(connection, **address.moments)
    is_part = address.is_narrowed or bool(address.as_reported)
    event_ids: Iterable[str] = ()
    following = None
    with contextlib.ExitStack() as opened:
        if is_part or not chosen.of_entries:
            found = opened.enter_context(selected(connection, point, index, address))
            event_ids, following = _ids(found, name, address, size)
        about = about_selection(
            connection, point, address.filters, address.moments, address.q or None
        )
        pinned = address.query(as_of=f"#{about.as_of.seq}", order="", view="", all="")
        about = about._replace(
            address=page_of,
            self_url=feed_at(address.query(after=address.after)),
            next_url=feed_at(address.query(after=following)) if following else None,
            file_address=functools.partial(_file_address, connection, file_at),
            events=found.count() if chosen.oldest_first else None,
            permalink=list_at(pinned) if list_at and about.as_of.seq >= 0 else None,
        )
        items: Iterable[Any]
        if chosen.of_entries:
            items = entries.read(connection, event_ids if is_part else None, as_of=point)
        else:
            items = query.each(connection, event_ids, as_of=point)
        write = chosen.write
        if name == "csv":
            write = functools.partial(sheet_csv.write, columns=sheet_csv.WITH_CODES)
        saved_as = file_name(about, chosen, address.after)
        if name == "html":  # a page, in whose language the chips are
            chips = chips_of(connection, found, as_stored(found, address))["chips"]
            about = about._replace(conditions=[*map(_said_by, chips)])
        yield saved_as, write(items, about)


def _said_by(chip: Chip) -> Condition:
    words = gettext("not {words}").format(words=chip.words) if chip.is_excluded else chip.words
    return Condition(words, chip.words)


def names_to_save(connection: sqlite3.Connection) -> dict[str, str]:
    """Return the names under which the files of all events are saved, by the site's names.

    Pages, and files that programs follow, are not saved.
    """
    about = about_selection(connection, NOW, {}, {})
    return {
        name: file_name(about, FORMATS[form])
        for name, form in NAMES.items()
        if not FORMATS[form].opens
    }


def _file_address(
    connection: sqlite3.Connection, file_at: Callable[[str], str], sha256: str
) -> str | None:
    row = attached_row(connection, sha256)
    if row["erased"] or row["rowid"] is None:
        return None
    return file_at(media.file_name(sha256, row["media_type"]))


def _ids(
    found: Selection, name: str, address: Address, size: int
) -> tuple[Iterable[str], str | None]:
    """Return the ids of a file's events, and where its next page begins if there is one."""
    if name == "json" or FORMATS[name].oldest_first:
        return found.page_of_ids(
            after=address.after or None,
            oldest_first=address.order == "oldest" or name != "json",
            size=size,
        )
    if FORMATS[name].newest_first:
        return found.newest(FEED_SIZE), None
    return found.in_order_of_the_log(), None
