"""Read the JSON of a proposal.

Guarantees: a proposal that is read has the shape of one kind, and all problems of its shape are
named at once. What it says about the story is checked by `checked`, against the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, get_args

from pydantic import Field, StringConstraints

from timeline.errors import InvalidInput, InvalidProposal
from timeline.model.base import Content
from timeline.model.content import Source
from timeline.model.field_types import Id, Line, Text
from timeline.model.hints import nearest
from timeline.model.validation import problems

ProposalKind = Literal["record", "update", "correct", "retract", "merge", "comment"]
KINDS: tuple[ProposalKind, ...] = get_args(ProposalKind)
Way = Literal["draft", "mcp", "propose"]
WAYS: tuple[Way, ...] = get_args(Way)

LONGEST = 256 * 2**10
"""Bytes of JSON in one proposal, without its documents."""
MOST_DOCUMENTS = 16

_Fields = dict[str, Any]


class BroughtText(Content):
    """A text that the log lacks, with the source that it is the text of."""

    source: Source = Field(description="The source, as `capture` takes it.")
    text: Annotated[str, StringConstraints(min_length=1)] = Field(description="Its whole text.")


class _Proposal(Content):
    why: Annotated[Text, StringConstraints(max_length=1_000)] | None = Field(
        default=None, description="Why it is proposed, for the person who decides."
    )
    model: Annotated[Line, StringConstraints(max_length=60)] | None = Field(
        default=None, description="The model that wrote it."
    )


class _WithTexts(_Proposal):
    documents: Annotated[list[BroughtText], Field(max_length=MOST_DOCUMENTS)] = Field(
        default=[], description="Texts that the log lacks."
    )


class _Record(_WithTexts):
    record: _Fields = Field(description="A new event, in the shape of `timeline append`.")


class _Change(_WithTexts):
    expect: Annotated[int, Field(ge=1)] = Field(description="The version that was changed.")
    set: _Fields = Field(default_factory=dict, description="New values by path.")
    cite: list[_Fields] = Field(default=[], description="Citations to add.")
    reason: Text | None = Field(default=None, description="Why.")


class _Update(_Change):
    update: Id = Field(description="The event about which the story moved on.")


class _Correct(_Change):
    correct: Id = Field(description="The event about which we were wrong.")


class _Retract(_Proposal):
    retract: Id = Field(description="The event that should not be in the log.")
    expect: Annotated[int, Field(ge=1)] = Field(description="Its version.")
    reason: Text | None = Field(default=None, description="Why.")


class _Merge(_Proposal):
    merge: Id = Field(description="The event that is another one.")
    expect: Annotated[int, Field(ge=1)] = Field(description="Its version.")
    into: Id = Field(description="The event that stays.")
    reason: Text | None = Field(default=None, description="Why.")


class _Comment(_Proposal):
    comment: Id = Field(description="The source with sentences that need no event.")
    sentences: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)] = Field(
        description="The numbers of the sentences, from 1."
    )
    reason: Line | None = Field(default=None, description="Why they need no event.")


_MODELS: Mapping[str, type[_Proposal]] = {
    "record": _Record,
    "update": _Update,
    "correct": _Correct,
    "retract": _Retract,
    "merge": _Merge,
    "comment": _Comment,
}


class Proposal(NamedTuple):
    """A proposal as it was read; what its kind does not have is empty."""

    kind: ProposalKind
    subject: str | None
    """The id of the event that is to be changed, or of the source of a comment."""
    into: str | None
    expect: int | None
    record: _Fields
    """The new event, in the shape of `timeline append`."""
    changes: _Fields
    """New values by path ("set")."""
    cite: Sequence[_Fields]
    sentences: Sequence[int]
    reason: str | None
    documents: Sequence[BroughtText]
    why: str | None
    model: str | None
    body: _Fields
    """The object without its documents; a new event always stands in `record`."""
    given: _Fields
    """The object with its documents."""


def parse(data: object) -> Proposal:
    """Return the proposal that an object of JSON describes.

    Raises InvalidProposal with every problem of its shape.
    """
    if not isinstance(data, dict):
        raise InvalidProposal([InvalidInput("", "is not an object: a proposal is one JSON object")])
    if "title" in data and "occurred" in data:
        beside = {name: data[name] for name in _WithTexts.model_fields if name in data}
        record = {name: value for name, value in data.items() if name not in beside}
        data = {"record": record, **beside}
    named = [kind for kind in KINDS if kind in data]
    if len(named) != 1:
        raise InvalidProposal([InvalidInput("", _which(data, named))])
    kind = named[0]
    model, wrong = problems(_MODELS[kind], data)
    if model is None:
        raise InvalidProposal([InvalidInput(each.path, each.text) for each in wrong])
    fields = {name: getattr(model, name) for name in type(model).model_fields}
    subject = fields[kind]
    return Proposal(
        kind,
        subject if isinstance(subject, str) else None,
        fields.get("into"),
        fields.get("expect"),
        fields.get("record", {}),
        fields.get("set", {}),
        fields.get("cite", ()),
        fields.get("sentences", ()),
        fields.get("reason"),
        fields.get("documents", ()),
        fields["why"],
        fields["model"],
        {name: value for name, value in data.items() if name != "documents"},
        data,
    )


def _which(data: Mapping[str, Any], named: Sequence[str]) -> str:
    if named:
        return f"has {' and '.join(named)}: a proposal does one of them"
    near = next((found for key in data if (found := nearest(str(key), KINDS))), None)
    hint = f"did you mean {near}?" if near else f"write one of {', '.join(KINDS)}"
    return f"does not say what it proposes: {hint}"
