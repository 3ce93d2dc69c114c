"""Characters that nobody sees: left out of names, but for scripts that need them, and named."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.model import invisible
from timeline.model.hints import quoted
from timeline.model.names import actor_id_of, fold

TEXTS = st.text(
    st.sampled_from("a B\u00e9e\u0301\u00ad\u200b\u200c\u200d\u2060\ufeff\u3099か\u0d1c\u202e \t")
)
SRI_LANKA = "\u0dc1\u0dca\u200d\u0dbb\u0dd3 \u0dbd\u0d82\u0d9a\u0dcf\u0dc0"
I_WANT = "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("Cafe\u0301", "Caf\u00e9"),
        ("e\u200b\u0301", "\u00e9"),
        ("Rus\u00adsia\u200b", "Russia"),
        ("\ufeffKy\u2060iv ", "Kyiv"),
        ("Kyiv\u200d", "Kyiv"),
        ("\u200cNew \u200dYork", "New York"),
        *((name, name) for name in (SRI_LANKA, I_WANT, FAMILY, SCOTLAND, "", "Kyiv")),
    ],
)
def test_a_name_has_one_form(name: str, form: str) -> None:
    assert invisible.one_form(name) == form


@given(TEXTS)
def test_the_form_of_a_form_is_itself(name: str) -> None:
    form = invisible.one_form(name)
    assert invisible.one_form(form) == form
    assert unicodedata.is_normalized("NFC", form)
    assert not set(form) & set("\u00ad\u200b\u2060\ufeff")
    assert form == form.strip()


@given(TEXTS)
def test_names_of_one_form_are_one_key(name: str) -> None:
    assert fold(invisible.one_form(name)) == fold(name)
    assert fold(fold(name)) == fold(name)


def test_japanese_names_that_differ_by_a_mark_are_two_actors() -> None:
    names = ["カトウ", "ガトウ", "ハ", "バ", "パ"]
    assert len({actor_id_of(name) for name in names}) == len(names)
    assert fold("ガトウ") == fold("ｶﾞﾄｳ") == fold(unicodedata.normalize("NFD", "ガトウ"))


def test_no_other_name_has_another_key_than_before() -> None:
    assert actor_id_of("Łukasz") == "ukasz-974282d5"
    assert fold("Йод") == fold("Иод")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("pay\u202egnp", "\u202e"),
        ("\u2066a\u2069", "\u2066"),
        ("a\U000e0041", "\U000e0041"),
        (f"{SCOTLAND} \U000e0001", "\U000e0001"),
        *((text, None) for text in ("", SCOTLAND, SRI_LANKA, FAMILY, "\u200f\u05d0", "a\u200b")),
    ],
)
def test_a_character_that_changes_what_is_seen_is_found(text: str, found: str | None) -> None:
    assert invisible.deceiving(text) == found


def test_it_is_shown_by_its_number() -> None:
    text = f"a\u202eb{SCOTLAND}\U000e0041"
    assert invisible.marked(text) == f"a[U+202E]b{SCOTLAND}[U+E0041]"
    assert invisible.named("\u202e") == "U+202E (RIGHT-TO-LEFT OVERRIDE)"


def test_a_message_names_what_its_reader_cannot_see() -> None:
    assert quoted("Kyiv\u200b") == '"Kyiv" with U+200B (ZERO WIDTH SPACE)'
    hidden = "\u200b\u00ad\u2060\ufeff\u202d\u2063"
    assert quoted(f"Ky{hidden}iv") == '"Kyiv" with U+200B (ZERO WIDTH SPACE)'
    assert quoted("Kyiv") == '"Kyiv"'
