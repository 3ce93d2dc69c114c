"""Files as other programs write them: whatever their form, the same rows come out of them."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from running import done, one_line, run

from timeline.errors import InvalidInput
from timeline.formats.importers.packed import plain
from timeline.formats.importers.rows import FileForm, rows
from timeline.formats.imports import Cells, FileNote, Row

MAPPING = 'scheme = "desk"\nid = "ref"\n[fields]\ntitle = "headline"\noccurred = "on"\n'


def read(content: bytes, form: FileForm | None = None) -> list[Cells | str]:
    """The cells of each row of a file, and the notes on it; of what is unreadable the reason."""
    found: list[Cells | str] = []
    for row in rows(plain(io.BytesIO(content)), form or FileForm()):
        if isinstance(row, Row):
            found.append(row.cells)
        else:
            found.append(row.text if isinstance(row, FileNote) else row.reason)
    return found


def imported(folder: Path, content: bytes, mapping: str = MAPPING) -> str:
    """Import a file with a mapping into a new log; return what the command says."""
    (folder / "map.toml").write_text(mapping)
    (folder / "file").write_bytes(content)
    done("init", "--title", "A story")
    return done("import", "mapped", "file", "--map", "map.toml")


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# --- Tables -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b',ref,headline,on\n0,k1,"Bridge, closed",2025-04-13\n', ["column 1"]),  # pandas
        (b'"","ref","headline","on"\n"1","k1","Bridge, closed","2025-04-13"\n', ["column 1"]),  # R
        (b'ref,headline,,on,\nk1,"Bridge, closed",x,2025-04-13,\n', ["column 3"]),
        (
            b'ref,note,headline,note,on,note\nk1,a,"Bridge, closed",b,2025-04-13,c\n',
            ["note", "note 2", "note 3"],
        ),
        (
            b'note 2,note,note,ref,headline,on\na,b,c,k1,"Bridge, closed",2025-04-13\n',
            ["note 2", "note", "note 3"],
        ),
        (
            b'column 2,,ref,headline,on\na,b,k1,"Bridge, closed",2025-04-13\n',
            ["column 2", "column 3"],
        ),
    ],
)
def test_columns_without_a_name_or_with_a_name_used_twice_do_not_matter(
    tmp_path: Path, content: bytes, columns: list[str]
) -> None:
    (cells,) = read(content)
    assert isinstance(cells, dict)
    assert [name for name in cells if name not in ("ref", "headline", "on")] == columns
    assert imported(tmp_path, content).startswith("1 row: 1 recorded.")
    assert "Bridge, closed" in done("show", "desk-k1")


def test_a_column_that_a_mapping_reads_may_not_stand_twice(tmp_path: Path) -> None:
    content = b"ref,headline,on,headline\nk1,Bridge,2025-04-13,Brug\n"
    (tmp_path / "map.toml").write_text(MAPPING)
    (tmp_path / "file").write_bytes(content)
    done("init", "--title", "A story")
    result = run("import", "mapped", "file", "--map", "map.toml")
    assert one_line(result) == ("line 1: headline: stands twice in the header: rename one of them")
    both = FileForm(columns=frozenset(("headline", "headline 2")))
    (cells,) = read(content, both)
    assert cells == {"ref": "k1", "headline": "Bridge", "on": "2025-04-13", "headline 2": "Brug"}


def test_cells_that_a_row_lacks_at_its_end_are_empty(tmp_path: Path) -> None:
    content = (
        b"ref,headline,on,note,link\n"
        b"k1,Bridge,2025-04-13\n"
        b"k2,Road,2025-04-14,,\n"
        b"k3,Rail,2025-04-15,seen\n"
        b"k4,Canal,2025-04-16,,,,\n"
        b"k5\n"
    )
    found = read(content)
    assert found.pop() == "has 1 cell where the header has 5"
    assert [[*cells.values()] for cells in found if isinstance(cells, dict)] == [
        ["k1", "Bridge", "2025-04-13", "", ""],
        ["k2", "Road", "2025-04-14", "", ""],
        ["k3", "Rail", "2025-04-15", "seen", ""],
        ["k4", "Canal", "2025-04-16", "", ""],
    ]
    assert imported(tmp_path, content).startswith("5 rows: 4 recorded, 1 rejected.")


def test_a_cell_may_be_as_long_as_a_line() -> None:
    text = "word " * 100_000
    file = io.StringIO()
    csv.writer(file).writerows([("ref", "text"), ("k1", text)])
    assert read(file.getvalue().encode()) == [{"ref": "k1", "text": text}]
    with pytest.raises(InvalidInput, match="is longer than 16 MiB"):
        read(b"ref,text\nk1," + b"x" * 2**24 + b"\n")
