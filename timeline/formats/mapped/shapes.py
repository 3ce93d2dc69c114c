"""Find what a field of an event holds: one value, a list of texts, an object or a list of them.

Guarantees: a path that no event can have is refused, with the field that was likely meant.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator
from functools import lru_cache
from types import UnionType
from typing import Any, Literal

from pydantic import BaseModel

from timeline.errors import InvalidInput
from timeline.model import field_paths, hints
from timeline.model.content import Statement

FieldShape = Literal["value", "texts", "object", "objects"]
"""Tells what a field holds: one value, a list of texts, an object, or a list of objects."""

_FILLED_BY_THE_IMPORT = ("event_id", "external_ids", "extra")


@lru_cache(maxsize=1_000)
def shape_of(path: str) -> FieldShape:
    """Return what the field of a path holds.

    Raises InvalidInput, naming the path, if no event has it, or if an import fills it by itself.
    """
    here: Any = Statement
    for number, step in enumerate(field_paths.steps(path)):
        model = _model(here)
        if number == 0 and step in _FILLED_BY_THE_IMPORT:
            raise InvalidInput(path, "is no field that a mapping can fill")
        if (item := _item(here)) is not None:
            if not step.isdecimal():
                raise InvalidInput(path, f"is a list: write its number before {step}, from 0 on")
            here = item
        elif model is not None and step in model.model_fields:
            here = model.model_fields[step].annotation
        else:
            known = [*model.model_fields] if model else []
            near = hints.nearest(step, known)
            hint = f": did you mean {near}?" if near else ""
            raise InvalidInput(path, f"is no field that a mapping can fill{hint}")
    if (item := _item(here)) is not None:
        return "objects" if _model(item) else "texts"
    return "object" if _model(here) else "value"


def has_field(path: str, name: str) -> bool:
    """Tell whether the object or list of a path has a field, or an item, of this name."""
    try:
        shape_of(f"{path}.{name}")
    except InvalidInput:
        return False
    return True


def _types(annotation: Any) -> Iterator[Any]:
    """Yield the types that an annotation stands for, without None and without what checks them."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        yield from _types(typing.get_args(annotation)[0])
    elif origin in (typing.Union, UnionType):
        for each in typing.get_args(annotation):
            yield from _types(each)
    elif annotation is not type(None):
        yield annotation


def _item(annotation: Any) -> Any:
    """Return the type of the items of a list, or None if the type is no list."""
    lists = (each for each in _types(annotation) if typing.get_origin(each) in (tuple, list))
    return next((typing.get_args(each)[0] for each in lists), None)


def _model(annotation: Any) -> type[BaseModel] | None:
    classes = (each for each in _types(annotation) if isinstance(each, type))
    return next((each for each in classes if issubclass(each, BaseModel)), None)
