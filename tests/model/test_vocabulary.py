"""The words that the model accepts, and the files they come from."""

import csv
import json
import shutil
import subprocess
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import pycountry
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from running import CHECKOUT

from timeline.errors import InvalidInput, InvalidValue
from timeline.model import countries, hints, resources, units
from timeline.model.log_info import Term, Vocabulary
from timeline.model.names import fold
from timeline.model.terms import term
from timeline.model.vocabulary import plover, read_vocabulary, stored

FOLDER = CHECKOUT / "db" / "vocabulary"
HEAD = "code,label,definition\n"
LISTS = ("event_types", "modes", "contexts")


def lists(vocabulary: Vocabulary) -> list[Sequence[Term]]:
    return [getattr(vocabulary, kind) for kind in LISTS]


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


COUNTRIES = rows("countries.csv")
SPELLINGS = [
    (spelling, row["alpha3"])
    for row in COUNTRIES
    for spelling in [row["alpha3"], row["alpha2"], row["name"], *row["aliases"].split(";")]
    if spelling
]


def refusal(call: Callable[..., object], *arguments: object) -> str:
    """The message with which a call refuses its first argument; always one printable line."""
    with pytest.raises(InvalidValue) as caught:
        call(*arguments)
    message = str(caught.value)
    assert message == caught.value.problem
    assert message.isprintable()
    return message


def outcome(call: Callable[[str], str], text: str) -> tuple[str, str]:
    """What a call returns and "", or "" and the problem it refuses the text with."""
    try:
        return call(text), ""
    except InvalidValue as error:
        return "", error.problem


# --- the data files -------------------------------------------------------------------------


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.csv")), ids=lambda path: path.name)
def test_data_files_are_tidy(path: Path) -> None:
    raw = path.read_bytes()
    assert raw.endswith(b"\n")
    assert b"\r" not in raw
    text = raw.decode("utf-8")
    assert unicodedata.normalize("NFC", text) == text
    for row in rows(path.name):
        for cell in row.values():
            assert cell == " ".join(cell.split())
            assert cell.isprintable()


def test_countries_are_those_of_iso_3166_and_kosovo() -> None:
    official = {(each.alpha_3, each.alpha_2) for each in pycountry.countries}
    assert len(official) == 249
    ours = [(row["alpha3"], row["alpha2"]) for row in COUNTRIES]
    assert set(ours) == official | {("XKX", "XK")}
    assert ours == sorted(ours)
    assert len(ours) == 250


def test_no_two_spellings_of_countries_are_the_same() -> None:
    names = [spelling for spelling, _ in SPELLINGS]
    assert not [name for name, n in Counter(map(fold, names)).items() if n > 1]
    # And none is swallowed where punctuation and "the" do not count.
    assert all(countries.country(spelling) == alpha3 for spelling, alpha3 in SPELLINGS)
    assert len(countries._country_keys()) == len(SPELLINGS)


@pytest.mark.parametrize("attribute", ["name", "common_name", "official_name"])
def test_every_name_of_iso_3166_is_known(attribute: str) -> None:
    for each in pycountry.countries:
        name = getattr(each, attribute, None)
        if name and name != "Congo":  # ISO means Brazzaville, newspapers mostly Kinshasa
            assert countries.country(name) == each.alpha_3


def test_currencies_are_those_of_iso_4217() -> None:
    codes = [row["code"] for row in rows("currencies.csv")]
    assert set(codes) == {each.alpha_3 for each in pycountry.currencies}
    assert codes == sorted(set(codes))
    assert all(row["name"] for row in rows("currencies.csv"))


def test_no_two_currencies_have_the_same_name() -> None:
    names = Counter(row["name"] for row in rows("currencies.csv"))
    assert names.most_common(1)[0][1] == 1


