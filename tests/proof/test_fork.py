"""A fork file convinces whoever has the key of the log, and nothing else is called a fork."""

from __future__ import annotations

import pytest
from forks import KEY, fork_of, leaves, signed
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import ProofError
from timeline.proof.fork import Fork
from timeline.proof.signed_note import SigningKey
from timeline.proof.tlog import Checkpoint
from timeline.store import merkle

OTHER = SigningKey("example.org/story", b"o" * 32)
STRANGER = SigningKey("example.org/another", b"s" * 32)


@given(st.integers(1, 40), st.integers(0, 40), st.data())
def test_two_histories_of_one_key_are_a_fork(size: int, more: int, data: st.DataObject) -> None:
    since = data.draw(st.integers(0, size - 1))
    fork = fork_of(leaves(size, since, "a"), leaves(size + more, since, "b"))
    assert Fork.parse(str(fork)) == fork
    first, second = fork.verify([KEY.verifier])
    assert (first.size, second.size) == (size, size + more)


@given(st.integers(1, 40), st.integers(0, 40))
def test_a_history_that_goes_on_is_no_fork(size: int, more: int) -> None:
    fork = fork_of(leaves(size, 0, "a"), leaves(size + more, 0, "a"))
    with pytest.raises(ProofError, match="goes on from the first"):
        fork.verify([KEY.verifier])


FORK = fork_of(leaves(6, 4, "a"), leaves(9, 4, "b"))


@pytest.mark.parametrize("at", range(0, len(str(FORK)), 7))
def test_one_other_character_anywhere_proves_nothing(at: int) -> None:
    text = str(FORK)
    changed = text[:at] + ("B" if text[at] == "A" else "A") + text[at + 1 :]
    with pytest.raises(ProofError):
        Fork.parse(changed).verify([KEY.verifier])


@pytest.mark.parametrize(
    ("fork", "problem"),
    [
        (FORK._replace(second=signed(leaves(9, 4, "b"), OTHER)), "no key of example.org/story"),
        (FORK._replace(first=FORK.second, second=FORK.first), "the first checkpoint must not be"),
        (FORK._replace(proof=FORK.proof[1:]), "proves nothing: the proof"),
        (FORK._replace(root=merkle.root(leaves(6, 4, "a"))), "proves nothing: the proof leads"),
        (FORK._replace(first=signed([])), "nor empty"),
        (
            FORK._replace(second=signed(leaves(9, 4, "b"), STRANGER, STRANGER.name)),
            "no key of example.org/another that you gave",
        ),
    ],
)
def test_a_file_that_proves_nothing_says_why(fork: Fork, problem: str) -> None:
    with pytest.raises(ProofError, match=problem):
        Fork.parse(str(fork)).verify([KEY.verifier])


def test_two_logs_are_no_fork() -> None:
    fork = FORK._replace(second=signed(leaves(9, 4, "b"), STRANGER, STRANGER.name))
    with pytest.raises(ProofError, match=r"is about example\.org/story and example\.org/another"):
        fork.verify([KEY.verifier, STRANGER.verifier])


def test_either_key_of_a_log_that_changed_its_key_may_have_signed() -> None:
    fork = FORK._replace(second=signed(leaves(9, 4, "b"), OTHER))
    first, second = fork.verify([KEY.verifier, OTHER.verifier])
    assert (first.size, second.size) == (6, 9)


@pytest.mark.parametrize("text", ["", "\n\n" * 4, "timeline/fork@v1\n\n\n\n\n\n", "a\n\nb\n\nc"])
def test_another_text_is_no_fork_file(text: str) -> None:
    with pytest.raises(ProofError, match="is no"):
        Fork.parse(text)


def test_a_large_text_is_refused_before_it_is_split() -> None:
    with pytest.raises(ProofError, match="is no fork file"):
        Fork.parse("timeline/fork@v1\nroot " + "A" * 3_000_000)


PUBLISHED = """\
timeline/fork@v1
root PTViCUwsvu9K+VuY/wyp827+EXaBaguFSpdTXMRUB/Q=
3Q1a+Eplo2CM0HC9wx0g2ZW0nWhRBpTaJdIww5diNEY=
N+RqjNp1epxar1Q4MGE4ABNZxaKOFPatZML1Eo7kL54=
sKczPEgubELR1Wc60ESQWESaJ7udr/B0jP0fye97hIg=

example.org/nato-odesa-demo
66
kKy1qj9sbuhiKa7oQbzQEeaszskErII3wjSMqm469j0=

— example.org/nato-odesa-demo dmx7qOvI/zfyMuvIPxWubtM8Otz7RNEwVXC2H+Q5Q3R1xEfamf0w0O61bMe98OCgHTWD4hbMgF8e1oJ7Lf9+3CX2oQc=

example.org/nato-odesa-demo
67
OD46e3AnRcVVs+m+2p8d+mhas2Xxn9MlJBKtAJfvmxY=

— example.org/nato-odesa-demo dmx7qFigtqehSxY+L15sLKYUFmP2EBekg1lbgCnZiSTnlooliyFPq4x0JWqiuI8MT/zgRDu1FAMZ3EFgywR+sWYQeg8=
"""  # noqa: E501
"""A fork file that Go's package tlog found to hold; nobody here has its key."""


def test_a_file_that_others_checked_is_read() -> None:
    fork = Fork.parse(PUBLISHED)
    assert str(fork) == PUBLISHED
    first, second = Checkpoint.of(fork.first), Checkpoint.of(fork.second)
    assert (first.size, second.size) == (66, 67)
    merkle.verify_consistency(66, 67, fork.proof, fork.root, second.root)
    assert fork.root != first.root
    with pytest.raises(ProofError, match="no key of example"):
        fork.verify([KEY.verifier])
