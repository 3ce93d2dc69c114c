"""Keep proposals, decisions and drafts in the inbox: a file of its own beside the timeline.

Guarantees: what was added is kept, whole, before its id is returned. The same body is kept once,
whoever proposes it. "Recorded" is not stored here: a proposal whose id is an entry of the log is
recorded, so that the two files cannot disagree. Nothing here opens the timeline.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from timeline.errors import (
    Busy,
    Damaged,
    InvalidInput,
    InvalidProposal,
    NotFound,
    Refused,
)
from timeline.intake.proposals.proposal import LONGEST, Proposal, Way, parse
from timeline.model import clock
from timeline.store import codec, storage
from timeline.store.own_files import INBOX, open_own, open_own_to_read, own_errors
from timeline.texts.document import sha256

SUFFIX = ".inbox"
"""What is added to the name of a timeline. It is not ".db": Datasette serves all of these."""

MOST_OPEN = 2_000
"""Open proposals in an inbox, at most."""
MOST_OPEN_OF_ONE = 200
"""Open proposals of one proposer, at most."""
_STILL_READ = "is emptied, but another program still reads its old pages: purge it once more"
_PATIENCE = 20.0
"""Seconds for which a program waits for another one that writes."""

ProposalState = Literal["open", "later", "rejected", "recorded"]
Decision = Literal["rejected", "later", "reopened"]

_STATES: Mapping[Decision | None, ProposalState] = {
    None: "open",
    "reopened": "open",
    "later": "later",
    "rejected": "rejected",
}
"""The state of a proposal that is not recorded, by the newest decision about it."""

_DECIDED = """
FROM proposals AS p LEFT JOIN decisions AS d
  ON d.number = (SELECT max(number) FROM decisions WHERE proposal_id = p.id)"""
"""Every proposal, with the newest decision about it."""

_HOLDING = """
SELECT 'proposal ' || id FROM proposals WHERE instr(body, :written)
UNION SELECT 'proposal ' || proposal_id FROM decisions WHERE instr(reason, :text)
UNION SELECT 'a text of proposal ' || proposal_id FROM documents
  WHERE instr(body, :text) OR instr(source, :written)