def test_event_types_are_the_sixteen_of_plover() -> None:
    assert {each.code: each.label for each in plover().event_types} == {
        "AGREE": "Agreement",
        "CONSULT": "Consultation",
        "SUPPORT": "Support",
        "CONCEDE": "Concession",
        "COOPERATE": "Cooperation",
        "AID": "Aid",
        "RETREAT": "Retreat",
        "REQUEST": "Request",
        "ACCUSE": "Accusation",
        "REJECT": "Rejection",
        "THREATEN": "Threat",
        "PROTEST": "Protest",
        "SANCTION": "Sanction",
        "MOBILIZE": "Mobilization",
        "COERCE": "Coercion",
        "ASSAULT": "Assault",
    }


def test_modes_are_those_of_the_codebook_by_event_type() -> None:
    by_event_type = {
        "CONSULT": "visit third-party multilateral phone",
        "RETREAT": "withdraw release return disarm ceasefire access resign",
        "REQUEST, REJECT": "assist change yield meet",
        "ACCUSE": "disapprove investigate allege",
        "THREATEN": "restrict ban arrest relations expel territory violence",
        "PROTEST": "demo riot strike hunger boycott obstruct",
        "SANCTION": "convict expel withdraw discontinue",
        "MOBILIZE": "troops weapons police militia",
        "COERCE": "seize restrict ban censor curfew martial-law arrest deport withhold"
        " misinformation cyber",
        "ASSAULT": "abduct beat torture execute sexual assassinate destroy primitive firearms"
        " explosives suicide-attack aerial drone heavy-weapons crowd-control cleansing massacre"
        " unconventional sideAB",
    }
    codes = [each.code for each in plover().modes]
    assert codes == list(dict.fromkeys(" ".join(by_event_type.values()).split()))


def test_contexts_are_those_of_the_codebook() -> None:
    codes = (
        "military intelligence executive legislative election political_institutions"
        " pro_democracy pro_autocracy economic legal reparations human_rights rights_freedoms"
        " repression human_security gender lgbt religion_ethnicity inequality diplomatic"
        " territory peacekeeping health asylum migration disasters natural_resource environment"
        " technology terrorism cbrn cyber misinformation crime corruption illegal_drugs"
        " trafficking"
    )
    assert " ".join(each.code for each in plover().contexts) == codes
    assert len(plover().contexts) == 37


@pytest.mark.parametrize("kind", LISTS)
def test_every_plover_term_is_defined_in_one_sentence(kind: str) -> None:
    for each in getattr(plover(), kind):
        assert each.label[0].isupper()
        assert each.definition
        assert each.definition[0].isupper()
        assert each.definition.endswith(".")
        assert each.definition.count(". ") == 0


# --- fold and nearest -----------------------------------------------------------------------


@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(alphabet=st.characters(categories=["L", "N", "Zs"])))
def test_composed_and_decomposed_text_folds_alike(text: str) -> None:
    folded = fold(text)
    for form in ("NFC", "NFD"):
        assert fold(unicodedata.normalize(form, text)) == folded


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Türkiye", "turkiye"),
        ("CÔTE  D'IVOIRE\n", "cote d'ivoire"),
        ("Straße", "strasse"),
        ("™", "tm"),
        ("İzmir", "izmir"),
        ("\u00a0a\u2003b ", "a b"),
        ("", ""),
    ],
)
def test_fold_drops_case_marks_and_extra_blanks(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("word", "words", "found"),
    [
        ("actr", ["speaker", "Actor", "host"], "Actor"),
        ("MÉDIATOR", ["mediator"], "mediator"),
        ("USX", ["UGX", "USD", "USN"], "USD"),  # all as close: begins alike, then A to Z
        ("RUR", ["EUR", "RUB"], "RUB"),
        ("xyz", ["actor", "host"], None),
        ("", ["actor"], None),
        ("actor", [], None),
        ("0" * 201, ["actor", "0" * 201], "0" * 201),  # as it is, however long
    ],
)
def test_nearest_is_the_likeliest_slip(word: str, words: list[str], found: str | None) -> None:
    assert hints.nearest(word, words) == found
    assert hints.nearest(word, iter(reversed(words))) == found


