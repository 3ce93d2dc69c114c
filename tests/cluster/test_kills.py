"""Sites that write and follow, while servers, writers and followers are killed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults import start_forking
from many_sites import Outcome, Sites
from nats_servers import Servers

pytestmark = pytest.mark.cluster


@pytest.fixture
def sites(servers: Servers, name: str, tmp_path: Path) -> Iterator[Sites]:
    start_forking()
    sites = Sites(tmp_path, servers, name)
    try:
        sites.start()
        yield sites
    finally:
        sites.close()


@pytest.fixture
def whole(sites: Sites, record_property: Callable[[str, object], None]) -> Callable[[str], Outcome]:
    """End a story, and see that it is whole; what was counted is printed at the end of the run."""

    def whole(what: str) -> Outcome:
        outcome = sites.outcome()
        record_property("told", f"{what}: {outcome.counted}")
        assert outcome.whole, outcome
        return outcome

    return whole


def test_what_was_acknowledged_outlives_leader_writer_and_follower(
    sites: Sites, whole: Callable[[str], Outcome]
) -> None:
    sites.carry_out(["load", "follower", "leader", "writer", "load", "restart", "load"])
    assert {*whole("three kills").errors} <= {"InDoubt", "Busy"}


def kills(seed: int) -> list[str]:
    """Make a plan of ten kills, of which two are of all servers at once."""
    chance = random.Random(seed)
    steps = ["leader", "another", "writer 1", "writer 2", "follower 0", "follower 1", "leader"]
    chance.shuffle(steps)
    steps.insert(chance.randrange(8), "all")
    steps.insert(chance.randrange(9), "all")
    steps.append("leader")
    return ["load", *(each for step in steps for each in (step, "restart", "load 10"))]


@pytest.mark.torture
@pytest.mark.parametrize("seed", range(3))
def test_what_was_acknowledged_outlives_ten_kills(
    sites: Sites, whole: Callable[[str], Outcome], seed: int
) -> None:
    sites.carry_out(kills(seed))
    whole(f"ten kills (seed {seed})")


@pytest.mark.torture
def test_a_minute_without_two_of_three_servers(
    sites: Sites, whole: Callable[[str], Outcome]
) -> None:
    sites.carry_out(["load", "leader", "another", "stall", "stall", "restart", "load 10"])
    whole("two of three servers down")
    for book in sites.books:
        for name, message, _ in book.read("error"):
            assert name in ("InDoubt", "Unreachable", "Busy")
            assert "\n" not in message
