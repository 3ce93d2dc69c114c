"""Stories for hypothesis: any sequence of operations, in appends of any size."""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from hypothesis import strategies as st
from ticking_clock import TickingClock

from timeline import Event, Timeline
from timeline.errors import TimelineError
from timeline.model.content import Annotation, Said
from timeline.store import codec, log, storage
from timeline.store.appender import Appender
from timeline.writing.writer import Append

Operation = Callable[[Append], object]

EVENTS = ("event-a", "event-b", "event-c")
NEW_EVENTS = ("event-d", "event-e", "event-f", "event-g")
SOURCES = ("paper", "radio")
ACTORS = ("zel", "rutte")
NAMES = ("Volodymyr Zelenskyy", "volodymyr zelenskyy", "Zelensky", "Mark Rutte", "NATO", "Orbán")
DAYS = ("2025-04-13", "2025-04-14", "2025-04-15", "2025-04-16")
DATES = ("2025-04-15", "2025-04", "2025-33", "../2025-04-15", "2025-04-15/..", "2025-04-15T10:15")


def _of(*values: object) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def _given(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of these fields, each perhaps not given."""
    return st.fixed_dictionaries({}, optional=fields)


_participants = st.lists(
    st.fixed_dictionaries(
        {"name": _of(*NAMES)},
        optional={
            "actor_id": _of(*ACTORS, "nato"),
            "role": _of("host", "speaker"),
            "as_named": _of("the president", "Zelensky"),
            "country": _of("UKR", "NLD"),
        },
    ),
    max_size=3,
)
_source = st.one_of(
    _of(*({"source_id": source_id} for source_id in SOURCES)),
    _of({"title": "Morning report"}, {"title": "Morning report", "publisher": "P"}),
    _of({"url": "https://example.org/a"}, {"url": "https://example.org/a", "title": "A"}),
)
_citations = st.lists(
    st.one_of(
        st.fixed_dictionaries({"source_id": _of(*SOURCES)}, optional={"quote": _of("two killed")}),
        st.fixed_dictionaries({"source": _source}, optional={"quote": _of("Łódź, Orbán")}),
    ),
    max_size=3,
)
_quantities = st.lists(
    st.fixed_dictionaries(
        {
            "measure": _of("killed", "pledged"),
            "unit": _of("EUR", "person"),
            "qualifier": _of("exact", "more_than", "at_least", "about"),
        },
        optional={"reported_by": _of("police", "mayor"), "dated": _of(*DATES)},
    ).flatmap(
        lambda figure: _of(
            *({"value": value} for value in (34, 35, "0.5")),
            {"low": 20},
            {"high": 40},
            {"low": 36, "high": 40},
            {"value": 35, "low": 36, "high": "1e30"},
        ).map(lambda numbers: figure | numbers)
    ),
    max_size=2,
)
contents = st.fixed_dictionaries(
    {"title": _of("Talks in Odesa", "Strike on Sumy", "Łódź"), "occurred": _of(*DATES)},
    optional={
        "summary": _of("Orbán came, too", "34 people were killed"),
        "event_type": _of("CONSULT", "Assault"),
        "place": _of({"name": "Odesa", "country": "UKR"}, {"lat": 46.5, "lon": 30.7}),
        "tags": st.lists(_of("War", "peace", "łódź"), max_size=3),
        "participants": _participants,
        "citations": _citations,
        "quantities": _quantities,
        "claims": st.lists(_given(statement=_of("so")).map(lambda c: {"speaker": "S", **c})),
        "relations": st.lists(
            st.fixed_dictionaries({"type": _of("part_of", "follows"), "event_id": _of(*EVENTS)}),
            max_size=2,
        ),
        "external_ids": st.lists(_of("gdelt:1", "gdelt:2", "ucdp:1"), max_size=2),
        "modality": _of("planned", "actual"),
        "verification": _of("disputed", "reported"),
        "highlight": st.booleans(),
        "extra": st.just({"ns": {"key": "text"}}),
    },
)
said = _given(author=_of("nb", "od"), reported_at=_of(*DAYS, "2025-04-15T10:15")).map(
    lambda f: Said(reason="Why", **f)
)
_changes = st.one_of(
    contents.map(lambda content: {k: v for k, v in content.items() if k != "occurred"}),
    _of({"summary": None}, {"participants": None}, {"external_ids": None}, {"citations.-": None}),
    st.builds(lambda name: {"participants.-": {"name": name}}, _of(*NAMES)),
    st.builds(lambda value: {"quantities.0.value": value}, st.integers(30, 40)),
)
_event, _source_id = _of(*EVENTS, *NEW_EVENTS[:1]), _of(*SOURCES)
_actor = _of(*ACTORS, "nato")

event_operations: st.SearchStrategy[Operation] = st.one_of(
    st.builds(
        lambda key, content, said: lambda a: a.record({"event_id": key, **content}, said),
        _of(*NEW_EVENTS),
        contents,
        said,
    ),
    st.builds(lambda key, c, said: lambda a: a.update(key, c, said), _event, _changes, said),
    st.builds(lambda key, c, said: lambda a: a.update(key, c, said), _event, _changes, said),
    st.builds(lambda key, c, said: lambda a: a.update(key, c, said), _event, _changes, said),
    st.builds(lambda key, c, said: lambda a: a.correct(key, c, said), _event, _changes, said),
    st.builds(
        lambda key, c, said, version: lambda a: a.update(key, Event(**c), said, expect=version),
        _event,
        contents,
        said,
        st.integers(1, 2),
    ),
    st.builds(lambda key, said: lambda a: a.retract(key, said), _event, said),
    st.builds(lambda key, said: lambda a: a.reinstate(key, said), _event, said),
    st.builds(lambda key, said: lambda a: a.reinstate(key, said), _event, said),
    st.builds(lambda key, to, said: lambda a: a.merge(key, to, said), _event, _event, said),
)
_aliases = st.lists(_of(*NAMES), max_size=2)
other_operations: st.SearchStrategy[Operation] = st.one_of(
    st.builds(
        lambda key, title, said: (
            lambda a: a.record_source({"source_id": key, "title": title}, said)
        ),
        _of("video", "blog", *SOURCES),
        _of("A paper", "Another"),
        said,
    ),
    st.builds(
        lambda key, title, said: lambda a: a.update_source(key, {"title": title}, said),
        _source_id,
        _of("A paper", "Renamed"),
        said,
    ),
    st.builds(lambda key, said: lambda a: a.withdraw_source(key, said), _source_id, said),
    st.builds(lambda key, said: lambda a: a.reinstate_source(key, said), _source_id, said),
    st.builds(
        lambda key: lambda a: a.annotate_source(key, Annotation(text_sha256="sha256:" + "0" * 64)),
        _source_id,
    ),
    st.builds(
        lambda key, name, aliases: (
            lambda a: a.record_actor({"actor_id": key, "name": name, "aliases": aliases})
        ),
        _of("nato", "orban"),
        _of(*NAMES),
        _aliases,
    ),
    st.builds(
        lambda key, name, aliases: (
            lambda a: a.update_actor(key, {"name": name, "aliases": aliases})
        ),
        _actor,
        _of(*NAMES),
        _aliases,
    ),
    st.builds(lambda key, to: lambda a: a.merge_actor(key, to), _actor, _actor),
    st.builds(
        lambda title, zone: lambda a: a.update_log({"title": title, "time_zone": zone}),
        _of("One title", "Another title"),
        _of("UTC", "Europe/Kyiv", "America/New_York"),
    ),
)
operations = st.one_of(event_operations, event_operations, other_operations)

stories = st.lists(st.lists(operations, min_size=1, max_size=5), min_size=1, max_size=8)
"""Appends, each a list of operations."""


@contextlib.contextmanager
def told(story: list[list[Operation]]) -> Iterator[sqlite3.Connection]:
    """A connection to a log that was told a story; its writer is open beside it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "timeline.db"
        with (
            Timeline.create(path, title="T", now=TickingClock()) as timeline,
            contextlib.closing(storage.connect(path)) as connection,
        ):
            begin(timeline)
            for append_of in story:
                tell(timeline, append_of)
            yield connection


def begin(timeline: Timeline) -> None:
    """What most operations need to work on: events, sources and actors, one batch of each."""
    with timeline.append() as append:
        for event_id in EVENTS:
            append.record({"event_id": event_id, "title": event_id, "occurred": "2025-04-15"})
    with timeline.append() as append:
        for source_id in SOURCES:
            append.record_source(
                {"source_id": source_id, "title": source_id, "text_sha256": f"sha256:{'0' * 64}"}
            )
        for actor_id, name in zip(ACTORS, ("Volodymyr Zelenskyy", "Mark Rutte"), strict=True):
            append.record_actor({"actor_id": actor_id, "name": name})


def tell(timeline: Timeline, operations: list[Operation]) -> int:
    """One append, without the operations that are refused; how many were not."""
    done = 0
    try:
        with timeline.append() as append:
            for operation in operations:
                try:
                    operation(append)
                except TimelineError:
                    continue
                done += 1
    except TimelineError:  # a relation to nowhere is seen at the end
        return 0
    return done


def erase(path: Path, *seqs: int) -> None:
    """Take the payloads of entries out, as an erasure does."""
    with (
        contextlib.closing(storage.connect(path, write=True)) as connection,
        storage.immediate(connection),
    ):
        for seq in seqs:
            newest, erased = log.newest(connection), log.entry_at(connection, seq)
            assert newest is not None
            assert erased is not None
            entry = codec.encode(
                seq=newest.seq + 1,
                id=codec.encode_id(2**54 + newest.seq),
                kind="entry.erased",
                subject=f"entry/{erased.id}",
                version=1,
                recorded_at=newest.recorded_at[:-1] + "Z",
                reported_at=None,
                payload=codec.encode_payload(None, "A court said so", {}),
            )
            Appender(connection).append(entry)
            connection.execute(
                "UPDATE log SET payload = NULL, salt = NULL WHERE seq = ?", (erased.seq,)
            )
