"""Texts of every direction, and the languages that a page says it has, in its HTML."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import html
from running import done
from site_in_process import Site, open_site
from two_scripts import PAGES, TAG, WORD, piece, tell

from timeline import Timeline
from timeline.model.names import actor_id_of


@pytest.fixture(scope="module", params=["he", "en", "ka"])
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def told(language: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("told") / "t.db"
    tell(path, language)
    return path


@pytest.fixture(scope="module")
def site(told: Path) -> Iterator[Site]:
    with open_site(told) as opened:
        yield opened


def addresses() -> list[str]:
    filters = f"/events?tag={TAG}&place={piece('place')}&type=CONSULT&q={WORD}"
    actor = f"/actors/{actor_id_of(piece('actor'))}"
    return [*PAGES, filters.replace(" ", "+"), actor, f"{actor}?as_of=%234"]


def texts(page: html.HtmlElement) -> Iterator[tuple[html.HtmlElement, str]]:
    """Every text that is shown, with the element in which it stands."""
    for element in page.find("body").iter():
        if not isinstance(element.tag, str) or element.tag in ("script", "style"):
            continue
        yield element, element.text or ""
        for child in element:
            yield element, child.tail or ""


def isolating(element: html.HtmlElement) -> html.HtmlElement | None:
    """The nearest element around a text, or itself, that has a direction of its own."""
    for each in (element, *element.iterancestors()):
        if each.get("dir") or each.tag == "bdi":
            return each
    return None


@pytest.mark.parametrize("address", addresses())
def test_each_text_of_a_user_has_a_direction_of_its_own(address: str, site: Site) -> None:
    check(html.fromstring(site.ask(address).text))


def check(page: html.HtmlElement) -> None:
    """Check that each text of a user stands in an element with a direction of its own."""
    of_users = [(element, text) for element, text in texts(page) if WORD in text]
    assert of_users
    for element, text in of_users:
        if element.tag == "title":  # a tip of SVG, in which no element can stand
            assert text.count("\u2068") == text.count("\u2069") == text.count(WORD)
            continue
        around = isolating(element)
        assert around is not None, text
        assert around.tag == "bdi" or around.get("dir") == "auto", (element.tag, text)
        assert around.tag not in ("html", "body", "main", "section", "ul", "ol", "table", "tr")
    for control in page.iter("input"):
        if WORD in (control.get("value") or "") and control.get("type") not in (
            *("hidden", "checkbox", "radio"),
        ):
            assert control.get("dir") == "auto"


def test_the_files_of_a_static_site_have_the_same_directions(told: Path, tmp_path: Path) -> None:
    done("-d", told, "publish", tmp_path / "site", "--static")
    pages = [*(tmp_path / "site").rglob("*.html")]
    assert len(pages) > 15
    for page in pages:
        check(html.fromstring(page.read_text(encoding="utf-8")))


@pytest.mark.parametrize("address", addresses())
def test_texts_are_in_their_language_and_our_words_in_english(
    address: str, language: str, site: Site
) -> None:
    page = html.fromstring(site.ask(address).text)
    assert page.get("lang") == language
    assert page.get("dir", "ltr") == ("rtl" if language == "he" else "ltr")
    assert page.find("body").get("lang") == (None if language == "en" else "en")
    known = {"source": "he", "quote": "he", "title": language, "summary": language}
    of_log = {"log": language, "notice": language, **known}
    for element, text in texts(page):
        of = next((of_log[name] for name in of_log if text.strip() == piece(name)), None)
        around = [each.get("lang") for each in (element, *element.iterancestors())]
        spoken = next(filter(None, around))
        if of:
            assert spoken == of, (text, element.tag, around)
        if text.strip() in ("Changes", "Verify", "Details", "Consultation", "denies", "Israel"):
            assert spoken == "en", (text, element.tag)


@pytest.mark.parametrize(
    ("language", "direction"),
    [("en-GB", "ltr"), ("ar", "rtl"), ("fa-IR", "rtl"), ("az-Arab", "rtl"), ("ur-Latn", "ltr")],
)
def test_a_page_has_the_direction_of_the_language_of_its_log(
    language: str, direction: str, tmp_path: Path
) -> None:
    path = tmp_path / "t.db"
    Timeline.create(path, title="T", language=language).close()
    with open_site(path) as site:
        page = html.fromstring(site.page("/"))
        assert (page.get("lang"), page.get("dir", "ltr")) == (language, direction)


def test_a_word_of_the_vocabulary_of_a_log_is_in_its_language(tmp_path: Path) -> None:
    words = tmp_path / "words.csv"
    words.write_text(f"code,label,definition\nTALK,{piece('type')},\n", encoding="utf-8")
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T", language="he", vocabulary_file=words) as timeline:
        timeline.record({"title": "T", "occurred": "2025", "event_type": "TALK"})
    with open_site(path) as site:
        page = html.fromstring(site.page("/"))
    labels = [element for element, text in texts(page) if text == piece("type")]
    assert labels
    assert {label.get("lang") for label in labels} == {"he"}


@pytest.mark.parametrize("address", addresses())
def test_dates_and_numbers_beside_words_keep_their_order(address: str, site: Site) -> None:
    """From right to left, "15 April 2025" would be shown as "April 2025 15"."""
    page = html.fromstring(site.ask(address).text)
    sentences = {"h1", "h2", "h3", "p", "pre", "code", "svg", "bdi"}
    lists = {"versions", "diff", "ties"}
    for element, text in texts(page):
        if not re.search(r"[0-9][^A-Za-z]*[A-Za-z]", text) or element.tag == "option":
            continue
        around = [element, *element.iterancestors()]
        assert any(
            each.tag in sentences or each.get("dir") in ("auto", "ltr") for each in around[:-2]
        ) or any(each.tag == "li" and each.getparent().get("class") in lists for each in around), (
            element.tag,
            text,
        )
