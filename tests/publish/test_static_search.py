"""A static site answers in the browser what the hosted version answers: the same events, in order.

The pages are those of a plain file server, or files that a browser opens; the other side is a real
server over the same log.
"""

from __future__ import annotations

import asyncio
import html
import random
import re
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from browsers import launched
from playwright.sync_api import Browser, Page, expect
from running import done
from serving import serving

from timeline import Timeline
from timeline.model.names import actor_id_of
from timeline.model.vocabulary import plover
from timeline.publish import static_site
from timeline.publish.site_files import SiteFiles
from timeline.reading.selection import Selection
from timeline.site.public_url import site_url
from timeline.site.views.address import Address
from timeline.site.views.axis import Axis
from timeline.site.views.browse import browse
from timeline.store import storage

QUERIES = (
    "",
    "type=CONSULT",
    "type=CONSULT&type=AGREE",
    "type!=CONSULT",
    "actor=ukraine&actor=nato",
    "actor=ukraine&actor=russia&actor_match=all",
    "actor=mark-rutte&actor!=ukraine",
    "actor=Mark+Rutte",
    "country=UKR&country!=RUS",
    "country=ukr",
    "tag=black-sea",
    "source=odesa-briefing",
    "source!=odesa-briefing&tag!=black-sea",
    "modality=planned",
    "verification=disputed",
    "verification=corroborated&highlight=yes",
    "highlight=no&at_risk=no",
    "state=all",
    "state=retracted",
    "state!=current",
    "precision=day&order=oldest",
    "precision!=day&precision!=open",
    "place=odesa",
    "area=30,46,31.5,47",
    "area=170,-80,-170,80",
    "since=2025-04-13",
    "until=March+2025",
    "since=2025-03&until=2025-03",
    "since=2024&until=2025-01-01",
    "since=2025-04-15&until=2025-04-15&order=oldest",
    "since=15+April+2025&until=15+April+2025&type=CONSULT",
    "measure=killed",
    "measure=killed&at_least=35&at_most=40",
    "measure=pledged&at_least=20000000001",
    "measure=pledged&unit=EUR&at_most=1",
    "q=odesa",
    "q=black+sea",
    "q=sea+black&order=oldest",
    "q=%22black+sea%22",
    "q=%22sea+black%22",
    "q=cease",
    "q=ceas+fire",
    "q=Zelenskyy",
    "q=Z%C3%A9lenskyy",
    "q=%D0%97%D0%B5%D0%BB%D0%B5%D0%BD%D1%81%D1%8C%D0%BA%D0%B8%D0%B9",
    "q=%D0%9E%D0%94%D0%95%D0%A1%D0%90",
    "q=nothing+of+that+kind",
    "q=odesa&type=SUPPORT&actor=nato&since=2025-04&order=oldest",
    "type=NONE+SUCH",
    "order=oldest&after=2025-04-13~sumy-strike",
    "after=2025-04-13~sumy-strike",
)
"""What both sides are asked: each facet, not, all of them, periods, places, figures, and words."""

