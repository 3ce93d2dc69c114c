"""Labels, countries and figures in the languages of the interface."""

from decimal import Decimal
from typing import get_args

import pytest

from timeline.formats import prose
from timeline.formats.labels import country_name, event_type_label, label, language_name
from timeline.languages.translation import LANGUAGES, number, speaking
from timeline.model import content, countries, edtf, vocabulary
from timeline.model.media import Medium

VALUES = {
    "modality": content.Event.model_fields["modality"].annotation,
    "verification": content.Event.model_fields["verification"].annotation,
    "basis": content.Event.model_fields["occurred_basis"].annotation,
    "role": content.Role,
    "stance": content.Claim.model_fields["stance"].annotation,
    "claim": content.Claim.model_fields["stance"].annotation,
    "relation": content.Relation.model_fields["type"].annotation,
    "medium": Medium.model_fields["kind"].annotation,
    "precision": edtf.Precision,
}


@pytest.mark.parametrize("field", VALUES)
def test_every_value_of_the_model_has_a_label(field: str) -> None:
    for value in _values(VALUES[field]):
        assert label(field, value)
        assert "_" not in label(field, value)
    assert label(field, "a value of nobody") == "a value of nobody"


def _values(annotation: object) -> list[str]:
    found: list[str] = []
    for each in get_args(annotation):
        found += [each] if isinstance(each, str) else _values(each)
    return found


def test_english_labels_of_event_types_are_those_of_the_default_vocabulary() -> None:
    for term in vocabulary.plover().event_types:
        assert label("event_type", term.code) == term.label


def test_an_event_type_of_a_log_keeps_its_label() -> None:
    with speaking("uk"):
        assert event_type_label("AGREE", "Pact") == "Pact"
        assert event_type_label("PACT", "Agreement") == "Agreement"


def test_countries_have_the_names_of_cldr() -> None:
    with speaking("uk"):
        assert country_name("UKR") == "Україна"
        assert prose.place_name("Одеса", "UKR") == "Одеса, Україна"
    with speaking("de"):
        assert country_name("XKX") == "Kosovo"
        assert language_name("uk") == "Ukrainisch"
    assert (country_name("UKR"), language_name("uk")) == ("Ukraine", "uk")
    for language in LANGUAGES:
        with speaking(language):
            assert all(country_name(each.alpha3) for each in countries.countries())


def figure(**fields: str) -> dict[str, str]:
    return {"measure": "pledged", "unit": "EUR", "qualifier": "exact", **fields}


@pytest.mark.parametrize(
    ("language", "fields", "words"),
    [
        ("en", figure(value="20000000000", qualifier="more_than"), "more than 20,000,000,000 EUR"),
        ("de", figure(value="20000000000"), "20.000.000.000 Euro"),
        ("uk", figure(value="5", unit="USD"), "5 доларів США"),
        ("fr", figure(high="12.5", unit="percent"), "12,5 %"),
        ("es", figure(value="34", measure="killed", unit="person"), "34"),
        ("de", figure(value="35", low="20", unit="tank"), "tank"),
    ],
)
def test_figures_have_numbers_and_units_by_cldr(
    language: str, fields: dict[str, str], words: str
) -> None:
    with speaking(language):
        said = prose.amount(fields)
    assert said.translate({0xA0: " ", 0x202F: " "}).endswith(words)


def test_no_digit_of_a_number_is_lost() -> None:
    digits = "12345678901234567890.123456789012345678"
    for language in LANGUAGES:
        with speaking(language):
            said = number(Decimal(digits))
        assert Decimal("".join(each for each in said if each.isdecimal())) == Decimal(
            digits.replace(".", "")
        )