@given(st.lists(st.text(min_size=1), min_size=1), st.data())
def test_nearest_to_a_known_word_is_that_word(words: list[str], data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(words))
    assume(fold(word))
    found = hints.nearest(word, words)
    assert found in words
    assert fold(str(found)) == fold(word)


# --- countries ------------------------------------------------------------------------------


@given(
    st.sampled_from(SPELLINGS),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase, str.casefold]),
    st.sampled_from(["NFC", "NFD"]),
    st.sampled_from(["{}", "the {}", "The {}", " {}\n", "{}.", "\u00a0{}"]),
)
def test_every_spelling_of_a_country_is_read_in_any_case(
    spelling: tuple[str, str], case: Callable[[str], str], form: Literal["NFC", "NFD"], frame: str
) -> None:
    text, alpha3 = spelling
    given_text = unicodedata.normalize(form, frame.format(case(text)))
    assert countries.country(given_text) == alpha3
    assert countries.country(countries.country_name(alpha3)) == alpha3


@pytest.mark.parametrize(
    ("text", "alpha3"),
    [
        ("UK", "GBR"),
        ("U.S.", "USA"),
        ("america", "USA"),
        ("Holland", "NLD"),
        ("Burma", "MMR"),
        ("Swaziland", "SWZ"),
        ("Cape Verde", "CPV"),
        ("East Timor", "TLS"),
        ("Czech Republic", "CZE"),
        ("Cote d\u2019Ivoire", "CIV"),
        ("Guinea Bissau", "GNB"),
        ("Bosnia-Herzegovina", "BIH"),
        ("St. Kitts & Nevis", "KNA"),
        ("Kosovo", "XKX"),
        ("DR Congo (Zaire)", "COD"),
        ("Niger", "NER"),
    ],
)
def test_names_in_wide_use_are_read(text: str, alpha3: str) -> None:
    assert countries.country(text) == alpha3


@pytest.mark.parametrize(
    ("alpha3", "name"),
    [
        ("BOL", "Bolivia"),
        ("CIV", "Ivory Coast"),
        ("COD", "DR Congo"),
        ("CZE", "Czechia"),
        ("GBR", "United Kingdom"),
        ("IRN", "Iran"),
        ("KOR", "South Korea"),
        ("PSE", "Palestine"),
        ("RUS", "Russia"),
        ("TUR", "Turkey"),
        ("TWN", "Taiwan"),
        ("USA", "United States"),
        ("VNM", "Vietnam"),
        ("XKX", "Kosovo"),
    ],
)
def test_country_names_are_those_of_newspapers(alpha3: str, name: str) -> None:
    assert countries.country_name(alpha3) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Untied Kingdom",
            '"Untied Kingdom" is not a country: did you mean "United Kingdom" (GBR)?',
        ),
        ("Holand", '"Holand" is not a country: did you mean "Netherlands" (NLD)?'),
        (
            "Congo",
            '"Congo" is the name of several countries: write "DR Congo" (COD) or'
            ' "Republic of the Congo" (COG)',
        ),
        (
            "the KOREA",
            '"the KOREA" is the name of several countries: write "North Korea" (PRK) or'
            ' "South Korea" (KOR)',
        ),
        ("GER", '"GER" is not a country: write its English name or an ISO 3166-1 code such as GBR'),
        ("EU", '"EU" is not a country: write its English name or an ISO 3166-1 code such as GBR'),
        ("???", '"???" is not a country: write its English name or an ISO 3166-1 code such as GBR'),
        (
            " ",
            "a country must not be empty: write its English name or an ISO 3166-1 code such as GBR",
        ),
        ("Germ\x1b\nny", '"Germ ny" is not a country: did you mean "Germany" (DEU)?'),
    ],
)
def test_what_is_no_country_is_refused_with_what_would_be_right(text: str, message: str) -> None:
    assert refusal(countries.country, text) == message


