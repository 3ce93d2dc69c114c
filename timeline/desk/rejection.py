"""Read why a person rejects a proposal."""

from __future__ import annotations

from timeline.desk.visit import Visit

REASONS = {
    "not-in-source": "Not in the source",
    "wrong": "Wrong",
    "double": "Double",
    "not-here": "Not for this timeline",
    "other": "Other",
}


def reason_of(visit: Visit) -> tuple[str, tuple[str, str] | None]:
    """Return the reason that a form gives, and what is wrong with it: the field and a sentence."""
    key, words = visit.field("reason"), " ".join(visit.field("words").split())
    if key not in REASONS:
        return "", ("reason-not-in-source", "Choose why you reject it")
    if key != "other":
        return f"{REASONS[key]}: {words}" if words else REASONS[key], None
    return (words, None) if words else ("", ("reject-words", "Write in a few words why"))
