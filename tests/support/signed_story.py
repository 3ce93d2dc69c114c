"""A file of 200 entries with something in every table, signed, witnessed and published."""

from __future__ import annotations

import contextlib
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from others_notes import others_cosignature, witness_key
from small_files import png
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.media.attached import attached_file
from timeline.model.clock import utc
from timeline.model.content import Annotation, Said
from timeline.projection import facet_segments
from timeline.proof import checkpoints
from timeline.proof.policy import Policy
from timeline.proof.signed_note import SigningKey, parse
from timeline.publish import publication
from timeline.publish.publication import Publication
from timeline.store import follows, log, mirror, node, storage
from timeline.store.follows import Follows, Sighting
from timeline.store.mirror import Mirror
from timeline.store.node import Node
from timeline.texts.document import Document, sha256
from timeline.writing import erasure
from timeline.writing.writer import Append

ENTRIES = 200
SEGMENT = 32
"""Entries in a facet segment: six segments are full."""

KEY = SigningKey("example.org/story", b"k" * 32)
WITNESS = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
TEXTS = {
    "paper": "The mayor said that two houses burnt down. Nobody was hurt.",
    "radio": "Ships sailed on Tuesday. Grain went through the port.",
    "letter": "What a court has had erased.",
}
_WORDS = tuple(
    word
    for line in (
        "talks around the port of Odesa went on while ships sailed for grain",
        "the mayor of Łódź said that nobody was hurt in a strike on Sumy",
        "where two houses burnt down over night",
    )
    for word in line.split()
)
_NAMES = ("NATO", "the alliance", "Volodymyr Zelenskyy", "Mark Rutte", "the mayor")
_DATES = ("2025-04-15", "2025-04", "2025-33", "../2025-04-15", "2025-04-14/2025-04-16", "2025-04~")


@contextlib.contextmanager
def short_segments() -> Iterator[None]:
    """While this lasts, a facet segment is full after a few entries."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(facet_segments, "SIZE", SEGMENT)
        yield


def build(path: Path) -> None:
    """Tell the story; ids, salts and signatures differ from one time to the next."""
    clock, maker = TickingClock(), random.Random(1)
    with Timeline.create(path, title="A story", origin=KEY.name, now=clock) as timeline:
        with timeline.append() as append:
            _begin(append)
        while _size(path) < ENTRIES // 2:
            _tell(timeline, maker)
        with contextlib.closing(storage.connect(path, write=True)) as connection:
            checkpoints.sign(connection, KEY, now=clock)
        _publish(path, clock)
        timeline.attach("event-0", png("red"), {"alt": "A wall"})
        timeline.attach("event-1", png("blue"), {"alt": "A guest"})
        with timeline.append() as append:
            append.withdraw_source("blog", Said(reason="made up"))
            append.merge_actor("otan", "nato", Said(reason="the same"))
            append.annotate_source("paper", _marks(), Said(author="nb"))
            append.update_log({"title": "The story", "time_zone": "Europe/Kyiv"})
        while _size(path) < ENTRIES - 4:
            _tell(timeline, maker)
        with contextlib.closing(storage.connect(path, write=True)) as connection:
            newest = [log.newest(connection, each) for each in ("source/letter", "event/event-3")]
            guest = attached_file(png("blue")).sha256.replace("sha256:", "media/")
            ids = [*(entry.id for entry in newest if entry), guest]
            erasure.erase(connection, str(path), ids, Said(reason="A court"), now=clock)
        while _size(path) < ENTRIES:
            timeline.record({"title": "The last one", "occurred": "2025"})
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        signed = checkpoints.sign(connection, KEY, now=clock)
        line = others_cosignature(
            parse(signed.note).text, "witness.example", WITNESS, 1_750_000_000
        )
        witness = witness_key("witness.example", WITNESS)
        checkpoints.cosign(connection, signed.note + line, [witness])
        mirror.mark(connection, Mirror(KEY.name, utc(clock())))
        with storage.immediate(connection):
            node.join(connection, a_node(ENTRIES))
            time = utc(clock())
            policy = str(Policy.of_keys([KEY.verifier]))
            there = ("https://example.org/story/", KEY.name, policy, time, time)
            follows.put(connection, Follows(*there, "serves 9 entries, and 12 were seen", time))
            seen = (signed.size, signed.root, signed.note, time, there[0])
            follows.see(connection, Sighting(*seen))
            connection.execute(
                "INSERT INTO witnesses VALUES ('kyiv', ?, 'https://kyiv.example', 0, ?, NULL)",
                (str(witness), time),
            )
    _publish(path, clock)
    _make_small(path)


def a_node(size: int) -> Node:
    """A row of a node with something in every column."""
    return Node(
        *("nats://h1,h2:4223,h3/story", "odesa", "writer", 1, 2, "2025-04-14T00:00:00.123456789Z"),
        *(812, "sha256:" + "ab" * 32, size, size - 1, "{}", 0, '{"headers": []}', b"what is open"),
    )


def _make_small(path: Path) -> None:
    """Use small pages, so that a small file has every kind of page, free ones among them."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for sql in (
            *("PRAGMA journal_mode = DELETE", "PRAGMA page_size = 512", "VACUUM"),
            *("PRAGMA journal_mode = WAL", "CREATE TABLE gone AS SELECT * FROM log LIMIT 9"),
            *("DROP TABLE gone", "PRAGMA wal_checkpoint(TRUNCATE)"),
        ):
            connection.execute(sql)


