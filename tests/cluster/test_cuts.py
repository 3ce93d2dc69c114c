"""Appends of one message and of parts, while the cable to the servers is cut."""

from __future__ import annotations

import base64
import contextlib
import itertools
import random
from collections import Counter
from typing import Any

import pytest
from cut_cable import Cable
from nats_servers import Servers, persist
from node_states import briefly, check_equal, messages

from timeline import Timeline
from timeline.cluster import node
from timeline.cluster.address import ClusterAddress
from timeline.cluster.jetstream import Jetstream
from timeline.errors import Busy, InDoubt, Unreachable

pytestmark = pytest.mark.cluster


def events(title: str, *, in_parts: bool) -> list[dict[str, Any]]:
    """Make events without an id; as many as are to come in parts cannot be compressed to one."""
    words = random.Random(title).randbytes(78_000)
    summary = base64.b85encode(words).decode()
    titles = [title, *(f"{title}: {number}" for number in range(12 if in_parts else 0))]
    return [{"title": each, "occurred": "2025-04-15", "summary": summary[::-1]} for each in titles]


def record(timeline: Timeline, events: list[dict[str, Any]]) -> int:
    """Record events as a command does, and return the number of the first in the log."""
    with Timeline.open(timeline.path) as opened:
        return opened.record(events)[0].seq


both = pytest.mark.parametrize("in_parts", [False, True], ids=["one message", "parts"])


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a turn expire after a second, as a cut leaves it with nobody."""
    monkeypatch.setattr(node, "turn", briefly)


@pytest.mark.parametrize(
    "replies",
    [False, pytest.param(True, marks=pytest.mark.torture)],
    ids=["request lost", "reply lost"],
)
def test_the_parts_of_an_append_that_is_cut_are_stored_once(
    far: Timeline, odesa: Timeline, cable: Cable, address: ClusterAddress, replies: bool
) -> None:
    before = messages(address)
    said = events("Talks in parts", in_parts=True)
    with pytest.raises(InDoubt), far.append() as append:  # noqa: PT012 - the cut comes within
        [*append.record_each(said)]
        cable.lose_replies() if replies else cable.lose_requests(after=b"Nats-Batch-Commit")
    cable.mend()
    assert record(far, said) == 2
    assert messages(address) == before + 2
    check_equal(odesa, far)


def test_who_cannot_listen_is_told_that_no_server_answers(servers: Servers, name: str) -> None:
    with contextlib.ExitStack() as stack:
        cable = stack.enter_context(Cable(servers.ports[0]))
        address = ClusterAddress.parse(f"nats://127.0.0.1:{cable.port}/{name}")
        with Jetstream(address, patience=0.5) as jetstream:
            stack.close()
            with pytest.raises(Unreachable, match="1 of 1 servers do not answer"):
                jetstream.stream(address.stream(1))
            with pytest.raises(Unreachable, match="1 of 1 servers do not answer"):
                jetstream.listen(address.subject(1))


@pytest.mark.torture
@both
@pytest.mark.parametrize("replies", [False, True], ids=["request lost", "reply lost"])
def test_a_cut_at_any_request_of_an_append_loses_and_doubles_nothing(
    far: Timeline,
    odesa: Timeline,
    cable: Cable,
    record_property: Any,
    in_parts: bool,
    replies: bool,
) -> None:
    errors = []
    for number in itertools.count(1):
        said = events(f"Talks {number}", in_parts=in_parts)
        cable.lose_from(number, replies=replies)
        try:
            record(far, said)
        except (InDoubt, Unreachable, Busy) as error:
            errors.append(error)
            cable.mend()
            persist(lambda said=said: record(far, said), InDoubt, Unreachable, Busy)
        was_cut = cable.lost.is_set()
        cable.mend()
        if not was_cut:
            break
    assert not any("\n" in str(error) for error in errors)
    in_doubt = sum(isinstance(error, InDoubt) for error in errors)
    record_property(
        "told", f"{number - 1} requests cut: {len(errors)} errors, {in_doubt} of them in doubt"
    )
    odesa.catch_up()
    found = Counter(event["title"] for event in odesa.search("Talks", limit=10_000))
    appends = [events(f"Talks {each}", in_parts=in_parts) for each in range(1, number + 1)]
    assert found == Counter(["Talks", *(said["title"] for append in appends for said in append)])
    check_equal(odesa, far)
