"""Leave out of an event the smallest part that is refused, so that one bad cell costs no row.

Guarantees: title and date are never left out, and neither are the ids and the kept cells. A part of
a list goes as a whole if the rest of it would say something else: a figure without its value, a
participant without a name. A place keeps its name if its country or its point is wrong; latitude
and longitude go together. A field that no event has is no bad cell but a mistake in the format, and
is refused. The work on one event is bounded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from timeline.errors import InvalidInput
from timeline.model import field_paths
from timeline.model.content import Event
from timeline.model.validation import problems

T = TypeVar("T")
E = TypeVar("E", bound=Event)

_NEEDED = ("title", "occurred", "event_id", "external_ids", "extra")
"""Fields that an event cannot do without, and those that the import itself fills."""
_CAN_GO = {
    "participants": frozenset(
        ("actor_id", "role", "as_named", "office", "country", "organisation", "sector", "wikidata")
    ),
    "quantities": frozenset(("dated", "reported_by", "source_ids")),
    "claims": frozenset(("statement", "source_ids")),
    "citations": frozenset(
        ("source", "source_version", "quote", "quote_start", "quote_end", "credibility")
    ),
    "relations": frozenset[str](),
    "media": frozenset(
        ("media_type", "width", "height", "alt", "caption", "credit", "licence", "source_id")
    ),
}
"""The fields of an item of a list without which the item says the same as before, by list."""
_TOGETHER = (("lat", "lon"), ("quote_start", "quote_end"), ("width", "height"))
"""Fields that are given together or not at all."""
PARTS = (
    *("value", "low", "high", "measure", "unit", "name", "country", "lat", "lon", "speaker"),
    *("source.title", "source.url", "quote_start", "quote_end", "url", "kind", "event_id", "type"),
)
"""Parts without which the object that they belong to may say nothing."""
_MOST_ROUNDS = 12
"""Times that an event is tried again. A part inside a part inside an item takes three rounds; what
the log refuses, such as a word that is not in its vocabulary, takes one round each."""


class RefusedPart(NamedTuple):
    """A part of an event that was refused and left out."""

    path: str
    problem: str
    value: Any


def well_formed(
    model: type[E], fields: dict[str, Any]
) -> tuple[E, dict[str, Any], list[RefusedPart]]:
    """Return the event that fields describe, the fields that are left, and what was left out.

    Raises InvalidInput for what an event cannot do without. Call it if the fields were refused.
    """
    refusals: list[RefusedPart] = []
    for turn in range(_MOST_ROUNDS):
        found, wrong = problems(model, fields)
        if found is not None:
            return found, fields, refusals
        for path, problem, is_of_shape in wrong:
            if is_of_shape or not _is_spared(path):
                raise InvalidInput(path, problem)
        parts = ((_part(path, turn), problem) for path, problem, _ in wrong)
        fields = _without(fields, parts, refusals)
    raise InvalidInput(wrong[0].path, wrong[0].text)


def accepted(
    fields: dict[str, Any],
    attempt: Callable[[dict[str, Any], Sequence[RefusedPart]], T],
    before: Sequence[RefusedPart] = (),
) -> tuple[T, dict[str, Any], list[RefusedPart]]:
    """Return what `attempt` makes of the fields, the fields that are left, and what was left out.

    `attempt` takes the fields and what was left out so far, `before` or now. It raises InvalidInput
    with the path of what it refuses. Raises it too.
    """
    refusals = [*before]
    for turn in range(_MOST_ROUNDS):
        try:
            return attempt(fields, refusals), fields, refusals
        except InvalidInput as error:
            if not _is_spared(error.field) or error.field.split(".")[0] not in fields:
                raise
            last = error
            fields = _without(fields, [(_part(error.field, turn), error.problem)], refusals)
    raise last


def _part(path: str, turn: int) -> str:
    """Return the part to leave out: in the second half of the rounds, the whole field."""
    return path if turn < _MOST_ROUNDS // 2 else path.split(".")[0]


def _is_spared(path: str) -> bool:
    """Tell whether an event can do without the field of this path."""
    return bool(path) and path.split(".")[0] not in _NEEDED


def _without(
    fields: dict[str, Any], wrong: Iterable[tuple[str, str]], refusals: list[RefusedPart]
) -> dict[str, Any]:
    """Return the fields without the parts that are wrong, and add these parts to `refusals`.

    A part is not added if it goes only because something in it went before.
    """
    parts: dict[str, None] = {}
    for path, problem in wrong:
        taken = [*_smallest(fields, path)]
        parts |= dict.fromkeys(taken)
        if not any(each.path.startswith(f"{taken[0]}.") for each in refusals):
            refusals.append(RefusedPart(path, problem, field_paths.value_at(fields, path)))
    whole = [part for part in parts if not any(_is_in(part, other) for other in parts)]
    return field_paths.changed(fields, dict.fromkeys(whole))


def _is_in(part: str, other: str) -> bool:
    return part.startswith(f"{other}.")


def _smallest(fields: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield the paths of what has to go so that the event can do without the value at `path`."""
    part, *steps = path.split(".")
    value = fields.get(part)
    can_go = frozenset(steps[:1])
    if isinstance(value, list | tuple) and steps and steps[0].isdecimal():
        can_go = _CAN_GO.get(part, frozenset())
        number, *steps = steps
        part = f"{part}.{number}"
        value = value[int(number)] if int(number) < len(value) else None
    if not isinstance(value, dict):
        yield part
    elif not steps:
        yield from _halves(part, value) or (part,)
    elif steps[0] not in can_go:
        yield part
    elif len(steps) > 1 and isinstance(inner := value.get(steps[0]), dict):
        yield from _of_object(f"{part}.{steps[0]}", inner, steps[1:])
    else:
        yield from _of_object(part, value, steps)


def _of_object(path: str, value: Mapping[str, Any], steps: list[str]) -> Iterator[str]:
    """Yield the paths of the fields that go with the first of the steps, or of the object."""
    together = next((pair for pair in _TOGETHER if steps[0] in pair), (steps[0],))
    there = [f"{path}.{name}" for name in together if name in value]
    yield from there or (path,)


def _halves(path: str, value: Mapping[str, Any]) -> list[str]:
    """List the paths of fields of an object that need another field which is not there."""
    return [
        f"{path}.{name}"
        for pair in _TOGETHER
        if sum(value.get(name) not in (None, "") for name in pair) == 1
        for name in pair
        if name in value
    ]
