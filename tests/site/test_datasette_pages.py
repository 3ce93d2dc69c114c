"""The pages of Datasette about a timeline: part of our site, for every reader, on every screen."""

from __future__ import annotations

import contextlib
import html
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlencode

import browsers
import datasette
import httpx
import pytest
from browsers import Opener
from open_datasette import IS_STABLE
from playwright.sync_api import Browser, expect
from running import done
from serving import serving

from timeline import Event, Timeline
from timeline.model.names import actor_id_of
from timeline.model.resources import packaged_metadata
from timeline.site.datasette_markup import CHANGES

SQL = "SELECT event_id, title, version, length(title) FROM events LIMIT 5"
WRONG = "SELECT nothing FROM nowhere"
TABLE = "/events?_search=a&_sort_desc=occurred_from&event_type=CONSULT&_size=5"
PAGES = {
    "database": "",
    "table with facets and filters": TABLE,
    "table of links": "/event_actors?_size=5&_facet=role",
    "view": "/current_events?_size=2",
    "row": "/events/sumy-strike",
    "row with several keys": "/event_versions/sumy-strike,1",
    "sql": f"?{urlencode({'sql': SQL})}",
    "sql with a parameter": f"?{urlencode({'sql': 'SELECT :word AS word'})}",
    "sql that is wrong": f"?{urlencode({'sql': WRONG})}",
    "query": "/pledges_by_actor_and_currency?actor=a&currency=EUR",
    "query without answers": "/competing_figures?measure=none",
    "error": "/events?_period=the+other+day",
}
ONLY_1 = {"list of queries": "/-/queries", "schema": "/-/schema"}
STRIKE = "Ballistic missile strike on Sumy"
UKRAINE = actor_id_of("Ukraine")
PHONE, DESK = 390, 1280
SCREENS = (("light", DESK), ("dark", PHONE))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsers.launched() as launched:
        yield launched


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Opener]:
    # A browser follows an old address of SQL to that of 1.0, which then answers with a 400.
    wrong = [f"/{name}{PAGES[page]}" for name in ("news",) for page in PAGES]
    moved = f"/news/-/query{PAGES['sql that is wrong']}"
    with browsers.opener(browser, [*wrong, moved], DESK) as opened:
        yield opened


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "news.db"
    done("-d", path, "demo", "--no-serve")
    return path


@pytest.fixture(scope="module")
def other(file: Path) -> Path:
    path = file.with_name("other.db")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE visits (event_id TEXT PRIMARY KEY, actor_id TEXT)")
        connection.execute("INSERT INTO visits VALUES ('sumy-strike', 'ukraine')")
        connection.commit()
    return path


@pytest.fixture(scope="module")
def address(file: Path, other: Path) -> Iterator[str]:
    """A Datasette with a timeline under a prefix, and a database of somebody else."""
    described = packaged_metadata()
    described["databases"]["news"] = described["databases"].pop("timeline")
    described["plugins"] = {"timeline": {"prefixes": {"news": "story"}}}
    metadata = file.with_name("metadata.json")
    metadata.write_text(json.dumps(described))
    command = ("datasette", "serve", file, other, "--metadata", metadata)
    with serving(*command, cwd=file.parent) as found:
        yield found


@pytest.fixture(scope="module")
def base(file: Path) -> Iterator[str]:
    """The site of the timeline alone, under another address than the root."""
    command = ("timeline", "-d", file, "serve", "--", "--setting", "base_url", "/sub/")
    with serving(*command, cwd=file.parent) as found:
        yield f"{found}/sub"


def fetched(url: str) -> str:
    """The text of a page, whatever its status."""
    return httpx.get(url, follow_redirects=True).text


def links(page: str, words: str) -> list[str]:
    """The addresses of the links with these words."""
    return re.findall(rf'<a [^>]*?href="([^"]*)"[^>]*>{re.escape(words)}</a>', page)


# --- Markup -------------------------------------------------------------------------------


def test_every_change_has_its_place_in_the_templates_of_this_datasette() -> None:
    folder = Path(datasette.__file__).parent / "templates"
    for name, changes in CHANGES.items():
        for change in changes:
            old = change.olds[0 if IS_STABLE else -1]
            assert not old or old in (folder / name).read_text(), (name, old)


