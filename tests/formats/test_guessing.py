"""The columns and dates of sheets that nobody described, and what stands in their cells."""

import csv
import io
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from timeline.errors import InvalidInput
from timeline.formats.guessing import columns, contents, dates
from timeline.formats.guessing.guess import Guess, guess
from timeline.formats.imports import Row
from timeline.formats.several_in_cell import links_in, names_in
from timeline.model.vocabulary import plover


def guessed(text: str, delimiter: str = ",") -> Guess:
    found = csv.DictReader(io.StringIO(text), delimiter=delimiter)
    rows = [Row(line, dict(cells)) for line, cells in enumerate(found, 2)]
    seen = contents.columns_of(rows)
    terms = plover().event_types
    return guess(seen, "sheet", terms)


def left_out(found: Guess) -> dict[str, str]:
    return {each.column: each.why for each in found.columns if not each.becomes}


# --- Names of columns ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Start-Date", "start"),
        ("StartDate", "start"),
        ("EVENT_DATE", "date"),
        ("Дата події", "date"),
        ("Datum", "date"),
        ("Où", "place"),
        ("Quién", "people"),
        ("Źródło", "link"),
        ("مكان", "place"),
        ("Bron", "link"),
        ("source 2", "link"),
        ("Source2", "link"),
        ("Amount (EUR)", "figure"),
        ("Number of people killed", "killed"),
        ("№", "number"),
        ("Bemerkungen", "working"),
        ("Last Modified By", "working"),
        ("Erledigt?", "working"),
    ],
)
def test_the_name_of_a_column_says_its_role(name: str, role: str) -> None:
    assert columns.roles(name)[0].name == role


def test_a_short_name_is_no_part_of_a_longer_one() -> None:
    assert not columns.roles("zzz to qqq")


# --- Sheets -------------------------------------------------------------------------------

UKRAINIAN = """\
№;Дата;Подія;Місто;Широта;Довгота;Учасники;Джерело;Загинуло;Збитки (UAH);Статус
1;03.02.2025;Обстріл порту;Одеса;46,4825;30,7233;ДСНС; https://example.ua/port ;2;1250000,50;так
2;14.02.2025;Засідання ради;Ізмаїл;45,3511;28,8367;Рада / Іван Коваль;https://example.ua/r;;;ні
3;20.02.2025;Евакуація лікарні;Рені;45,4566;28,2830;ДСНС;example.ua/reni;;;
"""


def test_a_ukrainian_sheet_with_semicolons_and_decimal_commas() -> None:
    found = guessed(UKRAINIAN, ";")
    assert found.mapping == {
        "scheme": "sheet",
        "id": "Подія",
        "language": "uk",
        "decimal": ",",
        "leave_out": ["№", "Статус"],
        "fields": {
            "title": "Подія",
            "occurred": {"column": "Дата"},
            "place.name": "Місто",
            "place.lat": "Широта",
            "place.lon": "Довгота",
            "participants": {"column": "Учасники", "split": "names"},
            "citations": {"column": "Джерело", "split": "links"},
            "quantities": [
                {"column": "Загинуло", "split": ";", "measure": "killed"},
                {
                    "column": "Збитки (UAH)",
                    "split": ";",
                    "measure": "збитки",
                    "unit": "UAH",
                },
            ],
        },
    }
    assert left_out(found) == {"№": "counts the rows", "Статус": "about the work on the sheet"}


GERMAN = """\
Datum,Ort,Ereignis,Beschreibung,Quelle,Verletzte,Bearbeiter
12. März 2025,Musterstadt,Brand im Lager,In der Nacht fehlte Löschwasser.,https://example.de/b,3,KL
15.03.2025,Musterstadt,Rat tagt,Sondersitzung des Rates.,https://example.de/rat,,MW
"""


