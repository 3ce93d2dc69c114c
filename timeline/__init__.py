"""Timeline keeps every statement ever made about every event of a developing story.

>>> from timeline import Event, Timeline
>>> with Timeline.create("odesa.db", title="Odesa") as timeline:
...     receipt = timeline.record(Event(title="Talks in Odesa", occurred="15 April 2025"))

A name is imported when it is first asked for: a command or a site loads only what it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from timeline.errors import TimelineError

if TYPE_CHECKING:
    from timeline.api import Timeline
    from timeline.model.content import (
        Actor,
        Citation,
        Claim,
        Event,
        Participant,
        Place,
        Quantity,
        Relation,
        Said,
        Source,
    )
    from timeline.reading.rows import ChangeRow, EventDict, EventRow, VersionRow
    from timeline.writing.receipt import Receipt
    from timeline.writing.writer import Append

__all__ = [
    "Actor",
    "Append",
    "ChangeRow",
    "Citation",
    "Claim",
    "Event",
    "EventDict",
    "EventRow",
    "Participant",
    "Place",
    "Quantity",
    "Receipt",
    "Relation",
    "Said",
    "Source",
    "Timeline",
    "TimelineError",
    "VersionRow",
]

_HOMES = ("model.content", "reading.rows", "writing.receipt", "writing.writer", "api")
"""The modules that have these names, those first that import little."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    modules = (import_module(f"{__name__}.{home}") for home in _HOMES)
    return next(getattr(each, name) for each in modules if hasattr(each, name))


def __dir__() -> list[str]:
    return __all__
