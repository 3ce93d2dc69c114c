"""Cards: pictures of events and of the whole timeline, for chats.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import asyncio
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import extruct
import pytest
from datasette.app import Datasette
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from running import done, run
from site_in_process import Site, open_site
from ticking_clock import TickingClock

from timeline import Event, Place, Timeline, demo
from timeline.site.cards import letters, picture
from timeline.site.cards.letters import Typeface
from timeline.site.views.card import HEIGHT, WIDTH, Card, CardBar, CardFigure, CardPoint
from timeline.site.views.event_classes import CLASSES

URL = "https://news.example"


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cards") / "odesa.db"
    demo.build(path)
    return path


@pytest.fixture(scope="module")
def site(story: Path) -> Iterator[Site]:
    with open_site(story, url=URL) as opened:
        yield opened


@pytest.fixture
def scripts(tmp_path: Path, clock: TickingClock) -> Iterator[Site]:
    path = tmp_path / "scripts.db"
    with Timeline.create(path, title="Many scripts", now=clock) as timeline:
        for name, title in TITLES.items():
            timeline.record(Event(event_id=f"in-{name}", title=title, occurred="2025-04-15"))
    with open_site(path, url=URL) as opened:
        yield opened


TITLES = {
    "ukrainian": "Їжаки з ґанку: є щонайменше 35 загиблих",
    "greek": "Διαπραγματεύσεις στην Αθήνα",
    "polish": "Rozmowy w Łodzi, święto",
    "arabic": "ضربة صاروخية على سومي",
    "hebrew": "שיחות באודסה",
    "chinese": "苏梅遭导弹袭击",
    "hindi": "ओडेसा में वार्ता",
}
DRAWN = ("ukrainian", "greek", "polish")


def png(answer: Any) -> Image.Image:
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/png"
    found = Image.open(io.BytesIO(answer.content))
    found.load()
    assert found.size == (WIDTH, HEIGHT)
    return found.convert("RGB")


def shown(site: Site, path: str) -> dict[str, str]:
    (found,) = extruct.extract(site.page(path), syntaxes=["opengraph"])["opengraph"]
    return {name: text for name, text in found["properties"] if name.startswith("og:image")}


# --- Pages and their cards ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "card"),
    [
        ("/", "/card.png?v={newest}"),
        ("/events?type=ASSAULT", "/card.png?v={newest}"),
        ("/changes", "/card.png?v={newest}"),
        ("/verify", "/card.png?v={newest}"),
        ("/events/sumy-strike", "/events/sumy-strike/card.png?v=5"),
        ("/events/sumy-strike/2", "/events/sumy-strike/2/card.png"),
        ("/events/sumy-strike?as_of=2025-04-14", "/events/sumy-strike/3/card.png"),
        ("/?as_of=2025-04-14", None),
    ],
)
def test_a_page_names_its_card_which_is_there(page: str, card: str | None, site: Site) -> None:
    said = shown(site, page)
    if card is None:
        assert said == {}
        return
    newest = site.ask("/events.json").json()["as_of"]
    got = said["og:image"].removeprefix(URL)
    assert got == card.format(newest=newest)
    assert said["og:image:type"] == "image/png"
    drawn = png(site.ask(got))
    assert (said["og:image:width"], said["og:image:height"]) == (str(WIDTH), str(HEIGHT))
    assert said["og:image:alt"]
    assert len(drawn.getcolors(100_000) or ()) > 20
    assert 'content="summary_large_image"' in site.page(page)


def test_a_card_is_of_its_version_and_known_by_it(site: Site) -> None:
    cards = {site.ask(f"/events/sumy-strike/{number}/card.png").content for number in range(1, 6)}
    assert len(cards) == 5
    newest = site.ask("/events/sumy-strike/card.png")
    assert newest.content in cards
    assert site.ask("/events/sumy-strike/card.png").content == newest.content
    again = site.ask("/events/sumy-strike/card.png", **{"If-None-Match": newest.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert f'"{picture.key_in(newest.content)}"' == newest.headers["etag"]


def test_there_is_no_card_of_what_is_not_there(site: Site) -> None:
    for path in ("/events/no-such/card.png", "/events/sumy-strike/99/card.png"):
        assert site.ask(path).status_code == 404


def test_what_was_erased_has_the_card_of_the_timeline(tmp_path: Path, clock: TickingClock) -> None:
    path = tmp_path / "log.db"
    with Timeline.create(path, title="Log", now=clock) as timeline:
        receipt = timeline.record(Event(event_id="one", title="One", occurred="2025-04-15"))
        timeline.erase([receipt.entry_id], reason="A court order")
    with open_site(path, url=URL) as opened:
        assert shown(opened, "/events/one")["og:image"].startswith(f"{URL}/card.png?v=")
        assert opened.ask("/events/one/card.png").content == opened.ask("/card.png").content


def test_a_title_in_letters_that_the_font_lacks_has_the_card_of_the_timeline(
    scripts: Site,
) -> None:
    whole = scripts.ask("/card.png").content
    for name in TITLES:
        own = f"/events/in-{name}/card.png"
        assert (scripts.ask(own).content != whole) == (name in DRAWN)
        named = shown(scripts, f"/events/in-{name}")
        assert named["og:image"].startswith(URL + (own if name in DRAWN else "/card.png"))
        assert named["og:image:alt"] == TITLES[name]


def test_there_are_no_cards_where_the_configuration_says_so(story: Path) -> None:
    config = {"plugins": {"timeline": {"cards": False}}}
    is_new = hasattr(Datasette, "add_query")
    with asyncio.Runner() as runner:
        datasette = Datasette([str(story)], **{"config" if is_new else "metadata": config})
        runner.run(datasette.invoke_startup())
        front, event, card = (
            runner.run(datasette.client.get(path))
            for path in ("/", "/events/sumy-strike", "/card.png")
        )
    assert "og:image" not in front.text
    assert re.search('og:image" content="http://localhost/media/', event.text)
    assert card.status_code == 404


# --- Drawing ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        *(TITLES[name] for name in DRAWN),
        "The quick brown fox; 36 killed, >20 \N{EN DASH} \u201cso\u201d \u20ac 1/2 50%",
        "Příliš žluťoučký kůň, Ça va, Größe, Þór, Őrség, Žižek, Đorđe",
    ],
)
def test_letters_of_latin_cyrillic_and_greek_are_drawn(text: str) -> None:
    assert letters.drawable(text) == text


@pytest.mark.parametrize("text", [TITLES[name] for name in TITLES if name not in DRAWN])
def test_a_text_with_other_letters_is_left_out_whole(text: str) -> None:
    assert letters.drawable(text) == ""
    assert letters.drawable(f"Talks: {text}") == ""


def test_signs_are_left_out_alone() -> None:
    assert (
        letters.drawable("Strike \U0001f680 on  Sumy\u200f\n\U0001f1fa\U0001f1e6")
        == "Strike on Sumy"
    )


@given(st.text(max_size=200), st.integers(20, 70), st.integers(80, 1000), st.integers(1, 5))
@settings(max_examples=50)
def test_no_line_is_wider_than_it_may_be(text: str, size: int, most: int, number: int) -> None:
    style = Typeface(size, 700)
    lines = letters.lines_of(letters.drawable(text), style, most, number)
    assert len(lines) <= number
    assert all(letters.width(line, style) <= most + size / 2 for line in lines)
    assert len(letters.balanced(lines, style, most)) == len(lines)


_WORDS = st.one_of(st.text(max_size=300), st.text("WM\u0436 i.", max_size=600), st.just(""))
_PLACE = st.floats(0, 100)
_FIGURES = st.builds(
    CardFigure,
    _WORDS,
    st.tuples(_WORDS, _WORDS),
    st.lists(st.builds(CardPoint, _PLACE, _PLACE, _WORDS, st.booleans()), max_size=9).map(tuple),
    st.lists(st.tuples(_PLACE, _PLACE, _PLACE, _PLACE), max_size=9).map(tuple),
)
_BARS = st.builds(
    CardBar,
    _PLACE,
    st.floats(0.8, 4),
    st.lists(st.tuples(st.sampled_from(CLASSES), st.integers(1, 10**6)), min_size=1).map(tuple),
)
_CARDS = st.builds(
    Card,
    _WORDS,
    st.sampled_from(CLASSES),
    st.lists(_WORDS, max_size=4).map(tuple),
    _WORDS,
    _WORDS,
    st.none() | _FIGURES,
    st.lists(_BARS, max_size=125).map(tuple),
    st.tuples(_WORDS, _WORDS),
    _WORDS,
    _WORDS,
)


@given(_CARDS)
@settings(max_examples=40)
def test_any_card_can_be_drawn_and_stays_a_small_file(card: Card) -> None:
    drawn = picture.draw(card)
    assert Image.open(io.BytesIO(drawn)).size == (WIDTH, HEIGHT)
    assert len(drawn) < 120_000
    assert picture.key_in(drawn[:2_000]) == picture.key_of(card)


@pytest.mark.parametrize("title", ["W" * 500, "Wordy headline " * 33, "\u0456 " * 250])
def test_a_long_text_stays_within_the_margins(title: str) -> None:
    facts = (title, title)
    card = Card(title, "force", facts, title, title, None, (), ("", ""), title, title[:40])
    image = Image.open(io.BytesIO(picture.draw(card))).convert("RGB")
    for box in ((0, 20, 60, HEIGHT), (WIDTH - 60, 20, WIDTH, HEIGHT)):
        assert len(image.crop(box).getcolors() or ()) == 1


# --- Sites of files -----------------------------------------------------------------------


def drawn_in(folder: Path) -> dict[str, int]:
    """The cards of a site of files, each with the time at which its file was written."""
    return {
        str(file.relative_to(folder)): file.stat().st_mtime_ns for file in folder.rglob("card.png")
    }


def test_a_site_of_files_draws_a_card_anew_only_for_another_version(
    tmp_path: Path, clock: TickingClock
) -> None:
    path, folder = tmp_path / "log.db", tmp_path / "out"
    with Timeline.create(path, title="Log", now=clock) as timeline:
        for name in ("one", "two"):
            timeline.record(
                Event(
                    event_id=name,
                    title=f"Talks {name}",
                    occurred="2025-04-15",
                    place=Place(name="Odesa"),
                )
            )
        timeline.record(Event(event_id="other", title=TITLES["arabic"], occurred="2025-04-16"))
    done("-d", path, "publish", folder, "--static", "--url", f"{URL}/")
    first = drawn_in(folder)
    assert set(first) == {"card.png", "events/one/card.png", "events/two/card.png"}
    assert f'"{URL}/events/one/card.png?v=1"' in (folder / "events/one/1/index.html").read_text()
    assert f'"{URL}/card.png?v=3"' in (folder / "events/other/index.html").read_text()
    assert " 0 of them new or changed, 0 removed" in done(
        "-d", path, "publish", folder, "--static", "--url", f"{URL}/"
    )
    assert drawn_in(folder) == first
    with Timeline.open(path, now=clock) as timeline:
        timeline.correct("one", {"title": "Talks in Odesa"}, reason="Its place")
    done("-d", path, "publish", folder, "--static", "--url", f"{URL}/")
    changed = drawn_in(folder)
    assert {name for name in first if changed[name] != first[name]} == {"events/one/card.png"}
    done("-d", path, "publish", folder, "--static", "--url", f"{URL}/", "--no-cards")
    assert drawn_in(folder) == {}
    assert "og:image" not in (folder / "events/one/index.html").read_text()


def test_without_the_extra_one_line_says_what_is_missing(
    story: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done("-d", story, "publish", tmp_path / "out", "--static", "--no-embed")
    with monkeypatch.context() as without:
        for each in (letters.are_here, letters._font):
            each.cache_clear()
        without.setitem(sys.modules, "PIL", None)
        ended = run("-d", story, "publish", tmp_path / "out", "--static", "--no-embed")
        said = run("-d", story, "publish", tmp_path / "out", "--static", "--no-embed", "--no-cards")
        with open_site(story, url=URL) as opened:
            assert "/media/" in shown(opened, "/events/sumy-strike")["og:image"]
            assert opened.ask("/card.png").status_code == 404
    letters.are_here.cache_clear()
    assert ended.exit_code == said.exit_code == 0
    assert "pip install 'timeline-store[cards]'" in " ".join(ended.output.split())
    assert "Pillow" not in said.output
    assert drawn_in(tmp_path / "out") == {}
