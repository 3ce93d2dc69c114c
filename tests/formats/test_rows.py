"""Files as other programs write them: whatever their form, the same rows come out of them."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import done, one_line, run
from workbooks import xlsx

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


# --- Where the header is, and what separates columns ------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"Incidents of the desk\n\nref,headline,on\nk1,Bridge,2025-04-13\n",
        b"Incidents of the desk,,\n,,\nref,headline,on\nk1,Bridge,2025-04-13\n",
        b'"Incidents,\nof the desk",,\nref,headline,on\nk1,Bridge,2025-04-13\n',
        b"Incidents of the desk;;\nref;headline;on\nk1;Bridge;2025-04-13\n",
        b"# Incidents, by the desk\n# 2025\nref,headline,on\nk1,Bridge,2025-04-13\n",
        b"\xef\xbb\xbfIncidents of the desk\r\rref\theadline\ton\rk1\tBridge\t2025-04-13\r",
    ],
)
def test_lines_before_the_header_are_skipped_and_said(tmp_path: Path, content: bytes) -> None:
    for form in (FileForm(), FileForm(columns=frozenset(("ref", "headline", "on")))):
        note, *found = read(content, form)
        assert isinstance(note, str)
        assert note.startswith("the header is line ")
        assert "Incidents" in note
        assert found == [{"ref": "k1", "headline": "Bridge", "on": "2025-04-13"}]
    assert imported(tmp_path, content).startswith("1 row: 1 recorded.")
    result = run("import", "mapped", "file", "--map", "map.toml")
    assert note in " ".join(result.stderr.split())


def test_a_preamble_of_several_cells_is_skipped() -> None:
    years = ",".join(str(year) for year in range(1990, 2020))
    row = ",".join("1" for _ in range(1990, 2020))
    content = f"Source,The Bank\n\nUpdated,2025-04-01\n\nCountry,Code,{years}\nChad,TCD,{row}\n"
    note, cells = read(content.encode())
    assert note == 'the header is line 5: what stands before it was skipped: "Source,The Bank"'
    assert isinstance(cells, dict)
    assert [*cells][:3] == ["Country", "Code", "1990"]


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b"on,,\n2025-04-13,a,b\n2025-04-14,d,e\n", ["on", "column 2", "column 3"]),
        (b"on,at,,\n2025-04-13,x,,b\n2025-04-14,y,,\n", ["on", "at", "column 4"]),
        (b",0\nx,1\ny,2\n", ["column 1", "0"]),
        (b"on\n2025-04-13\n2025-04-14\n", ["on"]),
        (b"#,place\n1,x\n2,y\n", ["#", "place"]),
    ],
)  # fmt: skip
def test_a_header_that_is_not_plain_to_see_is_the_first_line(
    content: bytes, columns: list[str]
) -> None:
    cells = read(content)[0]
    assert isinstance(cells, dict)
    assert [*cells] == columns


@pytest.mark.parametrize(
    ("content", "columns"),
    [
        (b"no;what, in one line;day, as a date, or a month\n1;First;2025-04-15\n", 3),
        (b"no;what, in one line;day, as a date, or a month\n", 3),
        (b'"what, in one line";"day, or month"\nFirst;2025\n', 2),
        (b"day\tdead, least\tdead, most\n2025-04-13\t3,000\t4,000\n", 3),
        (b"no,actors (a; b),places (x; y)\n1,A; B,X; Y\n", 3),
        (b"no;a;b\n1;1,5;2,5\n2;2,5;3,5\n", 3),
        (b"no|what|day\n1|First, and last|2025-04-15\n", 3),
        (b"sep=;\r\nno;what,then\r\n1;First, and last\r\n", 2),
        (b"a,b,c,d,e\n1,2,3\n1,2,3,4,5\n1,2\n", 5),
    ],
)
def test_the_delimiter_is_the_one_that_fits_the_header_and_the_rows(
    content: bytes, columns: int
) -> None:
    found = [row for row in read(content) if isinstance(row, dict)]
    assert len(found) == content.count(b"\n") - 1 - content.startswith(b"sep")
    assert all(len(cells) == columns for cells in found)


def test_the_row_of_tags_in_files_of_the_un_is_no_row() -> None:
    tags = "the row of HXL tags below the header was skipped"
    content = b"ref,on,at\n#event+id,#date +start,\nk1,2025-04-13,x\n"
    assert read(content) == [tags, {"ref": "k1", "on": "2025-04-13", "at": "x"}]
    sheet = xlsx({"Data": [["ref", "on"], ["#event+id", "#date"], ["k1", "2025"]]})
    assert read(sheet) == [tags, {"ref": "k1", "on": "2025"}]
    assert read(b"ref,word\nk1,#peace\n") == [{"ref": "k1", "word": "#peace"}]


def test_the_first_column_of_r_may_lack_its_place_in_the_header() -> None:
    content = b'"ref"\t"on"\n"1"\t"k1"\t"2025-04-13"\n"2"\t"k2"\t"2025-04-14"\n'
    assert read(content) == [
        {"column 1": "1", "ref": "k1", "on": "2025-04-13"},
        {"column 1": "2", "ref": "k2", "on": "2025-04-14"},
    ]


def test_the_name_of_a_column_is_one_line_of_any_length(tmp_path: Path) -> None:
    asked = "Please describe what happened, as exactly as you remember it, and who was there"
    content = f'ref,headline,on,"Dead\n(all)","{asked}"\nk1,Bridge,2025-04-13,3,much\n'
    (cells,) = read(content.encode(), FileForm(columns=frozenset((asked,))))
    assert isinstance(cells, dict)
    assert [*cells][3:] == ["Dead (all)", asked]
    assert imported(tmp_path, content.encode()).startswith("1 row: 1 recorded.")


@pytest.mark.parametrize("rows", ["", "k1,Bridge,2025-04-13\n"])
def test_a_table_without_the_columns_of_a_mapping_is_refused_and_nothing_retracted(
    tmp_path: Path, rows: str
) -> None:
    imported(tmp_path, b"ref,headline,on\nk1,Bridge,2025-04-13\n")
    (tmp_path / "file").write_text("Desk\n\nref,headlines,day\n" + rows)
    options = ("--complete", "--reported-at", "2025-05-01", "--yes")
    result = run("import", "mapped", "file", "--map", "map.toml", *options)
    assert one_line(result) == (
        'line 3: headline, on: no such columns in the header, which was read with "," between'
        ' columns: "ref", "headlines", "day"; did you mean headlines for headline?'
    )
    assert "Bridge" in done("list")


@given(
    delimiter=st.sampled_from(",;\t|"),
    table=st.integers(2, 6).flatmap(
        lambda width: st.lists(
            st.lists(
                st.text(st.characters(exclude_categories=("C",)), max_size=12),
                min_size=width,
                max_size=width,
            ),
            min_size=1,
            max_size=30,
        )
    ),
)
def test_what_python_writes_with_a_known_delimiter_is_read_back(
    delimiter: str, table: list[list[str]]
) -> None:
    names = [f"name {number}" for number in range(len(table[0]))]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([names, *table])
    form = FileForm(delimiter, columns=frozenset(names))
    found = read(file.getvalue().encode(), form)
    written = [dict(zip(names, row, strict=True)) for row in table]
    assert found == [cells for cells in written if any(c.strip() for c in cells.values())]


@given(
    delimiter=st.sampled_from(",;\t|"),
    table=st.integers(2, 6).flatmap(
        lambda width: st.lists(
            st.lists(st.from_regex(r"[a-z]{1,9}( [a-z,;]{1,5}){0,2}", fullmatch=True),
                     min_size=width, max_size=width),
            min_size=1, max_size=30,
        )
    ),
)  # fmt: skip
def test_a_delimiter_that_nobody_names_is_found(delimiter: str, table: list[list[str]]) -> None:
    names = [f"name {number}" for number in range(len(table[0]))]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([names, *table])
    found = read(file.getvalue().encode())
    assert found == [dict(zip(names, row, strict=True)) for row in table]


# --- Encodings ----------------------------------------------------------------------------


def test_a_file_of_a_code_page_is_refused_as_a_whole_and_says_how_to_read_it(
    tmp_path: Path,
) -> None:
    several = "".join(f"k{number},Bridge {number},2025-04-13\n" for number in range(20_000))
    content = f"ref,headline,on\n{several}k,Pont à Bouaké,2025-04-13\n".encode("cp1252")
    offset = content.index(b"\xe0")
    (tmp_path / "map.toml").write_text(MAPPING)
    (tmp_path / "file").write_bytes(content)
    done("init", "--title", "A story")
    result = run("import", "mapped", "file", "--map", "map.toml")
    assert one_line(result) == (
        f"line 20002: is not UTF-8: byte 0xe0 at offset {offset:,} (in cp1252 it reads"
        ' "Pont à Bouaké"): name its encoding, with --encoding cp1252 or encoding = "cp1252" in'
        " the mapping"
    )
    assert json.loads(done("export", "json"))["events"] == []
    (tmp_path / "file").write_bytes(
        "ref,headline,on\nk,Pont à Bouaké,2025-04-13\n".encode("cp1252")
    )
    options = ("--map", "map.toml", "--encoding", "windows-1252")
    assert done("import", "mapped", "file", *options).startswith("1 row: 1 recorded.")
    assert "Pont à Bouaké" in done("show", "desk-k")


def test_words_of_another_script_are_shown_in_its_code_page() -> None:
    with pytest.raises(InvalidInput, match='in cp1251 it reads "Міст через Дніпро"'):
        read("ref,headline\nk1,Міст через Дніпро\n".encode("cp1251"))


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1251", "koi8-u"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_rows_are_the_same_in_every_encoding(encoding: str, end: str) -> None:
    content = f"ref,headline{end}k1,Міст через Дніпро{end}k2,Bridge{end}".encode(encoding)
    form = FileForm(encoding=None if encoding.startswith("utf") else encoding)
    assert read(content, form) == [
        {"ref": "k1", "headline": "Міст через Дніпро"},
        {"ref": "k2", "headline": "Bridge"},
    ]


@pytest.mark.parametrize(
    ("encoding", "problem"),
    [
        ("cp1252x", 'encoding: "cp1252x" is unknown: did you mean cp1252?'),
        ("hex", 'encoding: "hex" is unknown'),
        ("unicode_escape", "is unknown"),
        ("", None),
        ("ascii", "is not ascii: byte 0xc3 at offset 16"),
        ("utf-16-le", "is not utf-16-le"),
    ],
)
def test_an_encoding_that_is_unknown_or_wrong_is_refused(
    encoding: str, problem: str | None
) -> None:
    content = "ref,headline\nk1,é\n".encode()
    if problem is None:
        assert read(content, FileForm(encoding=encoding))
        return
    with pytest.raises(InvalidInput, match=re.escape(problem)):
        read(content, FileForm(encoding=encoding))


# --- JSON ---------------------------------------------------------------------------------

REF = frozenset(("ref",))
TWO = [{"ref": "k1", "headline": "Bridge {[", "on": "2025-04-13"}, {"ref": "k2", "on": "2025"}]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize(
    ("whole", "under"),
    [
        (TWO, None),
        ({"status": 200, "text": 'a "quoted" \\ [{', "data": TWO}, "data"),
        ({"data": {"ids": [1, 2], "page": {"of": [[1], {"x": 1}]}, "items": TWO}}, "data.items"),
        ({"data": TWO, "next": None, "errors": []}, "data"),
    ],
)
def test_rows_of_json_are_found_under_the_one_list_of_objects(
    tmp_path: Path, indent: int | None, whole: Any, under: str | None
) -> None:
    content = json.dumps(whole, indent=indent).encode()
    notes = [f"rows found under {under}"] if under else []
    assert read(content) == [*notes, *TWO]
    if under:
        assert read(content, FileForm(path=under)) == TWO
    said = imported(tmp_path, content)
    assert said.startswith("2 rows: 1 recorded, 1 rejected.")


def test_objects_one_after_another_are_rows_in_lines_or_not() -> None:
    lines = "\n".join(json.dumps(row) for row in TWO)
    spread = "\n".join(json.dumps(row, indent=2) for row in TWO)
    assert read(lines.encode()) == read(spread.encode()) == TWO
    assert read(b"\n" + lines.replace("\n", "\n\n\n").encode()) == TWO
    assert read(json.dumps(TWO[0]).encode()) == read(json.dumps(TWO[0], indent=1).encode())
    assert read(b'{"ref": "k1"}\nhalf a row\n') == [
        {"ref": "k1"},
        "is not JSON: Expecting value at character 1",
    ]


def test_the_columns_that_pandas_writes_as_json_are_rows() -> None:
    import pandas

    for indent in (0, 2):
        content = pandas.DataFrame(TWO[:1] * 2).to_json(indent=indent)
        assert read(content.encode()) == [
            "read as one table, as pandas writes JSON",
            TWO[0],
            TWO[0],
        ]
        records = pandas.DataFrame(TWO[:1] * 2).to_json(orient="records", indent=indent)
        assert read(records.encode()) == TWO[:1] * 2


@pytest.mark.parametrize("orient", ["columns", "index", "split", "table"])
@pytest.mark.parametrize("indent", [0, 2])
def test_a_table_of_pandas_is_read_in_each_form_and_by_any_index(orient: Any, indent: int) -> None:
    import pandas

    wanted = frozenset(("ref", "headline", "on", "where"))
    for index in ([0, 1], [7, 4], ["k1", "k2"]):
        content = pandas.DataFrame(TWO, index=index).to_json(orient=orient, indent=indent).encode()
        _, *found = read(content, FileForm(columns=wanted))
        if orient != "table":
            assert found == TWO
        _, *found = read(content, FileForm(columns=wanted | {"index"}))
        keyed = [{"index": str(key), **row} for key, row in zip(index, TWO, strict=True)]
        assert found == keyed


@pytest.mark.parametrize("form", ["[{}]", "{}\n{}", '{{"data": [{}]}}', '{{"0": {0}, "1": {0}}}'])
def test_a_number_that_is_none_is_a_cell_and_costs_no_row(form: str) -> None:
    row = '{"ref": "k1", "on": NaN, "of": [-Infinity, Infinity], "headline": "a \\" NaN, Infinity"}'
    content = form.format(row, row).encode()
    first, *others = [
        each for each in read(content, FileForm(columns=REF)) if not isinstance(each, str)
    ]
    assert all(each == first for each in others)
    assert first == {
        "ref": "k1",
        "on": "NaN",
        "of.0": "-Infinity",
        "of.1": "Infinity",
        "headline": 'a " NaN, Infinity',
    }


def test_a_word_that_is_no_number_of_python_is_no_json() -> None:
    assert read(b'[{"ref": Nan}]') == ["is not JSON: Expecting value at character 9"]


def test_a_list_that_describes_the_columns_has_no_rows() -> None:
    described = {"fields": [{"name": "ref", "type": "text"}], "features": TWO}
    assert read(json.dumps(described).encode()) == ["rows found under features", *TWO]
    assert read(json.dumps(described).encode(), FileForm(path="fields")) == described["fields"]


def test_an_answer_without_rows_says_that_its_list_is_empty() -> None:
    answer = json.dumps({"status": 200, "messages": [], "data": []}).encode()
    with pytest.raises(InvalidInput, match="has no rows: messages, data are empty lists"):
        read(answer, FileForm(columns=frozenset(("ref", "headline"))))
    answer = json.dumps({"status": 200, "count": 0, "data": []}).encode()
    with pytest.raises(InvalidInput, match="has no rows: data is an empty list"):
        read(answer, FileForm(columns=frozenset(("ref", "headline"))))
    assert read(
        json.dumps({"ref": "k1", "tags": []}).encode(), FileForm(columns=frozenset(("ref",)))
    )


def test_one_line_of_json_is_a_row_if_it_has_the_wanted_columns_itself() -> None:
    content = json.dumps({**TWO[0], "links": [{"url": "https://example.org/"}]}).encode()
    form = FileForm(columns=frozenset(("ref", "headline", "on")))
    assert read(content, form) == [{**TWO[0], "links.0.url": "https://example.org/"}]
    assert read(content)[0] == "rows found under links"


@pytest.mark.parametrize(
    ("whole", "path", "problem"),
    [
        (
            {"data": TWO, "included": TWO},
            None,
            "has several lists of objects, data, included: say which one has the rows, with"
            ' rows = "data" in the mapping',
        ),
        ({"data": TWO}, "date", 'rows: the file has no list "date": did you mean data?'),
        ({"a": 1}, "data", 'rows: the file has no list "data": it has no list of objects'),
        (TWO, "data", "rows: names a list in an object, and this file is a list: leave it out"),
    ],
)
def test_an_object_without_the_list_or_with_several_is_refused(
    whole: Any, path: str | None, problem: str
) -> None:
    with pytest.raises(InvalidInput) as raised:
        read(json.dumps(whole).encode(), FileForm(path=path))
    assert str(raised.value) == problem


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"data": [{"a": 1},', "ends within the array"),
        (b'{"data": [{"a": 1}], "x": "', "ends within an object"),
        (b'{"data"', "ends within an object"),
        (b'{\n"data" [{"a": 1}]}', 'line 2: is not JSON: "[" stands where ":" should be'),
        (b'{"data": [{"a": 1}]', "ends within an object"),
        (b'{"data": [{"a": 1}] "x": 1}', "is not JSON"),
        (b'{"a": ' + b'"' + b"x" * 2**24 + b'"}', "is longer than 16 MiB"),
        (b'{"a": ' * 200_000 + b"1", "ends within an object"),
    ],
)
def test_an_object_that_is_cut_off_or_wrong_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(InvalidInput, match=re.escape(problem)):
        read(content)


def test_the_list_in_an_object_of_any_size_is_read_a_row_at_a_time() -> None:
    row = json.dumps(TWO[0])
    size = 2**24 // len(row) + 10
    content = '{"note": "' + "x" * 200_000 + '", "data": [' + ",".join([row] * size) + "]}"
    found = rows(io.BytesIO(content.encode()))
    assert next(found) == FileNote("rows found under data")
    assert sum(1 for _ in found) == size


def test_the_features_of_geojson_are_rows_with_their_properties_and_where_they_are() -> None:
    outline = [[[30.5, 50.4], [30.6, 50.4], [30.5, 50.5], [30.5, 50.4]]]
    long = [[[number, number] for number in range(90)]]
    whole = {
        "type": "FeatureCollection",
        "crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
        "features": [
            {
                "type": "Feature",
                "id": 7,
                "properties": {"ref": "k1", "tags": ["a", "b"], "longitude": "east"},
                "geometry": {"type": "Point", "coordinates": [30.52, 50.45]},
            },
            {
                "type": "Feature",
                "properties": None,
                "geometry": {"type": "Polygon", "coordinates": outline},
            },
            {
                "type": "Feature",
                "properties": {"id": "k3"},
                "geometry": {"type": "Polygon", "coordinates": long},
            },
            {"type": "Feature", "properties": {"id": "k4"}, "geometry": None},
        ],
    }
    for indent in (None, 2):
        note, first, second, *others = read(json.dumps(whole, indent=indent).encode())
        assert note == "rows found under features"
        assert first == {
            "id": "7",
            "ref": "k1",
            "tags.0": "a",
            "tags.1": "b",
            "longitude": "east",
            "latitude": "50.45",
            "geometry.type": "Point",
            "geometry.coordinates.0": "30.52",
            "geometry.coordinates.1": "50.45",
        }
        assert isinstance(second, dict)
        assert second["geometry.coordinates.0.3.1"] == "50.4"
        assert "latitude" not in second
        assert others == [{"id": "k3", "geometry.type": "Polygon"}, {"id": "k4"}]


def test_the_records_of_airtable_are_rows_with_their_fields() -> None:
    whole = {
        "records": [
            {
                "id": "recA",
                "createdTime": "2025-04-13T10:00:00.000Z",
                "fields": {"Name": "Bridge", "Who": ["x", "y"]},
            },
            {"id": "recB", "createdTime": "2025-04-13T10:00:00.000Z", "fields": {"id": "own"}},
        ],
        "offset": "itr/recC",
    }
    created = "2025-04-13T10:00:00.000Z"
    assert read(json.dumps(whole).encode()) == [
        "rows found under records",
        {"id": "recA", "createdTime": created, "Name": "Bridge", "Who.0": "x", "Who.1": "y"},
        {"createdTime": created, "record id": "recB", "id": "own"},
    ]


def test_a_mapping_names_the_encoding_and_the_list_of_rows(tmp_path: Path) -> None:
    content = json.dumps({"data": [{**TWO[0], "headline": "é"}], "other": TWO}, ensure_ascii=False)
    mapping = MAPPING.replace("[fields]", 'encoding = "cp1252"\nrows = "data"\n[fields]')
    said = imported(tmp_path, content.encode("cp1252"), mapping)
    assert said.startswith("1 row: 1 recorded.")
    assert "é" in done("show", "desk-k1")


_TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), max_size=9)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | _TEXTS,
    lambda inner: st.dictionaries(_TEXTS.filter(bool), inner, max_size=3),
    max_leaves=5,
)


@given(
    items=st.lists(st.dictionaries(_TEXTS.filter(bool), _VALUES, max_size=4), min_size=1),
    before=st.dictionaries(_TEXTS.filter(lambda name: name not in ("", "rows")), _VALUES),
    indent=st.sampled_from([None, 2]),
    is_ascii=st.booleans(),
)
def test_the_same_objects_are_the_same_rows_however_they_are_wrapped(
    items: list[dict[str, Any]], before: dict[str, Any], indent: int | None, is_ascii: bool
) -> None:
    def written(value: Any) -> bytes:
        return json.dumps(value, indent=indent, ensure_ascii=is_ascii).encode()

    plain_rows = read(written(items))
    wrapped = {**before, "rows": items, "after": before}
    assert read(written(wrapped)) == ["rows found under rows", *plain_rows]
    assert read(written(wrapped), FileForm(path="rows")) == plain_rows
