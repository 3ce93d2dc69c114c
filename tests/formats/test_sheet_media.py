"""Media and highlights as columns of a sheet, and as lines of the form: in, out, and unchanged."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import done, one_line, run
from small_files import png

from timeline import Timeline
from timeline.cli import form
from timeline.formats.sheet.cells import MEDIA, SheetRow
from timeline.formats.sheet.events import Lookup, cells, changes, normal
from timeline.media.attached import attached_file
from timeline.model.media import Medium
from timeline.model.validation import validate

HEADER = "id,title,occurred,media_url,media_alt,media_credit,highlight\n"
COLUMNS = ("--column", "media_url", "--column", "media_alt", "--column", "media_credit")
QUAY, FILM = "https://example.org/quay.jpg", "https://youtu.be/abc"


def appended(path: Path, *lines: str) -> None:
    done("-d", path, "append", "-", "--csv", input=HEADER + "".join(f"{each}\n" for each in lines))


def exported(path: Path) -> list[dict[str, str]]:
    sheet = done("-d", path, "export", "csv", *COLUMNS, "--column", "highlight")
    return [*csv.DictReader(io.StringIO(sheet))]


def synced(path: Path, rows: list[dict[str, str]]) -> str:
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, [*rows[0]])
    writer.writeheader()
    writer.writerows(rows)
    return done("-d", path, "sync", "-", input=sheet.getvalue())


def test_a_sheet_brings_media_and_highlights(timeline: Timeline) -> None:
    appended(
        timeline.path,
        f"talks,Talks,2025,{QUAY}; {FILM},The quay; From the hill,Mara K.,x",
        "raid,A raid,2025,,,,",
    )
    event = timeline.get("talks")
    assert event["media"] == [
        {"kind": "image", "url": QUAY, "alt": "The quay", "credit": "Mara K."},
        {"kind": "video", "url": FILM, "alt": "From the hill"},
    ]
    assert event["highlight"] is True
    assert "media" not in timeline.get("raid")


def test_what_was_exported_changes_nothing(timeline: Timeline) -> None:
    media = [
        {"kind": "image", "url": QUAY, "alt": "The quay; left", "caption": "At dawn"},
        {"kind": "audio", "url": "https://example.org/horn", "credit": "M \\ K"},
        {"kind": "image", "url": QUAY, "alt": "It again"},
    ]
    timeline.record({"event_id": "talks", "title": "T", "occurred": "2025", "media": media})
    timeline.attach("talks", png(), {"alt": "A wall"})
    size = timeline.get("talks")["version"]
    rows = exported(timeline.path)
    assert rows[0]["media_url"].endswith(attached_file(png()).sha256.replace("sha256:", "media/"))
    synced(timeline.path, rows)
    assert timeline.get("talks")["version"] == size


def test_a_cell_changes_only_what_it_says(timeline: Timeline) -> None:
    medium = {"kind": "image", "url": QUAY, "alt": "The quay", "caption": "At dawn"}
    timeline.record({"event_id": "talks", "title": "T", "occurred": "2025", "media": [medium]})
    (row,) = exported(timeline.path)
    synced(timeline.path, [{**row, "media_alt": "The long quay", "media_credit": "Mara K."}])
    changed = {**medium, "alt": "The long quay", "credit": "Mara K."}
    assert timeline.get("talks")["media"] == [changed]
    synced(timeline.path, [{**row, "media_url": "", "media_alt": "", "highlight": "TRUE"}])
    event = timeline.get("talks")
    assert "media" not in event
    assert event["highlight"] is True


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("talks,T,2025,ftp://example.org/a,,,", "media_url"),
        ("talks,T,2025,media/0123,,,", "timeline attach adds it"),
        (f"talks,T,2025,{QUAY},One; two,,", "has 2 texts for 1 in media_url"),
        ("talks,T,2025,,The quay,,", "has 1 texts for 0 in media_url"),
        ("talks,T,2025,,,,perhaps", "highlight"),
    ],
)
def test_a_wrong_cell_is_named(timeline: Timeline, row: str, said: str) -> None:
    result = run("-d", timeline.path, "append", "-", "--csv", input=f"{HEADER}{row}\n")
    assert said in one_line(result)


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("title,occurred,media_alt", "needs the column media_url"),
        ("title,occurred,media_url,media.0.caption", "is what the column media_url holds"),
    ],
)
def test_a_header_that_says_it_twice_or_by_half(timeline: Timeline, header: str, said: str) -> None:
    result = run("-d", timeline.path, "append", "-", "--csv", input=f"{header}\nT,2025,,\n")
    assert said in one_line(result)


_words = st.text("ab;\\| \n,=", max_size=6).map(str.strip)
_media = st.lists(
    st.builds(
        lambda kind, url, alt, credit: {
            key: value
            for key, value in (("kind", kind), ("url", url), ("alt", alt), ("credit", credit))
            if value
        },
        st.sampled_from(("image", "document", "video")),
        st.sampled_from((QUAY, FILM, "https://example.org/a;b", "https://example.org/x?y=|")),
        _words,
        _words.map(lambda text: text.replace("\n", "")),
    ),
    max_size=3,
).map(lambda media: [validate(Medium, medium).content() for medium in media])


@given(_media, _media)
def test_cells_are_read_back_as_they_were_written(
    media: list[dict[str, Any]], others: list[dict[str, Any]]
) -> None:
    event = {"event_id": "talks", "title": "T", "media": media}
    written = cells(event, Lookup(), MEDIA)
    row = normal(SheetRow(2, 2, written), Lookup(), {})
    assert row.cells == written
    assert changes(row, written, event, Lookup()) == []
    found = dict(changes(row, cells({**event, "media": others}, Lookup(), MEDIA), event, Lookup()))
    assert found in ({}, {"media": media})


@given(_media)
def test_lines_of_the_form_are_read_back_as_they_were_written(media: list[dict[str, Any]]) -> None:
    text = form.written("", form.item_lines("media", media), {})
    found = dict(form.changes(form.pieces(text), str))
    assert found.get("media", []) == media


def test_a_line_of_the_form_is_enough(timeline: Timeline) -> None:
    lines = form.pieces(f"media: {QUAY} | The quay | Mara K.\nmedia: https://example.org/a.pdf\n")
    assert dict(form.changes(lines, str)) == {
        "media": [
            {"kind": "image", "url": QUAY, "alt": "The quay", "credit": "Mara K."},
            {"kind": "document", "url": "https://example.org/a.pdf"},
        ]
    }
