"""Ids that a person can read are proposed for rows without one, and written into their file."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.formats.sheet.cells import SheetRow
from timeline.formats.sheet.ids import key_of, proposals
from timeline.formats.sheet.reading import Sheet
from timeline.model.field_types import ID_PATTERN

texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=80)


def _proposed(*rows: tuple[str, str], taken: set[str] | None = None) -> list[str]:
    given = [(SheetRow(n, n, {"title": title}), date) for n, (title, date) in enumerate(rows, 2)]
    return [each.event_id for each in proposals(given, taken or set(), {})]


@pytest.mark.parametrize(
    ("title", "event_id"),
    [
        ("Fire at the quay", "fire-at-the-quay"),
        ("Mayor's office: \u201cno\u201d!", "mayors-office-no"),
        ("Пожар в Одесе", "pozhar-v-odese"),
        ("Überfall in Łódź", "uberfall-in-lodz"),
        ("北京", "beijing"),
        ("Divers from the port of Kessel Point go down", "divers-from-the-port-of-kessel-point-go"),
        ("Governor says at least eight people died", "governor-says-at-least-eight-people-died"),
        ("x" * 60, "x" * 40),
        ("OK", "event-ok-2025-04-12"),
        ("!!", "event-2025-04-12"),
    ],
)  # fmt: skip
def test_an_id_is_made_of_the_words_of_the_title(title: str, event_id: str) -> None:
    assert _proposed((title, "2025-04-12")) == [event_id]


def test_a_date_or_a_number_stands_in_an_id_only_where_it_is_needed() -> None:
    rows = [("Strike", "2025-04-12"), ("Strike", "2025-04-13"), ("strike!", "2025-04-13")]
    assert _proposed(*rows) == ["strike", "strike-2025-04-13", "strike-2025-04-13-2"]
    assert _proposed(("Strike", ""), ("Strike", ""), taken={"strike"}) == ["strike-2", "strike-3"]


@given(
    st.lists(
        st.tuples(texts, st.sampled_from(("", "2025-04", "2025-04-01/2025-05-02"))), max_size=6
    )
)
def test_every_id_is_valid_free_and_short(rows: list[tuple[str, str]]) -> None:
    taken = {"event", "event-2025-04", *_proposed(*rows[:2])}
    found = _proposed(*rows, taken=taken)
    assert len({*found}) == len(rows)
    assert not taken & {*found}
    assert all(re.fullmatch(ID_PATTERN, each) and len(each) <= 40 for each in found)


def test_a_row_that_says_an_event_of_the_log_gets_its_id_once() -> None:
    rows = [(SheetRow(n, n, {"title": "STRIKE"}), "2025-04-12") for n in (2, 3)]
    known = {key_of("Strike", "2025-04-12"): ["a-strike"]}
    found = [*proposals(rows, {"a-strike", "strike"}, known)]
    assert [(each.event_id, each.is_known) for each in found] == [
        ("a-strike", True),
        ("strike-2025-04-12", False),
    ]
    assert str(found[0]) == "a-strike, the event with this title and date"


# --- Into the file ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "written"),
    [
        (b"id,title\nquay,A\n,B\n", b"id,title\nquay,A\nnew-3,B\n"),
        (b'"id";"title"\r\n"";"B;""x"""\r\n', b'"id";"title"\r\n"new-2";"B;""x"""\r\n'),
        (b"title\tid\r\nA\r\nB\t \r\n", b"title\tid\r\nA\tnew-2\r\nB\tnew-3\r\n"),
        (b"title,occurred,id\nA\n", b"title,occurred,id\nA,,new-2\n"),
        (b"title,occurred\nA,2025\n", b"id,title,occurred\nnew-2,A,2025\n"),
        (b"sep=;\n\n;;\ntitle;x\n\nA;\n;;\n", b"sep=;\n\n;;\nid;title;x\n\nnew-6;A;\n;;\n"),
        (b'title,id\n"one\ntwo",\nB,quay', b'title,id\n"one\ntwo",new-2\nB,quay'),
        (b"\xef\xbb\xbfid,title\r,A\r", b"\xef\xbb\xbfid,title\rnew-2,A\r"),
        ("id\ttitle\n\tЯ\n".encode("utf-16"), "id\ttitle\nnew-2\tЯ\n".encode("utf-16")),
        (b"title,id\n=1,\n' x', \n", b"title,id\n=1,new-2\n' x',new-3\n"),
    ],
)
def test_an_id_is_written_and_every_other_byte_stays(content: bytes, written: bytes) -> None:
    sheet = Sheet(content)
    ids = {row.line: f"new-{row.line}" for row in sheet if not row.cells.get("id")}
    assert sheet.with_ids(ids) == written


@given(
    st.lists(st.tuples(st.sampled_from(("", "", "quay-1", " ")), texts, texts), max_size=5),
    st.sampled_from((",", ";", "\t")),
    st.sampled_from(("\n", "\r\n")),
    st.sampled_from((csv.QUOTE_ALL, csv.QUOTE_MINIMAL)),
    st.booleans(),
)
def test_whatever_the_dialect_only_ids_are_written(
    rows: list[tuple[str, str, str]], delimiter: str, end: str, quoting: int, has_ids: bool
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerow(("title", "summary", "id") if has_ids else ("title", "summary", "Owner"))
    writer.writerows((title, text, event_id) for event_id, title, text in rows)
    content = file.getvalue().encode()
    sheet = Sheet(content, delimiter)
    ids = {row.line: f"new-{row.line}" for row in sheet if not row.cells.get("id")}
    written = sheet.with_ids(ids)
    found = {row.line: row.cells["id"] for row in Sheet(written, delimiter)}
    assert found == {row.line: row.cells.get("id") or ids[row.line] for row in sheet}
    if ids:
        assert len(written) - len(content) >= sum(map(len, ids.values())) - 2 * len(rows)
