"""Pages in the language of the log, and in the one that `?lang=` names."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from lxml import html
from site_in_process import open_site

import timeline.site
from timeline import Timeline
from timeline.languages import translation

PAGES = ("/", "/events", "/events/talks", "/changes", "/verify", "/map", "/events?q=talks")


def log_in(language: str, folder: Path) -> Path:
    path = folder / "t.db"
    with Timeline.create(path, title="Harbour talks", language=language) as log:
        log.record({"title": "Talks in Odesa", "occurred": "2025-04-15", "event_id": "talks"})
    return path


def skip_link(text: str) -> str:
    return str(html.fromstring(text).xpath("string(//a[@class='skip'])"))


@pytest.mark.parametrize(
    ("language", "said"), [("uk", "Перейти до змісту"), ("en", "Skip to the content")]
)
def test_a_page_is_in_the_language_of_its_log(language: str, said: str, tmp_path: Path) -> None:
    with open_site(log_in(language, tmp_path)) as site:
        assert skip_link(site.ask("/").text) == said


def test_a_log_in_a_language_without_a_catalogue_has_english_pages(tmp_path: Path) -> None:
    with open_site(log_in("ka", tmp_path)) as site:
        page = site.ask("/").text
    assert skip_link(page) == "Skip to the content"
    assert html.fromstring(page).get("lang") == "ka"
    assert html.fromstring(page).find("body").get("lang") == "en"


@pytest.mark.parametrize("page", PAGES)
def test_an_address_can_name_another_language(page: str, tmp_path: Path) -> None:
    with open_site(log_in("en", tmp_path)) as site:
        shown = site.ask(f"{page}{'&' if '?' in page else '?'}lang=uk")
    assert shown.status_code == 200
    assert skip_link(shown.text) == "Перейти до змісту"
    assert html.fromstring(shown.text).get("lang") == "uk"


@pytest.mark.parametrize("page", PAGES)
def test_links_and_forms_keep_the_language(page: str, tmp_path: Path) -> None:
    with open_site(log_in("en", tmp_path)) as site:
        tree = html.fromstring(site.ask(f"{page}{'&' if '?' in page else '?'}lang=uk").text)
        links = [a.get("href") for a in tree.xpath("//a[not(@hreflang)]")]
        ours = [link for link in links if link.partition("?")[0] in ("/", "/events/talks", "/map")]
        assert ours
        assert all("lang=uk" in link for link in ours)
        assert not any("lang=" in link for link in links if ".json" in link or ".csv" in link)
        assert all(site.ask(link).status_code == 200 for link in links if link.startswith("/"))
    for form in tree.iter("form"):
        assert form.xpath("count(.//input[@name='lang'])") == 1


@pytest.mark.parametrize("page", PAGES)
def test_a_page_offers_itself_in_every_language(page: str, tmp_path: Path) -> None:
    with open_site(log_in("en", tmp_path)) as site:
        tree = html.fromstring(site.ask(f"{page}{'&' if '?' in page else '?'}lang=uk").text)
        offered = tree.xpath("//nav[@data-part='languages']//a")
        heads = [
            site.ask(a.get("href")).text.partition("<body")[0].partition('<html lang="')[2][:2]
            for a in offered
        ]
    assert [a.text for a in offered] == [*translation.LANGUAGES.values()]
    assert [a.get("lang") for a in offered] == heads == [*translation.LANGUAGES]
    assert [a.get("hreflang") for a in offered if a.get("aria-current")] == ["uk"]
    also = {link.get("hreflang"): link.get("href") for link in tree.xpath("//link[@hreflang]")}
    assert also == {a.get("hreflang"): f"http://localhost{a.get('href')}" for a in offered}
    assert all(a.get("href").startswith(page) for a in offered)


def test_the_part_of_a_page_for_a_script_offers_the_languages_of_the_page(tmp_path: Path) -> None:
    with open_site(log_in("en", tmp_path)) as site:
        part = html.fromstring(site.ask("/events?q=talks&part=1").text)
    links = part.xpath("//*[@data-part='languages']//a/@href")
    assert "/events?q=talks&lang=de" in links


def test_a_language_that_the_interface_lacks_is_refused_in_one_line(tmp_path: Path) -> None:
    with open_site(log_in("en", tmp_path)) as site:
        page = site.ask("/?lang=<tlh>")
    assert page.status_code == 400
    assert "is none of en, uk, fr, de, es, ar" in page.text


def test_arabic_is_written_from_right_to_left_and_english_from_left_to_right(
    tmp_path: Path,
) -> None:
    with open_site(log_in("ar", tmp_path)) as site:
        assert html.fromstring(site.ask("/").text).get("dir") == "rtl"
        assert html.fromstring(site.ask("/?lang=en").text).get("dir") is None


@pytest.mark.parametrize("page", ["/nowhere", "/events/no-such-event"])
def test_a_page_that_does_not_exist_keeps_the_language(page: str, tmp_path: Path) -> None:
    with open_site(log_in("en", tmp_path)) as site:
        shown = site.ask(f"{page}?lang=uk")
    assert shown.status_code == 404
    assert skip_link(shown.text) == "Перейти до змісту"
    assert "/?lang=uk" in [a.get("href") for a in html.fromstring(shown.text).iter("a")]


def test_links_under_a_prefix_keep_the_language(tmp_path: Path) -> None:
    first, second = log_in("en", tmp_path), tmp_path / "other.db"
    Timeline.create(second, title="Other", language="en").close()
    with open_site(first, second, settings={"base_url": "/news/"}) as site:
        tree = html.fromstring(site.ask("/events/talks?lang=uk").text)
        other = html.fromstring(site.ask("/timelines/other/changes?lang=uk").text)
    links = [str(a.get("href")) for a in tree.iter("a")]
    assert "/news/?lang=uk" in links
    assert "/news/timelines/other/?lang=uk" in [a.get("href") for a in other.iter("a")]
    assert not any("lang=uk" in link for link in links if link.startswith("/news/t"))


def test_dates_countries_and_labels_are_in_the_language_of_the_page(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="Harbour talks") as log:
        place = {"name": "Odesa", "country": "UKR"}
        figures = [{"measure": "pledged", "value": "20000000000", "unit": "EUR"}]
        event = {"title": "Talks", "event_id": "talks", "place": place, "quantities": figures}
        log.record({**event, "occurred": "2025-04"})
        log.correct("talks", {"occurred": "2025-04-15"}, reason="The day is known")
    with open_site(path) as site:
        list_page = site.ask("/?lang=uk").text
        for words in (
            "15 квітня",
            "вівторок, 2025",
            "Odesa, Україна",
            "20\xa0000\xa0000\xa0000 євро",
        ):
            assert words in list_page
        event_page = site.ask("/events/talks?lang=uk").text
        assert '<del dir="auto">квітень 2025</del>' in event_page
        assert "15 de abril de 2025" in site.ask("/events/talks?lang=es").text
        assert "15 April 2025" in site.ask("/events/talks").text


@pytest.mark.parametrize("file", ["events.json", "events.csv", "events.geojson", "changes.json"])
def test_files_are_the_same_in_every_language(file: str, tmp_path: Path) -> None:
    with open_site(log_in("uk", tmp_path)) as site:
        assert site.ask(f"/{file}?lang=de").text == site.ask(f"/{file}").text
        assert "квітня" not in site.ask(f"/{file}").text


def test_scripts_have_no_words_of_their_own() -> None:
    for script in (Path(timeline.site.__file__).parent / "static").glob("*.js"):
        code = re.sub("^ *//.*", "", script.read_text(encoding="utf-8"), flags=re.M)
        assert re.findall(r"""["'`](?:[A-Z][a-z]+|and):? [a-z$]""", code) == [], script.name


