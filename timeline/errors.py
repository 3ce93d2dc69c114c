"""The errors that Timeline raises, as types that carry data.

    TimelineError
    +-- InvalidValue        one value that cannot be read          (also a ValueError)
    +-- InvalidInput        a field of an input, and its line      (also a ValueError)
    |   +-- InvalidCell         a cell of a sheet, and its address
    +-- InvalidSheet        several cells or rows of a sheet        (also a ValueError)
    |   +-- MissingIds          rows of a sheet without an id, and nothing else
    +-- InvalidProposal     several problems of one proposal       (also a ValueError)
    +-- NotFound            no such event, source, actor, entry or witness
    +-- Ambiguous           a beginning of an id, or a name, that several share
    +-- NoText              a source whose text is not in this file
    +-- Erased              a file that was erased
    +-- TakesTooLong        a question that a page has no time for
    +-- NotFetched          a file on the web that could not be fetched whole
    +-- NotDelivered        an entry that a receiver did not take
    +-- Refused             well formed, but against the rules of the log
    |   +-- AlreadyRecorded     the id is taken by other content
    |   +-- NothingChanged      an update that would change nothing
    |   +-- Conflict            the event is at another version than expected
    |   +-- ClockBehind         the log is ahead of this machine's clock
    |   +-- ClockLeapt          this machine's clock is far ahead of the log and of its file
    |   +-- TooManyAbsent       a sheet lacks a tenth of the events or more
    |   +-- IsMirror            the file is kept in step with a log elsewhere, by its exports
    |   +-- IsFollower          the file is a checked copy of a log that somebody else publishes
    |   +-- WouldGoBack         a publication or signature behind what others have seen
    |   +-- Outrun              another site of the cluster wrote first
    |   +-- ClockAhead          this machine's clock is ahead of the cluster's
    +-- ProofError          a proof, a signature or a checkpoint that does not hold
    +-- StoreError          the file, not the input
        +-- NotATimeline        a missing or foreign file
        |   +-- Damaged             a file of which bytes were changed or lost
        +-- TooNew              written by a newer Timeline
        +-- TooOld              made by an older Timeline, to be migrated
        +-- ProjectionOutdated  derived tables of another version
        +-- NotWritable         read-only file or folder
        +-- StorageFull         a disk that is full or failing
        +-- Replaced            another file has its name now, or none
        +-- Busy                another writer holds the lock
        +-- Unfinished          an erasure whose words are still in the file
        +-- Unreachable         a cluster that does not answer
        +-- InDoubt             an append of which the cluster did not say whether it is stored
        +-- Diverged            a cluster that no longer has what this node has

``str(error)`` is one line that a person can act on. This module imports nothing of this package.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Self

__all__ = [
    "AlreadyRecorded",
    "Ambiguous",
    "Busy",
    "ClockAhead",
    "ClockBehind",
    "ClockLeapt",
    "Conflict",
    "Damaged",
    "Diverged",
    "Erased",
    "InDoubt",
    "InvalidCell",
    "InvalidInput",
    "InvalidProposal",
    "InvalidSheet",
    "InvalidValue",
    "IsFollower",
    "IsMirror",
    "MissingIds",
    "NoText",
    "NotATimeline",
    "NotDelivered",
    "NotFetched",
    "NotFound",
    "NotWritable",
    "NothingChanged",
    "Outrun",
    "ProjectionOutdated",
    "ProofError",
    "Refused",
    "Replaced",
    "StorageFull",
    "StoreError",
    "TakesTooLong",
    "TimelineError",
    "TooManyAbsent",
    "TooNew",
    "TooOld",
    "Unfinished",
    "Unreachable",
    "WouldGoBack",
]

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_LONGEST = 1_000
"""The most characters of a message; a message may quote a long input."""


class TimelineError(Exception):
    """Every error of this package is one of these: catch it to catch them all.

    `line` is the line of the input, and `item` the number of the statement in the input. Both
    count from 1, and are None if they are not known.
    """

    line: int | None = None
    item: int | None = None

    def at(self, *, line: int | None = None, item: int | None = None) -> Self:
        """Add the place in the input that the error is about, and return the error."""
        self.line = self.line or line
        self.item = self.item or item
        return self

    def __str__(self) -> str:
        places = [f"line {self.line}"] if self.line else []
        places += [f"event {self.item}"] if self.item else []
        message = ": ".join(
            [", ".join(places), super().__str__()] if places else [super().__str__()]
        )
        message = _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), message)
        if len(message) > _LONGEST:
            message = f"{message[: _LONGEST // 2]} ... {message[-_LONGEST // 2 :]}"
        return message


class InvalidValue(TimelineError, ValueError):
    """A value that cannot be read; the message says how to write it.

    The message names no field: a caller that knows the field raises `InvalidInput` instead.
    """

    def __init__(self, value: object, problem: str) -> None:
        super().__init__(problem)
        self.value = value
        self.problem = problem


class InvalidInput(TimelineError, ValueError):
    """A field of an input that is wrong.

    `field` is a path such as ``quantities.0.value``, or "" for the whole input.
    """

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field}: {problem}" if field else problem)
        self.field = field
        self.problem = problem


class InvalidCell(InvalidInput):
    """A cell of a sheet that is wrong: `cell` is its address, such as C5, `field` its column."""

    def __init__(self, column: str, problem: str, cell: str) -> None:
        super().__init__(column, problem)
        self.args = (f"cell {cell}, {column}: {problem}",)
        self.cell = cell


class InvalidSheet(TimelineError, ValueError):
    """Several cells or rows of a sheet that are wrong: `problems` has all of them, by line."""

    def __init__(self, problems: Sequence[InvalidInput]) -> None:
        super().__init__(f"{len(problems):,} problems, of which the first is: {problems[0]}")
        self.problems = tuple(problems)


class MissingIds(InvalidSheet):
    """Rows of a sheet that have no id; `proposed` says an id for each, by its line."""

    def __init__(self, problems: Sequence[InvalidInput], proposed: Mapping[int, str]) -> None:
        super().__init__(problems)
        self.proposed = dict(proposed)


class InvalidProposal(TimelineError, ValueError):
    """Everything that is wrong with a proposal: `problems` has one InvalidInput for each."""

    def __init__(self, problems: Sequence[InvalidInput]) -> None:
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{problems[0]}{more}")
        self.problems = tuple(problems)


class NotFound(TimelineError):
    """Nothing has this id; `kind` is "event", "source", "actor", "entry" or "witness"."""

    def __init__(self, kind: str, key: str, why: str = "") -> None:
        super().__init__(f'no {kind} "{key}"{": " + why if why else ""}')
        self.kind = kind
        self.key = key


class Ambiguous(TimelineError):
    """Several ids have this beginning, or several things have this name: `matches` lists them."""

    def __init__(
        self, kind: str, key: str, matches: Sequence[str], what: str = "beginning"
    ) -> None:
        shown = ", ".join(matches[:5]) + (" ..." if len(matches) > 5 else "")
        super().__init__(f'"{key}" is the {what} of several {kind}s: {shown}')
        self.kind = kind
        self.key = key
        self.matches = tuple(matches)


class NoText(TimelineError):
    """A source whose text is not in this file; `why` says why."""

    def __init__(self, source_id: str, why: str) -> None:
        super().__init__(f"the text of {source_id} {why}")
        self.source_id = source_id
        self.why = why


class Erased(TimelineError):
    """Something was erased; `what` names it, and `reason` says why, if that was not erased too."""

    def __init__(self, what: str, reason: str | None) -> None:
        super().__init__(f"{what} was removed{f': {reason}' if reason else ''}")
        self.what = what
        self.reason = reason


class NotFetched(TimelineError):
    """A file on the web did not come whole, or lies where it may not be fetched; `url` is given.

    `status` is that of the answer, such as 404, if the server answered with another than 200.
    """

    def __init__(self, url: str, problem: str, status: int | None = None) -> None:
        super().__init__(f"{url}: {problem}")
        self.url = url
        self.problem = problem
        self.status = status


class NotDelivered(TimelineError):
    """A `receiver` did not take an entry; `in_doubt` tells whether it may have it nevertheless."""

    def __init__(self, receiver: str, problem: str, *, in_doubt: bool = False) -> None:
        super().__init__(f"{receiver}: {problem}")
        self.receiver, self.problem, self.in_doubt = receiver, problem, in_doubt


class TakesTooLong(TimelineError):
    """A question to a server whose answer takes more than `seconds`, the limit of a page."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"this takes longer than this server allows ({seconds * 1000:,.0f} ms): ask for less, "
            "such as a shorter period, another filter, or fewer words"
        )
        self.seconds = seconds


