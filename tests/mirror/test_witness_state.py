"""The state of a witness: on the disk before the answer, for one key, and never forgotten."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults import fork, start_forking
from histories import LOG, WITNESS, A, B, History, is_one_history
from hypothesis import given, settings
from hypothesis import strategies as st
from ticking_clock import TickingClock

from timeline.errors import InvalidInput, NotATimeline, NotFound, Replaced, TooNew
from timeline.mirror import witness_state
from timeline.mirror.witness_state import WitnessState
from timeline.proof import signed_note
from timeline.proof.signed_note import Note, SigningKey
from timeline.proof.witness import WitnessAnswer, origin_hash

NEXT = SigningKey(LOG.name, b"n" * 32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "witness.db"


@pytest.fixture
def state(path: Path, clock: TickingClock) -> Iterator[WitnessState]:
    with WitnessState(path, can_make=True, now=clock) as opened:
        opened.trust(LOG.verifier)
        yield opened


def asked_twice_at_once(path: Path) -> list[WitnessAnswer]:
    """Two requests that go on from one size, by two connections."""
    answers, start = list[WitnessAnswer](), threading.Barrier(2)

    def ask(size: int) -> None:
        with WitnessState(path) as state:
            start.wait()
            answers.append(state.answer(A.request(6, size), WITNESS))

    threads = [threading.Thread(target=ask, args=[size]) for size in (8, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_two_requests_at_once_one_is_signed_and_one_is_a_conflict(
    state: WitnessState, path: Path
) -> None:
    state.answer(A.request(0, 6), WITNESS)
    answers = asked_twice_at_once(path)
    assert sorted(answer.status for answer in answers) == [200, 409]
    known = state.log(LOG.name)
    assert known
    assert f"{known.size}\n" in [answer.body for answer in answers]


def answered_and_killed(path: Path) -> None:
    """Commit, and be killed before anybody sees the answer."""
    with WitnessState(path) as state:
        assert state.answer(A.request(6, 8), WITNESS).status == 200
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_kill_between_the_commit_and_the_answer_loses_nothing(
    state: WitnessState, path: Path
) -> None:
    start_forking()
    state.answer(A.request(0, 6), WITNESS)
    process = fork(answered_and_killed, path)
    process.join()
    assert process.exitcode == -signal.SIGKILL
    assert state.answer(A.request(6, 8), WITNESS)[:3] == (409, "text/x.tlog.size", "8\n")
    assert state.answer(B.request(8, 9), WITNESS).status == 422
    assert state.answer(A.request(8, 8), WITNESS).status == 200


def test_a_commit_is_synced(state: WitnessState) -> None:
    (synchronous,) = state._connection.execute("PRAGMA synchronous").fetchone()
    assert synchronous == 2


def test_only_the_owner_can_read_it(state: WitnessState, path: Path) -> None:
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_whole_note_is_kept_and_shown(state: WitnessState) -> None:
    assert state.signed(origin_hash(LOG.name)) is None
    answer = state.answer(A.request(0, 6), WITNESS)
    assert str(state.signed(origin_hash(LOG.name))) == A.checkpoint(6) + answer.body
    assert state.signed(origin_hash("example.org/another")) is None


def test_a_log_that_is_trusted_again_goes_on_from_what_was_signed(state: WitnessState) -> None:
    state.answer(A.request(0, 6), WITNESS)
    state.untrust(LOG.verifier)
    assert state.trusted() == []
    assert state.answer(A.request(6, 8), WITNESS).status == 404
    with pytest.raises(NotFound, match="no trusted key"):
        state.untrust(LOG.verifier)
    state.trust(LOG.verifier)
    assert state.trusted() == [LOG.name]
    assert state.answer(B.request(0, 8), WITNESS).status == 409
    assert state.answer(A.request(6, 8), WITNESS).status == 200


def test_a_log_may_have_two_keys(state: WitnessState) -> None:
    state.trust(NEXT.verifier)
    state.trust(NEXT.verifier)
    for size, keys in ((6, (LOG,)), (8, (NEXT,)), (9, (LOG, NEXT))):
        known = state.log(LOG.name)
        assert known
        note = A.checkpoint(size, *keys)
        body = A.request(known.size, size).split(b"\n\n")[0] + f"\n\n{note}".encode()
        assert state.answer(body, WITNESS).status == 200
    state.untrust(LOG.verifier)
    assert state.answer(A.request(9, 9), WITNESS).status == 403


def test_a_state_belongs_to_one_key(state: WitnessState) -> None:
    state.bind(WITNESS)
    state.bind(WITNESS)
    with pytest.raises(InvalidInput, match=r"is the state of kyiv\.example"):
        state.bind(SigningKey("kyiv.example/witness", b"o" * 32, 4))
    with pytest.raises(InvalidInput, match="is of a log"):
        state.bind(LOG)
    with pytest.raises(InvalidInput, match="is of a witness"):
        state.trust(WITNESS.verifier)


def test_a_state_that_is_not_there_is_not_made_by_the_way(path: Path) -> None:
    with pytest.raises(NotATimeline, match="does not exist: timeline witness trust"):
        WitnessState(path)
    assert not path.exists()


def test_a_state_that_is_replaced_while_it_is_open_signs_nothing(
    state: WitnessState, path: Path
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("VACUUM INTO ?", (f"{path}.old",))
    connection.close()
    state.answer(A.request(0, 6), WITNESS)
    Path(f"{path}.old").replace(path)
    with pytest.raises(Replaced):
        state.answer(B.request(0, 6), WITNESS)


@pytest.mark.parametrize(
    ("sql", "problem"),
    [
        ("PRAGMA application_id = 7", "is not the state of a witness"),
        ("PRAGMA user_version = 99", "is the state of a witness of version 99"),
    ],
)
def test_another_file_is_refused(state: WitnessState, path: Path, sql: str, problem: str) -> None:
    state._connection.execute(sql)
    with pytest.raises((NotATimeline, TooNew), match=problem):
        WitnessState(path)


def test_what_is_refused_is_kept_once_and_the_oldest_goes(
    state: WitnessState, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness_state, "_MOST_REFUSED", 3)
    state.answer(A.request(0, 6), WITNESS)
    for size in (7, 8, 8, 9, 10, 6):
        assert state.answer(B.request(6, size), WITNESS).status == 422
    state.answer(A.request(6, 6, A.proof(5, 6)), WITNESS)
    kept = [str(refused.refused) for refused in state.refused()]
    assert kept == [B.checkpoint(size) for size in (8, 9, 10, 6)]
    assert [refused.is_fork for refused in state.refused()] == [False, False, False, True]
    assert str(state.refused()[0].newest).startswith(A.checkpoint(6))


_ASKED = st.tuples(st.sampled_from([A, B]), st.none() | st.integers(0, 9), st.integers(0, 9))


@settings(max_examples=40)
@given(st.lists(_ASKED | st.sampled_from(["trust", "untrust", "open again"]), max_size=12))
def test_whatever_happens_to_the_state_one_history_is_signed(
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[History, int | None, int] | str],
) -> None:
    path, signed = tmp_path_factory.mktemp("state") / "witness.db", list[Note]()
    state = WitnessState(path, can_make=True)
    state.trust(LOG.verifier)
    for step in steps:
        match step:
            case "trust":
                state.trust(LOG.verifier)
            case "untrust" if state.trusted():
                state.untrust(LOG.verifier)
            case "open again":
                state.close()
                state = WitnessState(path)
            case (history, old, size):
                known = state.log(LOG.name)
                at = known.size if known and old is None else old
                answer = state.answer(history.request(at or 0, size), WITNESS)
                if answer.status == 200:
                    signed.append(signed_note.parse(history.checkpoint(size) + answer.body))
    state.close()
    assert is_one_history(signed)
