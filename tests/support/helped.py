"""The answers of a helper, made in the process of the test, so that no chunk is left out."""

from __future__ import annotations

import contextlib
import importlib
import marshal
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from timeline.projection import tables
from timeline.store import helper_process
from timeline.writing import many_events


@contextlib.contextmanager
def all_answered() -> Iterator[None]:
    """Let every statement and every entry be answered, from the first one on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(many_events, "_ALONE", 0)
        patch.setattr(tables, "_ALONE", 0)
        patch.setattr(helper_process, "CHUNK", 1)
        patch.setattr(helper_process, "is_possible", lambda: True)
        patch.setattr(helper_process, "answered", _answered)
        yield


@contextlib.contextmanager
def none_answered() -> Iterator[None]:
    """Let there be no helper."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(helper_process, "is_possible", lambda: False)
        yield


def _answered(
    function: str, setting: Any, chunks: Iterable[tuple[Any, list[Any]]]
) -> Iterator[tuple[Any, list[Any]]]:
    module, _, name = function.partition(":")
    answer = getattr(importlib.import_module(module), name)(_sent(setting))
    for kept, chunk in chunks:
        yield kept, _sent(answer(_sent(chunk)))


def _sent(value: Any) -> Any:
    """The value at the other end of a pipe."""
    return marshal.loads(marshal.dumps(value))  # noqa: S302 - it is our own