UNION SELECT 'draft ' || id FROM drafts WHERE instr(fields, :written)
ORDER BY 1"""
"""What holds a text, in the words of `Inbox.holding`; `written` is the text as JSON has it."""


class Waiting(NamedTuple):
    """A proposal as the inbox has it, with its state."""

    proposal_id: str
    received_at: str
    way: Way
    proposer: str
    body: dict[str, Any]
    """The object as it was given; only `Inbox.get` returns it with its documents."""
    state: ProposalState
    decided_at: str | None
    decided_by: str | None
    reason: str | None
    """Why a person rejected it, or said "later"."""

    @property
    def proposal(self) -> Proposal:
        """Return the proposal that the body describes."""
        return parse(self.body)

    @property
    def proposed_by(self) -> str:
        """Return what the entry says about who proposed it: "draft: gpt-5.6-luna"."""
        return f"{self.way}: {self.proposer}"


class Draft(NamedTuple):
    """A draft is what a person typed into a form; its id will be that of the entry."""

    draft_id: str
    of_proposal: str | None
    event_id: str | None
    """The event that is changed; None for a new one."""
    version: int | None
    """The version that the form was filled from."""
    fields: dict[str, Any]
    """What the form holds, by the names of its fields (`desk.forms`)."""
    by: str | None
    saved_at: str


class Stock(NamedTuple):
    """The stock of an inbox is what waits in it; it knows how large the file is."""

    proposals: int
    drafts: int
    since: str | None
    """When the oldest of them came in, or was saved last; None if nothing waits."""
    size: int
    """Bytes of the file, and of those that SQLite keeps beside it."""


class _Standing(NamedTuple):
    """A proposal has a state, which is found without its body."""

    received_at: str
    proposer: str
    state: ProposalState


class Added(NamedTuple):
    """The id of a proposal that was handed in, and whether the inbox had it already."""

    proposal_id: str
    is_known: bool


def inbox_path(timeline: str | os.PathLike[str]) -> Path:
    """Return the path of the inbox of a timeline: timeline.db.inbox."""
    path = Path(timeline)
    return path.with_name(path.name + SUFFIX)


class Inbox:
    """The inbox in a file that is open; it is a context manager, or else has to be closed."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        now: Callable[[], datetime] = clock.now,
        can_write: bool = True,
        patience: float = _PATIENCE,
    ) -> None:
        """Open the inbox at `path`, and make it if there is none.

        Without `can_write` it has to be there, and nothing is ever written. `patience` are the
        seconds for which it waits for another program that writes. Raises StoreError for a file
        that cannot be opened, made or read, TooNew for one of a newer version.
        """
        self.path = Path(path)
        self._now = now
        self._patience = patience
        opened = open_own if can_write else open_own_to_read
        with self._errors():
            self._connection = opened(self.path, INBOX, patience=patience)

    @classmethod
    def of(
        cls,
        timeline: str | os.PathLike[str],
        *,
        now: Callable[[], datetime] = clock.now,
        patience: float = _PATIENCE,
    ) -> Inbox:
        """Open the inbox beside a timeline, and make it if there is none."""
        return cls(inbox_path(timeline), now=now, patience=patience)

    @classmethod
    def if_there(
        cls, timeline: str | os.PathLike[str], *, now: Callable[[], datetime] = clock.now
    ) -> Inbox | None:
        """Open the inbox beside a timeline; return None if there is none."""
        path = inbox_path(timeline)
        return cls(path, now=now) if path.exists() else None

    @classmethod
    def to_read(cls, timeline: str | os.PathLike[str]) -> Inbox | None:
        """Open the inbox beside a timeline to read only; return None if there is none."""
        path = inbox_path(timeline)
        return cls(path, can_write=False) if path.exists() else None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def __enter__(self) -> Inbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- Proposals ------------------------------------------------------------------------

    def known(self, proposal: Proposal) -> str | None:
        """Return the id under which the inbox has this proposal; None if it does not have it."""
        with self._errors():
            row = self._connection.execute(
                "SELECT id FROM proposals WHERE same = ?", (_same(proposal.given),)
            ).fetchone()
        return row[0] if row else None

    def add(self, proposal: Proposal, *, way: Way, proposer: str, log: sqlite3.Connection) -> Added:
        """Keep a proposal that was checked, and return its id; the same one is kept once.

        `log` is a connection to the timeline. Raises InvalidProposal for a body that is too long,
        Refused if too many proposals wait already.
        """
        text = _json(proposal.body)
        if (size := len(text.encode())) > LONGEST:
            problem = f"has {size:,} bytes: at most {LONGEST:,}, without its documents"
            raise InvalidProposal([InvalidInput("", problem)])
        with self._errors(), storage.immediate(self._connection):
            if known := self.known(proposal):
                return Added(known, is_known=True)
            self._check_room(proposer, log)
            proposal_id = self._new_id("p-")
            self._connection.execute(
                "INSERT INTO proposals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    proposal_id,
                    clock.utc(self._now()),
                    way,
                    proposer,
                    proposal.kind,
                    proposal.subject,
                    proposal.expect,
                    text,
                    _same(proposal.given),
                ),
            )
            self._connection.executemany(
                "INSERT INTO documents VALUES (?, ?, ?, ?, ?)",
                (
                    (
                        proposal_id,
                        position,
                        sha256(document.text.encode()),
                        document.source.model_dump_json(exclude_defaults=True),
                        document.text,
                    )
                    for position, document in enumerate(proposal.documents)
                ),
            )
        return Added(proposal_id, is_known=False)

    def get(self, proposal_id: str, log: sqlite3.Connection) -> Waiting:
        """Return a proposal with its state. Raises NotFound."""
        found = self._proposals("WHERE p.id = ?", (proposal_id,), log)
        if not found:
            raise NotFound("proposal", proposal_id)
        return found[0]._replace(body={**found[0].body, **self._documents(proposal_id)})

    def _documents(self, proposal_id: str) -> dict[str, Any]:
        with self._errors():
            rows = self._connection.execute(
                "SELECT source, body FROM documents WHERE proposal_id = ? ORDER BY position",
                (proposal_id,),
            ).fetchall()
        found = [{"source": json.loads(source), "text": text} for source, text in rows]
        return {"documents": found} if found else {}

    def proposals(
        self,
        log: sqlite3.Connection,
        *,
        states: Sequence[ProposalState] = ("open",),
        way: Way | None = None,
        proposer: str | None = None,
    ) -> list[Waiting]:
        """Return the proposals in these states, oldest first."""
        conditions, values = ["1"], []
        for column, value in (("way", way), ("proposer", proposer)):
            if value is not None:
                conditions.append(f"p.{column} = ?")
                values.append(value)
        found = self._proposals(f"WHERE {' AND '.join(conditions)}", values, log)
        return [each for each in found if each.state in states]

    def decide(
        self,
        proposal_id: str,
        decision: Decision,
        log: sqlite3.Connection,
        *,
        by: str | None = None,
        reason: str | None = None,
    ) -> Waiting:
        """Keep what a person decided about a proposal that is not recorded; return it as it was.

        Raises NotFound, and Refused for one that is recorded already.
        """
        with self._errors(), storage.immediate(self._connection):
            before = self.get(proposal_id, log)
            if before.state == "recorded":
                raise Refused(f"{proposal_id} is recorded already")
            self._connection.execute(
                "INSERT INTO decisions (proposal_id, decided_at, decision, by, reason)"
                " VALUES (?, ?, ?, ?, ?)",
                (proposal_id, clock.utc(self._now()), decision, by, reason),
            )
        return before

    def _check_room(self, proposer: str, log: sqlite3.Connection) -> None:
        waiting = self._waiting(log)
        advice = "decide some of them first, in timeline review or timeline desk"
        if len(waiting) >= MOST_OPEN:
            raise Refused(f"{MOST_OPEN:,} proposals are open: {advice}")
        if sum(each.proposer == proposer for each in waiting) >= MOST_OPEN_OF_ONE:
            raise Refused(f"{MOST_OPEN_OF_ONE} proposals of {proposer} are open: {advice}")

    def _waiting(self, log: sqlite3.Connection) -> list[_Standing]:
        """Return the proposals that nobody decided, oldest first."""
        with self._errors():
            rows = self._connection.execute(
                f"SELECT p.id, p.received_at, p.proposer, d.decision {_DECIDED}"
                " ORDER BY p.received_at, p.id"
            ).fetchall()
        found = [
            _Standing(received_at, proposer, _state(log, proposal_id, decision))
            for proposal_id, received_at, proposer, decision in rows
        ]
        return [each for each in found if each.state in ("open", "later")]

    def _proposals(
        self, condition: str, values: Sequence[Any], log: sqlite3.Connection
    ) -> list[Waiting]:
        with self._errors():
            rows = self._connection.execute(
                "SELECT p.id, p.received_at, p.way, p.proposer, p.body,"
                f" d.decision, d.decided_at, d.by, d.reason {_DECIDED}"
                f" {condition} ORDER BY p.received_at, p.id",
                values,
            ).fetchall()
        return [
            Waiting(
                proposal_id,
                received_at,
                way,
                proposer,
                json.loads(body),
                _state(log, proposal_id, decision),
                *decided,
            )
            for proposal_id, received_at, way, proposer, body, decision, *decided in rows
        ]

    # --- Drafts ---------------------------------------------------------------------------

    def new_draft(
        self,
        fields: Mapping[str, Any],
        *,
        of_proposal: str | None = None,
        event_id: str | None = None,
        version: int | None = None,
        by: str | None = None,
    ) -> Draft:
        """Keep a new draft. That of a proposal has its id; one that is there already is returned.

        Raises StoreError.
        """
        with self._errors(), storage.immediate(self._connection):
            draft_id = of_proposal or self._new_id("d-")
            self._connection.execute(
                "INSERT INTO drafts VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    draft_id,
                    of_proposal,
                    event_id,
                    version,
                    json.dumps(fields, ensure_ascii=False),
                    by,
                    clock.utc(self._now()),
                ),
            )
        return self.draft(draft_id)

    def save_draft(
        self,
        draft_id: str,
        fields: Mapping[str, Any],
        *,
        version: int | None = None,
        by: str | None = None,
    ) -> Draft:
        """Keep what a form holds now; `version`, if given, is the one that the person saw last.

        Raises NotFound, StoreError.
        """
        with self._errors(), storage.immediate(self._connection):
            saved = self._connection.execute(
                "UPDATE drafts SET fields = ?, version = coalesce(?, version),"
                " by = coalesce(?, by), saved_at = ? WHERE id = ?",
                (
                    json.dumps(fields, ensure_ascii=False),
                    version,
                    by,
                    clock.utc(self._now()),
                    draft_id,
                ),
            )
            if not saved.rowcount:
                raise NotFound("draft", draft_id)
        return self.draft(draft_id)

    def draft(self, draft_id: str) -> Draft:
        """Return a draft. Raises NotFound."""
        found = self._drafts("WHERE id = ?", draft_id)
        if not found:
            raise NotFound("draft", draft_id)
        return found[0]

    def drafts(self, log: sqlite3.Connection) -> list[Draft]:
        """Return the drafts that are not recorded, the newest first."""
        return [each for each in self._drafts() if not is_entry(log, each.draft_id)]

    def drop_draft(self, draft_id: str) -> None:
        """Remove a draft that its writer gave up; do nothing if there is none."""
        with self._errors(), storage.immediate(self._connection):
            self._connection.execute("DELETE FROM drafts WHERE id = ?", (draft_id,))

    def _drafts(self, condition: str = "", *values: Any) -> list[Draft]:
        with self._errors():
            rows = self._connection.execute(
                "SELECT id, of_proposal, event_id, version, fields, by, saved_at"  # noqa: S608
                f" FROM drafts {condition} ORDER BY saved_at DESC, id",
                values,
            ).fetchall()
        return [
            Draft(draft_id, of_proposal, event_id, version, json.loads(fields), by, saved_at)
            for draft_id, of_proposal, event_id, version, fields, by, saved_at in rows
        ]

    # --- The desk, and the file -----------------------------------------------------------

    def about(self, name: str) -> str | None:
        """Return what the inbox keeps about the desk under this name; None if it keeps nothing."""
        with self._errors():
            row = self._connection.execute(
                "SELECT value FROM about WHERE name = ?", (name,)
            ).fetchone()
        return row[0] if row else None

    def set_about(self, name: str, value: str | None) -> None:
        """Keep something about the desk; None removes it."""
        with self._errors(), storage.immediate(self._connection):
            self._connection.execute("DELETE FROM about WHERE name = ?", (name,))
            if value is not None:
                self._connection.execute("INSERT INTO about VALUES (?, ?)", (name, value))

    def stock(self, log: sqlite3.Connection) -> Stock:
        """Return what waits, after a look at every page. Raises Damaged."""
        with self._errors():
            (result,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if result != "ok":
            raise Damaged(str(self.path), f"is damaged ({result}): move it away")
        proposals, drafts = self._waiting(log), self.drafts(log)
        times = [each.received_at for each in proposals] + [each.saved_at for each in drafts]
        files = (self.path, *storage.beside(self.path))
        size = sum(each.stat().st_size for each in files if each.exists())
        return Stock(len(proposals), len(drafts), min(times, default=None), size)

    def holding(self, text: str) -> list[str]:
        """Return what holds a text: "proposal p-1k1c", "a text of proposal p-1k1c", "draft d-1k1d".

        Proposals that were decided count until they are purged.
        """
        written = json.dumps(text, ensure_ascii=False)[1:-1]
        with self._errors():
            rows = self._connection.execute(_HOLDING, {"text": text, "written": written}).fetchall()
        return [what for (what,) in rows]

    def purge(self, days: int, log: sqlite3.Connection) -> tuple[int, int]:
        """Delete what was decided at least `days` ago, and drafts recorded since; VACUUM the file.

        Returns how many proposals and how many drafts were deleted. No byte of them is left in
        the file, or Busy is raised: another program reads it still, and to purge again ends it.
        """
        before = clock.utc(self._now() - timedelta(days=days))
        decided = self.proposals(log, states=("rejected", "recorded"))
        proposals = [
            (each.proposal_id,) for each in decided if (self._decided_at(each, log) or "") <= before
        ]
        drafts = [(each.draft_id,) for each in self._drafts() if is_entry(log, each.draft_id)]
        with self._errors():
            with storage.immediate(self._connection):
                self._connection.executemany("DELETE FROM drafts WHERE id = ?", drafts)
                self._connection.executemany("DELETE FROM proposals WHERE id = ?", proposals)
            self._connection.execute("VACUUM")
            emptied = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if emptied.fetchone()[0]:
                raise Busy(str(self.path), _STILL_READ)
        return len(proposals), len(drafts)

    def _errors(self) -> contextlib.AbstractContextManager[None]:
        return own_errors(self.path, patience=self._patience)

    def _decided_at(self, waiting: Waiting, log: sqlite3.Connection) -> str | None:
        if waiting.state != "recorded":
            return waiting.decided_at
        row = log.execute("SELECT recorded_at FROM log WHERE id = ?", (waiting.proposal_id,))
        (moment,) = row.fetchone()
        return str(moment)

    def _new_id(self, prefix: str) -> str:
        """Return an id that is free; ids sort by the time at which they were made."""
        number = int(self._now().timestamp() * 1_000_000)
        while True:
            new = f"{prefix}{codec.encode_id(number)}"
            taken = self._connection.execute(
                "SELECT 1 FROM proposals WHERE id = ?1"
                " UNION ALL SELECT 1 FROM drafts WHERE id = ?1",
                (new,),
            )
            if not taken.fetchone():
                return new
            number += 1


def is_entry(log: sqlite3.Connection, entry_id: str) -> bool:
    """Tell whether the log has an entry with this id."""
    row = log.execute("SELECT 1 FROM log WHERE id = ?", (entry_id,)).fetchone()
    return row is not None


def _state(log: sqlite3.Connection, proposal_id: str, decision: Decision | None) -> ProposalState:
    return "recorded" if is_entry(log, proposal_id) else _STATES[decision]


def _same(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(_json(body, sort_keys=True).encode()).hexdigest()


def _json(body: Mapping[str, Any], *, sort_keys: bool = False) -> str:
    """Return a body as JSON; a decimal number is written as text, so that it stays exact."""
    return json.dumps(body, ensure_ascii=False, sort_keys=sort_keys, default=str)