@pytest.mark.parametrize("name", [*PAGES, *([] if IS_STABLE else ONLY_1), "first page"])
def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    name: str, address: str, open_page: Opener
) -> None:
    path = "/" if name == "first page" else f"/news{({**PAGES, **ONLY_1})[name]}"
    for scheme, width in SCREENS:
        page = open_page(address + path, width=width, scheme=scheme)
        page.evaluate(
            # An element of Datasette 1.0 has a list where the DOM has a method that axe calls.
            "document.querySelectorAll('navigation-search')"
            ".forEach(each => { each.matches = Element.prototype.matches })"
        )
        browsers.check_access(page)
        assert browsers.is_within(page), (scheme, width)
        expect(page.locator("h1")).to_have_count(1)
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert paper == {"light": "rgb(255, 254, 251)", "dark": "rgb(19, 21, 24)"}[scheme]


def test_the_bar_is_that_of_our_own_pages(base: str) -> None:
    def bar(path: str) -> list[str]:
        header = re.search('<header class="top">(.*?)</nav>', fetched(base + path), re.DOTALL)
        assert header
        return re.findall("<a [^>]*?>(?:.|\n)*?</a>", header[1].replace(' aria-current="page"', ""))

    assert bar("/verify") == bar("/news/events") == bar("/news?sql=select+1") != []
    assert 'href="/sub/"' in bar("/news/events")[0]


def test_a_page_can_be_left_and_its_head_skipped_by_keyboard(
    address: str, open_page: Opener
) -> None:
    page = open_page(f"{address}/news/events/sumy-strike")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    page.get_by_role("link", name="NATO and Odesa, spring 2025").click()
    expect(page).to_have_url(f"{address}/story/")


def test_pages_of_other_databases_are_those_of_any_datasette(
    address: str, other: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = ("/other", "/other/visits?_facet=actor_id&_nosuggest=1", "/other/visits/sumy-strike")
    paths += ("/other?sql=select+event_id+from+visits", "/other/visits?_sort=none")

    def pages(base: str) -> list[str]:
        found = [fetched(base + path).replace(base, "") for path in paths]
        return [re.sub(r"took [0-9.]+ms|ds_csrftoken\S+", "", page) for page in found]

    ours = pages(address)
    monkeypatch.setenv("DATASETTE_LOAD_PLUGINS", "")
    with serving("datasette", "serve", other, cwd=other.parent) as plain:
        assert ours == pages(plain)


# --- Links --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "words", "to"),
    [
        ("/events?event_id=sumy-strike", "sumy-strike", "/events/sumy-strike"),
        ("/events?event_id=sumy-strike", "<em>row</em>", "/news/events/sumy-strike"),
        ("/current_events?event_id=sumy-strike", "sumy-strike", "/events/sumy-strike"),
        ("/events/sumy-strike", "sumy-strike", "/events/sumy-strike"),
        ("/events/sumy-strike", "5", "/events/sumy-strike/5"),
        ("/citations?event_id=sumy-strike", "<em>sumy-strike</em>", "/news/events/sumy-strike"),
        ("/event_versions?event_id=sumy-strike&version=2", "2", "/events/sumy-strike/2"),
        ("/event_versions/sumy-strike,2", "2", "/events/sumy-strike/2"),
        ("/log?seq=2", "event/saudi-ceasefire-talks", "/events/saudi-ceasefire-talks"),
        ("/log?seq=1", "source/interfax-jeddah", "/sources/interfax-jeddah"),
        ("/sources?source_id=odesa-briefing", "odesa-briefing", "/sources/odesa-briefing"),
        ("/actors?name=Ukraine", UKRAINE, f"/actors/{UKRAINE}"),
        (f"?sql={quote(SQL)}", "rutte-odesa-visit", "/events/rutte-odesa-visit"),
        ("/competing_figures", "sumy-strike", "/events/sumy-strike"),
    ],
)
def test_ids_lead_to_our_pages_under_any_base(path: str, words: str, to: str, base: str) -> None:
    assert f"/sub{to}" in links(fetched(f"{base}/news{path}"), words)


def test_links_have_the_prefix_of_their_timeline(address: str) -> None:
    page = fetched(f"{address}/news/citations?event_id=sumy-strike")
    assert "/story/events/sumy-strike" in links(page, STRIKE)


@pytest.mark.parametrize("value", ["<b>x</b>", "../../x", "", "a b", "x" * 70, "UPPER", "a/b"])
def test_what_cannot_be_an_id_is_no_link(value: str, base: str) -> None:
    query = urlencode({"sql": "SELECT :x AS event_id, 1 AS version", "x": value})
    page = fetched(f"{base}/news?{query}")
    cells = re.findall(r'<td class="col-(?:event_id|version)">(.*?)</td>', page, re.DOTALL)
    assert cells == [html.escape(value) or "&nbsp;", "1"]