def test_shared_names_lead_to_their_countries_and_to_nothing_else() -> None:
    for key, codes in countries._SHARED_NAMES.items():
        message = refusal(countries.country, key)
        assert all(countries.country_name(code) in message for code in codes)
        assert len(codes) > 1


@given(st.text())
@example("\u00ad\u200b\u2060\ufeff\u200e\u200f\u2063")
def test_any_text_is_a_country_or_refused_in_one_short_line(text: str) -> None:
    code, problem = outcome(countries.country, text)
    assert problem.isprintable()
    assert len(problem) < 200
    assert not code or countries.country(code) == code


def test_a_long_text_that_is_no_country_is_refused_in_one_short_line() -> None:
    message = refusal(countries.country, "x" * 100_000)
    assert message == "a text of 100000 characters is not a country: at most 100"
    assert len(message) < 200


@pytest.mark.parametrize("code", ["gbr", "GB", "XXX", ""])
def test_country_name_takes_only_what_is_stored(code: str) -> None:
    message = refusal(countries.country_name, code)
    assert message == f'"{code}" is not an ISO 3166-1 alpha-3 code such as GBR'


def test_countries_are_listed_once_and_in_order() -> None:
    listed = countries.countries()
    assert [tuple(each) for each in listed] == [
        (row["alpha3"], row["alpha2"], row["name"]) for row in COUNTRIES
    ]
    assert countries.countries() is listed


def test_a_country_seen_before_is_not_looked_up_again() -> None:
    countries.country("Ukraine")
    hits = countries.country.cache_info().hits
    countries.country("Ukraine")
    assert countries.country.cache_info().hits == hits + 1


# --- units ----------------------------------------------------------------------------------


def test_only_current_codes_in_capitals_are_currencies() -> None:
    assert units.is_currency("UAH")
    assert not any(map(units.is_currency, ["uah", "DEM", "EURO", "", "Euro"]))


@given(st.sampled_from([row["code"] for row in rows("currencies.csv")]))
def test_every_currency_is_a_unit_as_it_is_given(code: str) -> None:
    assert units.unit(code) == code
    assert units.unit(f" {code}\n") == code
    assert units.unit(code.lower()) == code.lower()


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("person", "person"),
        ("Service  Member", "service member"),
        ("km2", "km2"),
        ("KM²", "km²"),
        ("ton", "ton"),
        ("Eur", "eur"),
        ("TONNE", "tonne"),
        ("x" * 60, "x" * 60),
    ],
)
def test_a_noun_is_a_unit_in_lower_case(text: str, unit: str) -> None:
    assert units.unit(text) == unit


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("EUX", '"EUX" is not an ISO 4217 currency: did you mean EUR?'),
        ("USX", '"USX" is not an ISO 4217 currency: did you mean USD?'),
        ("QQQ", '"QQQ" is not an ISO 4217 currency: write "EUR", or a noun such as "person"'),
        (" \n", 'a unit must not be empty: write "EUR" or "person"'),
        ("a\nb", "a unit must be one line without control characters"),
        ("a\u2028b", "a unit must be one line without control characters"),
        ("a\x00b", "a unit must be one line without control characters"),
        ("\ud800", "a unit must be one line without control characters"),
        ("x" * 61, "a unit must have at most 60 characters, not 61"),
    ],
)
def test_what_is_no_unit_is_refused_with_what_would_be_right(text: str, message: str) -> None:
    assert refusal(units.unit, text) == message


@given(st.text(max_size=80))
def test_a_unit_is_one_short_line_and_its_own_spelling(text: str) -> None:
    unit, problem = outcome(units.unit, text)
    assert problem.isprintable()
    assert unit.isprintable()
    assert len(unit) <= 60
    assert not unit or units.unit(unit) == unit


# --- terms ----------------------------------------------------------------------------------