def test_a_german_sheet() -> None:
    found = guessed(GERMAN)
    assert found.mapping["fields"] == {
        "title": "Ereignis",
        "occurred": {"column": "Datum"},
        "place.name": "Ort",
        "citations": {"column": "Quelle", "split": "links"},
        "summary": "Beschreibung",
        "quantities": {"column": "Verletzte", "split": ";", "measure": "injured"},
    }
    assert [*left_out(found)] == ["Bearbeiter"]


def test_countries_named_in_the_language_of_the_sheet_get_their_codes() -> None:
    found = guessed("Datum,Titel,Land\n2025-04-01,Wahl,Österreich\n2025-04-02,Rede,Germany\n")
    assert found.mapping["fields"]["place.country"] == {
        "column": "Land",
        "words": {"Österreich": "AUT", "Germany": "DEU"},
    }


AIRTABLE = """\
Name,Start Date,End Date,Location,Involved Parties,Source URL,Event Type,Internal Notes,Created Time
Strike at the mill,3/5/2025,3/9/2025,Port Hale,"Mill Workers Union, Hale Steel Works",\
https://example.org/strike,Protest,call Ann,3/10/2025 9:14am
Talks resume,3/21/2025,,Port Hale,Hale Steel Works,https://example.org/talks,Consultation,,
"""


def test_an_export_of_airtable_with_start_and_end() -> None:
    found = guessed(AIRTABLE)
    assert found.mapping["fields"]["occurred"] == {"start": "Start Date", "end": "End Date"}
    assert found.mapping["fields"]["event_type"] == "Event Type"
    assert found.mapping["fields"]["participants"]["column"] == "Involved Parties"
    assert [*left_out(found)] == ["Internal Notes", "Created Time"]


def test_words_that_the_log_does_not_know_as_types_become_tags() -> None:
    found = guessed(AIRTABLE.replace("Consultation", '"Chat, long"'))
    assert found.mapping["fields"]["tags"] == {"column": "Event Type", "split": ","}
    assert "event_type" not in found.mapping["fields"]


BY_PARTS = """\
event_id,year,month,day,country,city,summary,nkill,nwound,source1,source2
A1,1970,7,2,Italy,Milan,A bomb goes off in a bank,3,12,https://example.org/a,https://example.org/b
A2,1970,7,0,Italy,Turin,Threats are made,0,0,https://example.org/c,
A3,1970,0,0,France,Lyon,An undated attack,,,,
"""


def test_a_sheet_with_year_month_and_day() -> None:
    found = guessed(BY_PARTS)
    assert found.mapping["id"] == "event_id"
    fields = found.mapping["fields"]
    assert fields["title"] == "summary"
    assert fields["occurred"] == {"year": "year", "month": "month", "day": "day"}
    assert fields["citations"] == [
        {"column": "source1", "split": "links"},
        {"column": "source2", "split": "links"},
    ]


def test_start_and_end_by_their_parts() -> None:
    found = guessed(
        "Start Year,Start Month,Start Day,End Year,End Month,End Day,What\n"
        "1970,7,2,1970,7,9,Flood\n1971,3,,1971,,,Storm\n"
    )
    assert found.mapping["fields"]["occurred"] == {
        "start": {"year": "Start Year", "month": "Start Month", "day": "Start Day"},
        "end": {"year": "End Year", "month": "End Month", "day": "End Day"},
    }
    assert "leave_out" not in found.mapping


def test_an_id_that_some_rows_lack_does_not_tell_them_apart() -> None:
    found = guessed("ID,Date,Title\na1,2025-04-01,One\n,2025-04-02,Two\n")
    assert found.mapping["id"] == "Title"
    assert left_out(found) == {"ID": "not in every row"}


