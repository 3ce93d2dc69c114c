"""A log of which every text is in a script that is written from right to left."""

from __future__ import annotations

from pathlib import Path

from timeline import Timeline
from timeline.model.content import Said

WORD = "שלום"
"""The word by which a text of a user is known on a page; no label of ours has it."""


def piece(name: str) -> str:
    """A text of a user with Latin letters, a number and brackets, which are easily scrambled."""
    return f"{WORD} {name} (2025)"


TAG = piece("tag").lower()
PAGES = (
    *("/", "/events?order=oldest", "/events?q=summary", "/events?as_of=%232", "/events?colour=x"),
    "/events?view=map",
    *("/events/talks", "/events/talks/1", "/events/gone", "/events/merged", "/events/1-risky"),
    *("/sources/paper", "/sources/reprint", "/sources/withdrawn", "/changes", "/changes?kind=x"),
    *(
        "/changes?from=2025-01-01",
        "/verify",
        "/about",
        "/events/no-such-event",
        "/events?since=never",
    ),
)
"""The addresses of every kind of page."""


def tell(path: Path, language: str) -> None:
    """Make a log in a language whose pages show each kind of text."""
    info = {"notice": piece("notice"), "licence": piece("licence")}
    with Timeline.create(path, title=piece("log"), language=language, **info) as timeline:
        source = {"title": piece("source"), "publisher": piece("publisher"), "language": "he"}
        text = f"{piece('quote')}. {piece('text')}."
        for source_id in ("paper", "reprint", "withdrawn"):
            timeline.capture(text, {"source_id": source_id, **source})
        timeline.record(
            {
                "event_id": "talks",
                "title": piece("title"),
                "event_type": "CONSULT",
                "summary": piece("summary"),
                "note": piece("note"),
                "occurred": "2025-04-15T10:15",
                "occurred_text": piece("date"),
                "tags": [TAG],
                "contexts": [],
                "place": {"name": piece("place"), "country": "ISR", "lat": "31.8", "lon": "35.2"},
                "about_place": {"name": piece("about")},
                "participants": [
                    {
                        "name": piece("actor"),
                        "office": piece("office"),
                        "organisation": piece("organisation"),
                        "as_named": piece("named"),
                    }
                ],
                "quantities": [
                    {
                        "measure": f"{WORD} measure",
                        "value": number,
                        "unit": f"{WORD} unit",
                        "reported_by": piece("by"),
                        "source_ids": ["paper"],
                    }
                    for number in ("2", "30000")
                ],
                "claims": [
                    {
                        "speaker": piece("speaker"),
                        "stance": "denies",
                        "statement": piece("statement"),
                    }
                ],
                "citations": [{"source_id": "paper", "quote": piece("quote")}],
                "extra": {piece("dataset"): {piece("key"): piece("value")}},
            },
            author="desk",
        )
        for event_id in ("gone", "merged", "1-risky"):
            timeline.record(
                {
                    "event_id": event_id,
                    "title": piece(event_id),
                    "occurred": "2025-04",
                    "relations": [{"type": "part_of", "event_id": "talks"}],
                    "citations": [{"source_id": "withdrawn"}] if event_id == "1-risky" else [],
                }
            )
        timeline.update("talks", {"title": piece("new"), "tags": [TAG, "port"]})
        timeline.correct("talks", {"claims.0.speaker": piece("other")}, reason=piece("reason"))
        timeline.retract("gone", reason=piece("retraction"))
        timeline.merge("merged", into="talks", reason=piece("merge"))
        with timeline.append() as append:
            append.withdraw_source("withdrawn", Said(reason=piece("withdrawal")))
