"""What a follower signs is put where it publishes, and covers one history."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from histories import LOG, WITNESS, A, B, History

from timeline.errors import InvalidInput, NotWritable, ProofError, StoreError
from timeline.mirror.cosigning import cosign_into
from timeline.proof import signed_note
from timeline.proof.signed_note import Note, SigningKey
from timeline.proof.witness import origin_hash

NOW = datetime(2026, 4, 14, 18, 2, tzinfo=UTC)


def put(
    folder: Path, history: History, size: int, key: SigningKey = WITNESS, *more: SigningKey
) -> Note | None:
    note = signed_note.parse(history.checkpoint(size, LOG, *more))
    keys = [LOG.verifier]
    return cosign_into(folder, note, key, log_keys=keys, read_hash=history.read_hash, now=NOW)


def file_in(folder: Path) -> Path:
    return folder / origin_hash(LOG.name) / "checkpoint"


def test_a_checkpoint_is_put_with_the_signatures_of_the_log_then_ours(tmp_path: Path) -> None:
    put(tmp_path, A, 6, WITNESS, SigningKey(LOG.name, b"n" * 32))
    text = file_in(tmp_path).read_text()
    note = signed_note.parse(text)
    assert text.startswith(A.checkpoint(6))
    assert [line.name for line in note.signatures] == [LOG.name, WITNESS.name]
    note.verify([LOG.verifier, WITNESS.verifier])
    assert note.signatures[1].seconds == NOW.timestamp()


def test_it_grows_is_not_signed_twice_and_never_becomes_smaller(tmp_path: Path) -> None:
    assert put(tmp_path, A, 6)
    assert put(tmp_path, A, 9)
    before = file_in(tmp_path).stat()
    assert put(tmp_path, A, 9) is None
    assert put(tmp_path, A, 7) is None
    assert file_in(tmp_path).stat() == before


@pytest.mark.parametrize("size", [6, 9])
def test_another_history_than_the_one_that_was_signed_is_refused(tmp_path: Path, size: int) -> None:
    put(tmp_path, A, 6)
    before = file_in(tmp_path).read_bytes()
    with pytest.raises(ProofError, match="is not signed: this request: "):
        put(tmp_path, B, size)
    assert file_in(tmp_path).read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff", A.checkpoint(3).encode(), str(WITNESS.sign("no checkpoint\n")).encode()],
)
def test_a_file_that_the_key_has_not_signed_stays(tmp_path: Path, content: bytes) -> None:
    file_in(tmp_path).parent.mkdir()
    file_in(tmp_path).write_bytes(content)
    with pytest.raises(StoreError, match=r"is no checkpoint that kyiv\.example"):
        put(tmp_path, A, 6)
    assert file_in(tmp_path).read_bytes() == content


def test_the_key_of_a_log_and_a_folder_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is of a log"):
        put(tmp_path, A, 6, LOG)
    with pytest.raises(NotWritable, match="No such file"):
        put(tmp_path / "not there", A, 6)
    assert not any(tmp_path.iterdir())
