"""Name the class of an event type, which pages show by a colour and a shape.

The classes are the four of PLOVER (github.com/openeventdata/PLOVER): verbal and material
cooperation, verbal and material conflict. A type that PLOVER does not have is "other".
"""

from __future__ import annotations

from typing import Literal, get_args

from timeline.languages.translation import gettext

EventClass = Literal["talk", "help", "demand", "force", "other"]

CLASSES: tuple[EventClass, ...] = get_args(EventClass)
"""The classes in the order in which pages list them."""

TYPES: dict[EventClass, tuple[str, ...]] = {
    "talk": ("AGREE", "CONSULT", "SUPPORT", "CONCEDE"),
    "help": ("COOPERATE", "AID", "RETREAT"),
    "demand": ("REQUEST", "ACCUSE", "REJECT", "THREATEN"),
    "force": ("PROTEST", "SANCTION", "MOBILIZE", "COERCE", "ASSAULT"),
}
"""The codes of event types by class, without those of "other"."""
_CLASSES = {code: name for name, codes in TYPES.items() for code in codes}


def words_of(name: EventClass) -> str:
    """Return the words for a class in the legend of a chart or a map."""
    match name:
        case "talk":
            return gettext("talks and agreements")
        case "help":
            return gettext("aid and deeds")
        case "demand":
            return gettext("demands and threats")
        case "force":
            return gettext("force and pressure")
        case "other":
            return gettext("other")


def class_of(event_type: str | None) -> EventClass:
    """Return the class of an event type by its code, such as "talk" for "AGREE"."""
    return _CLASSES.get(event_type or "", "other")
