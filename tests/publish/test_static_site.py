"""The site as files: every address is there, links hold, and nothing is written twice."""

from __future__ import annotations

import contextlib
import html
import json
import posixpath
import re
import shutil
import subprocess
from contextlib import ExitStack
from html.parser import HTMLParser
from itertools import chain
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from folders import contents
from running import PROGRAM, done, one_line, run
from ticking_clock import TickingClock

from timeline import Event, Participant, Timeline
from timeline.model.names import actor_id_of
from timeline.site.views import value_pages
from timeline.store import storage
from timeline.store.open_files import holders
from timeline.store.scratch_folder import scratch_folder


@pytest.fixture
def path(story: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(story, tmp_path / "story.db"))


@pytest.fixture
def short(tmp_path: Path) -> Path:
    """A timeline of two events, which is published in less than half of the time."""
    path = tmp_path / "story.db"
    place = {"name": "Sumy", "lat": 50.91, "lon": 34.8}
    with Timeline.create(path, title="Sumy", origin="example.org/story") as timeline:
        for day, what in (("2025-04-13", "strike"), ("2025-04-15", "talks")):
            event = {"event_id": f"sumy-{what}", "title": what, "occurred": day}
            timeline.record({**event, "place": place, "tags": ["sumy"]})
    return path


@pytest.fixture(scope="module")
def site(story: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    copy = shutil.copy(story, tmp_path_factory.mktemp("copy"))
    done("-d", copy, "publish", folder, "--static")
    return folder


class Links(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.ids: set[str] = set()
        self.canonical: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        said = dict(attributes)
        self.ids.add(said.get("id") or "")
        for name in ("href", "src", "action"):
            if said.get(name) and (tag, said.get("rel")) == ("link", "canonical"):
                self.canonical = said[name]
            elif said.get(name):
                self.found.append(said[name] or "")


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def broken_links(folder: Path) -> list[tuple[str, str]]:
    """Page and link of all that leads to no file, or to no place in it, as a file server has it."""
    found = []
    for page in folder.rglob("*.html"):
        here = f"http://files/{page.relative_to(folder)}"
        for link in Links(page.read_text()).found:
            target = urlsplit(urljoin(here, link))
            if target.netloc != "files":
                continue
            file = folder / unquote(target.path).lstrip("/")
            file = file / "index.html" if target.path.endswith("/") else file
            is_there = file.is_file()
            if is_there and target.fragment and file.suffix == ".html":
                is_there = target.fragment in Links(file.read_text()).ids
            if not is_there or link.startswith("/"):
                found.append((str(page.relative_to(folder)), link))
    return found


def test_every_link_is_relative_and_leads_to_a_file(site: Path) -> None:
    assert broken_links(site) == []


def test_everything_that_has_an_address_has_a_file(story: Path, site: Path) -> None:
    with contextlib.closing(storage.connect(story)) as connection:
        versions = connection.execute("SELECT event_id, version FROM event_versions").fetchall()
        sources = connection.execute("SELECT source_id FROM sources").fetchall()
        actors = connection.execute("SELECT actor_id FROM actors").fetchall()
        values = {path.removeprefix("/") for path in value_pages.paths(connection)}
        tags = [path.removeprefix("tags/") for path in values if path.startswith("tags/")]
    pages = {"", "events", "map", "changes", "verify", "actors", "sources", "about"}
    pages |= {"tags", "types", "countries"}
    without_json = {"actors/az", "sources/az", "months", "known", "known/2025-04-18"}
    pages |= {f"events/{event_id}" for event_id, _ in versions}
    pages |= {f"events/{event_id}/{version}" for event_id, version in versions}
    pages |= {f"sources/{source_id}" for (source_id,) in sources}
    pages |= {f"actors/{actor_id}" for (actor_id,) in actors}
    embeds = {"embed", "embed/highlights", *(f"embed/tags/{tag_id}" for tag_id in tags)}
    embeds |= {f"embed/events/{event_id}" for event_id, _ in versions}
    embeds |= {f"embed/actors/{actor_id}" for (actor_id,) in actors}
    assert pages | values | without_json | embeds == {
        str(page.parent.relative_to(site)).replace(".", "", 1) if page.parent == site
        else str(page.parent.relative_to(site))
        for page in site.rglob("index.html")
    }  # fmt: skip
    for page in pages - {"", "events", "map", "about"}:
        assert json.loads((site / f"{page}.json").read_text())
    for event_id, version in versions:
        assert (site / f"events/{event_id}/{version}.tlog-proof").is_file()
    for name in ("json", "csv", "ics", "atom", "geojson", "timelinejs.json", "jsonl"):
        assert (site / f"events.{name}").stat().st_size > 1_000


def test_without_a_server_each_value_leads_to_a_page_of_its_events(site: Path) -> None:
    def leads(page: str) -> set[str]:
        links = Links((site / page).read_text()).found
        return {str(PurePosixPath(posixpath.normpath(Path(page).parent / link))) for link in links}

    assert {"tags/ceasefire", "types/CONSULT", "countries/UKR", "months"} <= leads("index.html")
    panel = (site / "index.html").read_text().partition('id="facet-source"')[2]
    assert re.search(
        r'class="all"><a href="sources/">And \d+ more', panel.partition("</details>")[0]
    )
    assert {"types/ASSAULT", "countries/UKR"} <= leads("events/sumy-strike/index.html")
    assert {"months/2025-03", "months/2025-04"} <= leads("months/index.html")
    assert "tags/ceasefire" in leads("tags/index.html")
    page = site / "types/ASSAULT/index.html"
    assert (
        'rel="canonical" href="https://example.org/nato-odesa-demo/types/ASSAULT"'
        in page.read_text()
    )
    listed = {link for link in leads("types/ASSAULT/index.html") if link.startswith("events/")}
    assert listed == {"events/sumy-strike"}


def test_further_pages_of_a_value_are_files(tmp_path: Path, clock: TickingClock) -> None:
    path, folder = tmp_path / "many.db", tmp_path / "site"
    with Timeline.create(path, title="Many", now=clock) as timeline:
        timeline.record(
            [
                Event(title=f"Event {number}", occurred="2025-04", tags=["p", f"tag {number}"])
                for number in range(110)
            ]
        )
    done("-d", path, "publish", folder, "--static", "--no-embed")
    assert broken_links(folder) == []
    for name in ("tags/p", "months/2025-04"):
        pages = [folder / name / f"{rest}index.html" for rest in ("", "p/2/", "p/3/")]
        titles = [
            re.findall(r'class="title"[^>]*>(Event \d+)<', each.read_text()) for each in pages
        ]
        assert [*map(len, titles)] == [50, 50, 10]
        assert len({*chain.from_iterable(titles)}) == 110
        assert all("<h1>" in each.read_text() for each in pages)
    assert len(json.loads((folder / "tags.json").read_text())["tags"]) == 111
    listed = [folder / "tags" / f"{rest}index.html" for rest in ("", "p/2/")]
    assert sum(each.read_text().count('class="title"') for each in listed) == 111


def test_nothing_is_offered_that_needs_a_server(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text()
        assert "<form" not in text
        scripts = re.findall(r'<script[^>]* src="[^"]*/([a-z_]+\.js)', text)
        lists = (site, site / "events", site / "map")
        is_list = page.name == "index.html" and page.parent in lists
        own_scripts = ["static_search.js"] if is_list else []
        assert scripts == (["embed.js"] if page.is_relative_to(site / "embed") else own_scripts)
        own = [link for link in Links(text).found if "://" not in link]
        assert [link for link in own if "?" in link and "/-/" not in f"/{link}"] == []
    without_script = (site / "index.html").read_text().partition("<noscript>")[2]
    assert "need the hosted version" in without_script.partition("</noscript>")[0]


def test_everything_that_is_shared_has_a_file(site: Path) -> None:
    root, shared = "https://example.org/nato-odesa-demo/", set()
    for page in site.rglob("*.html"):
        for value in re.findall(r'id="share-[a-z]+" readonly value="([^"]*)"', page.read_text()):
            (address,) = re.findall(re.escape(root) + '[^"]*', html.unescape(value))
            shared.add(address.removeprefix(root))
    assert {"", "embed", "embed/events/sumy-strike", "events/sumy-strike/5"} <= shared
    for path in shared:
        file = site / path
        assert file.is_file() or (file / "index.html").is_file(), path


def test_a_site_that_no_other_may_show_has_no_embeds(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    done("-d", path, "publish", folder, "--static", "--no-embed")
    assert not (folder / "embed").exists()
    assert "embed" not in (folder / "index.html").read_text()
    assert broken_links(folder) == []
    refused = run("-d", path, "publish", folder, "--static", "--embed-from", "https://a.example")
    assert refused.exit_code == 2
    assert "--embed-from does nothing for --static" in " ".join(refused.stderr.split())


def test_the_map_is_a_picture_whose_places_lead_to_events(site: Path) -> None:
    text = (site / "map/index.html").read_text()
    (picture, *_) = re.findall(r'src="([^"]*world[.]svg)[^"]*#svgView', text)
    assert (site / "map" / picture).resolve().is_file()
    assert "<strong>14 events</strong> on this part of the map" in text
    listed = text.partition('class="places"')[2].partition("</section>")[0]
    assert len({*re.findall(r'href="[./]*(events/[^"/]*)', listed)}) == 14
    assert 'href="#places"' in text
    assert "Zoom" not in text
    assert 'href="../map/' in (site / "events/sumy-strike/index.html").read_text().replace(
        "../../", "../"
    )


def test_the_pages_say_what_the_live_ones_say(site: Path, story: Path) -> None:
    strike = (site / "events/sumy-strike/index.html").read_text()
    for said in ("Ballistic missile strike on Sumy", "36", "Version 3", "Cite this version"):
        assert said in strike
    exported = done("-d", story, "export", "jsonl")
    assert (site / "events.jsonl").read_text() == exported


def test_the_same_log_gives_the_same_files_and_writes_none_of_them_again(
    path: Path, tmp_path: Path
) -> None:
    done("-d", path, "publish", tmp_path / "one", "--static")
    done("-d", path, "publish", tmp_path / "other", "--static")
    assert files(tmp_path / "one") == files(tmp_path / "other")
    times = {file: file.stat().st_mtime_ns for file in (tmp_path / "one").rglob("*")}
    text = done("-d", path, "publish", tmp_path / "one", "--static")
    assert re.search(r": \d+ files, 0 of them new or changed, 0 removed;", text)
    assert {file: file.stat().st_mtime_ns for file in (tmp_path / "one").rglob("*.html")} == {
        file: time for file, time in times.items() if file.suffix == ".html"
    }


def test_only_what_changed_is_written_and_what_is_gone_is_removed(
    path: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    done("-d", path, "publish", folder, "--static")
    (folder / "CNAME").write_text("example.org")
    (folder / "events/no-more").mkdir()
    (folder / "events/no-more/index.html").write_text("an old page")
    manifest = folder / ".timeline-files.json"
    known = [*json.loads(manifest.read_text()), "events/no-more/index.html", "../outside"]
    manifest.write_text(json.dumps(known))
    (tmp_path / "outside").touch()
    before = files(folder)
    done("-d", path, "update", "sumy-strike", "--set", "note=Seen again")
    text = done("-d", path, "publish", folder, "--static")
    after = files(folder)
    assert (
        after["events/nato-allies-pledge/index.html"]
        == before["events/nato-allies-pledge/index.html"]
    )
    assert b"Seen again" in after["events/sumy-strike/4/index.html"]
    assert "CNAME" in after
    assert not (folder / "events/no-more").exists()
    assert (tmp_path / "outside").exists()
    assert ", 4 removed;" in text  # with the two parts of the former index
    assert broken_links(folder) == []


@pytest.mark.parametrize("name", ["events/index.html", "events", "verify.json"])
def test_a_file_of_ones_own_in_the_way_is_named_and_nothing_is_written(
    short: Path, tmp_path: Path, name: str
) -> None:
    own = tmp_path / "out" / name
    own.parent.mkdir(parents=True)
    own.write_text("mine")
    problem = one_line(run("-d", short, "publish", tmp_path / "out", "--static"))
    assert problem == f"{own} is in the way, and no earlier publish wrote it: move it away"
    assert files(tmp_path / "out") == {name: b"mine"}


@pytest.mark.parametrize("name", ["events", "events/sumy-strike", "index.html", "verify.json"])
@pytest.mark.parametrize("leads", ["out of the site", "into the site", "nowhere"])
@pytest.mark.parametrize("is_again", [False, True])
def test_a_symbolic_link_in_the_site_is_not_followed(
    short: Path, tmp_path: Path, name: str, leads: str, is_again: bool
) -> None:
    folder, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    if leads == "into the site":
        elsewhere = folder / "own"
    if is_again:
        done("-d", short, "publish", folder, "--static")
        if (folder / name).is_dir():
            shutil.rmtree(folder / name)
        else:
            (folder / name).unlink()
        done("-d", short, "update", "sumy-strike", "--set", "note=Seen again")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    if leads != "nowhere":
        elsewhere.mkdir(parents=True, exist_ok=True)
        (elsewhere / "index.html").write_text("mine")
    target = elsewhere / "index.html" if "." in name else elsewhere
    (folder / name).symlink_to(target)
    before = contents(folder), contents(elsewhere)
    problem = one_line(run("-d", short, "publish", folder, "--static"))
    expected = f"{folder / name} is a symbolic link, which publish does not follow: move it away"
    assert problem == expected
    assert (contents(folder), contents(elsewhere)) == before


def test_a_link_in_the_place_of_a_page_that_is_gone_stays(short: Path, tmp_path: Path) -> None:
    folder, own = tmp_path / "out", tmp_path / "own"
    done("-d", short, "publish", folder, "--static")
    own.mkdir()
    (own / "index.html").write_text("mine")
    (folder / "events/no-more").symlink_to(own)
    (folder / "old.html").symlink_to(own / "index.html")
    manifest = folder / ".timeline-files.json"
    known = [*json.loads(manifest.read_text()), "events/no-more/index.html", "old.html"]
    manifest.write_text(json.dumps(known))
    done("-d", short, "publish", folder, "--static")
    assert (folder / "old.html").read_text() == "mine"
    assert (folder / "events/no-more/index.html").read_text() == "mine"


def test_what_a_run_that_was_killed_put_in_place_is_known_to_the_next(
    short: Path, tmp_path: Path, clock: TickingClock
) -> None:
    long = tmp_path / "long.db"
    with Timeline.create(long, title="Long", now=clock) as timeline:
        timeline.record(
            [
                Event(event_id=f"event-{number:03}", title=f"Event {number}", occurred="2025")
                for number in range(60)
            ]
        )
    folder = tmp_path / "out"
    program = [*PROGRAM, "-d", str(long), "publish", str(folder), "--static"]
    with subprocess.Popen(program, stdout=subprocess.DEVNULL) as running:
        while not (folder / "events").exists() and running.poll() is None:
            pass
        running.kill()
    (folder / "CNAME").write_text("example.org")
    done("-d", short, "publish", folder, "--static")
    done("-d", short, "publish", tmp_path / "whole", "--static")
    (folder / "CNAME").unlink()
    assert contents(folder) == contents(tmp_path / "whole")


def test_who_waits_for_the_folder_writes_what_the_log_says_by_then(
    short: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    program = [*PROGRAM, "-d", str(short), "publish", str(folder), "--static"]
    with ExitStack() as stack:
        with scratch_folder(folder):
            running = stack.enter_context(subprocess.Popen(program, stdout=subprocess.DEVNULL))
            while not holders(folder):
                assert running.poll() is None
            done("-d", short, "append", "--id", "meanwhile", "--title", "M", "--occurred", "2025")
            assert running.poll() is None
        assert running.wait() == 0
    assert (folder / "events/meanwhile/index.html").is_file()


@pytest.mark.parametrize("name", ["which? #1 a%20b.db", "a\nb.db", "-.db"])
def test_the_name_of_the_file_is_nothing_to_the_site(
    short: Path, tmp_path: Path, name: str
) -> None:
    done("-d", short, "publish", tmp_path / "out", "--static")
    short = short.rename(short.with_name(name))
    text = done("-d", short, "publish", tmp_path / "out", "--static")
    assert " 0 of them new or changed, 0 removed;" in text


def test_feeds_and_citations_name_the_place_where_it_will_be(path: Path, tmp_path: Path) -> None:
    done("-d", path, "publish", tmp_path / "one", "--static")
    address = "https://example.org/nato-odesa-demo/events/sumy-strike"
    assert address in (tmp_path / "one/events.atom").read_text()
    done("-d", path, "publish", tmp_path / "two", "--static", "--url", "http://news.example/x/")
    assert "http://news.example/x/events/sumy-strike" in (tmp_path / "two/events.ics").read_text()
    page = (tmp_path / "two/events/sumy-strike/index.html").read_text()
    assert 'rel="canonical" href="http://news.example/x/events/sumy-strike"' in page
    assert broken_links(tmp_path / "two") == []


def test_a_long_list_goes_on_in_pages_of_its_own(tmp_path: Path, clock: TickingClock) -> None:
    path = tmp_path / "long.db"
    with Timeline.create(path, title="Long", now=clock) as timeline:
        timeline.record(
            [
                Event(
                    event_id=f"event-{number:03}",
                    title=f"Event {number}",
                    occurred="2025",
                    participants=[Participant(name="Everybody")],
                )
                for number in range(120)
            ]
        )
        for number in range(60):
            timeline.update(f"event-{number:03}", {"note": "n"})
    done("-d", path, "publish", tmp_path / "out", "--static")
    everybody = f"actors/{actor_id_of('Everybody')}"
    for page in ("events/p/3", f"{everybody}/p/3", "changes/p/2"):
        assert (tmp_path / "out" / page / "index.html").is_file()
        assert not (tmp_path / "out" / page[:-1] / str(int(page[-1]) + 1)).exists()
    changes = json.loads((tmp_path / "out/changes.json").read_text())
    assert (len(changes["changes"]), changes["before"]) == (60, None)
    assert len(json.loads((tmp_path / "out/events.json").read_text())["events"]) == 120
    assert broken_links(tmp_path / "out") == []


def test_an_event_called_page_is_no_page_of_the_list(tmp_path: Path, clock: TickingClock) -> None:
    path = tmp_path / "long.db"
    with Timeline.create(path, title="Long", now=clock) as timeline:
        for event_id in ("page", *(f"event-{number:03}" for number in range(60))):
            timeline.record(Event(event_id=event_id, title=f"The {event_id}", occurred="2025"))
        timeline.update("page", {"note": "n"})
    done("-d", path, "publish", tmp_path / "out", "--static")
    shown = [(tmp_path / "out" / name / "index.html").read_text() for name in ("", "events/p/2")]
    for number in range(60):
        assert any(f">The event-{number:03}<" in page for page in shown)
    assert "<title>The page" in (tmp_path / "out/events/page/2/index.html").read_text()
    assert broken_links(tmp_path / "out") == []


@pytest.mark.parametrize(
    "url",
    [
        *("", "ftp://x", "https://", "http:///x", "example.org", "https://[::1", "https://a..b"),
        *("https://example.org:port/", "https://me:secret@example.org/", "https://ex ample.org"),
        *("https://example.org//a", "https://example.org/a/../b", "https://example.org/100%/"),
        *("https://example.org/?a=1", "https://example.org/#a", "https://example.org/a b/"),
    ],
)
def test_an_address_that_is_none_is_refused(path: Path, tmp_path: Path, url: str) -> None:
    problem = one_line(run("-d", path, "publish", tmp_path / "out", "--static", "--url", url))
    assert problem.startswith(f'"{url}" is no address of a site: give --url one such as')
    assert files(tmp_path / "out") == {}


@pytest.mark.parametrize(
    ("url", "meant"),
    [
        ("HTTPS://Example.org:8443/Story", "https://example.org:8443/Story"),
        ("https://приклад.укр/одеса/", "https://xn--80aikifvh.xn--j1amh/%D0%BE%D0%B4%D0%B5%D1%81%D0%B0"),
        ("https://example.org/a%20b/", "https://example.org/a%20b"),
        ("https://example.org/events/", "https://example.org/events"),
        ("""https://example.org/it's;a="b"&<c>+{d}""", "https://example.org/it's;a=%22b%22&%3Cc%3E+%7Bd%7D"),
    ],
)  # fmt: skip
def test_any_path_will_do(short: Path, tmp_path: Path, url: str, meant: str) -> None:
    done("-d", short, "publish", tmp_path / "out", "--static", "--url", url)
    assert broken_links(tmp_path / "out") == []
    said = json.loads((tmp_path / "out/events.geojson").read_text())["features"][0]["properties"]
    assert said["url"].startswith(f"{meant}/events/")
    page = Links((tmp_path / "out/events/sumy-strike/index.html").read_text())
    assert page.canonical == f"{meant}/events/sumy-strike"
