"""Where sentences begin and end: abbreviations, initials, quotes, lists, many scripts."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.texts.sentences import sentences


def found(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


# Sentences, one a line, that a blank between them does not hide.
WITHIN_A_PARAGRAPH = {
    "titles": """
        Mr. Rutte met Gen. Kellogg and Prof. J. Smith.
        Dr. Kovalenko, Lt. Col. Brown and Sen. Graham came later.
    """,
    "initials": """
        J. D. Vance spoke to George W. Bush and C.S. Lewis.
        M. Rutte left.
    """,
    "a pronoun is no initial": """
        They knew more than I.
        He left.
    """,
    "acronyms": """
        The U.S. President met the U.N. Secretary General in the U.S.
        The talks went on.
        U.S.-led talks ended.
    """,
    "hours and days": """
        It began at 10 a.m. Kyiv time on Jan. 5, a Sun. in winter.
        He left at 5 p.m.
        They stayed.
    """,
    "No. before a number, and no at the end": """
        He lives at No. 10.
        She said no.
        The others agreed.
    """,
    "decimals and money": """
        The pact costs €3.5 bn, 1.25 per cent.
        35 people were killed.
    """,
    "companies": """
        Shell plc. and Naftogaz Ltd. Kyiv signed.
        BP p.l.c. did not.
    """,
    "a stop within quotation marks": """
        “We will stay.”
        The president left.
        "We won't."
        'Nor will they.'
        The end.
    """,
    "somebody asks, and who is said behind it": """
        “Will it hold?” Mr Rutte asked.
        “Yes!” the president said.
        “Never!” he added.
        "Why?"
        Nobody knew.
    """,
    "ellipses": """
        They went on… and on ... and on.
        He paused…
        Then he spoke. . . . and left.
        It says “aid […] for years”.
    """,
    "colons and semicolons": """
        He said: “Go home.”
        There were three: Kyiv; Odesa; Sumy.
    """,
    "parentheses and notes": """
        (It was late.)
        He slept (in Odesa.)
        Aid was pledged.[1]
        It came.[12][13]
        It stayed.
    """,
    "several stops": """
        Really?!
        Never!!
        So be it.
    """,
    "a name that is spelt in lower case ends nothing": """
        Yahoo! said so.
        It did.
    """,
    "Ukrainian": """
        Він прибув до м. Суми 15 квітня 2025 р. разом з ген. Ковалем.
        В. О. Зеленський сказав: «Так».
        «Чому?»
        Ніхто не знав.
    """,
    "Russian": """
        В 2025 г. Путин прибыл в г. Сумы, на ул. Ленина, д. 5.
        Это всё.
        И т. д. и т. п.
        Конец.
    """,
    "Arabic": """
        قال الرئيس د. محمد إن المحادثات جارية.
        هل تنجح؟
        انتهى!
        نعم.
    """,
    "Hindi": """
        बातचीत जारी है।
        क्या वे सफल होंगे?
    """,
    "Greek and Georgian": """
        Οι συνομιλίες συνεχίζονται.
        მოლაპარაკება გრძელდება.
        დასასრული.
    """,
}


@pytest.mark.parametrize("lines", WITHIN_A_PARAGRAPH.values(), ids=WITHIN_A_PARAGRAPH)
@pytest.mark.parametrize("blank", [" ", "  ", "\u00a0", "\r\n", "\n\n"], ids=ascii)
def test_the_sentences_of_a_paragraph_are_found(lines: str, blank: str) -> None:
    expected = textwrap.dedent(lines).strip().split("\n")
    assert found(blank.join(expected)) == expected


def test_full_stops_of_chinese_and_japanese_need_no_blank_behind_them() -> None:
    assert found("会谈开始了。他说：“好。”然后离开！为什么？ 「はい。」彼は言った。") == [
        "会谈开始了。",
        "他说：“好。”",
        "然后离开！",
        "为什么？",
        "「はい。」",
        "彼は言った。",
    ]


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r", "\u2028"], ids=ascii)
def test_a_headline_an_item_and_a_paragraph_end_without_a_stop(line_break: str) -> None:
    lines = [
        "Mark Rutte visits Odesa",
        "",
        "Kyiv, 15 April",
        "   ",
        "He met the president. They talked:",
        "- about aid",
        "- about air defence. And drones",
        "• about grain",
        "1. about ports",
        "a) about ships",
        "The end",
    ]
    assert found(line_break.join(lines)) == [
        *lines[0:3:2],
        "He met the president.",
        "They talked:",
        "- about aid",
        "- about air defence.",
        "And drones",
        *lines[7:],
    ]


@pytest.mark.parametrize(
    "dateline",
    [
        "KESSEL POINT, La. (EW) — ",
        "KESSEL POINT, La. (EW) -- ",
        "\ufeffKESSEL POINT, La. — ",
        "Kessel Point, La. (Example Wire) – ",
        "KYIV, Ukraine (AP) - ",
        "WASHINGTON, D.C. - ",
        "WASHINGTON D.C. (AP) — ",
        "ST. LOUIS, Mo., Jan. 3 (UPI) — ",
        "St. Louis, Mo., Jan. 3 - ",
        "PARIS, 3 mai (AFP) - ",
        "PARIS, 3 janv. (AFP) - ",
        "BERLIN, 3. April (dpa) - ",
        "NEW YORK/LONDON, Sept. 4 (Reuters) - ",
        "КИЇВ, 3 квіт. (УНІАН) — ",
        "MEXICO CITY, Dist.\u00a0Fed. (AP) — ",
    ],
)
def test_the_dateline_of_an_agency_cuts_no_sentence(dateline: str) -> None:
    sentence = f"{dateline}The levee gave way."
    assert found(f"Levee gives way\n\n{sentence} Mr. Orr said so.\nThe end") == [
        "Levee gives way",
        sentence.removeprefix("\ufeff"),
        "Mr. Orr said so.",
        "The end",
    ]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It is over. Gone. - He left.", ["It is over.", "Gone.", "- He left."]),
        ("Orr, the mayor. She (Ann) — The end.", ["Orr, the mayor.", "She (Ann) — The end."]),
        ("IT IS OVER. THEY LEFT - ALL.", ["IT IS OVER.", "THEY LEFT - ALL."]),
        ("WASHINGTON. The end - it came.", ["WASHINGTON.", "The end - it came."]),
        ("Paris, La. They left - all.", ["Paris, La.", "They left - all."]),
        ("— Так. — Ні.", ["— Так.", "— Ні."]),
    ],
)
def test_what_is_no_dateline_is_cut_as_ever(text: str, sentences: list[str]) -> None:
    assert found(text) == sentences


PARAGRAPH = (
    "NATO's Secretary General went to Odesa, where he met President Zelenskyy and others. "
    "Together they saw a hospital in which soldiers are treated who were wounded in Kherson. "
    "Allies have pledged more than 20 billion euros since January, he told those who had come."
)


@pytest.mark.parametrize("width", [40, 60, 72, 80, 120])
def test_lines_that_were_folded_are_one_paragraph(width: int) -> None:
    text = f"A headline\n{textwrap.fill(PARAGRAPH, width)}\n\n{textwrap.fill(PARAGRAPH, width)}"
    expected = [" ".join(sentence.split()) for sentence in found(text)]
    assert expected == ["A headline", *found(PARAGRAPH), *found(PARAGRAPH)]


def test_a_line_that_goes_on_in_lower_case_is_no_sentence_of_its_own() -> None:
    assert found("They pledged\n“more than” that\r\nand left.\nThe end") == [
        "They pledged\n“more than” that\r\nand left.",
        "The end",
    ]


def test_lines_that_were_not_folded_are_paragraphs() -> None:
    text = f"{PARAGRAPH} Without a stop\nRutte went home\nZelenskyy stayed"
    assert found(text) == [
        *found(PARAGRAPH),
        "Without a stop",
        "Rutte went home",
        "Zelenskyy stayed",
    ]


def test_what_only_looks_like_a_text_has_no_sentences() -> None:
    assert sentences("") == sentences(" \r\n\t\u00a0\ufeff\n\u200b") == []


def test_a_byte_order_mark_belongs_to_no_sentence() -> None:
    assert sentences("\ufeffHe left.") == [(1, 9)]


_LIKELY = st.sampled_from(("Mr. ", "U.S. ", "“", "” ", "… ", ". ", "? ", "。", "\r\n", "\n\n"))
_LETTERS = st.sampled_from(
    ("- ", "1.", "He", " said", "e\u0301", "👩\u200d🚒", "مرحبا", "\u200b", "[")
)


@given(st.lists(_LIKELY | _LETTERS | st.text(max_size=3)).map("".join))
def test_between_sentences_lies_nothing_but_white_space(text: str) -> None:
    end_before = 0
    for start, end in [*sentences(text), (len(text), len(text))]:
        assert end_before <= start <= end
        between = text[end_before:start].replace("\ufeff", " ").replace("\u200b", " ")
        assert between == "" or between.isspace()
        end_before = end
    assert all(sentence[0] != " " and sentence.strip() == sentence for sentence in found(text))
