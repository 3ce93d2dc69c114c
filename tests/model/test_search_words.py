"""Folding texts and questions into words: what becomes one, what stays apart, and where it was."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from timeline.model import search_words

SAME = {
    "case": ("Odesa", "ODESA"),
    "a letter without its diaeresis": ("Всё ещё", "все еще"),
    "a letter taken apart": ("Київ", unicodedata.normalize("NFD", "Київ")),
    "two marks on one letter": ("Ấn Độ", "An Do"),
    "letters that are never taken apart": ("Łódź Ørsted Straße", "lodz orsted STRASSE"),
    "a dotless and a dotted i": ("İzmir ılık", "izmir ilik"),
    "a ligature": ("ﬁre", "fire"),
    "the last sigma": ("ΛΌΓΟΣ", "λόγος"),
    "full width": ("ＮＡＴＯ", "nato"),
    "half width": ("ｶﾞｻﾞ", "ガザ"),
    "Hangul taken apart": (unicodedata.normalize("NFD", "한국"), "한국"),
    "Arabic with and without its vowels": ("سَلَام", "سلام"),
    "Hebrew with and without its points": ("שָׁלוֹם", "שלום"),
    "Thai with and without a mark of tone": ("ไม่", "ไม"),
    "a joiner of letters": ("ශ්\u200dරී", "ශ්රී"),
    "a hyphen that nobody sees": ("cease\u00adfire", "ceasefire"),
    "a mark of direction": ("\u2067غزة\u2069", "غزة"),
    "a variant of a character": ("葛\U000e0100城", "葛城"),
}
APART = {
    "vowels of Hindi": ("नेपाल", "नपल"),
    "vowels of Thai above a letter": ("กิน", "กน"),
    "vowels of Thai below a letter": ("กุ้ง", "กูง"),
    "vowels of Lao": ("ກຸ", "ກູ"),
    "vowels of Khmer": ("កិ", "កី"),
    "vowels of Burmese": ("ကို", "ကု"),
    "vowels of Tibetan": ("བོད", "བད"),
    "vowels of Telugu": ("కై", "కె"),
    "voiced Japanese": ("ガザ", "カサ"),
    "half-voiced Japanese": ("パリ", "バリ"),
}


def plain(text: str) -> list[str]:
    return search_words.words(text.translate(dict.fromkeys(map(ord, "\"'-.")))).split()


@pytest.mark.parametrize("name", SAME)
def test_words_that_are_one_are_folded_to_the_same(name: str) -> None:
    one, other = SAME[name]
    assert plain(one) == plain(other)


@pytest.mark.parametrize("name", APART)
def test_words_that_are_not_one_stay_apart(name: str) -> None:
    one, other = APART[name]
    assert plain(one) != plain(other)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("北京会谈", "北京 京会 会谈 谈"),
        ("水", "水"),
        ("東京で外相", "東京 京で で外 外相 相"),
        ("2025年4月の会談", "2025 年 4 月の の会 会談 談"),
        ("NATO加盟へ", "nato 加盟 盟へ へ"),
        ("スーパー・マーケット", "スー ーパ パー ー マー ーケ ケッ ット ト"),
        ("ไปไหน", "ไป ปไ ไห หน น"),
        ("ລາວ ດີ", "ລາ າວ ວ ດີ ີ"),
        ("ភាសា", "ភា ាស សា ា"),
        ("မြန်မာ", "မြ ြန နမ မာ ာ"),
        ("\U00020000\U00031350", "\U00020000\U00031350 \U00031350"),
        ("서울 회담", "서울 회담"),  # Korean has blanks
        ("🕊️和平🫡 peace", "和平 平 peace"),
        ("a🫡b", "a b"),
    ],
)
def test_runs_without_blanks_become_overlapping_pairs(text: str, words: str) -> None:
    assert search_words.words(text).split() == words.split()


@pytest.mark.parametrize(
    ("question", "phrases"),
    [
        ("talks", ['"talks" *']),
        ("Talks in Odesa", ['"talks"', '"in"', '"odesa" *']),
        ('Odesa "Peace Talks"', ['"odesa"', '"peace talks"']),
        ("odesa ODESA Odésa", ['"odesa"', '"odesa" *']),
        ("-talks OR talks*", ['"-talks"', '"or"', '"talks" *']),
        ("停火", ['"停火"']),
        ("达成一致", ['"达成 成一 一致"']),
        ("水", ['"水" *']),
        ("水 停火 talks", ['"水" *', '"停火"', '"talks" *']),
        ('"水"', ['"水" *']),
        ("停火。", ['"停火"']),
        ("NATO加盟", ['"nato 加盟"']),
        ("4月 talks", ['"4 月" *', '"talks" *']),
        ("加盟NATO", ['"加盟 盟 nato" *']),
        ('"外相会談 東京"', ['"外相 相会 会談 談   東京"']),
        ("＂quotes＂", ['"quotes" *']),
        ("", []),
        ("* - _ \x00 \U0001f525", []),
    ],
)
def test_a_question_is_folded_as_a_text_is(question: str, phrases: list[str]) -> None:
    found = search_words.phrases(question, goes_on=True)
    assert [each.split() for each in found] == [each.split() for each in phrases]


def test_a_question_that_does_not_go_on_has_whole_words() -> None:
    found = search_words.phrases("talks in odesa", goes_on=False)
    assert found == ['"talks"', '"in"', '"odesa"']
    assert search_words.phrases("水", goes_on=False) == ['"水" *']


TEXTS = st.text(
    st.one_of(
        st.characters(codec="utf-8"),
        st.sampled_from("aZéё\u0301\u0308\u3099\u309aﾞﾟｶカがハㅎㅏㄴ하\u1112\u1161\u11ab水北京กุิ่"),
        st.sampled_from(" -.\"'\u00ad\u200b\u200d\ufe0f\u0345ﬁßİŉ½…ﷺ\u0bd7\u0bc6\u0f71\u0f72🫡"),
        st.characters(categories=["Mn", "Mc", "Me", "Cf"]),
    )
)


@settings(max_examples=1_000, deadline=None)
@given(text=TEXTS)
def test_each_character_of_the_words_is_led_back_to_where_it_came_from(text: str) -> None:
    places = search_words.words_with_places(text)
    assert places.words == search_words.words(text)
    assert len(places.starts) == len(places.ends) == len(places.words)
    assert list(places.starts) == sorted(places.starts) or not places.words.isascii()
    for letter, start, end in zip(*places, strict=True):
        assert 0 <= start < end <= len(text)
        if letter != " ":
            assert letter in search_words.words(text[start:end])


@settings(max_examples=1_000, deadline=None)
@given(text=TEXTS)
def test_words_that_are_folded_again_stay_what_they_are(text: str) -> None:
    folded = search_words._letters(text)
    assert search_words._letters(folded) == folded


@given(text=st.text(st.characters(max_codepoint=127)))
def test_plain_letters_only_lose_their_case(text: str) -> None:
    assert search_words.words(text) == text.lower()
