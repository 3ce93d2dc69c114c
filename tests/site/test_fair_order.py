"""Our pages take turns: many requests of one kind do not hold up the others.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from site_in_process import Site, open_site

from timeline import Timeline
from timeline.site import fair_order


class Server:
    """A server is anything that has pages."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    path = tmp_path_factory.mktemp("told") / "t.db"
    with Timeline.create(path, title="T") as timeline:
        timeline.record(
            {"event_id": f"e-{number}", "title": f"Word {number}", "occurred": "2025-04-15"}
            for number in range(60)
        )
    # The order is tested, not the time: on a busy machine a page can take more than a second.
    with open_site(path, settings={"sql_time_limit_ms": 20_000}) as opened:
        yield opened


@pytest.mark.parametrize(
    ("attack", "page"),
    [
        ("/events?as_of=%23{}", "/"),
        ("/events?as_reported=20{}-04-15&q=word", "/events?q=word"),
        ("/events?q=" + "+".join(["word"] * 40) + "+{}", "/events/e-1"),
        ("/events?" + "&".join(f"tag=t{n}" for n in range(40)) + "&tag=a{}", "/changes"),
        ("/changes?from=%23{}&to=%2360", "/"),
        ("/changes.json?from=%23{}&to=%2360", "/verify.json"),
        ("/events/e-{}/card.png", "/"),
    ],
)
def test_a_page_waits_for_few_of_many_requests_of_another_kind(
    attack: str, page: str, site: Site
) -> None:
    answered: list[str] = []

    async def ask(path: str) -> None:
        response = await site.datasette.client.get(path)
        assert response.status_code == 200, response.text
        answered.append(path)

    async def ask_all() -> None:
        attacks = [asyncio.create_task(ask(attack.format(number))) for number in range(10, 50)]
        while not fair_order._orders[site.datasette].waiting:
            await asyncio.sleep(0)
        await ask(page)
        await asyncio.gather(*attacks)

    site.ask("/")  # There is an order from now on.
    site.runner.run(ask_all())
    assert len(answered) == 41
    assert answered.index(page) < 30


def test_kinds_take_turns_and_each_keeps_its_order() -> None:
    begun: list[str] = []
    server = Server()

    async def ask(name: str, goes_on: asyncio.Event) -> None:
        async with fair_order.turn(server, name[0]):
            begun.append(name)
            await goes_on.wait()

    async def ask_all() -> None:
        goes_on = asyncio.Event()
        names = ["a1", "a2", "a3", "a4", "a5", "b1", "b2", "c1"]
        asked = [asyncio.create_task(ask(name, goes_on)) for name in names]
        await asyncio.sleep(0)
        gone = asyncio.create_task(ask("c0", goes_on))
        await asyncio.sleep(0)
        gone.cancel()
        goes_on.set()
        await asyncio.gather(*asked)
        async with fair_order.turn(server, "a"), fair_order.turn(server, "a"):
            pass  # Every turn was given back.

    asyncio.run(ask_all())
    assert begun == ["a1", "a2", "a3", "b1", "c1", "a4", "b2", "a5"]


def test_a_turn_that_came_to_a_reader_who_has_gone_is_passed_on() -> None:
    server = Server()

    async def ask(opens: asyncio.Event) -> None:
        async with fair_order.turn(server, "a"):
            await opens.wait()

    async def ask_all() -> None:
        first, others = asyncio.Event(), asyncio.Event()
        running = [asyncio.create_task(ask(opens)) for opens in (first, others)]
        await asyncio.sleep(0)
        goner, last = (asyncio.create_task(ask(others)) for _ in range(2))
        await asyncio.sleep(0)
        first.set()
        await running[0]  # Its turn has come to the next request, which has not gone on yet.
        goner.cancel()
        others.set()
        await asyncio.gather(running[1], last)
        assert goner.cancelled()

    asyncio.run(asyncio.wait_for(ask_all(), 30))


def test_more_of_one_kind_than_can_wait_are_refused_in_one_line(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fair_order, "_WAITING", 3)

    async def ask_all() -> list[tuple[int, str, str]]:
        get = site.datasette.client.get
        paths = [*["/"] * 12, "/changes", "/verify.json"]
        found = await asyncio.gather(*(get(path) for path in paths))
        return [
            (each.status_code, each.headers.get("retry-after", ""), each.text) for each in found
        ]

    answers = site.runner.run(ask_all())
    refused = (503, "5", "too many readers ask for this: ask again in 5 seconds\n")
    assert answers.count(refused) >= 4
    assert [status for status, *_ in answers[-2:]] == [200, 200]
