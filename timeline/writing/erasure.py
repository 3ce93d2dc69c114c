"""Erase the content of entries, for a court or a person's right; every proof still holds.

Guarantees: each erasure is an entry of its own, with a reason. Envelopes stay, and so does the
tree. When `erase` returns, no byte of the content is left in the file, its free pages, its
write-ahead log or its search index. If it raises, call it again to finish. It cannot reach copies
that were made earlier.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from timeline.errors import InvalidInput
from timeline.model import clock
from timeline.model.content import Said
from timeline.projection import tables
from timeline.store import log, scrub, storage
from timeline.store.codec import Entry, decode_content, decode_payload
from timeline.store.files import FILE, file_hashes, hash_of, name_of, naming
from timeline.writing import writer
from timeline.writing.receipt import Receipt

_NO_WAIT = "an erasure does not wait"
"""The reason to write a log that is ahead of the clock."""

_SHORTEST = 3
"""The least characters of a text that is looked for elsewhere."""

_CODED = frozenset(
    (
        *("event_id", "source_id", "source_ids", "actor_id", "into", "author", "text_sha256"),
        *("event_type", "mode", "contexts", "modality", "verification", "type", "role", "stance"),
        *("occurred", "occurred_basis", "dated", "published", "accessed", "measure", "qualifier"),
        *("value", "low", "high", "unit", "country", "lat", "lon", "language", "licence"),
        *("media_type", "reliability", "sector", "wikidata", "sha256", "kind", "origin"),
        *("time_zone", "code", "label", "definition"),
    )
)
"""The fields that hold no text in anybody's own words."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """Says what `erase` did."""

    receipts: list[Receipt]
    """One receipt for each entry; it is `unchanged` if the entry had been erased before."""
    texts: list[str]
    """The erased texts that are in somebody's own words."""
    elsewhere: dict[str, list[str]]
    """Each erased text that is still found elsewhere, and where: "#12", or the id of a source."""
    files: dict[str, list[str]]
    """Each file that was erased, or that an erased entry named, such as "media/0a12...", and the
    entries that name it now, such as "#12 of odesa-talks"."""


def erase(
    connection: sqlite3.Connection,
    path: str,
    entry_ids: Sequence[str],
    said: Said,
    *,
    now: Callable[[], datetime] = clock.now,
    trust_clock: bool = False,
    fork: bool = False,
    progress: Callable[[int], object] = lambda count: None,
    appending: Callable[..., AbstractContextManager[writer.Append]] = writer.appending,
) -> Erasure:
    """Erase the content of these entries; `progress` is called while the tables are rebuilt.

    `appending` opens the append, and takes the arguments of `writer.appending`.
    A "media/" with the hash of an attached file, in place of an id, erases the bytes of the file.

    It never has to wait for the clock: a log that is ahead of it is written all the same. Raises
    ClockLeapt unless `trust_clock`, IsMirror unless `fork`, NotFound, Refused for entries that say
    what the log is, InvalidInput without a reason or for a reason that repeats the erased text,
    Unfinished if bytes of it are still in the file.
    """
    with storage.storage_errors(path):
        entries = [log.entry_by_id(connection, entry_id) for entry_id in entry_ids]
    files = [each for each in entry_ids if each.startswith(FILE)]
    for entry in entries:
        content = decode_content(entry.payload) if entry else None
        files += map(name_of, file_hashes(content))
    texts = [*dict.fromkeys(text for entry in entries if entry for text in _texts(entry))]
    for text in texts:
        if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", said.reason or "", re.IGNORECASE):
            raise InvalidInput("reason", f'repeats "{text}", which is to be erased')
    with appending(
        connection, path, now=now, trust_clock=trust_clock, ahead=_NO_WAIT, fork=fork
    ) as append:
        receipts = [
            append.erase_file(hash_of(each), said)
            if each.startswith(FILE)
            else append.erase(each, said)
            for each in entry_ids
        ]
        if not all(receipt.unchanged for receipt in receipts):
            tables.make_anew(connection, progress)
    scrub.scrub(connection, path)
    with storage.storage_errors(path):
        named = {
            each: [f"#{seq} of {event_id}" for seq, event_id in naming(connection, hash_of(each))]
            for each in dict.fromkeys(files)
        }
        return Erasure(receipts, texts, _elsewhere(connection, texts), named)


def _texts(entry: Entry) -> Iterator[str]:
    """Yield the texts in a payload that are in somebody's own words."""
    return iter(()) if entry.payload is None else _strings(decode_payload(entry.payload))


def _strings(value: Any, field: str = "") -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, field)
    elif isinstance(value, str) and field not in _CODED and len(value) >= _SHORTEST:
        yield value


def _elsewhere(connection: sqlite3.Connection, texts: Sequence[str]) -> dict[str, list[str]]:
    """Return where the texts are still found, the rarest text first."""
    found: dict[str, list[str]] = {text: [] for text in texts}
    written = {text: json.dumps(text, ensure_ascii=False)[1:-1] for text in texts}
    if texts:
        for entry in log.read(connection):
            for text in texts:
                if entry.payload and written[text] in entry.payload:
                    found[text].append(f"#{entry.seq}")
        for text in texts:
            found[text] += [
                f"the text of source {source_id}"
                for (source_id,) in connection.execute(
                    "SELECT source_id FROM sources JOIN source_texts USING (text_sha256)"
                    " WHERE instr(body, ?) ORDER BY source_id",
                    (text,),
                )
            ]
    return dict(sorted(((t, at) for t, at in found.items() if at), key=lambda item: len(item[1])))