class Refused(TimelineError):
    """A statement or a call that is well formed, but that the rules of the log forbid."""


class AlreadyRecorded(Refused):
    """The id is taken by other content; `fields` are the paths that differ."""

    def __init__(self, subject: str, fields: Sequence[str], advice: str) -> None:
        shown = ", ".join(fields[:6]) + (" ..." if len(fields) > 6 else "")
        super().__init__(f"{subject} is already recorded with another {shown}: {advice}")
        self.subject = subject
        self.fields = tuple(fields)


class NothingChanged(Refused):
    """An update or correction that would change nothing."""

    def __init__(self, subject: str) -> None:
        super().__init__(f"{subject} already says so: nothing would change")
        self.subject = subject


class Conflict(Refused):
    """The event is not at the expected version: somebody else has changed it meanwhile."""

    def __init__(self, subject: str, expected: int, actual: int) -> None:
        super().__init__(
            f"{subject} is at version {actual}, not {expected}: look at it again, then repeat"
        )
        self.subject = subject
        self.expected = expected
        self.actual = actual


class ClockBehind(Refused):
    """The newest entry is more than 60 seconds ahead of this machine's clock."""

    def __init__(self, last: str, now: str) -> None:
        super().__init__(
            f"the newest entry was recorded at {last}, but the clock here says {now}: set the clock"
            ", or, if the clock is right, write with --ahead REASON"
        )
        self.last = last
        self.now = now