FROM_A_DISK = (
    *("type=CONSULT", "actor=ukraine&actor=russia&actor_match=all", "country!=UKR", "state=all"),
    *("since=2025-04-15&order=oldest", "q=black+sea", "q=%22sea+black%22", "measure=killed"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as found:
        yield found


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    problems: list[str] = []
    context = browser.new_context(viewport={"width": 1200, "height": 900})
    found = context.new_page()
    found.set_default_timeout(15_000)
    found.on("pageerror", lambda error: problems.append(str(error)))
    yield found
    context.close()
    assert problems == []


@pytest.fixture(scope="module")
def folder(story: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("site")
    done("-d", story, "publish", made, "--static")
    return made


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def file_server(folder: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def files(folder: Path) -> Iterator[str]:
    with file_server(folder) as address:
        yield address


@pytest.fixture(scope="module")
def hosted(story: Path) -> Iterator[Callable[[str], list[str]]]:
    with serving("timeline", "-d", story, "serve", cwd=story.parent) as address:

        def ask(query: str) -> list[str]:
            text = httpx.get(f"{address}/events?{query}").text
            links = re.findall(r'<a class="title" href="([^"]*)"', text)
            return [ids(html.unescape(link)) for link in links]

        yield ask


def ids(link: str) -> str:
    return urlsplit(link).path.rstrip("/").split("/")[-1]


def shown(page: Page) -> list[str]:
    """The ids of the events in the list of a page, in its order."""
    links = page.locator(".list a.title").evaluate_all("all => all.map((each) => each.href)")
    return [ids(link) for link in links]


def is_ready(page: Page) -> None:
    page.wait_for_function("self.show && !document.querySelector('main').ariaBusy")


DRAWN = """async (queries) => Promise.all(queries.map(async (query) => {
  const made = await timelineDraw(new URL(`?${query}`, location));
  return [...made.querySelectorAll(".list a.title")].map((each) => each.href);
}))"""


def test_every_query_has_the_events_of_the_hosted_version(
    files: str, hosted: Callable[[str], list[str]], page: Page
) -> None:
    page.goto(files)
    is_ready(page)
    drawn = page.evaluate(DRAWN, QUERIES)
    found = {
        query: [ids(link) for link in links] for query, links in zip(QUERIES, drawn, strict=True)
    }
    assert found == {query: hosted(query) for query in QUERIES}
    assert sum(map(bool, found.values())) > 35


@pytest.mark.parametrize("query", ["q=black+sea&order=oldest", "country!=UKR", "state=all"])
def test_an_address_shows_its_events_when_it_is_opened(
    files: str, hosted: Callable[[str], list[str]], page: Page, query: str
) -> None:
    for path in ("", "events/"):
        page.goto(f"{files}{path}?{query}")
        is_ready(page)
        page.wait_for_selector(".chip")
        assert shown(page) == hosted(query)


def test_files_of_a_disk_have_the_events_of_the_hosted_version(
    folder: Path, hosted: Callable[[str], list[str]], page: Page
) -> None:
    for query in FROM_A_DISK:
        page.goto(f"file://{folder}/index.html?{query}")
        is_ready(page)
        page.wait_for_selector(".chip, .list[data-all]", state="attached")
        assert shown(page) == hosted(query), query
    page.locator(".clear").click()
    page.wait_for_function("!document.querySelector('.chip')")
    assert shown(page) == hosted("")


# --- Any address, over any log ------------------------------------------------------------

DAYS = (
    *(
        "2025-04-15",
        "2025-04-15T12:30:00",
        "2025-04",
        "2025",
        "2025-04-10/2025-04-20",
        "1999",
    ),
    *(
        "2025-03-31/..",
        "../2025-04-01",
        "2025-04-30/2025-05-02",
        "-0044-03-15",
        "2025-Q2",
        "Y17000",
    ),
)
NAMES = (
    "Łódź",
    "Lodz",
    "Київ",
    "Kyiv",
    "東京都",
    "京都",
    "ΟΔΟΣ",
    "οδός",
    "हिन्दी",
    "Straße",
    "STRASSE",
)
WORDS = (*NAMES, "harbour", "harbor", "talks", "cease-fire", "ceasefire", "of", "the", "q" * 30)


def made_up(path: Path, maker: random.Random) -> None:
    """A log of some hundred events with everything that an address can ask for."""
    types = [term.code for term in plover().event_types]
    with Timeline.create(path, title="Made up") as timeline:
        timeline.record(
            {
                "event_id": f"e-{number:03}",
                "title": " ".join(maker.choices(WORDS, k=3)),
                "summary": " ".join(maker.choices(WORDS, k=8)),
                "occurred": maker.choice(DAYS)
                if number % 3
                else f"2025-0{number % 9 + 1}-1{number % 7}",
                "modality": maker.choice(("actual", "planned", "ongoing")),
                "verification": maker.choice(("reported", "corroborated", "disputed")),
                **maker.choice(({}, {"event_type": maker.choice(types)})),
                **maker.choice(({}, {"highlight": True})),
                **maker.choice(({}, {"place": _place(maker)})),
                "participants": [
                    {"name": name} for name in maker.sample(NAMES, maker.randint(0, 3))
                ],
                "tags": maker.sample(("a", "b", "c", "ü"), maker.randint(0, 3)),
                "quantities": [_figure(maker) for _ in range(maker.randint(0, 2))],
                "citations": [
                    {"source": {"url": f"https://example.org/{each}"}, "quote": maker.choice(WORDS)}
                    for each in maker.sample(range(12), maker.randint(0, 2))
                ],
            }
            for number in range(300)
        )
        for number in range(0, 300, 17):
            timeline.retract(f"e-{number:03}", reason="made up")


def _place(maker: random.Random) -> dict[str, object]:
    return {
        "name": maker.choice(NAMES),
        "country": maker.choice(("UKR", "POL", "JPN")),
        "lat": round(maker.uniform(-90, 90), 3),
        "lon": maker.choice((180, -180, round(maker.uniform(-180, 180), 3))),
    }


def _figure(maker: random.Random) -> dict[str, object]:
    unit = maker.choice(("person", "vehicle"))
    return {"measure": maker.choice(("killed", "lost")), "unit": unit, **maker.choice(FIGURES)}


FIGURES: tuple[dict[str, object], ...] = (
    *({"value": value} for value in (0, 5, 12, 20)),
    *({"value": 12, "qualifier": qualifier} for qualifier in ("more_than", "at_least", "about")),
    *({"low": 5, "high": 12}, {"low": 12}, {"high": 5}),
)


def asked(maker: random.Random) -> list[tuple[str, str]]:
    """The parameters of a random address."""
    values = {
        "type": ("CONSULT", "AID", "ASSAULT", "PROTEST"),
        "actor": tuple(actor_id_of(name) for name in NAMES),
        "country": ("UKR", "POL", "JPN"),
        "tag": ("a", "b", "ü"),
        "modality": ("planned", "ongoing"),
        "verification": ("reported", "disputed"),
        "state": ("current", "retracted", "all"),
        "precision": ("day", "month", "open", "interval"),
        "highlight": ("1", "0"),
    }
    pairs = [
        (maker.choice((name, name, f"{name}!")), maker.choice(values[name]))
        for name in maker.choices([*values], k=maker.randint(0, 3))
    ]
    pairs = [(name, value) for name, value in pairs if (name, value) != ("state!", "all")]
    for name, some in {
        "since": ("2025-04-15", "2025-04", "2025", "-0100", "1999-06"),
        "until": ("2025-04-15", "2025-03", "2025", "Y20000", "-0044"),
        "place": NAMES,
        "area": ("0,0,180,90", "100,-90,-100,90", "-180,-90,180,90"),
        "actor_match": ("all",),
        "tag_match": ("all",),
        "order": ("oldest",),
        "values": ("name",),
        "all": ("actor", "source"),
        "q": (*WORDS, '"of the"', "tal", "lod", "京", "kyiv the", "стр", "ceasefire of", "odos"),
    }.items():
        if maker.random() < 0.2:
            pairs.append((name, maker.choice(some)))
    if maker.random() < 0.2:
        pairs += [("measure", "killed"), maker.choice((("at_least", "12"), ("at_most", "12")))]
    return pairs


def front_page(path: Path, folder: Path) -> None:
    """Write only the front page of a log, and the index."""
    (folder / "new").mkdir(parents=True)
    site = static_site._Site(
        path, site_url("https://example.org/"), with_embeds=False, with_cards=False
    )
    files = SiteFiles(folder, folder / "new")
    with ThreadPoolExecutor() as pool:  # this thread has the loop of the browser
        pool.submit(asyncio.run, static_site._write(site, files, ["/"], path)).result()
    files.finish()


STATE = """async (queries) => {
  const number = (text) => Number(text.replace(/[^0-9.]/g, ""));
  const axisOf = (made) => {
    const box = made.querySelector(".axis");
    if (!box) return null;
    const asked = (link) => new URL(link.getAttribute("href"), location).searchParams;
    const all = (selector, read) => [...box.querySelectorAll(selector)].map(read);
    const left = (each) => parseFloat(each.getAttribute("x"));
    return [
      +box.dataset.first,
      +box.dataset.last,
      all("a.bar", (bar) => [
        asked(bar).get("since"),
        asked(bar).get("until"),
        number(bar.getAttribute("aria-label").split(": ")[1]),
        left(bar.querySelector(".hit")),
        parseFloat(bar.querySelector(".hit").getAttribute("width")),
        Object.fromEntries(bar.dataset.parts.split("\\n").map((part) => [
          part.replace(/^\\S+ /, ""),
          number(part),
        ])),
      ]),
      all(".beside text", (each) => number(each.textContent)),
      number((box.querySelector(".band-note") ?? box.querySelector("p.sr"))?.textContent ?? "0"),
      all("a.lane", (lane) => {
        const [hit, line, ...ends] = lane.children;
        const kinds = ends.map((each) => [
          each.querySelector("path")?.getAttribute("d").startsWith("M7") ??
            each.getAttribute("fill")?.includes("in") ?? false,
          each.querySelector("path") ? "open" : "cut",
        ]);
        const end = (isBegin) => kinds.find(([each]) => each === isBegin)?.[1] ?? "";
        return [
          lane.getAttribute("href").split("/").at(-2),
          parseFloat(hit.getAttribute("x1")),
          parseFloat(hit.getAttribute("x2")),
          (hit.getAttribute("y1") - 4.5) / 9,
          end(true),
          end(false),
          line.classList.contains("rough"),
          lane.classList[1].slice(3),
        ];
      }),
      ["before", "after"].map((side) => {
        const edge = box.querySelector(`.edge.${side}`);
        const bound = side === "before" ? "until" : "since";
        return edge && [number(edge.textContent.match(/\\d+/)[0]), asked(edge).get(bound)];
      }),
      box.querySelector("#axis-open").hasAttribute("checked"),
      [+box.querySelector(".strip").dataset.first, +box.querySelector(".strip").dataset.last],
      all(".ticks text", left),
    ];
  };
  const found = [];
  for (const query of queries) {
    const made = await timelineDraw(new URL(`?${query}`, location));
    const all = (selector, read, scope = made) => [...scope.querySelectorAll(selector)].map(read);
    found.push({
      ids: all(".list a.title", (each) => each.href.split("/").at(-2)),
      count: made.querySelector(".count-line strong").textContent,
      axis: axisOf(made),
      facets: all("details[id^=facet-]:has(ul)", (box) => [
        box.id.slice(6),
        ...all("li", (item) => [
          item.querySelector(".yes input").value,
          item.querySelector(".label").textContent,
          item.querySelector(".count").textContent,
          item.querySelector(".yes input").hasAttribute("checked"),
          item.querySelector(".not input").hasAttribute("checked"),
        ], box),
      ]),
    });
  }
  return found;
}"""


def axis_in_numbers(axis: Axis) -> list[object]:
    """What STATE reads of an axis on a page."""
    bars = [
        [
            *(bar.first, bar.last, bar.events, bar.left, bar.width),
            {axis.words(each): events for each, events in bar.parts},
        ]
        for bar in axis.bars
    ]
    edges = [edge and [edge.events, edge.bound] for edge in (axis.before, axis.after)]
    places = [left for left, _ in axis.ticks if left < 94]
    window = [axis.strip.first, axis.strip.last]
    lines = [
        [
            *(line.event_id, line.left, round(line.left + line.width, 3), line.lane),
            *(line.begin, line.end, line.is_rough, line.event_class),
        ]
        for line in axis.lines
    ]
    numbers = [axis.first, axis.last, bars, axis.scale, axis.others, lines, edges]
    return [*numbers, axis.is_chosen, window, places]


def test_any_address_has_the_events_and_the_counts_of_the_hosted_version(
    tmp_path: Path, page: Page
) -> None:
    maker = random.Random(7)
    path, folder = tmp_path / "made-up.db", tmp_path / "site"
    made_up(path, maker)
    front_page(path, folder)
    with closing(storage.connect(path)) as connection, file_server(folder) as address:
        page.goto(address)
        is_ready(page)
        addresses = [asked(maker) for _ in range(100)]
        drawn = page.evaluate(STATE, [urlencode(pairs) for pairs in addresses])
        for pairs, found in zip(addresses, drawn, strict=True):
            state = browse(connection, Address.of(pairs))
            said = f"{state['count'] if state['address'].is_narrowed else state['total']:,}"
            assert found["count"] == said, pairs
            assert found["ids"] == [e["event_id"] for g in state["groups"] for e in g.events], pairs
            facets = [
                [
                    each.name,
                    *(
                        [one.value, one.label, f"{one.events:,}", one.is_chosen, one.is_excluded]
                        for one in each.choices
                    ),
                ]
                for each in state["facets"]
            ]
            assert found["facets"] == facets, pairs
            is_there = state["count"] or state["address"].is_narrowed
            axis = state["axis"] if is_there else None
            assert found["axis"] == (axis and axis_in_numbers(axis)), pairs


def test_entries_have_the_markup_of_the_hosted_version(story: Path, files: str, page: Page) -> None:
    page.goto(f"{files}?order=oldest&type!=NONE")
    is_ready(page)
    read = "all => all.map((each) => each.outerHTML)"
    drawn = page.locator(".list .events > li").evaluate_all(read)
    with serving("timeline", "-d", story, "serve", cwd=story.parent) as address:
        page.goto(f"{address}/events?order=oldest")
        told = page.locator(".list .events > li").evaluate_all(read)
    plain = [
        [" ".join(re.sub(r' (href|src|data-\w+)="[^"]*"', "", each).split()) for each in side]
        for side in (drawn, told)
    ]
    assert plain[0] == plain[1]
    assert len(plain[0]) > 10


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_filters_are_chosen_by_keyboard_and_nothing_is_wrong_for_axe(
    files: str, browser: Browser, width: int, scheme: Literal["light", "dark"]
) -> None:
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    page.goto(files)
    is_ready(page)
    before = shown(page)
    if width < 800:
        page.locator(".to-filters").press("Enter")
    page.locator("#facet-type .yes input").first.press("Space")
    page.wait_for_selector(".chip", state="attached")
    assert "type=CONSULT" in page.url
    assert page.evaluate("document.activeElement.value") == "CONSULT"
    assert Axe().run(page).response["violations"] == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    page.go_back()
    page.wait_for_function("!document.querySelector('.chip')")
    assert shown(page) == before
    context.close()


def test_a_page_without_javascript_says_what_needs_the_hosted_version(
    files: str, browser: Browser
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(files)
    expect(page.locator("noscript .legend")).to_contain_text("need the hosted version")
    assert page.locator("form").count() == 0
    assert len(shown(page)) == 19
    context.close()


def test_a_date_that_cannot_be_read_is_told_and_chooses_nothing(files: str, page: Page) -> None:
    page.goto(f"{files}?since=the+other+day&as_of=2025-04-14")
    is_ready(page)
    unread, past = page.get_by_role("alert").all_inner_texts()
    assert "the other day" in unread
    assert "past needs the hosted version" in past
    assert len(shown(page)) == 19


@pytest.mark.parametrize("query", ["type=CONSULT", "country!=UKR", "q=black+sea", "q=zzz"])
def test_the_map_has_the_marks_and_places_of_what_is_chosen(
    story: Path, files: str, page: Page, query: str
) -> None:
    with closing(storage.connect(story)) as connection:
        points = browse_map(connection, query)
    page.goto(f"{files}events/?view=map&{query}")
    page.wait_for_url("**/map/?*")
    is_ready(page)
    page.wait_for_selector(".chip", state="attached")
    for shape in ("wide", "narrow"):
        marks = page.locator(f".drawn.{shape} .over a").evaluate_all(
            "all => all.map((a) => Number(a.querySelector('text')?.textContent ?? 1))"
        )
        assert sum(marks) == sum(points.values())
    listed = page.locator(".places a").evaluate_all("all => all.map((each) => each.href)")
    areas = [dict(parse_qsl(urlsplit(link).query))["area"] for link in listed]
    assert sorted(areas) == sorted(f"{lon},{lat},{lon},{lat}" for lat, lon in points)
    if listed:
        page.locator(".places a").first.click()
        page.wait_for_url("**/events/?*area=*")
        page.wait_for_selector(".chip", state="attached")
        assert len(shown(page)) == next(iter(points.values()))


def browse_map(connection: sqlite3.Connection, query: str) -> dict[tuple[float, float], int]:
    """The number of events at each point that an address chooses, the most frequent first."""
    address = Address.of(parse_qsl(query))
    points = Selection(connection, address.filters, address.q or None).points()
    return {(each["lat"], each["lon"]): each["count"] for each in points}
