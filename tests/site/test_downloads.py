"""Files of many events: sent piece by piece, a few at a time, and never in a page's way.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import asyncio
import csv
import io
import json
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from site_in_process import FILES, Site, open_site

from timeline import Timeline
from timeline.reading import entries
from timeline.reading import query as query_module
from timeline.site import downloads, index_cache

COUNT = 400
IN_PARTS = ("events.json", "events.atom", "events.md", "events.html")
STREAMED = [file for file in FILES if file not in IN_PARTS]


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Timeline]]:
    monkeypatch.setattr(downloads, "_PIECE", 2**12)
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T") as timeline:
        timeline.record(
            {
                "event_id": f"e-{number:03d}",
                "title": f"Event {number}",
                "occurred": "2025-04-15",
                "summary": "s" * 200,
                "citations": [{"source": {"url": f"https://example.org/{number % 50}"}}],
                "quantities": [{"measure": "killed", "value": 3, "reported_by": "By " * 50}],
            }
            for number in range(COUNT)
        )
        yield path, timeline


class Reader:
    """Reads one response, message by message, and does something before it takes each."""

    def __init__(
        self,
        site: Site,
        path: str,
        before: Callable[[Reader], Awaitable[None]] | None = None,
        method: str = "GET",
    ) -> None:
        self.messages: list[dict[str, Any]] = []
        self.has_gone = asyncio.Event()
        self._site, self._path, self._before, self._method = site, path, before, method

    async def read(self) -> Reader:
        path, _, query = self._path.partition("?")
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": self._method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(b"host", b"localhost")],
        }
        asked = False

        async def receive() -> dict[str, Any]:
            nonlocal asked
            if not asked:
                asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await self.has_gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.body" and self._before:
                await self._before(self)
            self.messages.append(message)

        await self._site.datasette.app()(scope, receive, send)
        return self

    @property
    def status(self) -> int:
        status: int = self.messages[0]["status"]
        return status

    @property
    def pieces(self) -> list[bytes]:
        return [message["body"] for message in self.messages[1:] if message["body"]]

    @property
    def text(self) -> str:
        return b"".join(self.pieces).decode()

    @property
    def is_whole(self) -> bool:
        return not self.messages[-1].get("more_body", False)


@pytest.mark.parametrize("smallest", [1, 5_000], ids=["from the index", "from the tables"])
@pytest.mark.parametrize("query", ["", "?q=event&order=oldest", "?as_of=%23300"])
def test_a_file_comes_in_pieces_of_one_state_of_the_log(
    smallest: int, query: str, told: tuple[Path, Timeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_cache, "SMALLEST", smallest)
    path, timeline = told
    with open_site(path, settings={"sql_time_limit_ms": 10_000}) as site:
        for file in FILES:
            expected = site.page(f"/{file}{query}")
            appended = False

            async def append(reader: Reader, file: str = file) -> None:
                nonlocal appended
                if not appended:
                    appended = True
                    title = f"Appended during {file}"
                    timeline.record({"title": title, "occurred": "2025-04-15"})

            reader = site.runner.run(Reader(site, f"/{file}{query}", append).read())
            assert (reader.status, reader.is_whole) == (200, True)
            assert reader.text == expected
            assert max(map(len, reader.pieces)) < 20_000  # the longest entry has 11,000
            assert len(reader.pieces) > 5


@pytest.mark.parametrize("file", STREAMED)
@pytest.mark.parametrize("query", ["", "?q=event"])
def test_a_file_is_made_as_it_is_read(
    file: str, query: str, told: tuple[Path, Timeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = 0

    def counting(reading: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def count(*arguments: Any, **more: Any) -> Iterator[Any]:
            nonlocal read
            for each in reading(*arguments, **more):
                read += 1
                yield each

        return count

    monkeypatch.setattr(query_module, "each", counting(query_module.each))
    monkeypatch.setattr(entries, "read", counting(entries.read))
    seen: list[int] = []

    async def look(reader: Reader) -> None:
        seen.append(read)

    with open_site(told[0]) as site:
        site.runner.run(Reader(site, f"/{file}{query}", look).read())
    assert seen[0] < COUNT / 4
    assert seen[-1] >= COUNT
    assert max(later - earlier for earlier, later in pairwise(seen)) < COUNT / 4


async def stall(reader: Reader) -> None:
    if reader.pieces:
        await asyncio.Event().wait()


async def go(reader: Reader) -> None:
    reader.has_gone.set()


async def never(reader: Reader) -> None:
    """Take everything at once."""


@pytest.mark.parametrize(
    ("reading", "name", "value"),
    [(stall, "_STALLED", 0.001), (go, "_LONGEST", 600), (never, "_LONGEST", 0.5)],
    ids=["stalls", "goes", "takes too long"],
)
def test_a_file_that_is_not_read_to_its_end_is_no_whole_file_and_leaves_its_place(
    reading: Callable[[Reader], Awaitable[None]],
    name: str,
    value: float,
    told: tuple[Path, Timeline],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloads, "_AT_ONCE", 1)
    monkeypatch.setattr(downloads, "_PATIENCE", 0)
    with open_site(told[0]) as site:
        assert site.page("/events.csv")
        with monkeypatch.context() as patch:
            if reading is never:  # a clock that has run out after the first piece
                patch.setattr(downloads, "time", LeapingClock())
            else:
                patch.setattr(downloads, name, value)
            reader = site.runner.run(Reader(site, "/events.csv", reading).read())
        assert reader.status == 200
        assert reader.pieces
        assert not reader.is_whole
        assert site.page("/events.csv")


class LeapingClock:
    """A clock that leaps by two fifths of the longest time whenever somebody looks at it."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += downloads._LONGEST / 2.5
        return self.now