@given(
    st.sampled_from([(each, of) for of in lists(plover()) for each in of]),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
)
def test_every_plover_term_is_read_by_code_and_label_in_any_case(
    pair: tuple[Term, tuple[Term, ...]], case: Callable[[str], str]
) -> None:
    each, terms = pair
    assert term(case(each.code), terms, "term") == each.code
    assert term(case(f" {each.label} "), list(terms), "term") == each.code


@pytest.mark.parametrize(
    ("text", "kind", "what", "message"),
    [
        ("CONSLT", "event_types", "event type",
         '"CONSLT" is not an event type of this log: did you mean CONSULT (Consultation)?'),
        ("agreemnt", "event_types", "event type",
         '"agreemnt" is not an event type of this log: did you mean AGREE (Agreement)?'),
        ("heavy weapon", "modes", "mode",
         '"heavy weapon" is not a mode of this log: did you mean heavy-weapons (Heavy weapons)?'),
        ("qqq", "contexts", "context",
         '"qqq" is not a context of this log: it has military, intelligence, executive,'
         " legislative, election ..."),
        ("", "event_types", "event type",
         '"" is not an event type of this log: it has AGREE, CONSULT, SUPPORT, CONCEDE,'
         " COOPERATE ..."),
    ],
)  # fmt: skip
def test_an_unknown_term_is_refused_with_the_nearest(
    text: str, kind: str, what: str, message: str
) -> None:
    assert refusal(term, text, getattr(plover(), kind), what) == message


def test_an_unknown_term_of_a_short_list_is_refused_with_all_of_it() -> None:
    terms = (Term(code="A1", label="First"), Term(code="B2", label="Second"))
    assert refusal(term, "zzzz", terms, "mode").endswith("this log: it has A1, B2")
    assert refusal(term, "zzzz", (), "mode").endswith("this log: it has none")


def test_a_code_goes_before_a_label_of_the_same_spelling() -> None:
    terms = (Term(code="one", label="Two"), Term(code="two", label="Three"))
    assert term("TWO", terms, "mode") == "two"


# --- a vocabulary file of one's own ---------------------------------------------------------


