"""The catalogues of the languages of the interface, beside the messages of the code."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import catalogues
import pytest
from babel.messages import Catalog, Message

FORMS = {"uk": 3, "fr": 3, "de": 2, "es": 3, "ar": 6}
"""The number of plural forms of each language in CLDR: French and Spanish have one for millions."""


@pytest.fixture(scope="module")
def template() -> Catalog:
    return catalogues.extracted()


def parts(text: str) -> Counter[str]:
    """The placeholders and the HTML of a text, each as often as it stands there."""
    return Counter(re.findall(r"%\(\w+\)s|%%|\{\w*\}|</?\w[^>]*>|&\w+;", text))


def forms(message: Message) -> list[tuple[str, str]]:
    """Each text of a message that has a translation, with this translation."""
    if isinstance(message.id, str):
        return [(message.id, str(message.string))]
    one, many = message.id
    return [(one if place == 0 else many, text) for place, text in enumerate(message.string)]


def misfits(message: Message) -> list[str]:
    """The forms of a translation that lack a part of the message, or have one too many.

    A form for one thing may say "one" in words, without the number.
    """
    wrong = []
    for text, said in forms(message):
        differing = (parts(text) - parts(said)) + (parts(said) - parts(text))
        counts = isinstance(message.id, tuple)
        if said and set(differing) - ({"%(number)s", "{number}", "{count}"} if counts else set()):
            wrong.append(said)
    return wrong


def test_the_messages_of_the_templates_and_of_the_views_are_found(template: Catalog) -> None:
    assert len(template) > 200
    assert "Skip to the content" in template
    assert template.get("%(number)s event").id == ("%(number)s event", "%(number)s events")
    assert template.get("to", context="the end of a period") is not None
    files = {Path(name).suffix for message in template for name, _ in message.locations}
    assert files == {".html", ".py"}


@pytest.mark.parametrize("language", catalogues.TRANSLATED)
def test_a_catalogue_has_the_plural_forms_of_its_language(language: str) -> None:
    catalogue = catalogues.read(language)
    assert catalogue.num_plurals == FORMS[language]
    for message in catalogues.messages(catalogue):
        if isinstance(message.id, tuple):
            assert len(message.string) == FORMS[language], message.id
        assert not message.fuzzy, message.id


@pytest.mark.parametrize("language", catalogues.TRANSLATED)
def test_a_catalogue_translates_each_message_of_the_code_and_no_other(
    language: str, template: Catalog
) -> None:
    """Where this fails, `make catalogues` adds the messages that a translation lacks."""
    translated = {
        (message.id, message.context): message.string
        for message in catalogues.messages(catalogues.read(language))
    }
    assert translated.keys() == {
        (message.id, message.context) for message in catalogues.messages(template)
    }
    empty = [
        key
        for key, said in translated.items()
        if not all([said] if isinstance(said, str) else said)
    ]
    assert empty == []


@pytest.mark.parametrize("language", catalogues.TRANSLATED)
def test_a_translation_has_the_placeholders_and_the_html_of_its_message(language: str) -> None:
    wrong = [
        said for each in catalogues.messages(catalogues.read(language)) for said in misfits(each)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("message", "is_wrong"),
    [
        (Message("Kept by %(keeper)s", "Tenu par %(keeper)s"), False),
        (Message("Kept by %(keeper)s", "Tenu par %(gardien)s"), True),
        (Message("Kept by {name}", "Tenu"), True),
        (Message("<b>%(day)s</b> then", "alors <b>%(day)s</b>"), False),
        (Message("<b>%(day)s</b> then", "alors <i>%(day)s</i>"), True),
        (
            Message(("%(number)s ship", "%(number)s ships"), ("un navire", "%(number)s navires")),
            False,
        ),
        (Message(("%(number)s in %(day)s", "%(number)s in %(day)s"), ("un", "%(number)s")), True),
        (Message("100%% sure", "sûr à 100 %"), True),
        (Message("Not translated {yet}", ""), False),
    ],
)
def test_a_translation_with_other_placeholders_is_noticed(message: Message, is_wrong: bool) -> None:
    assert bool(misfits(message)) == is_wrong


def test_an_update_keeps_translations_and_drops_those_without_a_message(tmp_path: Path) -> None:
    old = Catalog(locale="fr")
    old.add("Kept", "Gardé", user_comments=["as a verb"])
    old.add("Gone", "Parti")
    (tmp_path / "fr.po").write_text(catalogues.text_of(old), encoding="utf-8")
    template = Catalog()
    template.add("Kept", locations=[("timeline/a.py", 1)])
    template.add(("%(number)s ship", "%(number)s ships"), locations=[("timeline/b.html", 1)])
    template.add("Kept", context="a noun", locations=[("timeline/c.py", 1)])
    text = catalogues.text_of(catalogues.updated("fr", template, tmp_path))
    (tmp_path / "fr.po").write_text(text, encoding="utf-8")
    again = catalogues.read("fr", tmp_path)
    assert again.get("Kept").string == "Gardé"
    assert again.get("Kept").user_comments == ["as a verb"]
    assert again.get("Kept", context="a noun").string == ""
    assert again.get("%(number)s ship").string == ("", "", "")
    assert "Gone" not in text
    assert not re.search(r"Date|Babel|\.(py|html):", text)
    assert catalogues.text_of(catalogues.updated("fr", template, tmp_path)) == text
