"""ZIP files as GDELT, UCDP and ACLED ship them, and files of another kind than expected."""

from __future__ import annotations

import contextlib
import io
import json
import random
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import CHECKOUT, PROGRAM, done, one_line, run
from workbooks import zipped

from timeline.errors import InvalidInput
from timeline.formats.importers import packed
from timeline.formats.importers.gdelt import COLUMNS
from timeline.formats.importers.packed import plain
from timeline.formats.importers.rows import rows
from timeline.formats.imports import Row, importer

TABLE = b"ref,headline,on\nk1,Bridge,2025-04-13\n"
CELLS = {"ref": "k1", "headline": "Bridge", "on": "2025-04-13"}


def read(content: bytes) -> list[object]:
    return [
        row.cells if isinstance(row, Row) else row[-1] for row in rows(plain(io.BytesIO(content)))
    ]


@pytest.mark.parametrize(
    "members",
    [
        {"20250413.export.CSV": TABLE},
        {"ged251/GEDEvent.csv": TABLE, "ged251/codebook.pdf": b"%PDF-1.7", "ReadMe.txt": b"x"},
        {"data.csv": TABLE, "__MACOSX/._data.csv": b"\0\5", ".DS_Store": b"\0", "LICENCE": b"x"},
        {"table": TABLE},
        {"data.json": json.dumps([CELLS]).encode(), "data.pdf": b"%PDF-1.7", "folder/": b""},
    ],
)
def test_the_one_table_in_a_zip_file_is_read(members: dict[str, bytes]) -> None:
    assert read(zipped(members)) == [CELLS]


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        (
            {"2024.csv": TABLE, "2025.csv": TABLE},
            "is a ZIP file of several files: unpack it, and take one of 2024.csv, 2025.csv",
        ),
        ({"inner.zip": zipped({"data.csv": TABLE})}, "with another packed file in it: unpack it"),
        ({"codebook.pdf": b"%PDF-"}, "is a ZIP file without a table: it has codebook.pdf"),
        ({}, "is a ZIP file without a table: it has nothing"),
        ({"zeros.csv": b"0" * 2**25}, "unpacks to more than 200 times its size"),
    ],
)
def test_a_zip_file_without_just_one_table_is_refused(
    members: dict[str, bytes], problem: str
) -> None:
    with pytest.raises(InvalidInput, match=problem):
        read(zipped(members))


def test_a_zip_file_that_is_damaged_or_cut_off_is_refused() -> None:
    whole = zipped({"data.csv": TABLE * 1_000})
    with pytest.raises(InvalidInput, match="is a ZIP file that cannot be opened: is it whole"):
        read(whole[:-30])
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("data.csv", TABLE)
    wrong = stored.getvalue().replace(b"Bridge", b"Brigde", 1)
    with pytest.raises(InvalidInput, match="cannot be unpacked: Bad CRC-32"):
        read(wrong)


def test_a_member_that_is_larger_than_its_size_in_the_zip_file_is_read_up_to_it() -> None:
    content = zipped({"data.csv": TABLE + b"0" * 2**22})
    at = content.index(b"PK\x01\x02") + 24
    lying = content[:at] + struct.pack("<I", len(TABLE)) + content[at + 4 :]
    with pytest.raises(InvalidInput, match="cannot be unpacked"):
        read(lying)


@given(seed=st.integers(0, 2**32))
def test_a_zip_file_of_wrong_bytes_ends_in_rows_or_a_refusal(seed: int) -> None:
    maker = random.Random(seed)
    content = bytearray(zipped({"data.csv": TABLE * 9, "readme.txt": b"x"}))
    for _ in range(maker.randint(1, 6)):
        content[maker.randrange(4, len(content))] = maker.randrange(256)
    with contextlib.suppress(InvalidInput):
        assert isinstance(read(bytes(content)), list)