def write(folder: Path, text: str | bytes, name: str = "words.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


OWN = Vocabulary(
    event_types=(
        Term(code="FLOOD", label="Flood", definition="Water, where none should be."),
        Term(code="FIRE", label="Fire"),
    ),
    modes=(Term(code="flash", label="Flash flood", definition="Within hours."),),
    contexts=(Term(code="flash", label="Flashes"),),
)


@pytest.mark.parametrize(
    "text",
    [
        'list,code,label,definition\nevent_type,FLOOD,Flood,"Water, where none should be."\n'
        "event_type,FIRE,Fire,\nmode,flash,Flash flood,Within hours.\ncontext,flash,Flashes,\n",
        "Definition;Label;CODE;List\r\nWater, where none should be.;Flood;FLOOD;Event_Type\r\n"
        ";Fire;FIRE;event_type\r\nWithin hours.;Flash flood;flash;mode\r\n;Flashes;flash;context",
        '\ufefflist,code,label,definition,,\n event_type , FLOOD,Flood,"Water,\nwhere none should'
        ' be.",,\n,,,,,\n\nevent_type,FIRE,Fire\nmode,flash,Flash flood,Within hours.,,\n'
        "context,flash,Flashes,,,\n",
    ],
    ids=["comma", "semicolon", "spreadsheet"],
)
def test_a_csv_vocabulary_is_read_as_people_and_spreadsheets_write_it(
    tmp_path: Path, text: str
) -> None:
    assert read_vocabulary(write(tmp_path, text)) == OWN


@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_json_vocabulary_is_read(tmp_path: Path, mark: str) -> None:
    kinds = zip(["event_type", "mode", "context"], lists(OWN), strict=True)
    items = [
        {"list": kind, "code": each.code, "label": each.label, "definition": each.definition or ""}
        for kind, of in kinds
        for each in of
    ]
    path = write(tmp_path, mark + json.dumps(items), "words.JSON")
    assert read_vocabulary(path) == OWN


def test_without_a_list_column_all_are_event_types(tmp_path: Path) -> None:
    expected = Vocabulary(
        event_types=(
            Term(code="A", label="Alpha", definition="First."),
            Term(code="B", label="B"),
        )
    )
    assert read_vocabulary(write(tmp_path, HEAD + "A,Alpha,First.\nB,B,\n")) == expected
    items = [{"code": "A", "label": "Alpha", "definition": "First."}]
    items.append({"code": "B", "label": "B", "definition": ""})
    assert read_vocabulary(write(tmp_path, json.dumps(items), "words.json")) == expected


def test_the_default_vocabulary_is_a_vocabulary_file_like_any_other() -> None:
    assert read_vocabulary(FOLDER / "plover.csv") == plover()
    assert plover() is plover()


def test_a_stored_vocabulary_is_read_as_it_was_given() -> None:
    for vocabulary in (OWN, plover(), Vocabulary()):
        assert stored(vocabulary.content()) == vocabulary
        assert stored(vocabulary.content()).content() == vocabulary.content()


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        (f"A,Alpha,\n{'B' * 61},Beta,\n",
         "vocabulary.event_types.1.code: is too long: at most 60 characters"),
        ("".join(f"A{n},Alpha {n},\n" for n in range(1_001)),
         "vocabulary.event_types: has too many items: at most 1000"),
    ],
    ids=["code", "list"],
)  # fmt: skip
def test_a_vocabulary_file_that_is_too_long_is_refused_by_its_field(
    tmp_path: Path, rows: str, problem: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        read_vocabulary(write(tmp_path, HEAD + rows))
    assert str(caught.value) == problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", 'line 1, column "code": is missing'),
        ("code,label\nA,Alpha\n", 'line 1, column "definition": is missing'),
        ("code,lable,definition\n",
         'line 1, column "lable": is not a column of a vocabulary: did you mean "label"?'),
        ("code,label,definition,colour\n",
         'line 1, column "colour": is not a column of a vocabulary: known are code, label,'
         " definition, list"),
        ("code,label,definition,Code\n", 'line 1, column "code": stands there twice'),
        (HEAD, "has no event type"),
        ("list,code,label,definition\nmode,a,A,\n", "has no event type"),
        (HEAD + "A,Alpha,\n ,Beta,\n", 'line 3, column "code": must not be empty'),
        (HEAD + "A,,\n", 'line 2, column "label": must not be empty'),
        (HEAD + "A\n", 'line 2, column "label": must not be empty'),
        (HEAD + "A B,Alpha,\n",
         'line 2, column "code": "A B" must be one word without blanks: "A-B"'),
        (HEAD + '"A\nB",Alpha,\n',
         'line 2, column "code": "A B" must be one word without blanks: "A-B"'),
        (HEAD + 'A,Alpha,"two\nlines"\nB,alpha,\n',
         'line 4, column "label": "alpha" is taken already: words.csv, line 2'),
        (HEAD + "A,Alpha,\na,Beta,\n",
         'line 3, column "code": "a" is taken already: words.csv, line 2'),
        (HEAD + "A,Alpha,\nB,a,\n",
         'line 3, column "label": "a" is taken already: words.csv, line 2'),
        ("code,label,definition,list\nA,Alpha,,type\n",
         'line 2, column "list": must be event_type, mode, context'),
        ("code,label,definition,list\nA,Alpha,,\n",
         'line 2, column "list": must be event_type, mode, context'),
        (HEAD + "A,Al\x00pha,\n",
         'line 2, column "label": holds a character that cannot be printed'),
        (HEAD + "A,Alpha,one, two\n", "line 2: has more cells than there are columns"),
        (HEAD + 'A,Alpha,"never closed\n', "line 2: is not CSV: unexpected end of data"),
        (HEAD.encode() + b"A,Alpha,\nB,B\xe9ta,\n", "line 3: is not UTF-8: save the file as UTF-8"),
        (HEAD.encode("utf-16"), "line 1: is not UTF-8: save the file as UTF-8"),
    ],
)  # fmt: skip
def test_a_wrong_csv_vocabulary_is_refused_by_line_and_column(
    tmp_path: Path, text: str | bytes, problem: str
) -> None:
    separator = ": " if problem.startswith("has no") else ", "
    message = refusal(read_vocabulary, write(tmp_path, text))
    assert message == f"words.csv{separator}{problem}"


