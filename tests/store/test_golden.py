"""A log of format 1 that must be readable, to the byte, for ever.

The files in golden/ never change: what they hold was written once, with every kind of
entry, and logs like it lie on people's disks. Some of what is in v1-odd.jsonl would be refused, or
put into another form, if it were new. A new format gets files of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from running import CHECKOUT

from timeline.model.base import Content
from timeline.model.content import Actor, Annotation, Event, Merge, Said, Source
from timeline.model.log_info import LogInfo
from timeline.model.validation import validate
from timeline.projection import tables
from timeline.projection.projector import Projector
from timeline.store import codec, log, storage
from timeline.store.appender import Appender
from timeline.store.codec import Entry

GOLDEN = CHECKOUT / "tests" / "golden"
# Not splitlines(): a payload holds U+2028, which is no end of a line of JSON.
LINES = (GOLDEN / "v1.jsonl").read_bytes().decode().removesuffix("\n").split("\n")
ROOT = bytes.fromhex((GOLDEN / "v1.root").read_text(encoding="ascii"))

MODELS: dict[str, type[Content]] = {
    "event": Event,
    "source": Source,
    "actor": Actor,
    "log": LogInfo,
    "entry": Content,
}


def entries() -> list[Entry]:
    return [codec.from_wire(line, seq) for seq, line in enumerate(LINES)]


def merkle_root(leaves: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word; independent of the package."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    children = merkle_root(leaves[:split]) + merkle_root(leaves[split:])
    return hashlib.sha256(b"\x01" + children).digest()


# --- The bytes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("v1.jsonl", "a37a9dd79c5fa58cf9c9b431d00c15d9867ddb43a21787201659e6109f85749c"),
        ("v1.root", "cdf9e415f485cfaf9a6549223203f30b4bb8230efe15a9ebbb7e51ff72edecb9"),
        ("v1-odd.jsonl", "19d9941bca5709582115c13644b8e6afb6b668be64078ab2b57b06638434b0b2"),
        ("v1-odd.root", "6729b1b7440fb0026b551986dfbd1bc8af10b906663c22dc049e11cdbc1fa1a6"),
    ],
)
def test_the_golden_files_never_change(name: str, digest: str) -> None:
    assert hashlib.sha256((GOLDEN / name).read_bytes()).hexdigest() == digest


def test_every_line_is_read_and_written_again_as_it_was() -> None:
    for seq, line in enumerate(LINES):
        assert codec.to_wire(codec.from_wire(line, seq)) == line


def test_the_root_over_all_envelopes_is_the_one_that_was_kept() -> None:
    envelopes = [json.loads(line)["envelope"].encode() for line in LINES]
    assert merkle_root(envelopes) == ROOT
    assert [entry.leaf for entry in entries()] == [
        hashlib.sha256(b"\x00" + envelope).digest() for envelope in envelopes
    ]


def test_every_payload_that_is_left_matches_its_hash() -> None:
    for line in LINES:
        wire = json.loads(line)
        if wire["payload"] is not None:
            salted = bytes.fromhex(wire["salt"]) + wire["payload"].encode()
            hashed = json.loads(wire["envelope"])["payload_hash"]
            assert hashed == "sha256:" + hashlib.sha256(salted).hexdigest()


def test_every_kind_of_format_1_is_there() -> None:
    kinds = {kind for what, kinds in codec.KINDS.items() if what != "media" for kind in kinds}
    assert {entry.kind for entry in entries()} == kinds


def test_the_one_entry_that_was_erased_is_named_by_an_erasure() -> None:
    (erased,) = (entry for entry in entries() if entry.payload is None)
    (erasure,) = (entry for entry in entries() if entry.kind == "entry.erased")
    assert erasure.subject == f"entry/{erased.id}"
    assert erased.salt is None


def test_what_was_accepted_once_is_still_well_formed_and_has_the_same_bytes() -> None:
    """A model that became stricter, or wrote a content otherwise, would be seen here."""
    for entry in entries():
        if entry.payload is None:
            continue
        payload = codec.decode_payload(entry.payload)
        author, reason = payload.pop("author", None), payload.pop("reason", None)
        validate(Said, {"author": author, "reason": reason, "reported_at": entry.reported_at})
        what, _, verb = entry.kind.partition(".")
        kind = {"merged": Merge, "annotated": Annotation}.get(verb, MODELS[what])
        if payload:
            content = validate(kind, payload).content()
            assert codec.encode_payload(author, reason, content) == entry.payload


# --- What it adds up to -----------------------------------------------------------------------


@pytest.fixture
def folded(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    path = tmp_path / "golden.db"
    with storage.new_file(path) as connection, storage.immediate(connection):
        tables.create(connection, "Europe/Kyiv")
        Appender(connection).append(*entries())
        projector = Projector(connection, "Europe/Kyiv")
        for entry in log.read(connection):
            projector.apply(entry)
        projector.flush()
    with contextlib.closing(storage.connect(path)) as connection:
        yield connection


def test_the_log_holds_every_entry_as_it_came(folded: sqlite3.Connection) -> None:
    assert [codec.to_wire(entry) for entry in log.read(folded)] == LINES


def test_the_events_stand_as_they_did(folded: sqlite3.Connection) -> None:
    found = folded.execute(
        "SELECT event_id, state, version, title, occurred, modality, corrections_count,"
        " merged_into, reported_at, first_recorded_at FROM events ORDER BY event_key"
    )
    visit, strike = "2025-04-15T15:08:55.123456Z", "2025-04-16T06:00:00.000001Z"
    assert found.fetchall() == [
        (
            "odesa-visit",
            "current",
            2,
            "Mark Rutte and Volodymyr Zelenskyy meet in Odesa",
            "2025-04-15",
            "actual",
            1,
            None,
            "2025-04-15T13:30Z",
            visit,
        ),
        (
            "port-strike",
            "current",
            2,
            "Drones hit the port of Odesa",
            "2025-04-15T23:40/2025-04-16T01",
            "actual",
            0,
            None,
            "2025-04-17",
            strike,
        ),
        (
            "second-report-0416",
            "merged",
            2,
            "A second report of the strike on the port",
            "2025-04-16~",
            "actual",
            0,
            "port-strike",
            "2025-04-16",
            strike,
        ),
        (
            "aid-package",
            "current",
            1,
            "An aid package for the air defence of the region is announced",
            "2025-34",
            "planned",
            0,
            None,
            "2025-04-16T09:15+03:00",
            strike,
        ),
        ("private-call", "erased", 1, None, None, None, 0, None, "2025-04-16", strike),
        (
            "mayor-rumour",
            "retracted",
            2,
            "The mayor is said to have left the city",
            "../2025-04-16",
            "hypothetical",
            0,
            None,
            "2025-04-16",
            strike,
        ),
        (
            "1hjvvzdh605",
            "current",
            1,
            "A curfew is announced",
            "2025-04-17~",
            "negated",
            0,
            None,
            "2025-04-16",
            strike,
        ),
        (
            "snake-island",
            "current",
            3,
            "A ship is seen off Snake Island",
            "2025-04-14T05:20:30Z",
            "actual",
            0,
            None,
            "2025-04-18",
            strike,
        ),
    ]


def test_dates_places_and_texts_stand_as_they_did(folded: sqlite3.Connection) -> None:
    columns = "occurred_from, occurred_to, occurred_precision, year, month"
    found = {
        event_id: rest
        for event_id, *rest in folded.execute(f"SELECT event_id, {columns} FROM events")
    }
    assert found["port-strike"] == [
        *("2025-04-15T23:40:00", "2025-04-16T01:59:59"),
        *("interval", 2025, "2025-04"),
    ]
    assert found["aid-package"] == ["2025-04-01", "2025-06-30", "quarter", 2025, None]
    assert found["mayor-rumour"] == [None, "2025-04-16", "open", None, None]
    assert found["private-call"] == [None] * 5
    (visit,) = folded.execute(
        "SELECT note, place, country, lat, lon, about_place, tags, extra, sources_count, at_risk"
        " FROM events WHERE event_id = 'odesa-visit'"
    )
    assert visit == (
        'Copied from the wire, with all its signs: "unannounced", C:\\press\\odesa.txt\n'
        "\ttab, bell \x07, DEL \x7f, separator \u2028, e\u0301, 😀.",
        "Odesa",
        "UKR",
        46.4825,
        30.7233,
        None,
        '["nato", "чорне море"]',
        '{"csv": {"Спальня/~": "так"}, "gdelt": {"AvgTone": "-2.35", "GoldsteinScale": "1.0"}}',
        2,
        0,
    )


def test_figures_stand_side_by_side_as_they_did(folded: sqlite3.Connection) -> None:
    found = folded.execute(
        "SELECT measure, qualifier, value, low, high, unit, dated, reported_by, source_ids"
        " FROM event_quantities WHERE event_id = 'port-strike' ORDER BY position"
    )
    prosecutor, army = "Odesa Regional Prosecutor", "Russian Armed Forces"
    assert found.fetchall() == [
        ("killed", "at_least", 35, None, None, "person", "2025-04-17", prosecutor, None),
        ("killed", "about", None, 30, 36.5, "person", None, army, None),
        ("drones shot down", "exact", 11, None, None, "drone", None, None, None),
        ("pledged", "exact", 1250000000.5, None, None, "EUR", None, None, '["nato-release"]'),
    ]


def test_actors_and_sources_stand_as_they_did(folded: sqlite3.Connection) -> None:
    found = folded.execute(
        "SELECT name, actor_id FROM event_actors WHERE event_id = 'odesa-visit' ORDER BY position"
    )
    assert found.fetchall() == [
        ("Mark Rutte", "mark-rutte"),
        ("Володимир Зеленський", "zelenskyy"),  # by an alias
        ("Zelensky", "zelenskyy"),  # by a merge
    ]
    (names,) = folded.execute("SELECT actors FROM events WHERE event_id = 'odesa-visit'").fetchone()
    assert names == "Mark Rutte; Volodymyr Zelenskyy"
    assert folded.execute("SELECT 1 FROM actors WHERE name LIKE '%Koval%'").fetchall() == []
    found = folded.execute(
        "SELECT source_id, state, version, reliability, withdrawn_reason FROM sources"
        " ORDER BY source_key"
    )
    assert found.fetchall() == [
        ("nato-release", "current", 5, "A", None),
        ("1hjta61emg1", "withdrawn", 2, None, "The agency corrected it itself."),
    ]


def test_the_changes_of_a_correction_and_of_an_update_are_those_they_were(
    folded: sqlite3.Connection,
) -> None:
    found = folded.execute(
        "SELECT event_id, path, old_value, new_value, kind FROM field_changes"
        " ORDER BY seq, position"
    )
    old = "Mark Rutte and Volodymyr Zelenskyy meet in Odessa"
    assert found.fetchall() == [
        ("port-strike", "/quantities/0/value", "34", "35", "event.updated"),
        ("port-strike", "/quantities/0/dated", "2025-04-16", "2025-04-17", "event.updated"),
        ("port-strike", "/modality", "ongoing", None, "event.updated"),
        ("odesa-visit", "/title", old, old.replace("Odessa", "Odesa"), "event.corrected"),
        ("odesa-visit", "/about_place/name", "Black Sea", None, "event.corrected"),
        ("odesa-visit", "/about_place/lat", "43", None, "event.corrected"),
        ("odesa-visit", "/about_place/lon", "34.5", None, "event.corrected"),
        ("odesa-visit", "/about_place/geo_precision", "7", None, "event.corrected"),
    ]


def test_the_reported_clock_counts_as_it_did(folded: sqlite3.Connection) -> None:
    """Days end in Kyiv; what is reported late never counts before what was known."""
    found = folded.execute(
        "SELECT event_id, version, reported_from FROM event_versions"
        " WHERE event_id IN ('odesa-visit', 'port-strike', 'aid-package', 'snake-island')"
        " ORDER BY seq"
    )
    assert found.fetchall() == [
        ("odesa-visit", 1, "2025-04-15T13:30:59.999999Z"),
        ("port-strike", 1, "2025-04-16T20:59:59.999999Z"),
        ("aid-package", 1, "2025-04-16T06:15:59.999999Z"),
        ("snake-island", 1, "2025-04-14T20:59:59.999999Z"),
        ("port-strike", 2, "2025-04-17T20:59:59.999999Z"),
        ("odesa-visit", 2, "2025-04-15T13:30:59.999999Z"),
        ("snake-island", 2, "2025-04-14T20:59:59.999999Z"),
        ("snake-island", 3, "2025-04-18T20:59:59.999999Z"),
    ]


def test_the_log_says_of_itself_what_it_said_last(folded: sqlite3.Connection) -> None:
    info = log.info(folded)
    assert (info["title"], info["notice"]) == ("Odesa, 2025", "Still being checked.")
    found = folded.execute("SELECT code, label, definition FROM event_types ORDER BY code")
    assert found.fetchall() == [
        ("AID", "Aid", None),
        ("ASSAULT", "Assault", "Use force."),
        ("CONSULT", "Consultation", "Visit, meet or talk."),
    ]


def test_rebuilding_its_tables_gives_the_same_values(
    folded: sqlite3.Connection, tmp_path: Path
) -> None:
    names = [name for name, kind in tables.tables().items() if kind == "TABLE"]
    readable = [name for name in names if not name.startswith("event_search")]

    def values(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
        return {
            name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr)
            for name in readable
        }

    before = values(folded)
    with contextlib.closing(storage.connect(tmp_path / "golden.db", write=True)) as connection:
        assert tables.rebuild(connection) == len(LINES)
        assert values(connection) == before