def _size(path: Path) -> int:
    with contextlib.closing(storage.connect(path)) as connection:
        return log.size(connection)


def _begin(append: Append) -> None:
    for source_id, text in TEXTS.items():
        source = {"source_id": source_id, "title": source_id.title(), "publisher": "P"}
        page = sha256(b"<p>") if source_id == "radio" else None
        append.capture(source, Document(text, "text/plain", page))
    append.record_source({"source_id": "blog", "url": "https://example.org/blog"})
    append.record_actor({"actor_id": "nato", "name": "NATO", "aliases": ["the alliance"]})
    append.record_actor({"actor_id": "otan", "name": "OTAN", "country": "FRA"})


def _marks() -> Annotation:
    mark = {"start": 0, "end": 9, "state": "commentary", "why": "an opinion"}
    return Annotation.model_validate(
        {"text_sha256": sha256(TEXTS["paper"].encode()), "marks": [mark]}
    )


def _tell(timeline: Timeline, maker: random.Random) -> None:
    """One append of a few new events, or one change of an event that is there."""
    known = [row["event_id"] for row in timeline.list(state="current")]
    reason = " ".join(maker.sample(_WORDS, 3))
    match maker.randrange(9) if len(known) > 9 else 0:
        case 0 | 1 | 2:
            first = len(timeline.list(state="all"))
            timeline.record(
                [_event(maker, f"event-{first + number}") for number in range(maker.randint(1, 5))]
            )
        case 3 | 4 | 5:
            changes = {"title": _title(maker), "quantities.0.value": maker.randint(1, 99)}
            timeline.correct(maker.choice(known), changes, reason=reason)
        case 6:
            timeline.update(
                maker.choice(known), {"summary": _title(maker), "tags.-": _title(maker)}
            )
        case 7:
            event_id = maker.choice(known)
            timeline.retract(event_id, reason=reason)
            if maker.randrange(2):
                timeline.reinstate(event_id)
        case 8:
            one, other = maker.sample(known, 2)
            timeline.merge(one, into=other)


def _title(maker: random.Random) -> str:
    return " ".join(maker.sample(_WORDS, maker.randint(2, 6)))


def _event(maker: random.Random, event_id: str) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "title": _title(maker),
        "occurred": maker.choice(_DATES),
        "summary": _title(maker),
        "event_type": maker.choice(("CONSULT", "ASSAULT")),
        "place": {
            "name": maker.choice(("Odesa", "Łódź")),
            "country": "UKR",
            "lat": "46.5",
            "lon": 30,
        },
        "tags": sorted(set(maker.sample(_WORDS, 2))),
        "participants": [{"name": name} for name in maker.sample(_NAMES, 2)],
        "quantities": [
            {"measure": "killed", "value": maker.randint(1, 99), "reported_by": "police"},
            {"measure": "pledged", "low": "0.5", "high": 3, "unit": "EUR"},
        ],
        "claims": [{"speaker": "police", "stance": "denies", "statement": _title(maker)}],
        "relations": [{"type": "follows", "event_id": "event-0"}] if event_id != "event-0" else [],
        "citations": [
            {"source_id": "paper", "quote": "two houses burnt down", "credibility": 2},
            {"source_id": "blog"},
        ],
        "external_ids": [f"gdelt:{event_id}"],
        "extra": {"namespace": {"key": _title(maker)}},
    }


def _publish(path: Path, clock: TickingClock) -> None:
    """Record a publication of the log as it is now."""
    with contextlib.closing(storage.connect(path)) as connection:
        size = log.size(connection)
        root = log.root_at(connection, size)
    publication.record(path, Publication(utc(clock()), size, root, size))