def test_a_title_that_most_rows_lack_gives_way_to_type_and_place() -> None:
    found = guessed(
        "Disaster Type,Event Name,Location,Start Year,Start Month,Entry Date,No. Affected\n"
        "Flood,Xaver,Sumy,2001,6,2006-03-01,1000\nDrought,,Rivne,2002,,2006-03-02,20\n"
        "Storm,,Lviv,2003,1,2006-03-02,\n"
    )
    fields = found.mapping["fields"]
    assert fields["title"] == {"text": "{Disaster Type}: {Location}"}
    assert fields["occurred"] == {"year": "Start Year", "month": "Start Month"}
    assert fields["quantities"]["measure"] == "affected"
    assert fields["quantities"]["unit"] == "person"


def test_a_form_asks_for_the_date_beside_its_time_stamp() -> None:
    found = guessed(
        "Timestamp,Email Address,What did you see?,When was it? (dd.mm.yyyy),Body camera\n"
        "3/12/2025 14:02:11,a@example.org,Two trucks on the bridge,11.03.2025 21:00,no\n"
    )
    fields = found.mapping["fields"]
    assert fields["occurred"] == {"column": "When was it? (dd.mm.yyyy)"}
    assert fields["title"] == "What did you see?"
    assert [*left_out(found)] == ["Timestamp", "Email Address", "Body camera"]


def test_a_figure_without_a_unit_is_left_out_with_what_to_do() -> None:
    found = guessed("Date,Title,Cost,Damage\n2025-04-01,Fire,1200,EUR 3m\n")
    assert left_out(found) == {"Cost": "no unit: say unit in the mapping"}
    assert found.mapping["fields"]["quantities"]["measure"] == "damage"


def test_an_image_goes_in_if_a_column_says_what_it_shows() -> None:
    text = "Date,Title,Photo,Alt text,Credit\n2025-04-01,Fire,https://a.org/p.jpg,A fire,Ann\n"
    fields = guessed(text).mapping["fields"]
    assert fields["media.0.url"] == "Photo"
    assert fields["media.0.alt"] == "Alt text"
    assert fields["media.0.credit"] == "Credit"
    found = guessed(text.replace("Alt text", "Colour"))
    assert left_out(found)["Photo"] == "no column says what it shows (Alt)"


def test_a_column_called_day_may_hold_dates() -> None:
    found = guessed("no,what,day\n1,First,2025-04-15\n2,Second,2025-04-16\n")
    assert found.mapping["fields"]["occurred"] == {"column": "day"}


def test_type_and_place_make_a_title_where_no_column_has_one() -> None:
    found = guessed("event_date,kind,location\n2025-04-15,Clash,Sumy\n2025-04-16,Clash,Rivne\n")
    assert found.mapping["fields"]["title"] == {"text": "{kind}: {location}"}
    assert found.mapping["id"] == ["event_date", "kind", "location"]


def test_one_link_to_a_row_takes_its_title_and_publisher_along() -> None:
    found = guessed(
        "date,title,source_url,source_title,outlet\n"
        "2025-04-15,One,https://example.org/1,Report,Post\n"
        "2025-04-16,Two,https://example.org/2,Letter,Post\n"
    )
    assert {
        path: name for path, name in found.mapping["fields"].items() if path.startswith("citat")
    } == {
        "citations.0.source.url": "source_url",
        "citations.0.source.title": "source_title",
        "citations.0.source.publisher": "outlet",
    }


def test_columns_with_names_that_say_nothing_are_known_by_their_cells() -> None:
    found = guessed(
        "a;b;c;d\n"
        "2025-03-01;The first thing happened at the gate;https://example.org/1;50.45, 30.52\n"
        "2025-03-04;The second thing happened by the river;https://example.org/2;50.46, 30.50\n",
        ";",
    )
    fields = found.mapping["fields"]
    assert fields["title"] == "b"
    assert fields["occurred"] == {"column": "a"}
    assert fields["place.lat"] == "d"
    assert fields["citations"] == {"column": "c", "split": "links"}


def test_a_known_name_over_other_cells_is_given_up() -> None:
    found = guessed("Date,Title,Dead\n2025-04-01,A flood,nobody knows\n2025-04-02,A fire,many\n")
    assert "quantities" not in found.mapping["fields"]
    assert left_out(found) == {"Dead": "holds no figures"}


