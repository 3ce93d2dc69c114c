"""Know who the person at the desk is: what is recorded carries their name."""

from __future__ import annotations

import contextlib

from timeline.desk.visit import Visit
from timeline.errors import StoreError
from timeline.model.content import Said
from timeline.model.validation import problems

WHO = ("author", "Say who you are: a name or a handle, which is published")
"""The problem of a form that needs a name."""


def remember_author(visit: Visit) -> None:
    """Keep who the person says to be in this form, for the next ones and the next start too."""
    author = visit.field("author").strip()
    if author and author != visit.author and not problems(Said, {"author": author})[1]:
        visit.session.author = author
        with contextlib.suppress(StoreError):
            visit.desk.inbox.set_about("author", author)
