"""Build the demonstration: a timeline made from db/demo/ on a staged clock.

Guarantees: every build tells the same story, entry by entry, recorded at the times in
nato-odesa.json. Only the salts, the hashes over them, and the key that signs it and is not kept
differ. The log says so itself, in the notice on every page. A build appears under its name whole
or not at all, and replaces only an earlier demonstration.

It uses the writer as everybody does: it knows no table.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from timeline.errors import InvalidInput, StoreError, TimelineError
from timeline.model import clock
from timeline.model.content import Annotation, Mark, Said
from timeline.model.resources import db_folder
from timeline.model.validation import validate
from timeline.proof import checkpoints
from timeline.proof.signed_note import SigningKey
from timeline.store import atomic, log, storage
from timeline.store.scratch_folder import shared_scratch_folder
from timeline.texts import document
from timeline.writing import writer
from timeline.writing.receipt import Receipt

_SCRIPT = "nato-odesa.json"
_VERBS = (
    *("source", "capture", "annotate"),
    *("record", "update", "correct", "retract", "reinstate", "merge"),
)
_NOT_SAID = frozenset(("at", "do", *_VERBS, "as", "sentences", "changes", "into"))
"""The fields of an append or of a step that do not belong to `Said`."""


def build(path: str | os.PathLike[str]) -> int:
    """Make the demonstration at `path`, in place of an earlier one; return its number of entries.

    Raises StoreError if anything else has this name, or for a file that cannot be written.
    """
    target = Path(path)
    _check_replaceable(target)
    try:
        with (
            shared_scratch_folder(target.parent) as new,
            atomic.replaced(target, new / "made" / target.name) as building,
        ):
            building.parent.mkdir()  # `new` is locked, and who makes a file locks the folder
            entries = _run(building)
            # A write-ahead log that is left of the old database would be read into the new one.
            for left in storage.beside(target):
                left.unlink(missing_ok=True)
    except PermissionError:
        raise StoreError(str(target), "cannot be replaced by this user") from None
    return entries


def is_demo(info: Mapping[str, Any]) -> bool:
    """Return whether a log that says this about itself (`LogInfo`) is the demonstration."""
    return bool(info.get("origin") == _script()["log"]["origin"])


@cache
def _script() -> dict[str, Any]:
    text = db_folder().joinpath("demo", _SCRIPT).read_text(encoding="utf-8")
    script: dict[str, Any] = json.loads(text)
    return script


def _check_replaceable(target: Path) -> None:
    if not target.parent.is_dir():
        raise StoreError(str(target), f"there is no folder {target.parent}")
    if not target.exists():
        return
    with contextlib.closing(storage.connect(target)) as connection, storage.storage_errors(target):
        info = log.info(connection)
    if not is_demo(info):
        raise StoreError(str(target), "is a timeline, but not the demonstration; left as it is")


def _run(path: Path) -> int:
    """Write the whole story into a new file, and return the number of its entries."""
    script = _script()
    opened_at = clock.parse(script["opened_at"])
    with _naming(f"{_SCRIPT}, log"):
        newest = writer.create_log(path, script["log"], now=lambda: opened_at)
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        for number, append in enumerate(script["appends"], 1):
            with _naming(f"{_SCRIPT}, append {number} of {append['at']}"):
                newest = _run_append(connection, path, append)
        key = SigningKey.generate(script["log"]["origin"])
        with storage.storage_errors(path):
            checkpoints.sign(connection, key, now=lambda: clock.parse(newest.recorded_at))
            storage.flush(connection)
    return newest.seq + 1


def _run_append(connection: sqlite3.Connection, path: Path, fields: Mapping[str, Any]) -> Receipt:
    """Run the steps of one append at its staged time, and return the last receipt."""
    at = clock.parse(fields["at"])
    with writer.appending(connection, str(path), now=lambda: at, trust_clock=True) as append:
        for number, step in enumerate(fields["do"], 1):
            with _naming(f"step {number}"):
                newest = _run_step(append, step, _said({**fields, **step}))
    return newest


@contextlib.contextmanager
def _naming(where: str) -> Iterator[None]:
    """Put the place in the script on errors about the script."""
    try:
        yield
    except StoreError:
        raise
    except TimelineError as error:
        raise InvalidInput(where, str(error)) from None


def _said(fields: Mapping[str, Any]) -> Said:
    return validate(Said, {key: fields[key] for key in fields if key not in _NOT_SAID})


def _run_step(append: writer.Append, step: Mapping[str, Any], said: Said) -> Receipt:
    match step:
        case {"source": source}:
            return append.record_source(source, said)
        case {"capture": name, "as": source}:
            text = db_folder().joinpath("demo", name).read_text(encoding="utf-8")
            return append.capture(source, document.Document(text), said)
        case {"annotate": source_id, "sentences": reasons}:
            return _annotate(append, source_id, reasons, said)
        case {"record": event}:
            media = [_kept(append, medium) for medium in event.get("media", ())]
            return append.record({**event, "media": media}, said)
        case {"update": event_id, "changes": changes}:
            kept = {
                path: _kept(append, value) if path == "media.-" else value
                for path, value in changes.items()
            }
            return append.update(event_id, kept, said)
        case {"correct": event_id, "changes": changes}:
            return append.correct(event_id, changes, said)
        case {"retract": event_id}:
            return append.retract(event_id, said)
        case {"reinstate": event_id}:
            return append.reinstate(event_id, said)
        case {"merge": event_id, "into": into}:
            return append.merge(event_id, into, said)
        case _:
            raise InvalidInput("", f"is no step: {', '.join(step)}")


def _kept(append: writer.Append, medium: Mapping[str, Any]) -> dict[str, Any]:
    """Keep the file that a medium names, and return the medium with the hash in its place."""
    content = db_folder().joinpath("demo", medium["file"]).read_bytes()
    return {**append.kept_file(content), **{key: medium[key] for key in medium if key != "file"}}


def _annotate(
    append: writer.Append, source_id: str, reasons: Mapping[str, str], said: Said
) -> Receipt:
    """Mark the sentences with these numbers, for these reasons, in one entry."""
    found = append.coverage(source_id)
    marks = []
    for number, why in reasons.items():
        sentence = found.sentences[int(number) - 1]
        marks.append(Mark(start=sentence.start, end=sentence.end, state="commentary", why=why))
    annotation = Annotation(text_sha256=document.sha256(found.text.encode()), marks=tuple(marks))
    return append.annotate_source(source_id, annotation, said)
