"""A fork file convinces whoever has the key of the log, and nothing else is called a fork."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import ProofError
from timeline.proof.fork import Fork
from timeline.proof.signed_note import Note, SigningKey
from timeline.proof.tlog import Checkpoint
from timeline.store import merkle

KEY = SigningKey("example.org/story", b"k" * 32)
OTHER = SigningKey("example.org/story", b"o" * 32)
STRANGER = SigningKey("example.org/another", b"s" * 32)


def leaves(size: int, from_where: int, what: str) -> list[bytes]:
    """Return leaves of a history that is another one from an entry on."""
    return [
        merkle.leaf_hash(f"{what if number >= from_where else ''}{number}".encode())
        for number in range(size)
    ]


def signed(hashes: list[bytes], key: SigningKey = KEY, origin: str = KEY.name) -> Note:
    return key.sign(str(Checkpoint(origin, len(hashes), merkle.root(hashes))))


def fork_of(first: list[bytes], second: list[bytes], **signing: SigningKey) -> Fork:
    def read_hash(level: int, number: int) -> bytes:
        return merkle.root(second[number << level : number + 1 << level])

    size = len(first)
    proof = merkle.consistency_proof(size, len(second), read_hash)
    root = merkle.root(second[:size])
    return Fork(root, tuple(proof), signed(first, **signing), signed(second, **signing))


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