def test_few_files_are_sent_at_once_and_pages_do_not_wait_for_them(
    told: tuple[Path, Timeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "_AT_ONCE", 2)
    monkeypatch.setattr(downloads, "_PATIENCE", 0)
    with open_site(told[0], settings={"num_sql_threads": 1}) as site:
        expected = site.page("/events.csv")

        async def ask_meanwhile() -> None:
            begun, resumed = asyncio.Semaphore(0), asyncio.Event()

            async def pause(reader: Reader) -> None:
                begun.release()
                await resumed.wait()

            readers = [Reader(site, "/events.csv", pause) for _ in range(2)]
            sent = [asyncio.ensure_future(reader.read()) for reader in readers]
            for _ in readers:
                await begun.acquire()
            line = "2 files are being sent already: ask again in 10 seconds"
            for file in FILES:
                refused = await site.datasette.client.get(f"/{file}")
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
                if file.endswith(".json"):
                    assert json.loads(refused.text) == {"error": line}
                else:
                    assert refused.text == f"{line}\n"
            for page in ("/events", "/events/e-007", "/changes.atom", "/t/events.json"):
                assert (await site.datasette.client.get(page)).status_code == 200
            resumed.set()
            await asyncio.gather(*sent)
            assert [reader.text for reader in readers] == [expected] * 2

        site.runner.run(ask_meanwhile())
        assert site.page("/events.csv") == expected


def test_without_threads_and_by_head_a_file_is_as_well_there(told: tuple[Path, Timeline]) -> None:
    with open_site(told[0], settings={"num_sql_threads": 0}) as site:
        rows = [*csv.reader(io.StringIO(site.page("/events.csv")))]
        assert len(rows) == 1 + COUNT
        head = site.runner.run(Reader(site, "/events.csv", method="HEAD").read())
        assert (head.status, head.pieces, head.is_whole) == (200, [], True)
        assert dict(head.messages[0]["headers"])[b"content-type"] == b"text/csv; charset=utf-8"


def test_what_is_wrong_with_an_address_is_said_before_a_file_begins(
    told: tuple[Path, Timeline],
) -> None:
    with open_site(told[0]) as site:
        for file in FILES:
            answer = site.ask(f"/{file}?since=nonsense")
            assert answer.status_code == 400
            assert "since: " in answer.text
            assert site.ask(f"/{file}?as_of=%239999").status_code == 404
