"""What may go around an append: it sees everything that was added, and can still take it back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_files import png
from tables import everything
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.errors import InvalidInput, Refused
from timeline.media.attached import attached_file
from timeline.store import log, storage
from timeline.texts.document import Document, sha256
from timeline.writing.writer import Append, appending

TALKS = {"event_id": "talks", "title": "Talks in Odesa", "occurred": "2025-04-15"}
TEXT = "The talks in Odesa ended."
RED = png("red")


class Watch:
    """Notes what is there when it is entered, and when only the commit is missing."""

    def __init__(self, path: Path, clock: TickingClock, refusal: Exception | None = None) -> None:
        self._path = path
        self._clock = clock
        self._refusal = refusal
        self.seen: list[object] = []

    @contextlib.contextmanager
    def append(self, *, dry_run: bool = False) -> Iterator[Append]:
        with (
            contextlib.closing(storage.connect(self._path, write=True)) as connection,
            contextlib.closing(storage.connect(self._path)) as reader,
        ):

            @contextlib.contextmanager
            def around(append: Append) -> Iterator[None]:
                assert connection.in_transaction
                size = log.size(connection)
                self.seen.append("begun")
                yield
                assert connection.in_transaction
                assert log.size(reader) == size
                added = [entry.kind for entry in log.read(connection, size - 1)]
                self.seen.append((added, append.kept_texts, append.kept_files))
                if self._refusal:
                    raise self._refusal

            with appending(
                connection, str(self._path), now=self._clock, dry_run=dry_run, around=around
            ) as append:
                yield append


def tell(append: Append) -> None:
    append.record(TALKS)
    append.capture({"source_id": "wire", "title": "A wire"}, Document(TEXT))
    append.attach("talks", RED, {"alt": "Red"})


@pytest.fixture
def watch(timeline: Timeline, path: Path, clock: TickingClock) -> Watch:
    return Watch(path, clock)


def test_it_sees_what_the_append_added_before_anybody_else(watch: Watch, path: Path) -> None:
    with watch.append() as append:
        assert watch.seen == ["begun"]
        append.capture({"source_id": "wire", "title": "A wire"}, Document(TEXT))
        append.record({**TALKS, "citations": [{"source": {"title": "A paper"}}]})
        append.attach("talks", RED, {"alt": "Red"})
    kinds = ["source.recorded", "source.recorded", "event.recorded", "event.updated"]
    assert watch.seen[1:] == [
        (kinds, [sha256(TEXT.encode())], [attached_file(RED).sha256]),
    ]


def test_texts_and_files_that_were_there_are_not_kept_again(watch: Watch) -> None:
    for _ in range(2):
        with watch.append() as append:
            tell(append)
    assert watch.seen[-1] == ([], [], [])


def test_a_text_alone_is_seen_without_an_entry(watch: Watch, timeline: Timeline) -> None:
    digest = sha256(TEXT.encode())
    source = {"source_id": "wire", "title": "A wire", "media_type": "text/plain"}
    with timeline.append() as append:
        append.record_source({**source, "text_sha256": digest})
    with watch.append() as append:
        append.capture(source, Document(TEXT))
    assert watch.seen[-1] == ([], [digest], [])


def test_what_it_raises_takes_everything_back(
    timeline: Timeline, path: Path, clock: TickingClock
) -> None:
    before = everything(path)
    watch = Watch(path, clock, Refused("not today"))
    with pytest.raises(Refused, match="not today"), watch.append() as append:
        tell(append)
    assert len(watch.seen) == 2
    assert everything(path) == before
    timeline.record(TALKS)


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_dry_run_and_a_failed_block_end_before_it_sees_anything(
    watch: Watch, path: Path, dry_run: bool
) -> None:
    before = everything(path)
    with contextlib.suppress(InvalidInput), watch.append(dry_run=dry_run) as append:
        append.record(TALKS)
        if not dry_run:
            append.record({"title": ""})
    assert watch.seen == ["begun"]
    assert everything(path) == before


def test_it_comes_after_the_tables_are_made_anew_for_another_time_zone(
    timeline: Timeline, path: Path, clock: TickingClock
) -> None:
    timeline.record({**TALKS, "occurred": "2025-04-15T22:30:00Z"})
    found: list[object] = []
    with contextlib.closing(storage.connect(path, write=True)) as connection:

        @contextlib.contextmanager
        def around(append: Append) -> Iterator[None]:
            yield
            found.extend(connection.execute("SELECT occurred_from FROM events").fetchone())

        with appending(connection, str(path), now=clock, around=around) as append:
            append.update_log({"time_zone": "Europe/Kyiv"})
    assert found == ["2025-04-16T01:30:00"]
