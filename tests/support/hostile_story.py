"""A story of a dozen events in which most things happen, some of them hostile."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from timeline.model.content import Said
from timeline.store import storage
from timeline.writing import writer

NOTICE = "Demonstration: recording times are staged <b>& invented</b>"


HOSTILE = "<script>alert(\"1\")</script> & 'so on'"


@contextlib.contextmanager
def appending(path: Path, moment: str) -> Iterator[writer.Append]:
    now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    with (
        contextlib.closing(storage.connect(path, write=True)) as connection,
        writer.appending(connection, str(path), now=lambda: now) as append,
    ):
        yield append


def create(path: Path, **fields: str) -> Path:
    opened = datetime(2025, 5, 1, tzinfo=UTC)
    writer.create_log(path, {"title": "A test", **fields}, now=lambda: opened)
    return path


def tell(path: Path) -> Path:
    """A story of a dozen events in which most things happen that can happen to an event."""
    create(path, title="The Odesa talks", licence="CC-BY-4.0", notice=NOTICE)
    with appending(path, "2025-05-02T10:00") as append:
        append.record_actor(
            {"actor_id": "zelenskyy", "name": "Volodymyr Zelenskyy", "aliases": ["Zelensky"]}
        )
        append.record_source(
            {
                "source_id": "agency",
                "title": "Strike on Odesa: at least 20 dead",
                "publisher": "Agency",
                "url": "https://agency.example/1",
                "published": "2025-05-02",
                "reliability": "B",
            }
        )
        append.record_source({"source_id": "untitled", "url": "https://council.example/2"})
        append.record(
            {
                "event_id": "strike",
                "title": "Strike on Odesa",
                "summary": "Two missiles hit the centre.",
                "event_type": "ASSAULT",
                "occurred": "2025-05-02T08:15",
                "place": {
                    "name": "Odesa",
                    "country": "UKR",
                    "lat": "46.48",
                    "lon": "30.73",
                    "geo_precision": 1,
                },
                "tags": ["missiles"],
                "quantities": [
                    {"measure": "killed", "value": 20, "qualifier": "at_least"}
                    | {"reported_by": "Mayor", "source_ids": ["agency", "untitled"]},
                    {"measure": "killed", "low": 30, "high": 36, "reported_by": "Region"},
                    {"measure": "killed", "value": 9, "unit": "soldier", "reported_by": "Army"},
                    {"measure": "injured", "value": 90, "reported_by": "Region"},
                ],
                "claims": [
                    {"speaker": "Ministry", "stance": "denies", "statement": "Not us."},
                    {"speaker": "Zelensky", "statement": "It was them."},
                ],
                "citations": [{"source_id": "agency", "quote": "at least 20 dead"}],
            },
            Said(author="desk", reported_at="2025-05-02"),
        )
        append.record(
            {
                "event_id": "talks",
                "title": "Talks in Kraków",
                "event_type": "CONSULT",
                "occurred": "2025-05-01",
                "place": {"name": "Kraków", "country": "POL"},
                "participants": [
                    {"name": "Zelensky", "office": "President", "country": "UKR"},
                    {"name": "Donald Tusk", "role": "host", "country": "POL"},
                ],
                "tags": ["talks"],
                "citations": [{"source_id": "untitled"}],
            }
        )
        for number, (amount, unit, more) in enumerate(
            [
                (500, "EUR", {}),
                (700, "EUR", {}),
                (900, "EUR", {"modality": "planned"}),
                (40, "USD", {"verification": "disputed"}),
            ]
        ):
            append.record(
                {
                    "event_id": f"pledge-{number}",
                    "title": f"Pledge number {number}",
                    "event_type": "AID",
                    "occurred": f"2025-04-{10 + number}",
                    "participants": [
                        {"name": "Norway", "country": "NOR"},
                        {"name": "Ukraine", "role": "recipient", "country": "UKR"},
                    ],
                    "quantities": [
                        {"measure": "pledged", "value": amount, "unit": unit},
                        {"measure": "pledged", "value": amount + 1, "unit": unit},
                        {"measure": "delivered", "value": 3, "unit": "truck"},
                    ],
                    **more,
                }
            )
        append.record({"event_id": "vague", "title": "Before it all", "occurred": "../2025-04-15"})
        append.record({"event_id": "ancient", "title": "Long ago", "occurred": "-0400"})
        append.record({"event_id": "rumour", "title": "A rumour", "occurred": "2025-05"})
        append.record({"event_id": "twin", "title": "Strike at Odessa", "occurred": "2025-05-02"})
        append.record(
            {
                "event_id": "hostile",
                "title": HOSTILE,
                "summary": HOSTILE,
                "occurred": "2025-04-30~",
                "event_type": "ACCUSE",
                "place": {"name": HOSTILE, "country": "FRA"},
                "participants": [{"name": HOSTILE}],
                "tags": [HOSTILE[:50]],
                "quantities": [
                    {"measure": "killed", "value": 1, "reported_by": HOSTILE},
                    {"measure": "killed", "value": 2},
                ],
                "claims": [{"speaker": HOSTILE, "stance": "disputes", "statement": HOSTILE}],
                "relations": [{"type": "follows", "event_id": "strike"}],
                "citations": [{"source": {"title": HOSTILE, "publisher": HOSTILE}}],
                "external_ids": ["test:<script>"],
                "extra": {"test": {"key": HOSTILE}},
            },
            Said(author=HOSTILE, reason=HOSTILE),
        )
    with appending(path, "2025-05-03T23:59:59.5") as append:
        append.update("strike", {"quantities.0.value": 25}, Said(reported_at="2025-05-03"))
        append.correct("talks", {"occurred": "2025-04-30"}, Said(reason="misread", author="desk"))
        append.correct("hostile", {"title": HOSTILE + "!"}, Said(reason=HOSTILE))
    with appending(path, "2025-05-05T00:00") as append:
        append.retract("rumour", Said(reason="nobody stands by it"))
        append.merge("twin", "strike")
        append.withdraw_source("untitled", Said(reason="taken offline"))
    return path
