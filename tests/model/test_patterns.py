"""Patterns that are compiled when they are first used."""

from __future__ import annotations

import re

import pytest

from timeline.model.patterns import lazy_pattern


def test_a_lazy_pattern_does_what_a_compiled_one_does() -> None:
    lazy, compiled = lazy_pattern(r"([a-z]+)-(\d)", re.I), re.compile(r"([a-z]+)-(\d)", re.I)
    for text in ("Odesa-1", "Odesa", "see Kyiv-2, Lviv-3"):
        assert bool(lazy.fullmatch(text)) == bool(compiled.fullmatch(text))
        assert lazy.findall(text) == compiled.findall(text)
        assert lazy.sub(r"\2", text) == compiled.sub(r"\2", text)
    assert (lazy.pattern, lazy.flags) == (compiled.pattern, compiled.flags)


def test_a_lazy_pattern_is_compiled_once_it_is_used() -> None:
    wrong = lazy_pattern("(")
    with pytest.raises(re.error, match="unterminated"):
        wrong.search("(")
