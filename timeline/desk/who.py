"""Know who the person at the desk is: what is recorded carries their name."""

from __future__ import annotations

from timeline.desk.visit import Visit
from timeline.model.content import Said
from timeline.model.validation import problems

WHO = ("author", "Say who you are: a name or a handle, which is published")
"""The problem of a form that needs a name."""


def remember_author(visit: Visit) -> None:
    """Keep who the person says to be in this form, for the next ones too."""
    author = visit.field("author").strip()
    if author and not problems(Said, {"author": author})[1]:
        visit.session.author = author
