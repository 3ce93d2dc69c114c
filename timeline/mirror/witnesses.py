"""Ask witnesses to sign a checkpoint of this log (c2sp.org/tlog-witness), side by side.

Guarantees: only the address of a witness is asked, no redirect is followed, and an answer is
bounded in bytes and in time. A signature is given out only if it is by the key of the witness that
was asked, holds, and says a time that has come. A witness that has signed what this log does not go
on from is no mere failure: WouldGoBack is raised, and nothing is stored.

Reads the log and its tree, and stores signatures under its checkpoints.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import NamedTuple

from timeline.errors import NotDelivered, NotFetched, ProofError, WouldGoBack
from timeline.model import clock
from timeline.network.fetch import Reply, fetch, send
from timeline.proof import checkpoints, signed_note, tlog
from timeline.proof.checkpoints import StoredCheckpoint
from timeline.proof.signed_note import Note, Signature, VerifierKey
from timeline.proof.tlog import Checkpoint
from timeline.proof.witness import WitnessRequest, origin_hash
from timeline.proof.witness_list import Witness
from timeline.store import log, merkle
from timeline.store.storage import immediate

_SECONDS = 10
"""Seconds that a witness has for an answer."""
_LONGEST = 2**16
"""Bytes of an answer, at most."""
_TIMES = 4
"""How often a witness is asked, at most: once, and then with the sizes that it names."""
_AHEAD = timedelta(minutes=10)
"""How far the clock of a witness may be ahead of the clock here."""
_HEADERS = {"Content-Type": "text/plain; charset=utf-8"}


class Countersignature(NamedTuple):
    """A countersignature of a witness stands under a text; or it says why there is none."""

    witness: Witness
    problem: str = ""
    text: str = ""
    signatures: tuple[Signature, ...] = ()


def countersign(
    connection: sqlite3.Connection,
    note: Note,
    keys: Sequence[VerifierKey],
    asked: Sequence[Witness],
    *,
    with_files: bool = False,
    now: Callable[[], datetime] = clock.now,
) -> tuple[StoredCheckpoint, list[Countersignature]]:
    """Ask those of the witnesses that have not signed a note of this log; store it with what came.

    `keys` are those of the log that signed the note. `with_files` fetches what witnesses without a
    server have signed, which may be older checkpoints. Raises WouldGoBack, and stores nothing, if a
    witness has signed another history of the log, or a longer one.
    """
    before = checkpoints.stored_under(connection, note.text)
    signers = before.keys if before else []
    left = [each for each in asked if each.key not in signers]
    answers = _ask(connection, note, keys, [each for each in left if not each.pull], now)
    if with_files:
        answers += _look_up(connection, [each for each in left if each.pull], now)
    new = [each for each in answers if each.text == note.text]
    signers = [each.witness.key for each in new]
    whole = note.with_more(line for each in new for line in each.signatures)
    older = [
        (Note(each.text, each.signatures), [each.witness.key])
        for each in answers
        if each.text not in ("", note.text)
    ]
    with immediate(connection):
        stored, *_ = [
            checkpoints.keep(connection, *signed, now())
            for signed in ((whole, [*keys, *signers]), *older)
        ]
    return stored, answers


# --- Witnesses that have a server ---------------------------------------------------------


def _ask(
    connection: sqlite3.Connection,
    note: Note,
    keys: Sequence[VerifierKey],
    asked: Sequence[Witness],
    now: Callable[[], datetime],
) -> list[Countersignature]:
    others = note.unchecked(keys)
    sent = Note(note.text, tuple(line for line in note.signatures if line not in others))
    size = Checkpoint.of(note).size
    old = {each: checkpoints.newest_size(connection, each.key) for each in asked}
    answers = {each: Countersignature(each, "it names one size after another") for each in asked}
    waiting = [*asked]
    with ThreadPoolExecutor(len(asked) or 1) as pool:
        for _ in range(_TIMES):
            bodies = [_request(connection, sent, size, old[each]) for each in waiting]
            replies = dict(zip(waiting, pool.map(_post, waiting, bodies), strict=True))
            for witness, reply in replies.items():
                named = _named_size(reply)
                if named is not None and named > log.size(connection):
                    raise _is_ahead(connection, witness, named)
                if _is_of_another_root(reply, named, old[witness], size):
                    raise _would_go_back(witness, "another history of this log")
                if named is not None and named <= size:
                    old[witness] = named
                else:
                    answers[witness] = _answer(witness, reply, note, keys, now())
                    waiting.remove(witness)
    return [*answers.values()]


def _request(connection: sqlite3.Connection, note: Note, size: int, old: int) -> bytes:
    """Return the body of a request: the size that was signed last, a proof from there, the note."""
    hashes = merkle.consistency_proof(old, size, log.read_hash(connection)) if old else ()
    return str(WitnessRequest(old, hashes, note)).encode()


def _post(witness: Witness, body: bytes) -> Reply | NotDelivered:
    url = f"{witness.url}/add-checkpoint"
    try:
        return send(url, body, _HEADERS, seconds=_SECONDS, longest=_LONGEST)
    except NotDelivered as error:
        return error


def _named_size(reply: Reply | NotDelivered) -> int | None:
    """Return the size that a witness says it signed last; None for an answer of another kind."""
    if isinstance(reply, NotDelivered) or reply.status != HTTPStatus.CONFLICT:
        return None
    found = re.fullmatch(rb"(0|[1-9][0-9]{0,18})\n", reply.body)
    return int(found[1]) if found and reply.media_type == "text/x.tlog.size" else None


def _is_of_another_root(
    reply: Reply | NotDelivered, named: int | None, old: int, size: int
) -> bool:
    """Tell whether a witness has signed another root than the log has at that size.

    It was asked to sign `size` entries after `old` ones, and names a size or none.
    """
    if isinstance(reply, NotDelivered):
        return False
    if reply.status == HTTPStatus.CONFLICT:
        return old == size and named in (None, size)
    return reply.status == HTTPStatus.UNPROCESSABLE_ENTITY


def _is_ahead(connection: sqlite3.Connection, witness: Witness, size: int) -> WouldGoBack:
    held = log.size(connection)
    return _would_go_back(witness, f"{size:,} entries of this log, and there are {held:,}")


def _would_go_back(witness: Witness, what: str) -> WouldGoBack:
    return WouldGoBack(
        f"{witness.name} has signed {what}: was it put back from a backup? Do not publish."
    )


def _answer(
    witness: Witness,
    reply: Reply | NotDelivered,
    note: Note,
    keys: Sequence[VerifierKey],
    now: datetime,
) -> Countersignature:
    if isinstance(reply, NotDelivered):
        return Countersignature(witness, str(reply))
    answered = f"it answered {reply.status} {reply.reason}".rstrip()
    match reply.status:
        case HTTPStatus.OK:
            answer = _signed(witness, f"{note.text}\n".encode() + reply.body, now)
            if answer.text not in ("", note.text):
                return Countersignature(witness, "its answer is more than signatures")
            return answer
        case HTTPStatus.FORBIDDEN | HTTPStatus.NOT_FOUND:
            vkeys = " ".join(map(str, keys))
            return Countersignature(witness, f"{answered}; ask its operator to add: {vkeys}")
        case status if 300 <= status < 400:
            return Countersignature(witness, f"{answered}, and redirects are not followed")
    return Countersignature(witness, answered)


# --- Witnesses that publish files ---------------------------------------------------------


def _look_up(
    connection: sqlite3.Connection, asked: Sequence[Witness], now: Callable[[], datetime]
) -> list[Countersignature]:
    origin = str(log.info(connection)["origin"])
    place = f"{origin_hash(origin)}/checkpoint"
    with ThreadPoolExecutor(len(asked) or 1) as pool:
        found = pool.map(_fetched, (f"{each.url}/{place}" for each in asked))
        return [
            _looked_up(connection, witness, content, now())
            for witness, content in zip(asked, found, strict=True)
        ]


def _fetched(url: str) -> bytes | NotFetched:
    try:
        return fetch(url, longest=_LONGEST, seconds=_SECONDS, redirects=0)
    except NotFetched as error:
        return error


def _looked_up(
    connection: sqlite3.Connection, witness: Witness, content: bytes | NotFetched, now: datetime
) -> Countersignature:
    if isinstance(content, NotFetched):
        return Countersignature(witness, str(content))
    answer = _signed(witness, content, now)
    if not answer.text:
        return answer
    stored = checkpoints.stored_under(connection, answer.text)
    if stored is None:
        return _of_another_text(connection, witness, content.decode())
    if witness.key in stored.keys:
        return answer._replace(signatures=())
    return answer


def _of_another_text(
    connection: sqlite3.Connection, witness: Witness, text: str
) -> Countersignature:
    """Say that a witness has signed what is not stored here.

    Raises WouldGoBack if a key of this log signed it too, and the log does not go on from it.
    """
    newest = checkpoints.newest(connection)
    try:
        seen, note = tlog.parse_checkpoint(text)
        own = [key for key in newest.keys if not key.is_of_witness] if newest else []
        note.verify(signers := note.signers(own))
    except ProofError as error:
        return Countersignature(witness, f"its copy {error}")
    if signers and seen.size > log.size(connection):
        raise _is_ahead(connection, witness, seen.size)
    if signers and log.root_at(connection, seen.size) != seen.root:
        raise _would_go_back(witness, "another history of this log")
    return Countersignature(witness, f"its copy, of {seen.size:,} entries, is not stored here")


# --- What is kept -------------------------------------------------------------------------


def _signed(witness: Witness, content: bytes, now: datetime) -> Countersignature:
    """Return a text with the signatures of a witness that hold, taken out of a note."""
    try:
        note = signed_note.parse(content.decode())
        lines = [line for line in note.signatures if _is_good(witness.key, note, line, now)]
    except UnicodeDecodeError:
        return Countersignature(witness, "its answer is not UTF-8")
    except ProofError as error:
        return Countersignature(witness, f"its answer {error}")
    if not lines:
        return Countersignature(witness, f"its answer is not signed by {witness.key}")
    return Countersignature(witness, "", note.text, tuple(lines))


def _is_good(key: VerifierKey, note: Note, line: Signature, now: datetime) -> bool:
    """Return whether a signature is by a key. Raises ProofError for one that must not be kept."""
    if (line.name, line.key_id) != (key.name, key.key_id):
        return False
    try:
        key.verify(note.text, line.signature)
    except ProofError as error:
        raise ProofError(f"is not kept: {error}") from None
    if line.seconds > (now + _AHEAD).timestamp():
        raise ProofError("is signed with a time over 10 minutes ahead of the clock here")
    return True
