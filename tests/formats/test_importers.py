"""The formats of other people's data: what a row says, that nothing of it is lost, and slips."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from publisher import MAPPING
from running import done, one_line, run

from timeline.errors import InvalidInput
from timeline.formats.importers.gdelt import COLUMNS as GDELT
from timeline.formats.importers.packed import plain
from timeline.formats.importers.rows import rows
from timeline.formats.imports import Cells, FileNote, Format, Row, Unreadable, importer, names
from timeline.formats.spelling import date, number, respelled
from timeline.model import text_files
from timeline.model.content import Statement
from timeline.model.validation import validate

UCDP = (
    "id relid year active_year code_status type_of_violence conflict_dset_id conflict_new_id"
    " conflict_name dyad_dset_id dyad_new_id dyad_name side_a_dset_id side_a_new_id side_a"
    " side_b_dset_id side_b_new_id side_b number_of_sources source_article source_office"
    " source_date source_headline source_original where_prec where_coordinates"
    " where_description adm_1 adm_2 latitude longitude geom_wkt priogrid_gid country"
    " country_id region event_clarity date_prec date_start date_end deaths_a deaths_b"
    " deaths_civilians deaths_unknown best high low gwnoa gwnob"
).split()


def gdelt(**cells: str) -> Cells:
    """A row of GDELT as its codebook has it."""
    said = dict.fromkeys(GDELT, "")
    said |= {
        "GLOBALEVENTID": "1001", "SQLDATE": "20250415", "MonthYear": "202504", "Year": "2025",
        "FractionDate": "2025.2877", "Actor1Code": "UKRGOV", "Actor1Name": "UKRAINE",
        "Actor1CountryCode": "UKR", "Actor1Type1Code": "GOV", "Actor2Code": "NLD",
        "Actor2Name": "MARK RUTTE", "Actor2CountryCode": "EUR", "IsRootEvent": "1",
        "EventCode": "043", "EventBaseCode": "043", "EventRootCode": "04", "QuadClass": "1",
        "GoldsteinScale": "2.8", "NumMentions": "18", "NumSources": "3", "NumArticles": "18",
        "AvgTone": "-2.56410256410256", "ActionGeo_Type": "4",
        "ActionGeo_FullName": "Odesa, Odes'ka Oblast', Ukraine", "ActionGeo_CountryCode": "UP",
        "ActionGeo_ADM1Code": "UP17", "ActionGeo_Lat": "46.4639", "ActionGeo_Long": "30.7386",
        "ActionGeo_FeatureID": "-1049092", "DATEADDED": "20250415180000",
        "SOURCEURL": "https://example.org/visit",
    }  # fmt: skip
    return said | cells


def ucdp(**cells: str) -> Cells:
    """A row of UCDP GED, its numbers as R writes them."""
    said = {column: f"{column} of it" for column in UCDP}
    said |= {
        "id": "412700.0", "type_of_violence": "1.0", "conflict_name": "Russia - Ukraine",
        "dyad_name": "Government of Russia - Government of Ukraine",
        "side_a": "Government of Russia (Soviet Union)", "side_b": "Government of Ukraine",
        "source_office": "Reuters;AFP", "source_date": "2022-03-02;2022-03-03",
        "source_headline": "A first report;A second\nreport", "where_prec": "2.0",
        "where_coordinates": "Chernihiv town", "adm_1": "Chernihiv oblast",
        "latitude": "51.505", "longitude": "31.284", "country": "Ukraine",
        "date_prec": "2.0", "date_start": "2022-03-01", "date_end": "2022-03-03",
        "best": "7.0", "low": "3.0", "high": "5.0",
    }  # fmt: skip
    return said | cells


def as_gdelt(*several: Cells) -> bytes:
    return "".join("\t".join(cells.values()) + "\n" for cells in several).encode()


def as_csv(*several: Cells) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, several[0])
    writer.writeheader()
    writer.writerows(several)
    return file.getvalue().encode()


def read(form: Format, content: bytes) -> list[Row | Unreadable | FileNote]:
    return [*form.read(plain(io.BytesIO(content)))]


def stated(form: Format, cells: Cells) -> dict[str, Any]:
    return validate(Statement, form.reading(cells).fields).model_dump(
        mode="json", exclude_defaults=True
    )


# --- GDELT --------------------------------------------------------------------------------


def test_a_row_of_gdelt_is_an_event_with_its_actors_its_place_and_its_source() -> None:
    form = importer("gdelt")
    (row,) = read(form, as_gdelt(gdelt()))
    assert isinstance(row, Row)
    assert row.cells == gdelt()
    assert form.identify(row.cells) == "1001"
    assert stated(form, row.cells) == {
        "reported_at": "2025-04-15T18:00:00Z",
        "title": "Consultation: Ukraine, Mark Rutte",
        "event_type": "CONSULT",
        "mode": "visit",
        "occurred": "2025-04-15",
        "place": {
            "name": "Odesa",
            "country": "UKR",
            "admin1": "Odes'ka Oblast'",
            "lat": "46.4639",
            "lon": "30.7386",
            "geo_precision": 1,
        },
        "participants": [
            {"name": "Ukraine", "country": "UKR", "sector": "GOV"},
            {"name": "Mark Rutte", "role": "recipient"},  # EUR is a region, not a country
        ],
        "citations": [{"source": {"url": "https://example.org/visit"}}],
    }


@pytest.mark.parametrize(
    ("code", "event_type", "mode"),
    [
        ("010", None, None),
        ("0211", "REQUEST", None),
        ("042", "CONSULT", "visit"),
        ("0871", "RETREAT", "ceasefire"),
        ("1012", "REQUEST", None),
        ("112", "ACCUSE", "allege"),
        ("145", "PROTEST", "riot"),
        ("1831", "ASSAULT", "suicide-attack"),
        ("190", "ASSAULT", None),
        ("195", "ASSAULT", "aerial"),
        ("203", "ASSAULT", "cleansing"),
    ],
)
def test_the_codes_of_cameo_are_those_of_plover(
    code: str, event_type: str | None, mode: str | None
) -> None:
    event = importer("gdelt").event(gdelt(EventCode=code))
    assert (event["event_type"], event["mode"]) == (event_type, mode)


@pytest.mark.parametrize(
    ("kind", "name", "fips", "place"),
    [
        ("1", "Ukraine", "UP", {"country": "UKR", "geo_precision": 6}),
        (
            *("2", "Missouri, United States", "US"),
            {"country": "USA", "admin1": "Missouri", "geo_precision": 4},
        ),
        ("1", "Congo", "CF", {"country": "COG", "geo_precision": 6}),
        ("4", "Gaza, Gaza Strip", "GZ", {"country": "PSE", "name": "Gaza", "geo_precision": 1}),
        ("0", "Oceans", "OS", {"name": "Oceans"}),
        ("0", "", "", None),
    ],
)  # fmt: skip
def test_the_places_of_gdelt_have_the_countries_of_iso(
    kind: str, name: str, fips: str, place: dict[str, Any] | None
) -> None:
    cells = gdelt(
        ActionGeo_Type=kind,
        ActionGeo_FullName=name,
        ActionGeo_CountryCode=fips,
        ActionGeo_Lat="",
        ActionGeo_Long="",
    )
    assert stated(importer("gdelt"), cells).get("place") == place


def test_a_line_of_gdelt_that_is_cut_off_is_told_by_its_columns() -> None:
    content = as_gdelt(gdelt()) + b"1002\t20250415\n" + as_gdelt(gdelt(GLOBALEVENTID="1003"))
    found = read(importer("gdelt"), content)
    assert [type(row) for row in found] == [Row, Unreadable, Row]
    assert found[1] == (
        2,
        "",
        "has 2 columns, tab-separated; GDELT 2.0 has 61, and GDELT 1.0 has 58",
    )


# --- UCDP ---------------------------------------------------------------------------------


def test_a_row_of_ucdp_is_an_event_with_three_figures_and_the_articles() -> None:
    first = "2022-03-02"
    form = importer("ucdp")
    (row,) = read(form, as_csv(ucdp()))
    assert isinstance(row, Row)
    assert form.identify(row.cells) == "412700"
    assert stated(form, row.cells) == {
        "title": "Government of Russia - Government of Ukraine: Chernihiv town",
        "event_type": "ASSAULT",
        "tags": ["state-based conflict", "russia - ukraine"],
        "occurred": "2022-03-01/2022-03-03",
        "place": {
            "name": "Chernihiv town",
            "country": "UKR",
            "admin1": "Chernihiv oblast",
            "lat": "51.505",
            "lon": "31.284",
            "geo_precision": 2,
        },
        "participants": [
            {"name": "Government of Russia (Soviet Union)"},
            {"name": "Government of Ukraine", "role": "recipient"},
        ],
        "quantities": [  # best above high: as UCDP has it
            {
                "measure": "killed",
                "value": "7",
                "low": "3",
                "high": "5",
                "unit": "person",
                "source_ids": ["ucdp-ged"],
            }
        ],
        "citations": [
            {"source_id": "ucdp-ged"},
            {"source": {"title": "A first report", "publisher": "Reuters", "published": first}},
            {"source": {"title": "A second report", "publisher": "AFP", "published": "2022-03-03"}},
        ],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "occurred"),
    [
        ("2022-03-01", "2022-03-01", "2022-03-01"),
        ("2022-03-01 00:00:00.000", "2022-03-01 00:00:00", "2022-03-01"),
        ("2022-03-01T00:00:00", "2022-03-01T00:00:00", "2022-03-01"),
        ("2022-02-01T00:00:00", "2022-02-28T00:00:00", "2022-02"),
        ("2022-02-01", "2022-02-28", "2022-02"),
        ("2022-01-01", "2022-12-31", "2022"),
        ("2022-02-01", "2022-02-27", "2022-02-01/2022-02-27"),
    ],
)
def test_a_range_of_days_is_a_month_or_a_year_where_it_is_just_that(
    first: str, last: str, occurred: str
) -> None:
    cells = ucdp(date_start=first, date_end=last)
    assert importer("ucdp").event(cells)["occurred"] == occurred


@pytest.mark.parametrize(("name", "column"), [("ucdp", "date_end"), ("gdelt", "SQLDATE")])
def test_the_column_of_a_date_that_no_event_can_have_is_known(name: str, column: str) -> None:
    assert importer(name).column_of("occurred") == column


def test_a_file_without_the_columns_of_ucdp_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no such columns in the header"):
        read(importer("ucdp"), b"id,name\n1,x\n")


# --- Whatever comes -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content"), [("gdelt", as_gdelt(gdelt())), ("ucdp", as_csv(ucdp()))]
)
def test_every_cell_of_a_row_is_in_its_event_as_it_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    monkeypatch.chdir(tmp_path)
    done("init", "--title", "A story")
    Path("file").write_bytes(content)
    done("import", name, "file")
    (event,) = json.loads(done("export", "json"))["events"]
    (row,) = read(importer(name), content)
    assert isinstance(row, Row)
    said = {column: cell for column, cell in row.cells.items() if cell}
    assert [*event["extra"][name].items()] == [*said.items()]


@pytest.mark.parametrize(
    ("name", "content", "columns"),
    [
        ("gdelt", as_gdelt(gdelt(EventCode="---", DATEADDED="soon")), ["EventCode", "DATEADDED"]),
        ("gdelt", as_gdelt(gdelt(ActionGeo_Lat="464639")), ["ActionGeo_Lat"]),
        ("gdelt", as_gdelt(gdelt(SOURCEURL="https://example.org/a b")), ["SOURCEURL"]),
        ("ucdp", as_csv(ucdp(latitude="no", country="Ruritania")), ["country", "latitude"]),
        ("ucdp", as_csv(ucdp(best="many", where_prec="9")), ["where_prec", "best"]),
    ],
)
def test_a_bad_cell_of_a_publisher_is_left_out_by_its_column(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes, columns: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    done("init", "--title", "A story")
    Path("file").write_bytes(content)
    outcome = json.loads(done("import", name, "file", "--json"))
    assert outcome["recorded"] == 1
    assert {group["column"] for group in outcome["left_out"]} == {*columns}


@pytest.mark.parametrize(
    ("name", "files", "path"),
    [
        ("gdelt", [as_gdelt(gdelt(EventCode=code)) for code in ("043", "190")], "/event_type"),
        ("ucdp", [as_csv(ucdp(best=best, adm_2="")) for best in ("7", "8")], "/quantities/0/value"),
    ],
)
def test_a_later_file_changes_what_it_says_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, files: list[bytes], path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    done("init", "--title", "A story")
    for day, content in zip(("2025-06-01", "2025-06-02"), files, strict=True):
        Path("file").write_bytes(content)
        done("import", name, "file", "--complete", "--reported-at", day)
    (event,) = json.loads(done("export", "json"))["events"]
    changes = json.loads(done("history", event["event_id"], "--json"))[1]["changes"]
    assert path in [change["path"] for change in changes]


@pytest.mark.parametrize(
    ("name", "content"), [("gdelt", as_gdelt(gdelt())), ("ucdp", as_csv(ucdp()))]
)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=30)
def test_bytes_that_went_wrong_never_end_in_more_than_a_refusal(
    name: str, content: bytes, seed: int
) -> None:
    maker = random.Random(seed)
    broken = bytearray(content)
    for _ in range(maker.randint(1, 8)):
        broken[maker.randrange(len(broken))] = maker.randrange(256)
    form = importer(name)
    with contextlib.suppress(InvalidInput):
        for row in read(form, bytes(broken)):
            if isinstance(row, Row):
                with contextlib.suppress(InvalidInput):
                    form.identify(row.cells)
                    form.tally(row.cells)
                    validate(Statement, form.event(row.cells))


# --- Reading ------------------------------------------------------------------------------


def cells_of(content: bytes) -> list[Cells | tuple[int, str]]:
    return [
        row.cells if isinstance(row, Row) else (row.line, row.reason)
        for row in rows(plain(io.BytesIO(content)))
        if not isinstance(row, FileNote)
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\r\n1,2\r\n3,4\r\n",
        b"\xef\xbb\xbfa;b\n1;2\n\n3;4",
        b"a\tb\n1\t2\n3\t4\n",
        b"a,b,,\n1,2,,\n3,4,,\n",
        "a,b\n1,2\n3,4\n".encode("utf-16"),
        b'[{"a": 1, "b": "2"},\n {"a": "3", "b": 4}]',
        b'{"a": 1, "b": "2"}\n\n{"a": "3", "b": 4}\n',
        gzip.compress(b"a,b\n1,2\n3,4\n", mtime=0),
    ],
)
def test_rows_are_the_same_in_csv_and_json_packed_or_not(content: bytes) -> None:
    assert cells_of(content) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]


def test_what_is_nested_in_json_gets_names_with_dots() -> None:
    content = b'[{"a": {"b": [1.50, true, null, {"c": "x"}]}, "d": [], "e": 1e3}]'
    assert cells_of(content) == [{"a.b.0": "1.50", "a.b.1": "true", "a.b.3.c": "x", "e": "1E+3"}]


def test_what_cannot_be_read_is_said_with_its_line_and_the_rest_is_read() -> None:
    assert cells_of(b'a,b\n1,2,3\n"x\n4,5\n"y"z,1\n6,7\n')[0] == (
        2,
        "has 3 cells where the header has 2",
    )
    assert cells_of(b'[{"a": 1},\n 5,\n{"a": 1, "a": 2},\n{"b": "]}"}]') == [
        {"a": "1"},
        (2, 'is no object with fields: "5"'),
        (3, 'has the key "a" twice'),
        {"b": "]}"},
    ]
    assert cells_of(b'{"a": 1}\n{"a": }\n{"b": 2}') == [
        {"a": "1"},
        (2, "is not JSON: Expecting value at character 7"),
        {"b": "2"},
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"<!doctype html>", "is a web page, not data"),
        (b'[{"a": 1},', "ends within the array"),
        (gzip.compress(b"a,b\n1,2\n" * 99, mtime=0)[:-9], "cannot be unpacked"),
    ],
)
def test_what_is_no_file_of_rows_is_refused(content: bytes, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        cells_of(content)


@given(
    items=st.lists(
        st.dictionaries(
            st.text(
                st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1
            ),
            st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00")),
            max_size=4,
        ),
        max_size=8,
    ),
    indent=st.sampled_from([None, 1]),
    size=st.integers(1, 40),
)
def test_an_array_is_read_whatever_the_pieces_in_which_it_comes(
    items: list[dict[str, str]], indent: int | None, size: int
) -> None:
    from timeline.formats.importers.json_rows import array_rows

    text = json.dumps(items, ensure_ascii=False, indent=indent)
    pieces = (text[start : start + size] for start in range(0, len(text), size))
    found = [*array_rows(pieces, 1)]
    assert [row.cells for row in found if isinstance(row, Row)] == items
    starts = [row.line for row in found]
    assert starts == sorted(starts)


def test_a_file_of_any_length_is_read_a_row_at_a_time() -> None:
    """The reader takes a few chunks at most ahead of the row that it gives."""

    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            text = (b'{"a": "1"},' * (len(buffer) // 11 + 1))[: len(buffer) - len(buffer) % 11]
            text = text if self.taken else b"[" + text[:-11]
            buffer[: len(text)] = text
            Endless.taken += len(text)
            return len(text)

    found: Iterator[Row | Unreadable | FileNote] = rows(io.BufferedReader(Endless()))  # type: ignore[arg-type]
    for _ in range(100_000):
        assert next(found)
    assert Endless.taken < 100_000 * 11 + 2**18


class Endless(io.RawIOBase):
    """A file that never ends: a beginning, then one piece again and again."""

    def __init__(self, beginning: bytes, piece: bytes) -> None:
        self.taken = 0
        self._rest = beginning
        self._piece = piece * (2**16 // len(piece) or 1)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._rest = self._rest or self._piece
        text, self._rest = self._rest[: len(buffer)], self._rest[len(buffer) :]
        buffer[: len(text)] = text
        self.taken += len(text)
        return len(text)


@pytest.mark.parametrize(
    ("name", "beginning", "piece", "line"),
    [
        ("gdelt", b"", b"x", 1),
        ("gdelt", as_gdelt(gdelt()), b"\t", 2),
        ("gdelt", b"", b"\0", 1),
        ("ucdp", b"", b"a,", 1),
        ("ucdp", as_csv(ucdp()), b"x", 4),
        ("ucdp", as_csv(ucdp()), b'"a\nb",', 4),
        ("mapped", b'{"id": 1}\n{"id": "', b"x", 2),
        ("mapped", b'{"id": "', b'\\"', 1),
        ("mapped", b'[{"id": 1},\n{"id": "', b"x", 2),
        ("mapped", b'[{"id": "', b'\\"', 1),
        ("mapped", b"[", b"x", 1),
        ("timelinejs", b'{"events": [', b"{},", None),
        ("timelinejs", b"Year,Headline\n", b"1950,A bridge\n", None),
    ],
    ids=lambda value: repr(value)[:12],
)
def test_of_a_line_without_an_end_no_more_is_read_than_a_line_can_hold(
    name: str, beginning: bytes, piece: bytes, line: int | None, tmp_path: Path
) -> None:
    mapping = tmp_path / "map.toml"
    mapping.write_text('scheme = "a"\nid = "id"\n[fields]\ntitle = "id"\noccurred = "id"\n')
    file = Endless(beginning, piece)
    form = importer(name, mapping if name == "mapped" else None)
    with pytest.raises(InvalidInput, match="is longer than 16 MiB") as raised:
        [*form.read(plain(file))]  # type: ignore[arg-type]
    assert raised.value.line == line
    assert file.taken < text_files.LONGEST_LINE + len(beginning) + 2**17


@pytest.mark.parametrize("name", ["gdelt", "ucdp", "timelinejs"])
def test_a_packed_file_that_grows_beyond_measure_is_refused(name: str) -> None:
    line = b"x" * 2**20 + b"\n"
    head = {"ucdp": as_csv(ucdp()), "gdelt": as_gdelt(gdelt())}.get(name, b"")
    content = io.BytesIO(gzip.compress(head + line * 64))
    with pytest.raises(InvalidInput, match="unpacks to more than 200 times its size"):
        [*importer(name).read(plain(content))]


def test_a_packed_file_may_unpack_to_a_part_of_a_disk_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("timeline.formats.importers.packed._LARGEST", 2**24)
    text = random.Random(1).randbytes(2**20).hex()
    packed = gzip.compress(as_gdelt(gdelt(SOURCEURL=text)))
    content = Endless(b"", packed)
    with pytest.raises(InvalidInput, match="GiB: if that is right, unpack it with gunzip first"):
        [*importer("gdelt").read(plain(content))]  # type: ignore[arg-type]
    assert content.taken < 2**24


@pytest.mark.parametrize("size", [0, 1, 2**16, 2**20])
def test_a_packed_file_reads_as_it_is(size: int) -> None:
    content = random.Random(size).randbytes(size)
    packed = gzip.compress(content[: size // 2]) + gzip.compress(content[size // 2 :])
    assert plain(io.BytesIO(packed)).read() == content
    assert b"".join(text_files.lines(plain(io.BytesIO(packed)))) == content


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b'{"a": [' + b"1, " * 10_000 + b"1]}", "has more than 10,000 values"),
        (b'{"a": ' + b'{"%s": ' % (b"k" * 200) * 9 + b"1" + b"}" * 10, "has a name of more than"),
        (b'{"a": [' + b"[], " * 10_001 + b"1]}", None),
    ],
)
def test_a_row_has_no_more_values_and_no_longer_names_than_somebody_can_use(
    content: bytes, problem: str | None
) -> None:
    """The names of nested values are much longer than the file, so it would be a bomb too."""
    (found,) = cells_of(content)
    assert isinstance(found, tuple) == (problem is not None)
    assert problem is None or problem in found[1]
    events = importer("timelinejs").read(io.BytesIO(b'{"events": [' + content + b"]}"))
    assert isinstance(next(events), Unreadable) == (problem is not None)


# --- Spelling -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("12", "12"), ("12.0", "12"), ("+12", "12"), ("1.2e1", "12"), ("1,234", "1234"),
        ("1 234 567.50", "1234567.5"), ("-0.0", "0"), (".5", "0.5"), ("1'234", "1234"),
        ("0012", "12"), ("about 12", "about 12"), ("1,23", "1,23"), ("", ""), ("NaN", "NaN"),
        ("1_000", "1_000"), ("1e999", "1e999"),
    ],
)  # fmt: skip
def test_a_number_has_one_spelling(text: str, normal: str) -> None:
    assert number(text) == normal
    assert number(normal) == normal


def test_a_decimal_comma_is_one_where_the_mapping_says_so() -> None:
    assert number("1.234,5", decimal=",") == "1234.5"
    assert number("12,5", decimal=",") == "12.5"
    assert number("1.234", decimal=",") == "1234"


@given(st.decimals(-(10**12), 10**12, places=3))
def test_any_number_reads_as_itself(value: Any) -> None:
    assert float(number(f"{value:f}")) == float(value)
    assert number(f"{value:,f}") == number(f"{value:f}") == number(f"{value:e}")


def test_dates_have_one_spelling_and_those_with_two_readings_none() -> None:
    assert date("15 April 2025") == date("15.04.2025") == date("2025-04-15") == "2025-04-15"
    assert date("04/15/25", ("%m/%d/%y",)) == "2025-04-15"
    assert date("2025-04-15 10:30", ("%Y-%m-%d %H:%M",)) == "2025-04-15T10:30"
    with pytest.raises(ValueError, match="2025-05-04"):
        date("04/05/2025")


def test_a_span_of_years_is_edtf_only_where_the_mapping_says_so() -> None:
    assert date("1914-18") == "1914/1918"
    assert date("2023-24", ("edtf",)) == "2023-24"
    with pytest.raises(ValueError, match="winter 2023 or 2023 to 2024"):
        date("2023-24")


def test_a_vague_date_keeps_its_words_in_a_mapped_file(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text('scheme = "s"\nid = "no"\n[fields]\ntitle = "what"\noccurred = "when"\n')
    form = importer("mapped", path)
    (row,) = read(form, b"no,what,when\n1,Inspection,mid-April 2025\n")
    assert isinstance(row, Row)
    assert form.reading(row.cells).fields == {
        "title": "Inspection",
        "occurred": "2025-04-11/2025-04-20",
        "occurred_text": "mid-April 2025",
        "occurred_basis": "resolved",
    }


def test_an_id_with_zeros_in_front_is_not_the_one_without() -> None:
    assert respelled("007", "7", None) is None


# --- Mappings -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mapping", "problem"),
    [
        ("scheme = ", "is not TOML"),
        (MAPPING.replace('scheme = "casualties"', ""), "scheme: must be a short name"),
        (MAPPING.replace('id = "Ref"', ""), "id: must be the column"),
        (MAPPING.replace("scheme =", "shceme ="), "shceme: is not a setting: did you mean scheme?"),
        (
            MAPPING.replace("title =", "titel ="),
            "fields.titel: is no field .*: did you mean title?",
        ),
        (MAPPING.replace("occurred =", '"occurred_text" ='), "fields.occurred: is required"),
        (
            MAPPING.replace("split =", "spilt ="),
            "fields.tags.spilt: is not a setting: did you mean",
        ),
        (MAPPING.replace('text = "{Kind}', 'value = 1, text = "{Kind}'), "must have one of column"),
        (MAPPING.replace('summary = "Notes"', "summary = 3"), "fields.summary: must be a column"),
        (MAPPING.replace('url = "https:', 'url = "ftp:'), "source.url: must be a web address"),
    ],
)
def test_a_mapping_is_checked_before_a_row_is_read(
    tmp_path: Path, mapping: str, problem: str
) -> None:
    path = tmp_path / "map.toml"
    path.write_text(mapping)
    with pytest.raises(InvalidInput, match=problem):
        importer("mapped", path)


def test_a_mapping_goes_with_mapped_and_mapped_needs_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done("init", "--title", "A story")
    Path("map.toml").write_text(MAPPING)
    Path("file").write_bytes(as_csv(ucdp()))
    assert one_line(run("import", "mapped", "file")).startswith("map: is required")
    result = run("import", "ucdp", "file", "--map", "map.toml")
    assert one_line(result) == "map: goes with mapped: the columns of ucdp are known"


def test_a_column_of_the_mapping_that_the_file_lacks_is_named_with_the_nearest(
    tmp_path: Path,
) -> None:
    path = tmp_path / "map.toml"
    path.write_text(MAPPING)
    content = b"Ref,Kind,Town,Country,Date,Dead,Notes,Topics,Confidence\n1,Talks,x,,,,,,\n"
    with pytest.raises(InvalidInput, match="Day: no such column in the header"):
        read(importer("mapped", path), content)


def test_items_without_a_value_are_left_out_and_fixed_ones_stay(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(
        """
        scheme = "losses"
        id = "date"
        [fields]
        title = { value = "Claimed losses" }
        occurred = "date"
        "quantities.0.measure" = { value = "lost" }
        "quantities.0.unit" = { value = "tank" }
        "quantities.0.value" = "tank"
        "quantities.1.measure" = { value = "lost" }
        "quantities.1.unit" = { value = "submarine" }
        "quantities.1.value" = "submarines"
        "relations.0.type" = { value = "part_of" }
        "relations.0.event_id" = { value = "losses" }
        """
    )
    form = importer("mapped", path)
    row, note = read(form, b'[{"date": "2025-12-31", "tank": -25}]')
    assert isinstance(row, Row)
    assert note == FileNote("no row has submarines: what it fills stays empty")
    assert form.reading(row.cells).fields == {
        "title": "Claimed losses",
        "occurred": "2025-12-31",
        "quantities": [{"measure": "lost", "unit": "tank", "value": "-25"}],
        "relations": [{"type": "part_of", "event_id": "losses"}],
    }


def test_the_cells_of_a_row_are_below_what_the_log_says_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done("init", "--title", "A story")
    Path("file").write_bytes(as_gdelt(gdelt()))
    done("import", "gdelt", "file")
    shown = done("show", "gdelt-1001")
    assert shown.index("Also\n") < shown.index("As gdelt has it\n") < shown.index("SQLDATE")


# --- Other packages -----------------------------------------------------------------------


def test_another_package_brings_a_format_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "seismic.py").write_text(
        """
from timeline.importers import Format, Tally, rows

def importer(mapping):
    return Format(
        scheme="seismic",
        read=rows,
        identify=lambda cells: cells["id"],
        event=lambda cells: {"title": cells["what"], "occurred": cells["when"]},
        tally=lambda cells: Tally({}),
        identifying=frozenset(["id"]),
    )
"""
    )
    metadata = tmp_path / "seismic-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: seismic\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text("[timeline.importers]\nseismic = seismic:importer\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert "seismic" in names()
    done("init", "--title", "A story")
    Path("file.csv").write_text("id,what,when\nq1,A tremor,2025-04-15\n")
    assert done("import", "seismic", "file.csv").startswith("1 row: 1 recorded.")
    assert "A tremor" in done("show", "seismic-q1")
