"""Define the frozen models of what a log can say: events, sources, actors and the log itself.

Guarantees: an object of these classes is well formed. Its texts hold no NUL and no lone
surrogate, its numbers are exact decimals, its dates are EDTF, its countries ISO 3166-1
alpha-3. Equal content has equal bytes, but for the order of names in `extra`: empty and default
values are left out, tags are in lower case, numbers have one spelling. Whether a statement is
*allowed* (the event exists, its type is in the log's vocabulary) is checked by the writer: this
module knows no database, no file and no other event.

Vocabularies: event types, modes and contexts are PLOVER's unless the log has its own
(openeventdata, PLOVER); `geo_precision` is UCDP's `where_prec` (UCDP GED codebook);
reliability and credibility are the Admiralty code (NATO AJP-2.1); dates are EDTF levels 0
to 2 (ISO 8601-2:2019, annex A); units of money are ISO 4217.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    StrictStr,
    StringConstraints,
    field_validator,
    model_validator,
)

from timeline.errors import InvalidValue
from timeline.model import clock, edtf, units
from timeline.model.base import Content
from timeline.model.choices import Modality, Verification
from timeline.model.field_types import (
    LONGEST_DATE,
    CountryCode,
    Edtf,
    Flag,
    GeoPrecision,
    Id,
    Language,
    Latitude,
    Line,
    Longitude,
    Lower,
    Many,
    Number,
    Origin,
    Position,
    Quote,
    Sha256,
    SourceIds,
    Text,
    Unique,
    Url,
    Verbatim,
    Wikidata,
    Word,
    filled,
    whole,
)
from timeline.model.media import Medium


class Place(Content):
    """A place has a name, a country or a point, as precisely as it is known."""

    name: Line | None = Field(default=None, description="The place as people call it.")
    country: CountryCode | None = Field(
        default=None,
        description="ISO 3166-1 alpha-3; input takes alpha-2, alpha-3 or the English name.",
    )
    admin1: Line | None = Field(
        default=None, description="First-order division: region, oblast, state."
    )
    lat: Latitude | None = Field(
        default=None, description="Latitude, WGS 84, decimal degrees north."
    )
    lon: Longitude | None = Field(
        default=None, description="Longitude, WGS 84, decimal degrees east."
    )
    geo_precision: GeoPrecision | None = Field(
        default=None,
        description="UCDP where_prec: 1 exact place, 2 within 25 km, 3 second-order division, "
        "4 first-order division, 5 line or area, 6 country, 7 sea or air space.",
    )

    @model_validator(mode="after")
    def _says_where(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise InvalidValue(self, "needs lat and lon together, or neither")
        if not (self.name or self.country or self.admin1 or self.lat is not None):
            raise InvalidValue(self, "needs a name, a country or a point (lat and lon)")
        return self


Role = Literal["actor", "recipient", "host", "mediator", "participant", "speaker"]


class Participant(Content):
    """Somebody who takes part; the office belongs to this participation, not to the person."""

    name: Line = Field(description="The person, state or body, as this log calls them.")
    actor_id: Id | None = Field(
        default=None,
        description="The actor's id in this log, which tells namesakes apart; if not given, the "
        "name decides.",
    )
    role: Role = Field(
        default="actor", description="PLOVER's actor and recipient, and four plain ones."
    )
    as_named: Line | None = Field(default=None, description="As the source names them.")
    office: Line | None = Field(default=None, description="The office held at that time.")
    country: CountryCode | None = Field(default=None, description="ISO 3166-1 alpha-3.")
    organisation: Line | None = Field(default=None, description="The body they act for.")
    sector: Word | None = Field(default=None, description="PLOVER sector, such as GOV, MIL or CVL.")
    wikidata: Wikidata | None = Field(default=None, description="Wikidata item, such as Q57792.")


_GIVEN_OR_PEOPLE: Any = ...
"""The default of `Quantity.unit`: the unit is required, but type checkers do not ask for it.

