"""Two checkpoints of a log are the same, or one goes on from the other, or they are a fork."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from published import KEY, sign_and_put
from running import run

from timeline import Timeline
from timeline.proof.fork import Fork
from timeline.proof.signed_note import SigningKey

VKEY = str(KEY.verifier)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two histories of a log, `files` and `other`, and the checkpoints `a`, `b` and `fork`."""
    folder = tmp_path_factory.mktemp("compare")
    with Timeline.create(folder / "story.db", title="A strike", origin=KEY.name) as timeline:
        timeline.record({"event_id": "one", "title": "One", "occurred": "2025"})
    shutil.copy(folder / "story.db", folder / "other.db")
    (folder / "a").write_text(sign_and_put(folder / "story.db", folder / "files"))
    for name, count in (("story", 2), ("other", 4)):
        with Timeline.open(folder / f"{name}.db") as timeline:
            for number in range(count):
                event = {"title": f"{name} {number}", "occurred": "2025"}
                timeline.record({"event_id": f"{name}-{number}", **event})
    (folder / "b").write_text(sign_and_put(folder / "story.db", folder / "files"))
    (folder / "fork").write_text(sign_and_put(folder / "other.db", folder / "other"))
    return folder


def compare(folder: Path, *arguments: object, key: str = VKEY, database: str = "story.db") -> Any:
    files = (folder / str(each) if str(each) in ("a", "b", "fork") else each for each in arguments)
    return run("-d", folder / database, "compare", *files, "--key", key)


def test_one_checkpoint_is_the_same(story: Path) -> None:
    result = compare(story, "a", "a")
    assert (result.exit_code, result.stdout) == (0, "The same.\n")


@pytest.mark.parametrize("order", [("a", "b"), ("b", "a")])
def test_one_goes_on_from_the_other(story: Path, order: tuple[str, str]) -> None:
    small, large = ("A", "B") if order == ("a", "b") else ("B", "A")
    said = f"{large} goes on from {small}: 2 -> 4 entries.\n"
    assert compare(story, *order).stdout == said
    found = compare(story, *order, "--from", story / "files", database="none.db")
    assert (found.exit_code, found.stdout) == (0, said)


def test_a_checkpoint_may_come_from_standard_input(story: Path) -> None:
    arguments = ("compare", "-", story / "b", "--key", VKEY)
    result = run("-d", story / "story.db", *arguments, input=(story / "a").read_text())
    assert result.stdout == "B goes on from A: 2 -> 4 entries.\n"


def test_a_fork_is_written_as_a_file(story: Path, tmp_path: Path) -> None:
    proof = tmp_path / "proof.txt"
    result = compare(story, "b", "fork", "--from", story / "other", "-o", proof)
    assert result.exit_code == 3
    assert "ALARM: partner.example/story has signed two histories" in result.stdout
    first, second = Fork.parse(proof.read_text()).verify([KEY.verifier])
    assert (first.size, second.size) == (4, 6)
    checked = compare(story, proof)
    assert checked.exit_code == 3
    assert checked.stdout.startswith("Proven: the key of")
    changed = proof.read_text().replace("root ", "root A", 1)
    proof.write_text(changed)
    assert compare(story, proof).exit_code == 1


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("a", "fork"), "nothing here has the tree of the larger one: give --from SOURCE"),
        (("a", "b", "--from", "nowhere"), "is not there"),
        (("a",), "Give two checkpoints, or one fork file."),
        (("a", "nowhere"), "nowhere: cannot be read: No such file or directory"),
    ],
)
def test_what_cannot_be_told_is_said(story: Path, arguments: tuple[str, ...], problem: str) -> None:
    result = compare(story, *arguments)
    assert result.exit_code in (1, 2)
    assert problem in result.stderr


def test_the_key_of_the_log_is_wanted(story: Path) -> None:
    other = str(SigningKey(KEY.name, b"o" * 32).verifier)
    result = compare(story, "a", "b", key=other)
    assert result.exit_code == 1
    assert "is not signed by a key that was given" in result.stderr