class ClockLeapt(Refused):
    """The clock of this machine is `days` ahead of the newest entry and of its file's last change.

    Either nobody wrote for so long, or the clock is wrong. A wrong time would stay in the log.
    """

    def __init__(self, last: str, now: str, days: int) -> None:
        self.span = "over a day" if days == 1 else f"{days:,} days"
        super().__init__(
            f"the clock here says {now}, {self.span} after the newest entry and the last change of "
            "the file: if the clock is right, write with --yes (a program sets "
            "TIMELINE_TRUST_CLOCK=1); if not, set it"
        )
        self.last = last
        self.now = now
        self.days = days


class IsMirror(Refused):
    """The file is kept in step with the log `origin`; an append here would make it another log."""

    def __init__(self, origin: str, since: str) -> None:
        super().__init__(
            f"this file is a mirror of {origin}, kept in step by import jsonl since {since}: write "
            "into the original; to make it a log of its own, which can follow no more, say --fork "
            "(a program: fork=True)"
        )
        self.origin = origin
        self.since = since


class IsFollower(Refused):
    """The file at `path` is a checked copy of the log `origin`, and not for writing."""

    def __init__(self, path: str, origin: str) -> None:
        super().__init__(
            f"{path} follows {origin}: write into a log of your own; timeline follow --stop makes "
            "this file one"
        )
        self.path = path
        self.origin = origin


class WouldGoBack(Refused):
    """A publication or signature that would go back behind what others have seen.

    The log has lost entries, or has others in their place: it may come from a backup.
    """


class TooManyAbsent(Refused):
    """A sheet, or a publisher's file, lacks so many events that it may be incomplete.

    `titles` are those of the absent events, if they are known.
    """

    def __init__(
        self, absent: int, current: int, where: str = "sheet", titles: Sequence[str] = ()
    ) -> None:
        share = "more than a tenth" if absent * 10 > current else "a tenth"
        self.extent = f"{absent} of {current} events are not in the {where}, {share}"
        super().__init__(
            f"{self.extent}: nothing was written; read what --dry-run says, then repeat with --yes"
        )
        self.absent = absent
        self.current = current
        self.titles = tuple(titles)


class Outrun(Refused):
    """Another site of the cluster wrote before this append was stored; nothing of it was kept."""

    def __init__(self) -> None:
        super().__init__("another site wrote meanwhile; nothing was kept: do it again")


class ClockAhead(Refused):
    """The clock of this machine is more than 5 seconds ahead of the cluster's clock.

    Entries with its time would make all other sites wait.
    """

    def __init__(self, now: str, cluster: str) -> None:
        super().__init__(
            f"the clock here says {now}, the clock of the cluster {cluster}; nothing was written: "
            "set the clock here, then repeat"
        )
        self.now = now
        self.cluster = cluster


class ProofError(TimelineError):
    """A proof, a signature or a checkpoint does not hold; the message says why."""


class StoreError(TimelineError):
    """The file cannot be used as it is; `path` is its name, as the caller gave it."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class NotATimeline(StoreError):
    """The file is missing, or no timeline."""


class Damaged(NotATimeline):
    """SQLite cannot read the file: bytes of it were changed or lost."""


class TooNew(StoreError):
    """The file was written by a newer Timeline; nothing was read or changed."""


class TooOld(StoreError):
    """The file was made by an older Timeline, and nothing in it was compared or changed.

    That is no sign of tampering.
    """

    def __init__(self, path: str) -> None:
        super().__init__(path, "made by an older version: run timeline migrate")


class ProjectionOutdated(StoreError):
    """The derived tables are of another version, or made with other rules of the time zone.

    That is no sign of tampering: an older or newer Timeline or package `tzdata` made them.
    """


class NotWritable(StoreError):
    """The file or its folder is read-only for this user."""


class StorageFull(StoreError):
    """The disk is full or failing. The append was rolled back.

    After an I/O error, the append may still be in the file when it is opened again. Repeat the
    append with the same `entry_id` or `event_id`: then it is recorded only once.
    """


class Replaced(StoreError):
    """Another file took the place of the one that is open, or it was removed.

    What was written into the open file, if anything, may be missing in the file of this name.
    """


class Busy(StoreError):
    """The write lock was held by another process for longer than a writer waits."""


class Unfinished(StoreError):
    """An erasure has emptied the log and its tables, but the words are still bytes in the file."""

    def __init__(
        self, path: str, why: str, advice: str = "the next command that writes finishes it"
    ) -> None:
        super().__init__(
            path, f"the words are out of the log, not yet out of the file ({why}): {advice}"
        )
        self.why = why


class Unreachable(StoreError):
    """The cluster of this node does not answer; nothing was written.

    `path` is the address of the cluster.
    """


class InDoubt(StoreError):
    """The cluster did not say in time whether an append was stored.

    The next command that writes finds it out. To repeat the append is safe: it is recorded once.
    """

    def __init__(self, path: str, recorded_at: str) -> None:
        super().__init__(
            path,
            f"it is not known yet whether the append of {recorded_at} was stored: the next command "
            "that writes finds it out; repeating this one is safe",
        )
        self.recorded_at = recorded_at


class Diverged(StoreError):
    """The cluster no longer has the messages that this node's file has; nothing was changed."""
