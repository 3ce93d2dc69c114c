"""Define the model of what a log says about itself, and of its vocabulary."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints

from timeline.model.base import Content
from timeline.model.field_types import (
    TIME_ZONE_PATTERN,
    Language,
    Line,
    Many,
    Origin,
    Text,
    Url,
    Word,
)


class Term(Content):
    """A term is a word of a vocabulary: an event type, a mode or a context."""

    code: Word = Field(description="The word that is stored.")
    label: Line = Field(description="The words that people see.")
    definition: Text | None = Field(default=None, description="When the term applies.")


class Vocabulary(Content):
    """The terms that events of this log may use; an empty list leaves its field free."""

    event_types: Annotated[Many[Term], Field(max_length=1_000)] = Field(
        default=(), description="What an event can be."
    )
    modes: Annotated[Many[Term], Field(max_length=1_000)] = Field(
        default=(), description="How it can be done."
    )
    contexts: Annotated[Many[Term], Field(max_length=1_000)] = Field(
        default=(), description="What it can be about."
    )


class LogInfo(Content):
    """The content of `log.opened` and `log.updated` describes the log itself."""

    origin: Origin = Field(
        description="Names the log for ever (C2SP tlog-checkpoint): best an address without a "
        "scheme, such as example.org/odesa. No blanks, no plus sign."
    )
    title: Line = Field(description="What the timeline is called.")
    licence: Line | None = Field(
        default=None, description="Licence of its content, such as CC-BY-4.0."
    )
    language: Language = Field(default="en", description="BCP 47 tag of its texts.")
    time_zone: Annotated[Word, StringConstraints(pattern=TIME_ZONE_PATTERN)] = Field(
        default="UTC", description="IANA time zone in which its days begin and end."
    )
    vocabulary: Vocabulary = Field(
        default_factory=Vocabulary, description="Event types, modes and contexts."
    )
    notice: Line | None = Field(default=None, description="A warning that every page shows.")
    description: Annotated[Text, StringConstraints(max_length=10_000)] | None = Field(
        default=None, description="What the timeline is about, in a few sentences."
    )
    publisher: Line | None = Field(default=None, description="Who keeps the timeline.")
    contact: Line | None = Field(
        default=None, description="How to reach the publisher: best the address of a role."
    )
    homepage: Url | None = Field(
        default=None, description="The page of the publisher, http or https."
    )
