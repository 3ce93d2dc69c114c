"""Say a refusal in the words of the desk: one line, which names what to do."""

from __future__ import annotations

from timeline.errors import Busy, TimelineError


def in_words(error: TimelineError) -> str:
    """Return the one line for the person at the desk."""
    if isinstance(error, Busy):
        return "Another program is writing to this timeline. Try again."
    return str(error)
