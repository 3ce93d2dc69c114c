"""A log of format 2 that must be readable, to the byte, for ever; `test_golden` has format 1."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
from collections import Counter
from pathlib import Path

import pytest
from running import CHECKOUT, done

from timeline import Timeline
from timeline.model.base import Content
from timeline.model.content import Actor, Annotation, Event, Merge, Said, Source
from timeline.model.log_info import LogInfo
from timeline.model.validation import validate
from timeline.proof import verify
from timeline.store import codec

GOLDEN = CHECKOUT / "tests" / "golden"
LINES = (GOLDEN / "v2.jsonl").read_bytes().decode().removesuffix("\n").split("\n")
ROOT = bytes.fromhex((GOLDEN / "v2.root").read_text(encoding="ascii"))
MODELS: dict[str, type[Content]] = {
    "event": Event,
    "source": Source,
    "actor": Actor,
    "log": LogInfo,
}
ENTRIES = [codec.from_wire(line, seq) for seq, line in enumerate(LINES)]


def v_of(entry: codec.Entry) -> int:
    return int(json.loads(entry.envelope)["v"])


@pytest.fixture
def restored(tmp_path: Path) -> Path:
    path = tmp_path / "golden.db"
    export = io.BytesIO(gzip.compress("".join(f"{line}\n" for line in LINES).encode()))
    Timeline.restore(path, export).close()
    return path


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("v2.jsonl", "36ab04edcbcf1b2c97b3d47054e0ddc3f1b72d90cfc514d81b0c097851b2239b"),
        ("v2.root", "f8e454178771610c9665bcbcd5bd67e1f9e3c1e8072126a5aa506bd720b6c650"),
    ],
)
def test_the_golden_files_never_change(name: str, digest: str) -> None:
    assert hashlib.sha256((GOLDEN / name).read_bytes()).hexdigest() == digest


def test_every_line_is_read_and_written_again_as_it_was() -> None:
    assert [codec.to_wire(entry) for entry in ENTRIES] == LINES


def test_every_kind_and_every_kind_of_medium_is_there() -> None:
    kinds = {kind for kinds in codec.KINDS.values() for kind in kinds}
    assert {entry.kind for entry in ENTRIES} == kinds
    contents = [codec.decode_content(entry.payload) or {} for entry in ENTRIES]
    media = [medium for content in contents for medium in content.get("media", ())]
    assert {medium["kind"] for medium in media} == {"image", "document", "video", "audio"}
    events = {
        (medium["sha256"], entry.subject)
        for entry, content in zip(ENTRIES, contents, strict=True)
        for medium in content.get("media", ())
        if "sha256" in medium
    }
    assert max(Counter(sha256 for sha256, _ in events).values()) == 2  # two events share a file


def test_the_format_of_an_entry_is_the_lowest_that_can_say_it() -> None:
    for entry in ENTRIES:
        if entry.payload is not None:
            assert v_of(entry) == codec.format_of(entry.kind, codec.decode_payload(entry.payload))
    dinner = [entry for entry in ENTRIES if entry.subject == "event/dinner"]
    assert [v_of(entry) for entry in dinner] == [1, 2, 2, 1]


def test_what_was_accepted_once_is_still_well_formed_and_has_the_same_bytes() -> None:
    for entry in ENTRIES:
        if entry.payload is None:
            continue
        author, reason, proposed_by, content = codec.payload_of(entry)
        words = {"author": author, "reason": reason, "proposed_by": proposed_by}
        validate(Said, {**words, "reported_at": entry.reported_at})
        what, _, verb = entry.kind.partition(".")
        if content:
            kind = {"merged": Merge, "annotated": Annotation}.get(verb) or MODELS[what]
            again = validate(kind, content).content()
            assert codec.encode_payload(author, reason, again, proposed_by) == entry.payload


def test_it_is_restored_and_holds(restored: Path) -> None:
    report = verify.verify(restored)
    assert report.findings == []
    assert (report.size, report.root, report.erased) == (len(LINES), ROOT, 1)
    assert done("-d", restored, "export", "jsonl").splitlines() == LINES


def test_the_events_stand_as_they_did(restored: Path) -> None:
    with Timeline.open(restored) as timeline:
        strike = timeline.get("port-strike")
        assert [(each["kind"], each.get("alt")) for each in strike["media"]] == [
            ("video", None),
            ("audio", None),
            ("image", "A red sky over cranes"),
            ("document", None),
        ]
        assert strike["highlight"] is True
        tie = {"type": "about", "event_id": "port-built", "origin": "example.org/history"}
        assert strike["relations"] == [tie]
        assert "media" not in timeline.get("dinner")
        assert len(timeline.get("dinner", as_of="#12")["media"]) == 2
        rows = {row["event_id"]: row["highlight"] for row in timeline.list()}
        assert rows == {"port-strike": 1, "dinner": 0}
        assert (timeline.info["publisher"], timeline.info["contact"]) == (
            "The Harbour Desk",
            "desk@example.org",
        )


def test_an_update_in_another_field_keeps_the_files_that_are_not_here(restored: Path) -> None:
    with Timeline.open(restored, fork=True, trust_clock=True) as timeline:
        timeline.update("port-strike", {"summary": "Two cranes burned."})
        assert len(timeline.get("port-strike")["media"]) == 4
    assert verify.verify(restored).findings == []