# --- Names --------------------------------------------------------------------------------


def test_facets_and_columns_have_plain_names_and_those_of_sql(base: str) -> None:
    page = fetched(f"{base}/news/events?_size=1")
    names = re.findall(r"<strong>(\w[^<]*?)\s*<span class=\"facet-info-total", page)
    assert {"Actors", "Tags", "Sources", "When it happened", "Type"} <= set(names)
    assert "(m2m)" not in page
    assert "<h1>Events <code>events</code></h1>" in page
    assert re.search(r"Type <code>event_type</code>", page)
    assert '<option value="event_type">Type (event_type)</option>' in page


def test_a_row_is_a_card_of_labelled_lines_on_a_phone(address: str, open_page: Opener) -> None:
    page = open_page(f"{address}/news/events?_size=2", width=PHONE)
    cell = page.locator("td.col-event_type").first
    assert cell.evaluate("each => getComputedStyle(each, '::before').content") == '"Type"'
    box, row = cell.bounding_box(), page.locator("tbody tr").first.bounding_box()
    assert box
    assert row
    assert box["width"] > 300 > box["height"]
    assert row["x"] >= 0
    assert row["x"] + row["width"] <= PHONE
    page.goto(f"{address}/news/citations?_size=1")
    event, key = page.locator("td.col-event_id a").all()
    first, second = event.bounding_box(), key.bounding_box()
    assert first
    assert second
    assert first["x"] == second["x"]


# --- Values -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "parameter", "value", "label"),
    [
        ("/competing_figures", "measure", "killed", ""),
        ("/pledges_by_actor_and_currency", "actor", "NATO allies", ""),
        ("/pledges_by_actor_and_currency", "currency", "EUR", ""),
        ("/claims_and_denials", "speaker", "Mark Rutte", ""),
        ("/figures_over_time", "event_id", "sumy-strike", STRIKE),
        ("/corrections_in_period", "to_day", "2025-04-15", ""),
        ("?sql=SELECT+:event_type", "event_type", "ASSAULT", "Assault"),
        ("?sql=SELECT+:country", "country", "UKR", "Ukraine"),
        ("?sql=SELECT+:tag", "tag", "black sea", ""),
        (
            "?sql=SELECT+:source_id",
            "source_id",
            "odesa-briefing",
            "Briefing on Rutte's visit to Odesa",
        ),
        ("?sql=SELECT+:actor_id", "actor_id", UKRAINE, "Ukraine"),
    ],
)
def test_the_known_values_of_a_parameter_are_offered(
    path: str, parameter: str, value: str, label: str, base: str
) -> None:
    page = html.unescape(fetched(f"{base}/news{path}"))
    known = re.search(f'<datalist id="known-{parameter}">(.*?)</datalist>', page)
    assert known
    assert f'<option value="{value}">{label}</option>' in known[1]
    assert f'list="known-{parameter}"' in page
    assert "</label>" in page.partition(known[0])[0][-10:]


def test_values_are_offered_in_no_longer_a_list_than_one_can_use(tmp_path: Path) -> None:
    path = tmp_path / "many.db"
    with Timeline.create(path, title="Many") as log:
        log.record(
            Event(title=f"Event {number}", occurred="2025", tags=[f"tag {number}"])
            for number in range(300)
        )
    with serving("timeline", "-d", path, "serve", cwd=tmp_path) as address:
        page = fetched(f"{address}/many?sql=SELECT+:tag,+:event_id,+:day")
        assert [
            len(re.findall("<option", each)) for each in re.findall("<datalist.*?</datalist>", page)
        ] == [200, 200, 1]


def test_no_values_are_offered_of_a_table_that_a_reader_may_not_view(file: Path) -> None:
    denied = {"databases": {file.stem: {"tables": {"events": {"allow": False}}}}}
    name = file.with_name("denied.json")
    name.write_text(json.dumps(denied))
    option = "--metadata" if IS_STABLE else "--config"
    with serving("datasette", "serve", file, option, name, cwd=file.parent) as address:
        page = fetched(f"{address}/news?sql=SELECT+:event_id,+:measure")
    assert '<datalist id="known-measure">' in page
    assert 'known-event_id">' not in page.replace('list="known-event_id"', "")
