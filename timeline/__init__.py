"""Timeline keeps every statement ever made about every event of a developing story.

>>> from timeline import Event, Timeline
>>> with Timeline.create("odesa.db", title="Odesa") as timeline:
...     receipt = timeline.record(Event(title="Talks in Odesa", occurred="15 April 2025"))
"""

import gc

_is_collecting = gc.isenabled()
gc.disable()  # looking for garbage takes a tenth of the time of these imports, and finds none

from timeline.api import Timeline
from timeline.errors import TimelineError
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

if _is_collecting:
    gc.enable()

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
