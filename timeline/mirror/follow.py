"""Keep a checked copy of a log that somebody publishes, and go on watching it.

A run reads the checkpoint, then the tree at its edge, compares it with all that was seen before,
notes it as seen, and takes the new entries last. So a fork or an older state is told before an
entry comes in, and the tree is watched on even if words are withheld later.

Guarantees: the keys that are believed never change by themselves. What is in the copy was checked
against a signed tree. The file stays as it was when something is wrong before the first new entry.
A run that is broken off is repeated, and goes on at the next batch.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from timeline.errors import NotFetched, ProofError, Refused
from timeline.formats import prose
from timeline.mirror.history import History, fork_between, raise_fork, sighting_of
from timeline.mirror.prefix import Prefix, open_prefix
from timeline.mirror.published_tree import published_tree
from timeline.mirror.served import Cosigned, Served, served
from timeline.mirror.taking import Taking
from timeline.mirror.trouble import FollowState, Trouble
from timeline.model import clock
from timeline.projection import tables
from timeline.proof.fork import Fork
from timeline.proof.policy import Policy, PolicyWitness
from timeline.proof.published import CHECKPOINT
from timeline.proof.tile_tree import TileTree
from timeline.proof.witness import origin_hash
from timeline.store import atomic, follows, log, mirror, node, scrub, storage
from timeline.store.follows import Follows, Sighting

PATIENCE = timedelta(hours=24)
"""The time after which something that may be a delay is an alarm."""


class Followed(NamedTuple):
    """Says what a run of `follow` found and did."""

    state: FollowState
    origin: str
    seen: int = 0
    """The number of entries of the largest checkpoint that was ever seen."""
    held: int = 0
    """The number of entries in the copy."""
    added: int = 0
    """The number of them that came in this run."""
    erased: tuple[int, ...] = ()
    """The numbers of the entries that were here, and were erased in this run."""
    since: str | None = None
    """The time when this file first followed the log; None if there is no file yet."""
    problem: str | None = None
    """What is wrong with the log that is followed; None if nothing is."""
    problem_since: str | None = None
    """The time since when something has been wrong without a pause."""
    is_alarm: bool = False
    """Whether somebody has to look: there is a fork, or something has been wrong for a day."""
    sides: tuple[Sighting, Sighting] | None = None
    """The two checkpoints of a fork, with the time and the place where each was seen first."""
    evidence: str | None = None
    """The file that proves the fork to anybody."""
    witnesses: tuple[Cosigned, ...] = ()
    notes: tuple[str, ...] = ()
    """What a person should know beside the rest, such as a witness that does not answer."""
    served: Served | None = None
    """The checkpoint that was checked; None if it was not right."""


def follow(
    path: str | os.PathLike[str],
    prefix: Prefix,
    policy: Policy,
    *,
    now: Callable[[], datetime] = clock.now,
    progress: Callable[[int], object] = lambda count: None,
) -> Followed:
    """Bring the copy in a file up to what a prefix serves, or make it.

    `policy` says whose signatures are believed; the file keeps it. `progress` is called with the
    number of entries. What is wrong with the log that is followed is in the result; if nothing of
    it is right yet, no file is made.

    Raises NotFetched if something did not come, Refused for a file that is a log of its own or has
    entries of others, and StoreError for a file that cannot be written.
    """
    following = _Follow(os.fspath(path), prefix, policy, now, progress)
    return following.first_time() if not Path(path).exists() else following.again()


def known(path: str | os.PathLike[str]) -> Follows | None:
    """Return whom a file follows; None if there is no file yet.

    Raises Refused for a file that is a log of its own; one that is kept in step by exports may
    begin to follow the log.
    """
    if not Path(path).exists():
        return None
    with contextlib.closing(storage.connect(path)) as connection:
        row = follows.follows_of(connection)
        if row is None:
            _check_may_follow(connection, os.fspath(path))
        return row


def stop(path: str | os.PathLike[str]) -> Follows:
    """Make a copy a log of its own, and return whom it followed. Raises Refused if it is none."""
    with (
        storage.storage_errors(path),
        contextlib.closing(storage.connect(path, write=True)) as connection,
        storage.immediate(connection),
    ):
        row = follows.follows_of(connection)
        if row is None:
            raise Refused(f"{os.fspath(path)} follows no log")
        follows.stop(connection)
        return row


def _check_may_follow(connection: sqlite3.Connection, path: str) -> None:
    if kept := node.node_of(connection):
        raise Refused(f"{path} is a node of {kept.cluster}: follow into a new file")
    if mirror.mirror_of(connection) is None:
        origin = log.info(connection).get("origin", "")
        raise Refused(f"{path} is the log {origin} itself, not a copy: follow into a new file")


class _Follow:
    """Holds what one run needs."""

    def __init__(
        self,
        path: str,
        prefix: Prefix,
        policy: Policy,
        now: Callable[[], datetime],
        progress: Callable[[int], object],
    ) -> None:
        self._path = path
        self._prefix = prefix
        self._policy = policy
        self._now = now
        self._progress = progress
        self._added = 0
        self._erased: list[int] = []
        self._notes: list[str] = []
        self._evidence: str | None = None
        self._sides: tuple[Sighting, Sighting] | None = None

    def first_time(self) -> Followed:
        """Make the copy: the file appears with its first entries."""
        try:
            self._begin()
        except Trouble as trouble:
            return self._without_file(trouble)
        return self.again()

    def _begin(self) -> None:
        found = served(self._prefix, self._policy)
        tree = published_tree(self._prefix, found.checkpoint)
        if not tree.size:
            raise Trouble("same", f"{found.checkpoint.origin} has no entry yet")
        with storage.new_file(self._path) as connection:
            with storage.immediate(connection):
                tables.create(connection, "UTC")
            taking = self._taking(connection, found, tree)
            try:
                while taking.step(lambda: self._note_seen(connection, found)):
                    if log.size(connection):
                        break
            except Trouble:
                if not log.size(connection):
                    raise
            self._added = log.size(connection)

    def again(self) -> Followed:
        """Bring the copy up to date, and keep in it what is wrong, and since when."""
        with (
            storage.storage_errors(self._path),
            contextlib.closing(storage.connect(self._path, write=True)) as connection,
        ):
            if follows.follows_of(connection) is None:
                _check_may_follow(connection, self._path)
            scrub.finish(connection, self._path)
            found: Served | None = None
            trouble: Trouble | None = None
            try:
                found = served(self._prefix, self._policy, believed=self._believed(connection))
                self._check(connection, found)
            except Trouble as error:
                trouble = error
            except ProofError as error:  # of a tile that is read after the edge of the tree
                trouble = Trouble("damaged", str(error))
            self._note_problem(connection, trouble)
            scrub.scrub(connection, self._path)
            return self._followed(connection, found, trouble)

    def _check(self, connection: sqlite3.Connection, found: Served) -> None:
        """Compare what is served with what was seen, then take what is new. Raises Trouble."""
        history = History(connection, self._path)
        self._check_origin(connection, found)
        history.check_not_older(found)
        tree = published_tree(self._prefix, found.checkpoint)
        history.check_goes_on(found, tree)
        with storage.immediate(connection):
            self._note_seen(connection, found)
        frozen = self._ask_witnesses(connection, found, tree)
        taking = self._taking(connection, found, tree)
        before = log.size(connection)
        try:
            while taking.step(lambda: None):
                pass
        finally:
            self._added += log.size(connection) - before
            self._erased = taking.erased
        if frozen:
            raise frozen

    def _ask_witnesses(
        self, connection: sqlite3.Connection, found: Served, tree: TileTree
    ) -> Trouble | None:
        """Compare what is served with what each witness that has an address has signed.

        Return the Trouble of a prefix that is behind a witness. Raises Trouble for a fork.
        """
        behind: Trouble | None = None
        size = found.checkpoint.size
        for witness in self._policy.witnesses.values():
            theirs = self._signed_by(witness)
            if theirs is None:
                continue
            other = theirs.checkpoint
            if 0 < other.size <= size:
                raise_fork(fork_between(theirs.note, found.note, tree.read_hash), found)
                continue
            if other.size > size:
                problem = f"{witness.name} has signed {other.size:,} entries, and {size:,} are"
                behind = Trouble("older", f"{problem} served: a cache, or put back")
                with storage.immediate(connection):
                    now = clock.utc(self._now())
                    follows.see(connection, sighting_of(theirs.note, now, str(witness.url)))
        return behind

    def _signed_by(self, witness: PolicyWitness) -> Served | None:
        """Return the newest checkpoint of the log that a witness shows; None if it shows none."""
        if witness.url is None:
            return None
        name = f"{origin_hash(self._policy.logs[0].name)}/{CHECKPOINT}"
        believed = Policy.of_keys(self._policy.logs)
        try:
            with open_prefix(witness.url) as prefix:
                return served(prefix, believed, name)
        except (NotFetched, Trouble) as error:
            self._notes.append(f"{witness.name} was not asked: {error}")
            return None

    def _believed(self, connection: sqlite3.Connection) -> str:
        row = follows.follows_of(connection)
        day = f" on {prose.date(row.since[:10])}" if row else ""
        return f"the key that was pinned{day}"

    def _check_origin(self, connection: sqlite3.Connection, found: Served) -> None:
        origin = str(log.info(connection)["origin"])
        if found.checkpoint.origin != origin:
            raise Refused(
                f"{self._path} is a copy of {origin}, and {self._prefix.place} publishes "
                f"{found.checkpoint.origin}: follow into a new file"
            )

    def _taking(self, connection: sqlite3.Connection, found: Served, tree: TileTree) -> Taking:
        return Taking(
            *(connection, self._path, self._prefix, found, tree),
            now=self._now,
            progress=self._progress,
        )

    # --- What the copy keeps ------------------------------------------------------------------

    def _note_seen(self, connection: sqlite3.Connection, found: Served) -> None:
        """Keep a checkpoint as seen, and whom this file follows, by which policy."""
        now = clock.utc(self._now())
        follows.see(connection, sighting_of(found.note, now, self._prefix.place))
        row = follows.follows_of(connection)
        origin, policy = found.checkpoint.origin, str(self._policy)
        new = row or Follows(self._prefix.place, origin, policy, now, now)
        changed = new._replace(url=self._prefix.place, policy=policy, seen_at=now)
        follows.put(connection, changed)
        mirror.unmark(connection)

    def _note_problem(self, connection: sqlite3.Connection, trouble: Trouble | None) -> None:
        with storage.immediate(connection):
            if trouble and trouble.fork:
                self._keep_fork(connection, trouble.fork)
            if row := follows.follows_of(connection):
                since = (row.problem_since or clock.utc(self._now())) if trouble else None
                problem = trouble.problem if trouble else None
                follows.put(connection, row._replace(problem=problem, problem_since=since))

    def _keep_fork(self, connection: sqlite3.Connection, fork: Fork) -> None:
        """Keep both checkpoints of a fork as seen, and write the file that proves it."""
        now = clock.utc(self._now())
        for note in (fork.first, fork.second):
            follows.see(connection, sighting_of(note, now, self._prefix.place))
        seen = {each.note: each for each in follows.sightings(connection)}
        self._sides = (seen[str(fork.first)], seen[str(fork.second)])
        first, second = self._sides
        self._evidence = f"{self._path}.fork-{first.size}-{second.size}.txt"
        atomic.put(self._evidence, str(fork).encode())

    def _followed(
        self, connection: sqlite3.Connection, found: Served | None, trouble: Trouble | None
    ) -> Followed:
        history = History(connection, self._path)
        row = follows.follows_of(connection)
        state: FollowState = trouble.state if trouble else "new" if self._added else "same"
        since = row.problem_since if row else None
        return Followed(
            state=state,
            origin=str(log.info(connection)["origin"]),
            seen=history.seen.size if history.seen else 0,
            held=history.size,
            added=self._added,
            erased=tuple(self._erased),
            since=row.since if row else None,
            problem=trouble.problem if trouble else None,
            problem_since=since,
            is_alarm=trouble is not None and (trouble.is_alarm or self._is_over_a_day(since)),
            sides=self._sides,
            evidence=self._evidence,
            notes=tuple(self._notes),
            witnesses=found.witnesses if found else (),
            served=found,
        )

    def _without_file(self, trouble: Trouble) -> Followed:
        """Return what is wrong with a log of which nothing could be taken yet."""
        return Followed(
            trouble.state,
            self._policy.logs[0].name,
            problem=trouble.problem,
            is_alarm=trouble.is_alarm,
        )

    def _is_over_a_day(self, since: str | None) -> bool:
        return since is not None and self._now() - clock.parse(since) >= PATIENCE
