"""Define what a screen of the desk is asked, and what it answers.

A screen is a function of `Visit` that returns a `DeskReply`. All screens run on one thread, one
after the other, on the connections of the `Desk`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from timeline.api import Timeline
from timeline.desk.draft_runs import DraftRuns
from timeline.intake.proposals.inbox import Inbox


@dataclass
class Desk:
    """The desk of one timeline: its file, its inbox, and how it was started."""

    path: Path
    timeline: Timeline
    log: sqlite3.Connection
    """A connection to the timeline that cannot write."""
    inbox: Inbox
    author: str | None = None
    """The handle that `--author` gives; a person may change it in the settings."""
    has_shortcuts: bool = True
    """Whether single keys are shortcuts; a person may change it in the settings."""
    model: str | None = None
    """The model that `--model` names for *Draft with MODEL*."""
    drafting: DraftRuns = field(default_factory=DraftRuns)
    """What that model is drafting now, or has drafted; closed when the desk ends."""


@dataclass
class Session:
    """One browser that came in with a ticket, and what it has chosen."""

    session_id: str
    author: str | None = None
    notices: list[str] = field(default_factory=list)
    """Sentences for the next page, such as what was just done."""


class Upload(NamedTuple):
    """A file that was sent with a form."""

    name: str
    content: bytes


class Visit(NamedTuple):
    """A request to a screen: its desk, its session, the parts of its address, and its fields."""

    desk: Desk
    session: Session
    path: str
    """The path below the desk's own, such as /drafts/d-1k1exdtz02c."""
    parts: Mapping[str, str]
    """The named parts of the path."""
    query: Sequence[tuple[str, str]]
    fields: Sequence[tuple[str, str]]
    """The fields of a form that was sent, in their order; none for GET."""
    files: Mapping[str, Upload]
    key: str
    """The secret first part of every path of this desk, such as /x1y2."""
    is_form: bool = False
    """Whether a form was sent (POST)."""

    @property
    def author(self) -> str | None:
        """Return the handle of the person at this desk."""
        return self.session.author or self.desk.author

    def field(self, name: str) -> str:
        """Return the text of a field that was sent; an empty text if it was not sent."""
        return next((value for key, value in self.fields if key == name), "")

    def every(self, name: str) -> list[str]:
        """Return the texts of all fields with this name, in their order."""
        return [value for key, value in self.fields if key == name]

    def chosen(self, name: str) -> str:
        """Return the value of a parameter of the address; an empty text if it has none."""
        return next((value for key, value in self.query if key == name), "")

    def link(self, path: str, **query: str) -> str:
        """Return the address of a screen, with the secret path of the desk before it."""
        visit = f"?{urlencode(query)}" if query else ""
        return f"{self.key}{quote(path)}{visit}"


class Shown(NamedTuple):
    """An answer that is made of a template of templates/desk/."""

    template: str
    """The name of the template, without .html."""
    context: Mapping[str, Any]
    status: int = 200


class Redirect(NamedTuple):
    """An answer that sends the browser to another screen (303)."""

    path: str
    """The path below the desk's own; it may have a query and a fragment."""


class ForScript(NamedTuple):
    """An answer that a script of the desk reads."""

    found: Mapping[str, Any]
    status: int = 200


class SentFile(NamedTuple):
    """An answer that is a file of the timeline, such as a picture of an event."""

    content: bytes
    media_type: str


DeskReply = Shown | Redirect | ForScript | SentFile
Screen = Callable[[Visit], DeskReply]


class ScreenRoute(NamedTuple):
    """The path of a screen, in Starlette's form, with what answers GET and what answers POST."""

    path: str
    get: Screen | None = None
    post: Screen | None = None