GOOD = '{"code": "A", "label": "Alpha", "definition": ""}'


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[\n{"code" 1}]', ", line 2, column 9: is not JSON: Expecting ':' delimiter"),
        ("[" * 100_000, ": is not JSON that can be read"),
        ("[" + "1" * 10_000 + "]", ": is not JSON that can be read"),
        (GOOD, ": must be an array of objects"),
        ("[]", ": has no event type"),
        (f"[{GOOD}, []]", ", item 2: must be an object"),
        (f"[{GOOD}, {{}}]", ', item 2, column "code": is missing'),
        ('[{"code": "A", "code": "B"}]', ', item 1, column "code": stands there twice'),
        ("[" + GOOD.replace("label", "lable") + "]",
         ', item 1, column "lable": is not a column of a vocabulary: did you mean "label"?'),
        ("[" + GOOD.replace('""', "null") + "]", ', item 1, column "definition": must be text'),
        (f"[{GOOD}, {GOOD}]", ', item 2, column "code": "A" is taken already: words.json, item 1'),
    ],
)  # fmt: skip
def test_a_wrong_json_vocabulary_is_refused_by_item_and_column(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = write(tmp_path, text, "words.json")
    assert refusal(read_vocabulary, path) == f"words.json{problem}"


def test_a_vocabulary_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "none.csv"
    message = refusal(read_vocabulary, missing)
    assert message == f"{missing}: cannot be read: No such file or directory"
    assert refusal(read_vocabulary, tmp_path) == f"{tmp_path}: cannot be read: Is a directory"


# --- where the files are --------------------------------------------------------------------


def package(folder: Path) -> Path:
    """A copy of what the model needs of the package, without any data."""
    copy = folder / "timeline"
    copy.mkdir()
    (copy / "__init__.py").touch()
    shutil.copy(Path(resources.__file__).parents[1] / "errors.py", copy)
    shutil.copytree(Path(resources.__file__).parent, copy / "model")
    return copy


IMPORTS = "from timeline.model import countries, names, resources, vocabulary"


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", f"{IMPORTS}; {code}"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("place", ["db", "timeline/db"], ids=["checkout", "installed"])
def test_data_is_found_in_a_checkout_and_in_an_installed_package(
    tmp_path: Path, place: str
) -> None:
    package(tmp_path)
    (tmp_path / "db" / "vocabulary").mkdir(parents=True)  # if installed, somebody else's
    shutil.copytree(FOLDER, tmp_path / place / "vocabulary", dirs_exist_ok=True)
    ran = run(tmp_path, "print(resources.db_folder()); vocabulary.plover()")
    assert ran.stderr == ""
    assert Path(ran.stdout.strip()) == tmp_path / place


def test_missing_data_is_a_clear_error_and_only_when_it_is_needed(tmp_path: Path) -> None:
    copy = package(tmp_path)
    (tmp_path / "db").mkdir()  # somebody else's, without our data
    assert run(tmp_path, "names.fold('x')").stderr == ""
    last_line = run(tmp_path, "countries.country('Ukraine')").stderr.splitlines()[-1]
    assert last_line == (
        "RuntimeError: the data files are missing: "
        f"no vocabulary in {copy / 'db'} or {tmp_path / 'db'}"
    )


def test_this_checkout_has_its_data() -> None:
    assert resources.db_folder().joinpath("vocabulary", "plover.csv").is_file()
