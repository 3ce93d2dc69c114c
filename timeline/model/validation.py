"""Make a model of the data that somebody hands in, or say in one line what is wrong with it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from pydantic import ValidationError

from timeline.errors import InvalidInput
from timeline.model import hints
from timeline.model.base import Content
from timeline.model.content import (
    Citation,
    Claim,
    Mark,
    Participant,
    Place,
    Quantity,
    Relation,
    Source,
)
from timeline.model.field_types import PATTERNS
from timeline.model.media import Medium

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

C = TypeVar("C", bound=Content)


_SHAPES = ("extra_forbidden", "tuple_type", "list_type", "model_type", "dict_type")


class Problem(NamedTuple):
    """Says what is wrong with one part of what somebody hands in."""

    path: str
    text: str
    is_of_shape: bool
    """Whether the data has another shape: an unknown field, or no list or object where one belongs.

    Then not the value is wrong, but whoever made the data.
    """


def problems(model: type[C], data: object) -> tuple[C | None, list[Problem]]:
    """Return the model object that `data` describes, or None and everything that is wrong."""
    try:
        return model.model_validate(data), []
    except ValidationError as error:
        found = error.errors(include_url=False)
        return None, [
            Problem(_path(each), _problem(model, each), each["type"] in _SHAPES) for each in found
        ]


def validate(model: type[C], data: object) -> C:
    """Return the model object that `data` describes.

    Raises InvalidInput: it names the first wrong field, and how many more there are.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False)
        # A misspelled name of a required field is two errors, a missing field and an unknown
        # one: the unknown one says what to do.
        first = next((each for each in found if each["type"] == "extra_forbidden"), found[0])
        more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
        raise InvalidInput(_path(first), _problem(model, first) + more) from None


def _path(error: ErrorDetails) -> str:
    return ".".join(hints.printable(str(part)[:60]) for part in error["loc"])


def _problem(model: type[Content], error: ErrorDetails) -> str:
    """Say a pydantic error in words for somebody who fills in a form."""
    context = error.get("ctx", {})
    match error["type"]:
        case "value_error":
            return str(context["error"])
        case "missing":
            return "is required"
        case "extra_forbidden":
            return _unknown_field(model, error["loc"])
        case "literal_error":
            return f"must be one of {context['expected']}".replace("'", "").replace(" or ", ", ")
        case "string_type":
            return "must be text"
        case "tuple_type" | "list_type":
            return "must be a list"
        case "model_type" | "model_attributes_type" | "dict_type":
            return "must be an object with fields"
        case "string_too_long":
            return f"is too long: at most {context['max_length']} characters"
        case "too_long":
            return f"has too many items: at most {context['max_length']}"
        case "string_too_short":
            return "must not be empty"
        case "string_unicode":
            return "holds half a character (a lone surrogate)"
        case "string_pattern_mismatch":
            return PATTERNS.get(context["pattern"], f"does not match {context['pattern']}")
        case _:
            return error["msg"]


def _unknown_field(model: type[Content], path: tuple[int | str, ...]) -> str:
    fields: list[str] = list(model.model_fields)
    for part in path[:-1]:
        if isinstance(part, str):
            owner = _models_by_field().get(part)
            fields = list(owner.model_fields) if owner else []
    near = hints.nearest(str(path[-1]), fields)
    hint = f"did you mean {near}?" if near else f"known are {', '.join(fields)}"
    return f"is not a field: {hint}"


@cache
def _models_by_field() -> dict[str, type[Content]]:
    from timeline.model.log_info import Term, Vocabulary  # nothing but a log has these

    return {
        "place": Place,
        "about_place": Place,
        "participants": Participant,
        "quantities": Quantity,
        "claims": Claim,
        "relations": Relation,
        "media": Medium,
        "citations": Citation,
        "source": Source,
        "vocabulary": Vocabulary,
        "event_types": Term,
        "modes": Term,
        "contexts": Term,
        "marks": Mark,
    }
