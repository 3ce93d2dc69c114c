"""What a witness refused convinces others, or is not called a fork."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from histories import LOG, WITNESS, A, B, History

from timeline.mirror.evidence import evidence_in, file_name
from timeline.mirror.prefix import open_prefix
from timeline.mirror.witness_state import WitnessState
from timeline.proof.fork import Fork


@pytest.fixture
def state(tmp_path: Path) -> Iterator[WitnessState]:
    """A witness that has signed six entries of a history."""
    with WitnessState(tmp_path / "witness.db", can_make=True) as opened:
        opened.trust(LOG.verifier)
        opened.answer(A.request(0, 6), WITNESS)
        yield opened


def shown(state: WitnessState, source: Path | None = None) -> list[Fork | str | None]:
    with contextlib.ExitStack() as stack:
        prefix = stack.enter_context(open_prefix(str(source))) if source else None
        return [each.problem or each.fork for each in evidence_in(state, prefix)]


def sizes(fork: Fork | str | None) -> list[int]:
    """The sizes of a fork, as one reads it who has the file and the key of the log alone."""
    assert isinstance(fork, Fork)
    return [each.size for each in Fork.parse(str(fork)).verify([LOG.verifier])]


def test_two_roots_of_one_size_are_a_fork_by_themselves(state: WitnessState) -> None:
    state.answer(B.request(6, 6), WITNESS)
    (fork,) = shown(state)
    assert sizes(fork) == [6, 6]
    state.untrust(LOG.verifier)
    assert shown(state) == [fork]


@pytest.mark.parametrize(("history", "expected"), [(A, [8, 9]), (B, [6, 8])])
def test_two_sizes_are_one_with_the_tiles_of_either_history(
    state: WitnessState, tmp_path: Path, history: History, expected: list[int]
) -> None:
    state.answer(B.request(6, 8), WITNESS)
    state.answer(A.request(6, 9), WITNESS)
    assert shown(state) == ["it is of another size: give --from SOURCE, whose tiles can tell"]
    (fork,) = shown(state, history.published(tmp_path, 8, 9))
    assert sizes(fork) == expected


def test_a_wrong_proof_of_the_same_history_is_no_fork(state: WitnessState, tmp_path: Path) -> None:
    state.answer(A.request(6, 8, A.proof(5, 8)), WITNESS)
    assert shown(state, A.published(tmp_path, 8)) == [None]


def test_tiles_of_another_log_or_none_tell_nothing(state: WitnessState, tmp_path: Path) -> None:
    state.answer(B.request(6, 8), WITNESS)
    (problem,) = shown(state, History("c", 0).published(tmp_path / "c", 6, 8))
    assert "do not lead to the signed root" in str(problem)
    (problem,) = shown(state, tmp_path / "c" / "nowhere")
    assert "is not there" in str(problem)


def test_each_fork_has_a_file_name_of_its_own(state: WitnessState, tmp_path: Path) -> None:
    for size in (6, 8):
        state.answer(B.request(6, size), WITNESS)
    state.answer(History("c", 2).request(6, 6), WITNESS)
    forks = [fork for fork in shown(state, B.published(tmp_path, 8)) if isinstance(fork, Fork)]
    names = {file_name(fork) for fork in forks}
    assert len(names) == len(forks) == 3
    assert {name[:9] for name in names} == {"fork-6-6-", "fork-6-8-"}