def test_rows_are_told_apart_by_more_than_the_title_if_a_title_stands_twice() -> None:
    found = guessed("Date,Title,Place\n2025-04-01,Shelling,Sumy\n2025-04-02,Shelling,Sumy\n")
    assert found.mapping["id"] == ["Title", "Date", "Place"]


def test_a_sheet_without_dates_is_refused_with_what_was_seen() -> None:
    with pytest.raises(InvalidInput, match=r"has no column with dates \(Title: A flood"):
        guessed("Title,Place\nA flood,Sumy\n")


def test_a_sheet_without_titles_is_refused() -> None:
    with pytest.raises(InvalidInput, match="has no column that looks like a title: Date, Dead"):
        guessed("Date,Dead\n2025-04-01,3\n")


# --- Dates of a column --------------------------------------------------------------------


def said(cells: list[str], **settled: object) -> list[str]:
    return [dates.in_words(each) for each in dates.settled(cells, **settled).settled]  # type: ignore[arg-type]


def test_one_date_settles_the_order_of_the_column() -> None:
    found = dates.settled(["3/5/25", "3/21/25"])
    assert found.day_first is False
    assert said(["3/5/25", "3/21/25"]) == ["3/5/25: 5 March 2025, the month first, as 3/21/25"]


def test_a_column_with_both_orders_is_settled_by_the_rows_around() -> None:
    cells = ["2 Apr 2025", "4/5/25", "4/14/25", "16/4/25", "1 May 2025"]
    found = dates.settled(cells)
    assert found.day_first is None
    assert found.words == {"4/5/25": "2025-04-05", "16/4/25": "2025-04-16"}
    assert said(cells) == [
        "4/5/25: 5 April 2025, the month first, by the rows above and below",
        "16/4/25: 16 April 2025, the day first, as the month is not above 12",
    ]


def test_a_date_that_nothing_settles_stays_in_doubt() -> None:
    found = dates.settled(["1/4/25", "3/4/25"])
    assert not found.settled
    assert [each.readings for each in found.in_doubt] == [
        ("2025-04-01", "2025-01-04"),
        ("2025-04-03", "2025-03-04"),
    ]
    assert dates.settled(["1/4/25"], day_first=False).settled[0].edtf == "2025-01-04"


def test_only_english_has_the_month_first() -> None:
    found = dates.settled(["03.02.2025"], language="de")
    assert found.settled[0].edtf == "2025-02-03"
    assert found.day_first is True


def test_one_text_that_two_places_settle_in_two_ways_stays_in_doubt() -> None:
    cells = [
        *("1 April 2025", "4/5/25", "10 April 2025", "14/4/25", "4/15/25"),
        *("3 May 2025", "4/5/25", "6 May 2025"),
    ]
    found = dates.settled(cells)
    assert [each.row for each in found.in_doubt] == [1, 6]
    assert "4/5/25" not in found.words


def test_days_as_excel_counts_them_are_read_and_told() -> None:
    assert said(["45767"]) == ["45767: 20 April 2025, as Excel counts the days"]


def test_a_missing_year_comes_from_the_order_of_the_rows() -> None:
    found = dates.settled(["12 Apr", "14 April 2025", "15 Apr 3:55am", "Apr 16-17"])
    assert found.year == 2025
    assert [each.edtf for each in found.settled] == [
        "2025-04-12",
        "2025-04-15T03:55",
        "2025-04-16/2025-04-17",
    ]


def test_a_missing_year_changes_with_the_turn_of_the_year() -> None:
    found = dates.settled(["3 Nov", "20 Dec 2024", "5 Jan", "2 Feb"])
    assert found.year is None
    assert found.words == {"3 Nov": "2024-11-03", "5 Jan": "2025-01-05", "2 Feb": "2025-02-02"}