@pytest.mark.parametrize(
    ("language", "since"), [("uk", "квітень 2025"), ("fr", "avril 2025"), ("ar", "أبريل 2025")]
)
def test_a_period_can_be_named_in_the_language_of_the_page(
    language: str, since: str, tmp_path: Path
) -> None:
    with open_site(log_in("en", tmp_path)) as site:
        page = html.fromstring(site.page(f"/events?since={quote(since)}&lang={language}"))
        assert page.xpath("//input[@id='since']/@value") == ["2025-04"]
        assert page.xpath("//a[@class='title']/text()") == ["Talks in Odesa"]
        assert site.ask(f"/events?since={quote(since)}").status_code == 400


def test_lists_of_kinds_and_countries_are_in_the_language_of_the_page(tmp_path: Path) -> None:
    with Timeline.create(tmp_path / "t.db", title="T") as log:
        event = {"title": "Talks", "occurred": "2025", "event_type": "CONSULT"}
        log.record({**event, "place": {"name": "Odesa", "country": "UKR"}})
    with open_site(tmp_path / "t.db") as site:
        assert ">Україна</a>" in site.page("/countries?lang=uk")
        assert ">Consultation</a>" in site.page("/types")
        assert ">Consultation</a>" not in site.page("/types?lang=uk")
        assert site.ask("/types.json?lang=uk").text == site.ask("/types.json").text


def test_a_sentence_that_ends_with_a_date_ends_with_one_stop(tmp_path: Path) -> None:
    with open_site(log_in("uk", tmp_path)) as site:
        day = re.findall('datetime="([0-9-]{10})', site.page("/"))[0]
        text = html.fromstring(site.page(f"/?as_of={day}")).text_content()
    assert re.search(r"станом на \d+\s\w+\s\d+\sр\.\s", text)


def test_the_day_of_a_highlight_is_written_as_its_language_writes_it(tmp_path: Path) -> None:
    with Timeline.create(tmp_path / "t.db", title="T") as log:
        log.record({"title": "Talks", "occurred": "2025-03-11", "highlight": True})
    with open_site(tmp_path / "t.db") as site:
        for language, words in (("es", "11 de marzo de 2025"), ("en", "11 March 2025")):
            page = html.fromstring(site.page(f"/?lang={language}"))
            assert page.xpath("string(//section[@class='highlights']//bdi)") == words