def test_a_zip_file_comes_from_stdin_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done("init", "--title", "A story")
    (tmp_path / "map.toml").write_text(
        'scheme = "desk"\nid = "ref"\n[fields]\ntitle = "headline"\noccurred = "on"\n'
    )
    ran = subprocess.run(
        [*PROGRAM, "import", "mapped", "-", "--map", "map.toml"],
        input=zipped({"data.csv": TABLE}),
        capture_output=True,
        env={"PYTHONPATH": str(CHECKOUT), "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert ran.stdout.startswith(b"1 row: 1 recorded."), ran.stderr


def test_a_zip_file_from_a_stream_without_an_end_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Endless(io.RawIOBase):
        def readable(self) -> bool:
            return True

        def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
            buffer[:] = (b"PK\x03\x04" * (len(buffer) // 4 + 1))[: len(buffer)]
            return len(buffer)

    monkeypatch.setattr(packed, "_LARGEST", 2**22)
    with pytest.raises(InvalidInput, match="is longer than 0 GiB"):
        plain(Endless())  # type: ignore[arg-type]


# --- GDELT 1.0 ----------------------------------------------------------------------------


def daily(width: int) -> bytes:
    """A row of GDELT 1.0, which has no second code of a region."""
    names = [name for name in COLUMNS if not name.endswith("ADM2Code")][:width]
    cells = dict.fromkeys(names, "") | {
        "GLOBALEVENTID": "99", "SQLDATE": "20130501", "EventCode": "190", "DATEADDED": "20130502",
        "ActionGeo_FullName": "Kyiv, Ukraine", "ActionGeo_Type": "4", "ActionGeo_Lat": "50.45",
        "ActionGeo_Long": "30.52", "Actor1Code": "GOV", "Actor1Name": "GOVERNMENT",
    }  # fmt: skip
    cells |= {"SOURCEURL": "https://example.org/1"} if width == 58 else {}
    return "\t".join(cells.values()).encode() + b"\n"


@pytest.mark.parametrize("width", [57, 58])
def test_the_daily_files_of_gdelt_are_read_packed_and_with_a_header_or_not(width: int) -> None:
    form = importer("gdelt")
    names = [name for name in COLUMNS if not name.endswith("ADM2Code")][:width]
    head = "\t".join(names).encode() + b"\n"
    for content in (daily(width), head + daily(width)):
        packed_file = plain(io.BytesIO(zipped({"20130501.export.CSV": content})))
        (row,) = form.read(packed_file)
        assert isinstance(row, Row)
        assert len(row.cells) == width
        assert form.identify(row.cells) == "99"
        fields = form.event(row.cells)
        assert fields["occurred"] == "2013-05-01"
        assert fields["reported_at"] == "2013-05-02"
        assert fields["place"]["lat"] == "50.45"
        assert bool(fields["citations"]) == (width == 58)


# --- Files of another kind ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"SQLite format 3\x00" + bytes(84), "is a database of SQLite, not a table"),
        (b"%PDF-1.7\n%\xe2\xe3", "is a PDF, not a table"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is an image, not a table"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "is an image, not a table"),
        (b"PAR1\x15\x04", "is a file of Parquet: write it as CSV"),
        (b"7z\xbc\xaf\x27\x1c", "is packed by 7-Zip: unpack it first"),
        (b"<!doctype html>\n<html>", "is a web page, not data: download the file itself"),
        (b'<?xml version="1.0"?>\n<kml>', "is XML, not a table"),
        (b'{"envelope":"{}","salt":"","payload":"{}"}\n', "`timeline import jsonl` reads it"),
    ],
)
@pytest.mark.parametrize("name", ["mapped", "gdelt", "ucdp"])
def test_a_file_of_another_kind_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, problem: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done("init", "--title", "A story")
    Path("map.toml").write_text(
        'scheme = "desk"\nid = "ref"\n[fields]\ntitle = "headline"\noccurred = "on"\n'
    )
    Path("file").write_bytes(content)
    options = ("--map", "map.toml") if name == "mapped" else ()
    said = one_line(run("import", name, "file", *options))
    assert problem in said or (name == "gdelt" and "envelope" in content.decode("latin-1"))


def test_a_table_for_gdelt_is_refused_with_the_command_that_reads_it() -> None:
    with pytest.raises(InvalidInput, match="58: `timeline import mapped` reads other"):
        [*importer("gdelt").read(io.BytesIO(TABLE))]