def test_a_date_in_digits_without_a_year_has_both_settled() -> None:
    assert dates.settled(["3 Feb 2025", "4/2", "14/2"]).settled[0].edtf == "2025-02-04"
    found = dates.settled(["3 Feb 2025", "4/2", "9 Feb 2025"])
    assert found.words == {"4/2": "2025-02-04"}
    assert dates.settled(["3 Feb", "4/2"], year=2025).in_doubt[0].readings == (
        "2025-02-04",
        "2025-04-02",
    )


def test_a_year_that_was_given_counts_for_all_dates_without_one() -> None:
    assert said(["3 Nov", "20 Dec 2024"], year=2023) == ["3 Nov: 3 November 2023, from --year"]


def test_a_year_that_no_row_says_is_not_invented() -> None:
    found = dates.settled(["3 Nov", "5 Jan"])
    assert found.year is None
    assert not found.settled
    assert [each.readings for each in found.without_year] == [(), ()]


@pytest.mark.parametrize(
    "cell", ["", "tbc", "TBA", "n.d.", "?", "date not set", "Unknown", "\u0431.\u0434."]
)
def test_words_for_an_unknown_date_are_counted(cell: str) -> None:
    assert dates.settled([cell]).unknown == 1


@given(st.lists(st.integers(0, 400), min_size=3, max_size=12, unique=True), st.booleans())
def test_a_column_in_order_never_settles_a_date_as_another_day(
    days: list[int], day_first: bool
) -> None:
    meant = [date(2024, 1, 1) + timedelta(each) for each in sorted(days)]
    order = "{0.day}/{0.month}/{0.year}" if day_first else "{0.month}/{0.day}/{0.year}"
    cells = [
        each.isoformat() if number % 2 == 0 else order.format(each)
        for number, each in enumerate(meant)
    ]
    for found in dates.settled(cells).settled:
        assert found.edtf == meant[found.row].isoformat()


# --- Several in one cell ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("State Dept of Transport; Dana Orr", ["State Dept of Transport", "Dana Orr"]),
        ("Parish Council, Sheriff Lee Tran", ["Parish Council", "Sheriff Lee Tran"]),
        ("Рада / Іван Коваль", ["Рада", "Іван Коваль"]),
        ("NWS, FEMA", ["NWS", "FEMA"]),
        ("Orr, Dana", ["Orr, Dana"]),
        ("Acme, Inc.", ["Acme, Inc."]),
        ("Kessel Point, Baton Rouge, LA", ["Kessel Point, Baton Rouge, LA"]),
        ("Residents of Ward 3, and others", ["Residents of Ward 3, and others"]),
        ("One; Two; One", ["One", "Two"]),
        ("AC/DC", ["AC/DC"]),
        (" ", []),
    ],
)
def test_several_names_in_a_cell(cell: str, names: list[str]) -> None:
    assert names_in(cell) == names


@pytest.mark.parametrize(
    ("cell", "addresses", "words"),
    [
        ("https://a.org/x https://b.org/y", ["https://a.org/x", "https://b.org/y"], ""),
        ("https://a.org/x,https://b.org", ["https://a.org/x", "https://b.org"], ""),
        ("https://a.org/x;\nhttp://b.org/", ["https://a.org/x", "http://b.org/"], ""),
        ("https://a.org/a,b", ["https://a.org/a,b"], ""),
        ("www.example.org/fema", ["https://www.example.org/fema"], ""),
        ("example.org/paper", ["https://example.org/paper"], ""),
        ("https://a.org/Kessel_(town)", ["https://a.org/Kessel_(town)"], ""),
        ("see Facebook", [], "see Facebook"),
        ("CNN https://a.org/x", ["https://a.org/x"], "CNN"),
    ],
)
def test_several_links_in_a_cell(cell: str, addresses: list[str], words: str) -> None:
    assert [*links_in(cell).addresses] == addresses
    assert links_in(cell).words == words
