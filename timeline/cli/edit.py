"""`--edit` opens a form in the user's editor, again and again until it can be recorded.

Guarantees: typed text is never lost. A form that is refused comes back to the editor as it was
typed, with the error on top. If anything else ends the editing, the text stays in a file, and a
message names the file. No lock is held while the editor is open.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import click

from timeline.api import Timeline
from timeline.cli import form, output
from timeline.cli.appending import appending, language_of, source_id, with_coordinates
from timeline.cli.opening import opened, opened_to_append
from timeline.errors import (
    AlreadyRecorded,
    Conflict,
    InvalidInput,
    NotFound,
    NothingChanged,
    TimelineError,
)
from timeline.formats import prose_changes
from timeline.model import field_paths
from timeline.model.content import Event, Said
from timeline.model.validation import validate
from timeline.reading import query
from timeline.reading.former_dates import FormerDates
from timeline.reading.references import resolve_event
from timeline.reading.sources import sources_by_id
from timeline.store import atomic
from timeline.writing.receipt import Receipt
from timeline.writing.writer import Append

T = TypeVar("T")

_ABOUT_FORMS = """\
Lines that begin with "# " are not read. Empty fields are left out.
To give up, quit the editor without saving, or empty the form."""
_ABOUT = {
    "append": "A new event. Save and quit the editor to record it.",
    "proposal": "Change what is proposed. Save and quit the editor to record it.",
    "update": "Change what is new since then.\n"
    "Lines that you do not touch change nothing; to remove a value, empty its line.",
    "correct": "Change what is wrong, and give the reason.\n"
    "Lines that you do not touch change nothing; to remove a value, empty its line.",
}
_WHY = {
    "update": "Why, in a few words. Optional.",
    "correct": "Why it was wrong. Required.",
}
_HINTS = {
    "occurred": "15 April 2025, April 2025, around 10 April 2025, 2025-04-15T10:15 ...",
    "actors": "Who takes part: Mark Rutte; Volodymyr Zelenskyy",
    "tags": "Words of your own: talks; black sea",
    "figure": "killed = >20 said by Mayor of Sumy dated 2025-04-13, or pledged = 2e9 EUR\n"
    "One per line, each starting with `figure:`",
    "source": "The address of a report about it. One per line, each starting with `source:`",
    "media": "A picture, film or document: https://example.org/a.jpg | What it shows | Its maker\n"
    "One per line, each starting with `media:`",
    "reported_at": "The day on which the source reported it, such as 2025-04-15.",
    "summary": "A few sentences, on one line or several.",
}
_PROBLEM = re.compile(r"\A# Error: [^\n]*\n(?:# [^\n]*\n)*\n")


class _Meanwhile(TimelineError):
    """Somebody else changed the event while the form was open; saving it again goes on.

    The message is shown in the form, so it may be long and have several lines.
    """

    def __str__(self) -> str:
        return str(self.args[0])


def append_by_form(
    database: str, given: Mapping[str, Any], words: Mapping[str, str | None], *, dry_run: bool
) -> Receipt:
    """Record the event that a person describes in a form; the form begins with what is `given`."""
    with opened_to_append(database) as timeline:
        with opened(database) as (connection, _):
            hints = _HINTS | _type_hint(query.labels(connection))

        kept: list[str] = []

        def attempt(text: str) -> Receipt:
            pieces = form.pieces(text)
            typed = next((each.text for each in pieces if each.path == "occurred"), "")
            with form.located(pieces), appending(timeline, dry_run=dry_run) as append:
                said = validate(Said, form.said(pieces))
                find = functools.partial(source_id, append, said=said)
                changes = form.changes(pieces, find, language=language_of(timeline))
                statement = field_paths.changed({}, with_coordinates(changes))
                with contextlib.ExitStack() as stack:
                    former = FormerDates(lambda: stack.enter_context(opened(database))[0])
                    if known := former.date_of({**statement, "occurred": typed}):
                        statement["occurred"] = known
                kept[:] = former.notes
                return replace(append.record(statement, said), typed=typed)

        text = form.written(
            f"{_ABOUT['append']}\n{_ABOUT_FORMS}", _given_lines(given, words), hints
        )
        receipt = _edited(text, attempt, "Nothing was recorded.")
        for note in kept:
            output.echo_note(note)
        return receipt


def _given_lines(
    given: Mapping[str, Any], words: Mapping[str, str | None]
) -> list[tuple[str, str]]:
    """Return the lines of a form that contains the values of the options of append."""
    participants = [{"name": name} for name in given.get("actors", ())]
    return [
        ("title", given.get("title", "")),
        ("occurred", given.get("occurred", "")),
        ("type", given.get("event_type", "")),
        ("place", given.get("place", "")),
        ("country", given.get("country", "")),
        *((f"place.{name}", text) for name, text in given.get("point", {}).items()),
        *(form.item_lines("participants", participants) or [("actors", "")]),
        *(form.item_lines("tags", given.get("tags", ())) or [("tags", "")]),
        *(form.figure_lines(given.get("figures", ())) or [("figure", "")]),
        *(("source", source) for source in given.get("sources", ("",))),
        *_said_lines(words),
        ("id", given.get("event_id", "")),
        ("summary", given.get("summary", "")),
    ]


def _said_lines(words: Mapping[str, str | None]) -> list[tuple[str, str]]:
    return [(key, text or "") for key, text in words.items()]


def revise_by_form(
    database: str,
    operation: str,
    event: str,
    words: Mapping[str, str | None],
    expect: int | None,
) -> Receipt:
    """Update or correct an event by a form that shows it as it is now.

    Only values that are changed in the form are changed in the event. If somebody else has changed
    the event meanwhile, the form comes back and says so; saved again, it is applied to the newest
    version.
    """
    with opened_to_append(database) as timeline:
        with opened(database) as (connection, _):
            event_id, version = resolve_event(connection, event)
            shown = query.get(connection, event_id)
            labels = query.labels(connection)
            lines = form.event_lines(_content(shown), labels, _urls(connection, shown))
        seen: int = shown["version"]
        expected = expect or version or seen
        if expected != seen:
            raise Conflict(f"event {event_id}", expected, seen)
        text = form.written(
            f"{event_id}, version {seen}. {_ABOUT[operation]}\n{_ABOUT_FORMS}",
            [*_said_lines(words), *lines],
            _HINTS | _type_hint(labels) | {"reason": _WHY[operation]},
        )
        revision = _Revision(timeline, operation, shown, form.pieces(text))
        return _edited(text, revision.attempt, "Nothing was changed.")


def proposal_by_form(
    timeline: Timeline,
    content: Mapping[str, Any],
    before: Mapping[str, Any],
    words: Mapping[str, str | None],
    record: Callable[[Append, list[tuple[str, Any]], Said], Receipt],
) -> Receipt | None:
    """Let a person change what is proposed, and record that; return None if nothing was changed.

    `content` is the event as it is proposed, `before` as it is now: {} for a new one. `record`
    gets the changes by path that lead from `before` to what was typed, and its words.
    """
    with opened(os.fspath(timeline.path)) as (connection, _):
        labels, urls = query.labels(connection), _urls(connection, content)
    lines = [*_said_lines(words), *form.event_lines(content, labels, urls)]
    standing = form.event_lines(before, labels, urls) if before else ()
    earlier = form.pieces(form.written("", standing, {})) if before else []

    def attempt(text: str) -> Receipt:
        pieces = form.pieces(text)
        with form.located(pieces), appending(timeline) as append:
            said = validate(Said, {**words, **form.said(pieces)})
            find = functools.partial(source_id, append, said=said)
            changes = form.changes(
                pieces, find, earlier, before, before, language=language_of(timeline)
            )
            return record(append, with_coordinates(changes), said)

    text = form.written(f"{_ABOUT['proposal']}\n{_ABOUT_FORMS}", lines, _HINTS)
    return _filled_in(text, attempt)


class _Revision:
    """A revision has the form as it was shown, and the event as it is now."""

    def __init__(
        self,
        timeline: Timeline,
        operation: str,
        shown: Mapping[str, Any],
        before: list[form.Piece],
    ) -> None:
        self._timeline = timeline
        self._operation = operation
        self._event_id: str = shown["event_id"]
        self._seen: int = shown["version"]
        self._expected = self._seen
        self._content = self._now = _content(shown)
        self._before = before

    def attempt(self, typed: str) -> Receipt:
        """Append the changes of the form. Raises _Meanwhile if somebody else changed the event."""
        pieces = form.pieces(typed)
        try:
            with form.located(pieces), appending(self._timeline) as append:
                said = validate(Said, form.said(pieces))
                find = functools.partial(source_id, append, said=said)
                changes = form.changes(
                    pieces,
                    find,
                    self._before,
                    self._content,
                    self._now,
                    language=language_of(self._timeline),
                )
                changes = with_coordinates(changes)
                if not changes:
                    raise NothingChanged(f"event {self._event_id}")
                receipt: Receipt = getattr(append, self._operation)(
                    self._event_id, changes, said, expect=self._expected
                )
                dates = [each.text for each in pieces if each.path == "occurred"]
                is_new = any(path == "occurred" for path, _ in changes)
                return replace(receipt, typed=dates[0] if dates and is_new else None)
        except Conflict as conflict:
            self._expected = conflict.actual
            self._now = _content(self._timeline.get(self._event_id))
            path = os.fspath(self._timeline.path)
            raise _Meanwhile(_since(path, self._event_id, self._seen)) from None


def _urls(connection: sqlite3.Connection, event: Mapping[str, Any]) -> dict[str, str]:
    """Return the addresses of the sources that an event cites, by their ids."""
    cited = (each["source_id"] for each in event.get("citations", ()) if "source_id" in each)
    sources = sources_by_id(connection, cited)
    return {key: source["url"] for key, source in sources.items() if source["url"]}


def _content(event: Mapping[str, Any]) -> dict[str, Any]:
    return {field: event[field] for field in Event.model_fields if field in event}


def _since(database: str, event_id: str, seen: int) -> str:
    """Describe the versions of an event after the one that the person saw."""
    lines = ["the event was changed while you wrote:"]
    with opened(database) as (connection, _):
        for version in prose_changes.since(connection, event_id, seen):
            lines += (version.words, *(f"- {each}" for each in version.changes))
    return "\n".join([*lines, "Save the form again to add your changes to these."])


def _type_hint(labels: Mapping[str, str]) -> dict[str, str]:
    return {"type": f"One of {', '.join(labels.values())}."} if labels else {}


# --- The editor ---------------------------------------------------------------------------


def _edited(text: str, attempt: Callable[[str], T], nothing: str) -> T:
    """Let a person fill in a form, and return what `attempt` makes of it.

    Exits with 1 and the message `nothing` if the form changes nothing.
    """
    made = _filled_in(text, attempt)
    if made is None:
        output.echo(nothing, err=True)
        click.get_current_context().exit(1)
    return made


def _filled_in(text: str, attempt: Callable[[str], T]) -> T | None:
    """Let a person fill in a form, and return what `attempt` makes of it; None if nothing.

    A form that `attempt` refuses goes back to the editor, until it is accepted, given up, or saved
    again without a change.
    """
    handle, name = tempfile.mkstemp(prefix="timeline-", suffix=".form")
    os.close(handle)
    path = Path(name)
    try:
        _write(path, text)
        made = _accepted(path, text, attempt)
    except BaseException:
        if _bare(_read_form(path)) in ("", _bare(text)):
            path.unlink(missing_ok=True)
        else:
            output.echo(f"What you typed is kept in {path}", err=True)
        raise
    path.unlink(missing_ok=True)
    return made


def _accepted(path: Path, text: str, attempt: Callable[[str], T]) -> T | None:
    """Open the editor until `attempt` accepts the form; return its result, None if given up."""
    refused: TimelineError | None = None
    shown = ""
    while True:
        _open_editor(path)
        typed = _read_form(path)
        if _bare(typed) in ("", _bare(text)):
            return None
        if refused and _bare(typed) == _bare(shown):
            _write(path, shown)
            raise refused
        try:
            return attempt(typed)
        except NothingChanged:
            return None
        except _Meanwhile as error:
            refused, shown = None, _problem(error) + typed
        except (InvalidInput, NotFound, AlreadyRecorded) as error:
            refused, shown = error, _problem(error) + typed
        _write(path, shown)


def _bare(text: str) -> str:
    """Remove from a form the lines that are not read."""
    lines = (line.rstrip() for line in text.split("\n"))
    return "\n".join(line for line in lines if line and not line.startswith("# "))


def _problem(error: TimelineError) -> str:
    """Write an error as the comment on top of a form.

    The comment moves the lines of the form, so the line that the error names is moved, too.
    """
    line, text = error.line, ""
    while True:
        error.line = line and line + text.count("\n")
        shown = form.comment(f"Error: {error}") + "\n"
        if shown.count("\n") == text.count("\n"):
            return shown
        text = shown


def _read_form(path: Path) -> str:
    """Read the form as it was saved, without the comment that `_problem` put on top."""
    try:
        saved = path.read_bytes()
    except FileNotFoundError:
        return ""
    text = saved.decode("utf-8-sig", "surrogateescape").replace("\r\n", "\n")
    return _PROBLEM.sub("", text, count=1)


def _write(path: Path, text: str) -> None:
    """Write a text into the file, whole or not at all: the file may be the only copy of a form."""
    building = path.with_suffix(".new")
    try:
        atomic.write(path, text.encode("utf-8", "surrogateescape"), building, mode=0o600)
    except OSError as error:
        raise TimelineError(f"{building} cannot be written: {error.strerror}") from None


def _open_editor(path: Path) -> None:
    """Open the editor, and wait until it ends. Raises TimelineError if it fails.

    Ctrl-C goes to the editor. If our stdout is no terminal, the editor prints on stderr, because
    stdout is for our JSON.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        # $EDITOR may have options, or be any command of the shell, as for git.
        ended = subprocess.run(  # noqa: S603 - it is the user's own
            ["/bin/sh", "-c", f'{editor} "$@"', editor, path],
            stdout=None if sys.stdout.isatty() else 2,
            check=False,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    if ended.returncode:
        how = "was killed" if ended.returncode < 0 else f"failed (exit code {ended.returncode})"
        raise TimelineError(f'the editor "{editor}" {how}')
