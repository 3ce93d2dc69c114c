"""The lists of pages for search engines: complete, by the rules of sitemaps.org.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urldefrag, urljoin, urlsplit
from urllib.robotparser import RobotFileParser

import pytest
from datasette.app import Datasette
from links import Links
from lxml import etree
from lxml.html import document_fromstring
from running import done
from site_in_process import Site, open_site
from ticking_clock import TickingClock

from timeline import Actor, Event, Participant, Timeline, demo
from timeline.site.views import sitemap

ROOT = "https://news.example"
_SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"

RULES = etree.XMLSchema(
    etree.XML(
        f"""<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns="{_SPACE}"
          targetNamespace="{_SPACE}" elementFormDefault="qualified">
        <s:simpleType name="address"><s:restriction base="s:anyURI">
          <s:pattern value="https?://.+"/><s:maxLength value="2048"/></s:restriction></s:simpleType>
        <s:simpleType name="moment"><s:union memberTypes="s:date s:dateTime"/></s:simpleType>
        <s:complexType name="page"><s:all>
          <s:element name="loc" type="address"/>
          <s:element name="lastmod" type="moment" minOccurs="0"/></s:all></s:complexType>
        <s:element name="urlset"><s:complexType><s:sequence>
          <s:element name="url" type="page" maxOccurs="50000"/>
        </s:sequence></s:complexType></s:element>
        <s:element name="sitemapindex"><s:complexType><s:sequence>
          <s:element name="sitemap" type="page" maxOccurs="50000"/>
        </s:sequence></s:complexType></s:element></s:schema>"""
    )
)
"""The rules of the protocol, as far as we use it: what a file holds, in which form."""


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sitemaps") / "odesa.db"
    demo.build(path)
    with Timeline.open(path) as timeline:
        receipts = timeline.record(
            [
                Event(event_id=f"x-{name}", title=f"X {name}", occurred="2025-04-01")
                for name in ("one", "two", "three")
            ]
        )
        timeline.merge("x-one", into="x-two", reason="The same")
        timeline.retract("x-two", reason="Not so")
        timeline.erase([receipts[2].entry_id], reason="A court order")
    return path


@pytest.fixture(scope="module")
def site(story: Path) -> Iterator[Site]:
    with open_site(story, url=ROOT, settings={"sql_time_limit_ms": 60_000}) as opened:
        yield opened


def listed(text: bytes) -> tuple[str, dict[str, str]]:
    """The name of a file's root, and the addresses in it with their last changes."""
    root = etree.fromstring(text)
    RULES.assertValid(root)
    found = {
        each.findtext(f"{{{_SPACE}}}loc"): each.findtext(f"{{{_SPACE}}}lastmod") or ""
        for each in root
    }
    assert len(found) == len(root)
    return etree.QName(root).localname, found


def of_site(site: Site) -> dict[str, str]:
    """All addresses of all files of a site."""
    name, found = listed(site.ask("/sitemap.xml").content)
    if name == "urlset":
        return found
    parts = [listed(site.ask(each.removeprefix(ROOT)).content) for each in found]
    assert {name for name, _ in parts} == {"urlset"}
    pages = [page for _, part in parts for page in part.items()]
    assert len(dict(pages)) == len(pages)
    return dict(pages)


def crawled(site: Site) -> set[str]:
    """The canonical addresses of all pages that may be listed, found by following links.

    The map is behind a link with a parameter.
    """
    waiting, seen, found = ["/", "/map"], {"/", "/map"}, set[str]()
    while waiting:
        path = waiting.pop()
        answer = site.ask(path)
        assert answer.status_code == 200, (path, answer.text)
        if not answer.headers["content-type"].startswith("text/html"):
            continue
        head = document_fromstring(answer.text).find("head")
        if head.xpath("meta[@name='robots']"):
            continue
        (canonical,) = head.xpath("link[@rel='canonical']/@href")
        if canonical == f"{ROOT}{path}":
            found.add(canonical)
        for link in Links(answer.text).found:
            parts = urlsplit(urldefrag(urljoin(f"{ROOT}{path}", link)).url)
            is_ours = f"{parts.scheme}://{parts.netloc}" == ROOT
            if not is_ours or parts.query or parts.path.startswith(("/odesa", "/-/")):
                continue
            if parts.path not in seen:
                seen.add(parts.path)
                waiting.append(parts.path)
    return found


def test_every_page_that_may_be_listed_is_in_the_sitemap_once(site: Site) -> None:
    assert set(of_site(site)) == crawled(site)


