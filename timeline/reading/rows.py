"""The types of the dicts that `Timeline` returns: an event, and rows of tables.

Guarantees: the keys and their types are those of docs/json.md; a test compares the two. This
module imports nothing of this package.
"""

# No `from __future__ import annotations`: Python 3.11 does not see NotRequired in a string.

from typing import NotRequired, TypedDict


class PlaceDict(TypedDict):
    """A place of an event; latitude and longitude are decimals in text."""

    name: NotRequired[str]
    country: NotRequired[str]
    admin1: NotRequired[str]
    lat: NotRequired[str]
    lon: NotRequired[str]
    geo_precision: NotRequired[int]


class ParticipantDict(TypedDict):
    """An actor who took part in an event; one without a `role` has the role "actor"."""

    name: str
    actor_id: NotRequired[str]
    role: NotRequired[str]
    as_named: NotRequired[str]
    office: NotRequired[str]
    country: NotRequired[str]
    organisation: NotRequired[str]
    sector: NotRequired[str]
    wikidata: NotRequired[str]


class QuantityDict(TypedDict):
    """A figure; it has at least one of `value`, `low` and `high`, which are decimals in text."""

    measure: str
    unit: str
    value: NotRequired[str]
    low: NotRequired[str]
    high: NotRequired[str]
    qualifier: NotRequired[str]
    dated: NotRequired[str]
    reported_by: NotRequired[str]
    source_ids: NotRequired[list[str]]


class ClaimDict(TypedDict):
    """A statement of a speaker about an event; the speaker asserts it if there is no `stance`."""

    speaker: str
    stance: NotRequired[str]
    statement: NotRequired[str]
    source_ids: NotRequired[list[str]]


class RelationDict(TypedDict):
    """A relation; `event_id` is the id of the other event, `origin` that of its timeline."""

    type: str
    event_id: str
    origin: NotRequired[str]


class MediumDict(TypedDict):
    """A picture, document, film or recording; it has a `sha256`, a `url` or both."""

    kind: str
    sha256: NotRequired[str]
    url: NotRequired[str]
    media_type: NotRequired[str]
    width: NotRequired[int]
    height: NotRequired[int]
    alt: NotRequired[str]
    caption: NotRequired[str]
    credit: NotRequired[str]
    licence: NotRequired[str]
    source_id: NotRequired[str]


class CitationDict(TypedDict):
    """A source that an event cites, with a quote and its place in the captured text."""

    source_id: str
    quote: NotRequired[str]
    source_version: NotRequired[int]
    quote_start: NotRequired[int]
    quote_end: NotRequired[int]
    credibility: NotRequired[int]


class WithdrawnSourceDict(TypedDict):
    """A withdrawn source; `title` is its title, address or id, `reason` None if erased."""

    source_id: str
    title: str
    reason: str | None


class EventDict(TypedDict):
    """An event as `Timeline.get` returns it; an erased event has no content."""

    event_id: str
    title: NotRequired[str]
    occurred: NotRequired[str]
    summary: NotRequired[str]
    note: NotRequired[str]
    event_type: NotRequired[str]
    mode: NotRequired[str]
    occurred_text: NotRequired[str]
    occurred_basis: NotRequired[str]
    contexts: NotRequired[list[str]]
    tags: NotRequired[list[str]]
    external_ids: NotRequired[list[str]]
    place: NotRequired[PlaceDict]
    about_place: NotRequired[PlaceDict]
    participants: NotRequired[list[ParticipantDict]]
    quantities: NotRequired[list[QuantityDict]]
    claims: NotRequired[list[ClaimDict]]
    relations: NotRequired[list[RelationDict]]
    citations: NotRequired[list[CitationDict]]
    modality: NotRequired[str]
    verification: NotRequired[str]
    media: NotRequired[list[MediumDict]]
    highlight: NotRequired[bool]
    extra: NotRequired[dict[str, dict[str, str]]]
    occurred_from: NotRequired[str | None]
    occurred_to: NotRequired[str | None]
    occurred_precision: NotRequired[str]
    merged_into: NotRequired[str]
    at_risk: NotRequired[list[WithdrawnSourceDict]]
    state: str
    version: int
    seq: int
    recorded_at: str
    reported_at: str


class EventRow(TypedDict):
    """A row of `events` has these columns; `Timeline.list` and `Timeline.search` return it.

    A value is None if nobody stated it, or if it was erased. `contexts`, `tags` and `extra` are
    JSON in text. Only `Timeline.search` adds `match`.
    """

    event_id: str
    state: str
    title: str | None
    occurred: str | None
    event_type: str | None
    place: str | None
    country: str | None
    actors: str | None
    modality: str | None
    verification: str | None
    highlight: int | None
    summary: str | None
    note: str | None
    mode: str | None
    contexts: str | None
    tags: str | None
    extra: str | None
    occurred_text: str | None
    occurred_basis: str | None
    occurred_precision: str | None
    occurred_from: str | None
    occurred_to: str | None
    year: int | None
    month: str | None
    admin1: str | None
    about_place: str | None
    about_country: str | None
    about_admin1: str | None
    merged_into: str | None
    lat: float | None
    lon: float | None
    geo_precision: int | None
    about_lat: float | None
    about_lon: float | None
    about_geo_precision: int | None
    sources_count: int
    corrections_count: int
    at_risk: int
    version: int
    seq: int
    event_key: int
    recorded_at: str
    first_recorded_at: str
    reported_at: str
    match: NotRequired[str]


class FieldChangeDict(TypedDict):
    """A change of one field; `path` is an RFC 6901 pointer.

    A value is text, JSON in text for an object or array, or None if the event had no such field.
    """

    path: str
    old_value: str | None
    new_value: str | None


class VersionRow(TypedDict):
    """A version of an event, as `Timeline.history` returns it.

    `superseded_at` is None in the newest version; `changes` lists the differences from the
    version before.
    """

    event_id: str
    kind: str
    state: str
    version: int
    seq: int
    recorded_at: str
    reported_at: str
    reported_from: str
    superseded_at: str | None
    author: str | None
    reason: str | None
    proposed_by: str | None
    merged_into: str | None
    changes: list[FieldChangeDict]


class StandingDict(TypedDict):
    """The version and the state that an event had at one moment."""

    version: int
    state: str


class ChangeEntryDict(TypedDict):
    """An entry by which an event was changed between two moments."""

    version: int
    seq: int
    kind: str
    recorded_at: str
    reported_at: str
    author: str | None
    reason: str | None


class ChangeRow(TypedDict):
    """An event that differs between two moments, as `Timeline.changes` returns it.

    `before` or `after` is None if the event was not recorded (or reported) by that moment;
    `title` is None if it was erased.
    """

    event_id: str
    title: str | None
    before: StandingDict | None
    after: StandingDict | None
    changes: list[FieldChangeDict]
    entries: list[ChangeEntryDict]