A figure of killed or injured needs no unit: it is counted in `person`.
"""


class Quantity(Content):
    """A figure that somebody gives; an event may have several figures that disagree."""

    measure: Annotated[Word, Lower] = Field(
        description="What is counted, a noun or participle in lower case; known: pledged, "
        "committed, allocated, disbursed, delivered, killed, injured."
    )
    value: Number | None = Field(default=None, description="The figure, in `unit`.")
    low: Number | None = Field(
        default=None, description="Low estimate, in `unit`; may exceed `value`."
    )
    high: Number | None = Field(default=None, description="High estimate, in `unit`.")
    qualifier: Literal["exact", "more_than", "at_least", "about"] = Field(
        default="exact", description="How the source words the figure."
    )
    unit: Annotated[Word, AfterValidator(units.unit)] = Field(
        default=_GIVEN_OR_PEOPLE,
        description="ISO 4217 code for money, else a noun in lower case; killed and injured "
        "are counted in `person` unless another is given.",
    )
    dated: Edtf | None = Field(
        default=None, description="EDTF: the day for which the figure is given."
    )
    reported_by: Line | None = Field(default=None, description="Who gives the figure.")
    source_ids: SourceIds = Field(default=(), description="Sources that carry the figure.")

    @model_validator(mode="before")
    @classmethod
    def _people_are_counted(cls, data: object) -> object:
        if isinstance(data, dict) and not data.get("unit"):
            measure = data.get("measure")
            if isinstance(measure, str) and measure.strip().lower() in units.COUNTED_IN_PEOPLE:
                return {**data, "unit": "person"}
        return data

    @model_validator(mode="after")
    def _has_a_figure(self) -> Self:
        if self.value is None and self.low is None and self.high is None:
            raise InvalidValue(self, "needs a value, a low or a high")
        return self


class Claim(Content):
    """A claim is something that somebody says about the event."""

    speaker: Line = Field(description="Who says so.")
    stance: Literal["asserts", "denies", "disputes"] = Field(
        default="asserts", description="Whether the speaker asserts, denies or disputes it."
    )
    statement: Text | None = Field(
        default=None, description="What is said, in the log's own words."
    )
    source_ids: SourceIds = Field(default=(), description="Sources that carry the claim.")


class Relation(Content):
    """A relation connects the event with another event, of this log or of another timeline."""

    type: Literal[
        "part_of",
        "follows",
        "responds_to",
        "condition_of",
        "fulfils",
        "contradicts",
        "same_as",
        "about",
    ] = Field(description="Read as: this event TYPE the other.")
    event_id: Id = Field(description="The other event.")
    origin: Origin | None = Field(
        default=None,
        description="The origin of the other timeline, if the event is in another one; nothing "
        "checks that it is there.",
    )


class Source(Content):
    """A document that reports events."""

    outside: ClassVar[set[str]] = {"source_id"}

    source_id: Id | None = Field(
        default=None, description="Its id in this log; made up if not given."
    )
    title: Line | None = Field(default=None, description="Its headline or title.")
    publisher: Line | None = Field(default=None, description="Who published it.")
    authors: Annotated[Many[Line], Field(max_length=200), Unique] = Field(
        default=(), description="Who wrote it."
    )
    url: Url | None = Field(default=None, description="Where it is, http or https.")
    archive_url: Url | None = Field(default=None, description="An archived copy, http or https.")
    published: Edtf | None = Field(default=None, description="EDTF: when it was published.")
    accessed: Edtf | None = Field(default=None, description="EDTF: when it was read.")
    language: Language | None = Field(default=None, description="BCP 47 tag, such as en or uk.")
    licence: Line | None = Field(default=None, description="Licence of its text.")
    reliability: Literal["A", "B", "C", "D", "E", "F"] | None = Field(
        default=None, description="Admiralty code: A reliable to E unreliable; F cannot be judged."
    )
    media_type: Word | None = Field(default=None, description="IANA media type, such as text/html.")
    text_sha256: Sha256 | None = Field(
        default=None, description="The SHA-256 of its captured text in UTF-8."
    )

    @model_validator(mode="after")
    def _can_be_found(self) -> Self:
        if not (self.source_id or self.title or self.url):
            raise InvalidValue(self, "needs a title or a url")
        return self


class Citation(Content):
    """A place in a source that supports the event."""

    source_id: Id | None = Field(default=None, description="A source of this log.")
    source: Source | None = Field(
        default=None,
        description="Instead of source_id: the source itself, recorded if not yet known.",
    )
    source_version: Annotated[int, whole(1, 2**53, "a version, from 1")] | None = Field(
        default=None, description="The version of the source that was cited."
    )
    quote: Quote | None = Field(
        default=None, description="The words that support the event, verbatim."
    )
    quote_start: Position | None = Field(
        default=None,
        description="Where the quote begins in the captured text, in code points from 0.",
    )
    quote_end: Position | None = Field(
        default=None,
        description="Where the quote ends in the captured text, in code points, exclusive.",
    )
    credibility: Annotated[int, whole(1, 6, "a whole number from 1 to 6")] | None = Field(
        default=None, description="Admiralty code: 1 confirmed to 5 improbable; 6 cannot be judged."
    )

    @model_validator(mode="after")
    def _names_one_source(self) -> Self:
        if (self.source_id is None) == (self.source is None):
            raise InvalidValue(self, "needs either source_id or source")
        if (self.quote_start is None) != (self.quote_end is None):
            raise InvalidValue(self, "needs quote_start and quote_end together, or neither")
        if self.quote_start is not None and self.quote_start >= (self.quote_end or 0):
            raise InvalidValue(self, "quote_end must lie after quote_start")
        return self


ExternalId = Annotated[
    StrictStr, StringConstraints(max_length=200, pattern=r"^[a-z][a-z0-9+.-]*:[^\s\x00]+$")
]


class Event(Content):
    """An event is a happening in the world, as the log states it."""

    outside: ClassVar[set[str]] = {"event_id"}

    event_id: Id | None = Field(
        default=None,
        description="Its id in this log: 3 to 64 of a-z, 0-9, - and _; made up if not given.",
    )
    title: Line = Field(description="What happened, in one line.")
    summary: Text | None = Field(default=None, description="A few sentences.")
    note: Text | None = Field(default=None, description="A remark of the chronicler.")
    event_type: Word | None = Field(
        default=None, description="Code or label of the log's vocabulary (default PLOVER)."
    )
    mode: Word | None = Field(
        default=None, description="PLOVER mode, such as visit or heavy-weapons."
    )
    contexts: Annotated[Many[Word], Field(max_length=50), Unique] = Field(
        default=(), description="PLOVER contexts, such as military or diplomatic."
    )
    tags: Annotated[Many[Annotated[Word, Lower]], Field(max_length=200), Unique] = Field(
        default=(), description="Free words, folded to lower case."
    )
    occurred: Edtf = Field(
        description="When it happened: EDTF levels 0 to 2, or plain English words."
    )
    occurred_text: Line | None = Field(
        default=None, description="The date in the words of the source."
    )
    occurred_basis: Literal["stated", "resolved", "inferred"] | None = Field(
        default=None, description="How the words of the source became a date."
    )
    place: Place | None = Field(default=None, description="Where it happened.")
    about_place: Place | None = Field(
        default=None, description="The place it is about, if another."
    )
    participants: Annotated[Many[Participant], Field(max_length=1_000)] = Field(
        default=(), description="Who took part."
    )
    quantities: Annotated[Many[Quantity], Field(max_length=1_000)] = Field(
        default=(), description="Figures, also competing ones."
    )
    claims: Annotated[Many[Claim], Field(max_length=1_000)] = Field(
        default=(), description="Who says what about it."
    )
    relations: Annotated[Many[Relation], Field(max_length=1_000), Unique] = Field(
        default=(), description="Ties to other events."
    )
    citations: Annotated[Many[Citation], Field(max_length=1_000)] = Field(
        default=(), description="Where it is reported."
    )
    modality: Modality = Field(
        default="actual",
        description="Whether it happened, goes on, is planned, is considered or did not happen.",
    )
    verification: Verification = Field(
        default="reported", description="How well it is established."
    )
    media: Annotated[Many[Medium], Field(max_length=200), Unique] = Field(
        default=(), description="Pictures, documents, films and recordings."
    )
    highlight: Flag = Field(
        default=False,
        description="True for one of the few events that tell the story by themselves.",
    )
    external_ids: Annotated[Many[ExternalId], Field(max_length=50), Unique] = Field(
        default=(), description="scheme:id in other datasets; unique among the events of this log."
    )
    extra: Annotated[
        dict[Word, Annotated[dict[Word, Verbatim], Field(max_length=1_000)]], Field(max_length=50)
    ] = Field(
        default_factory=dict,
        description="What other datasets say of it, by their names, as they wrote it.",
    )

    @model_validator(mode="before")
    @classmethod
    def _date_is_of_format_1(cls, data: object) -> object:
        """Put a date such as 1984-1X, which old readers refuse, into a form that they read."""
        if not isinstance(data, dict):
            return data
        from timeline.model.typed_dates import in_fields

        return in_fields(data)

    @field_validator("extra", mode="before")
    @classmethod
    def _extra_is_without_empty(cls, extra: object) -> object:
        if not isinstance(extra, dict):
            return extra
        return filled({name: filled(fields) for name, fields in extra.items()})

    @field_validator("extra")
    @classmethod
    def _extra_is_in_order(cls, extra: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        """Sort the datasets by name; the names within a dataset keep the order they came in."""
        return dict(sorted(extra.items()))

    @field_validator("relations")
    @classmethod
    def _relations_point_elsewhere(
        cls, relations: tuple[Relation, ...], info: Any
    ) -> tuple[Relation, ...]:
        own = info.data.get("event_id")
        if own and any(tie.event_id == own and tie.origin is None for tie in relations):
            raise InvalidValue(own, "an event cannot relate to itself")
        return relations

    @property
    def when(self) -> edtf.Occurred:
        """Return the bounds and the precision of `occurred`."""
        return edtf.parse(self.occurred)


SAME_REPORT = "same"
"""The `reported_at` of a change that was reported when the version before was."""


def _reported(text: str) -> str:
    return SAME_REPORT if text.strip().lower() == SAME_REPORT else clock.reported(text)


class Said(Content):
    """A statement says, beside its content, who adds it, why, what proposed it, and its report."""

    author: Annotated[Line, StringConstraints(max_length=100)] | None = Field(
        default=None, description="A handle of the person who adds this; it is published."
    )
    reason: Annotated[Text, StringConstraints(max_length=5_000)] | None = Field(
        default=None, description="Why it is added: required to correct, retract and withdraw."
    )
    proposed_by: Annotated[Line, StringConstraints(max_length=100)] | None = Field(
        default=None,
        description="The model, scraper or tool that proposed this; never the name of a person.",
    )
    reported_at: (
        Annotated[StrictStr, StringConstraints(max_length=LONGEST_DATE), AfterValidator(_reported)]
        | None
    ) = Field(
        default=None,
        description="The day or time when the source said so, ISO 8601; if not given, the day of "
        'recording. "same" keeps that of the version before.',
    )


class Statement(Event, Said):
    """An event as it is handed in to be recorded, with its author, reason and time of report."""

    outside = Event.outside | Said.model_fields.keys()


class Actor(Content):
    """An actor is a person, state or body; its name and its aliases mean the same actor."""

    outside: ClassVar[set[str]] = {"actor_id"}

    actor_id: Id | None = Field(
        default=None, description="Its id in this log; made up if not given."
    )
    name: Line = Field(description="The name that pages show.")
    aliases: Annotated[Many[Line], Field(max_length=500), Unique] = Field(
        default=(), description="Other names that mean the same actor."
    )
    country: CountryCode | None = Field(default=None, description="ISO 3166-1 alpha-3.")
    wikidata: Wikidata | None = Field(default=None, description="Wikidata item.")


class Merge(Content):
    """The content of `event.merged` and `actor.merged` names the event or actor that stays."""

    into: Id = Field(description="The event or actor that stays.")


class Mark(Content):
    """A span of a captured text that needs no event."""

    start: Position = Field(description="Where the span begins, in code points from 0.")
    end: Position = Field(description="Where the span ends, in code points, exclusive.")
    state: Literal["commentary"] = Field(description="What the span is.")
    why: Line | None = Field(default=None, description="Why it needs no event.")

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.start >= self.end:
            raise InvalidValue(self, "end must lie after start")
        return self


class Annotation(Content):
    """The content of `source.annotated` contains all marks on one captured text."""

    text_sha256: Sha256 = Field(description="The text that the marks are on.")
    marks: Annotated[Many[Mark], Field(max_length=10_000)] = Field(
        default=(), description="All marks of the text: an annotation replaces the one before."
    )