def test_the_parts_have_together_what_one_file_has(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = of_site(site)
    for step in (7, 40):
        monkeypatch.setattr(sitemap, "_STEP", step)
        assert listed(site.ask("/sitemap.xml").content)[0] == "sitemapindex"
        assert of_site(site) == whole
    assert site.ask("/sitemap-entries-999.xml").status_code == 404
    assert site.ask("/sitemap-entries-0.xml").status_code == 404
    assert site.ask("/sitemap-actors-2.xml").headers["content-type"].startswith("text/plain")


def test_what_was_erased_or_merged_is_in_none(site: Site) -> None:
    pages = of_site(site)
    assert f"{ROOT}/events/x-two" in pages  # retracted: its page says so
    assert f"{ROOT}/events/x-one" not in pages
    assert f"{ROOT}/events/x-three" not in pages


@pytest.mark.parametrize("base", ["/", "/story/"])
def test_a_site_without_an_address_takes_it_from_the_request(story: Path, base: str) -> None:
    with open_site(story, settings={"base_url": base}) as opened:
        root = f"http://localhost{base}"
        _, pages = listed(opened.ask("/sitemap.xml").content)
        assert {root, f"{root}events/sumy-strike"} < set(pages)
        assert opened.ask("/robots.txt").text.endswith(f"\nSitemap: {root}sitemap.xml\n")
        for each in [*pages][:3]:
            assert opened.ask(f"/{each.removeprefix(root)}").status_code == 200


def test_an_event_changed_when_its_newest_version_was_recorded(site: Site) -> None:
    assert of_site(site)[f"{ROOT}/events/sumy-strike"] == "2025-04-16T16:20:00.000000Z"


def test_an_actor_is_under_the_name_that_it_was_merged_into(
    tmp_path: Path, clock: TickingClock
) -> None:
    with Timeline.create(tmp_path / "log.db", title="Log", now=clock) as timeline:
        timeline.record(
            Event(
                event_id="one",
                title="One",
                occurred="2025-04-15",
                participants=[Participant(name="M. Rutte"), Participant(name="Mark Rutte")],
            )
        )
        with timeline.append() as append:
            append.record_actor(Actor(actor_id="rutte", name="Mark Rutte", aliases=["M. Rutte"]))
    with open_site(tmp_path / "log.db", url=ROOT) as opened:
        actors = [each for each in of_site(opened) if "/actors/" in each]
        assert f"{ROOT}/actors/rutte" in actors
        assert len(actors) == len(set(actors))
        for each in actors:
            assert opened.ask(each.removeprefix(ROOT)).status_code == 200


@pytest.mark.parametrize("path", ["", "/story"])
def test_a_site_of_files_has_its_sitemap_and_at_a_root_its_robots(
    path: str, story: Path, tmp_path: Path
) -> None:
    copy, folder = shutil.copy(story, tmp_path / "copy.db"), tmp_path / "out"
    done("-d", copy, "publish", folder, "--static", "--url", f"{ROOT}{path}/", "--no-embed")
    _, pages = listed((folder / "sitemap.xml").read_bytes())
    for each in pages:
        assert (folder / each.removeprefix(f"{ROOT}{path}/") / "index.html").is_file(), each
    found = {
        canonical
        for page in folder.rglob("index.html")
        for head in [document_fromstring(page.read_text()).find("head")]
        if not head.xpath("meta[@name='robots']")
        for canonical in head.xpath("link[@rel='canonical']/@href")
        if canonical == f"{ROOT}{path}/{page.parent.relative_to(folder)}".removesuffix(".")
    }
    assert set(pages) == found
    assert (folder / "robots.txt").is_file() == (path == "")


def test_robots_keep_to_our_pages_and_find_the_sitemap_of_each_timeline(
    story: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copy(story, tmp_path / "second.db"))
    with open_site(story, other, url=ROOT) as opened:
        answer = opened.ask("/robots.txt")
        assert answer.headers["content-type"].startswith("text/plain")
        robots = RobotFileParser()
        robots.parse(answer.text.splitlines())
        assert robots.site_maps() == [
            f"{ROOT}/sitemap.xml",
            f"{ROOT}/timelines/second/sitemap.xml",
        ]
        for path in ("/", "/events/sumy-strike", "/events?type=ASSAULT", "/timelines/second/"):
            assert robots.can_fetch("Examplebot", f"{ROOT}{path}"), path
        for path in ("/odesa/events?_facet=place", "/second?sql=select+1", "/odesa?sql=select+1"):
            assert not robots.can_fetch("Examplebot", f"{ROOT}{path}"), path
        assert opened.ask("/timelines/second/robots.txt").status_code == 404
        _, pages = listed(opened.ask("/timelines/second/sitemap.xml").content)
        assert all(each.startswith(f"{ROOT}/timelines/second/") for each in pages)


def test_who_may_not_see_a_timeline_learns_nothing_of_it(story: Path) -> None:
    rules = {"databases": {"odesa": {"allow": {"id": "root"}}}}
    is_new = hasattr(Datasette, "add_query")
    with open_site(story) as opened:
        datasette = Datasette([str(story)], **{"config" if is_new else "metadata": rules})
        opened.runner.run(datasette.invoke_startup())
        robots = opened.runner.run(datasette.client.get("/robots.txt"))
        assert robots.text == "User-agent: *\nAllow: /\n\n"
        assert opened.runner.run(datasette.client.get("/sitemap.xml")).status_code == 403
