"""Embeds: any selection without the frame of the site, which pages of other sites may show."""

from __future__ import annotations

import contextlib
import html
import json
import re
import shutil
import sqlite3
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from links import Links
from lxml.html import fragment_fromstring
from running import done, one_line, run
from serving import serving
from site_in_process import FILES, Site, open_site

from timeline import Event, Timeline
from timeline.model.names import actor_id_of

EVENT = "/embed/events/sumy-strike"
RUTTE = actor_id_of("Mark Rutte")


@pytest.fixture(scope="module")
def path(story: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copy(story, tmp_path_factory.mktemp("embeds") / "story.db"))


@pytest.fixture(scope="module")
def site(path: Path) -> Iterator[Site]:
    with open_site(path) as opened:
        yield opened


def policy(answer: Any) -> str:
    """What a Content-Security-Policy says about frames; an empty text for nothing."""
    said = re.search("frame-ancestors ([^;]*)", answer.headers["content-security-policy"])
    return said[1] if said else ""


def ids(text: str) -> list[str]:
    return re.findall(r'class="title" href="/events/([a-z0-9-]+)', text)


EMBEDS = [
    *("/embed", "/embed?view=list", "/embed?view=axis", "/embed?view=map&theme=dark", EVENT),
    *(f"{EVENT}/2", f"{EVENT}?as_of=2025-04-14", "/embed?event=sumy-strike", "/embed/highlights"),
    *("/embed?source=odesa-briefing&actor!=nato&highlight=no&view=list", "/embed?tag=war"),
    *(f"/embed/actors/{RUTTE}", "/embed?type=ASSAULT&as_of=2025-04-16", "/embed?q=nothing+at+all"),
]


@pytest.mark.parametrize("address", EMBEDS)
def test_an_embed_is_small_and_every_link_opens_the_living_site(address: str, site: Site) -> None:
    text = site.page(address)
    assert len(text) < 40_000
    assert "From <a" in text
    assert "NATO and Odesa, spring 2025" in text
    links = re.findall("<a [^>]*>", text)
    assert links
    assert [link for link in links if ' target="_blank" rel="noopener"' not in link] == []
    assert [link for link in Links(text).found if "/embed" in link and "/-/" not in link] == []
    assert all(site.ask(each).status_code == 200 for each in Links(text).found if each[0] == "/")


def test_an_embed_has_the_events_of_the_page_with_the_same_address(site: Site) -> None:
    for query in (
        *("?type=CONSULT", "?actor=Ukraine&order=oldest", "?q=ceasefire&since=2025-04"),
        *("?type!=AID&country=UKR", "?as_of=2025-04-14", "?as_reported=2025-04-13"),
    ):
        listed = ids(site.page(f"/events{query}"))
        shown = ids(site.page(f"/embed{query}&view=list"))
        assert shown == listed[:20]
        assert shown


def test_the_paths_of_saved_selections_are_those_selections(site: Site) -> None:
    for path, query in (
        ("highlights", "highlight=yes"),
        (f"actors/{RUTTE}", f"actor={RUTTE}"),
    ):
        assert ids(site.page(f"/embed/{path}")) == ids(site.page(f"/embed?{query}"))
    assert "Ballistic missile strike on Sumy" in site.page(EVENT)
    assert site.page("/embed?event=sumy-strike&version=2") == site.page(f"{EVENT}/2")
    assert f'<a href="/actors/{RUTTE}"' in site.page(f"/embed/actors/{RUTTE}")


def test_a_tag_has_a_path_whatever_its_letters(tmp_path: Path) -> None:
    path = tmp_path / "tags.db"
    tags = ["war", "Black Sea & straits", "../..", "Ö/l", "море", "?#"]
    with Timeline.create(path, title="T") as timeline:
        timeline.record(
            Event(event_id=f"event-{number}", title="T", occurred="2025", tags=[tag])
            for number, tag in enumerate(tags)
        )
    with open_site(path) as site:
        assert ids(site.page("/embed/tags/war")) == ["event-0"]
        for number, tag in enumerate(tags[1:], 1):
            assert ids(site.page(f"/embed/tags/{actor_id_of(tag)}")) == [f"event-{number}"]


def test_what_is_wrong_with_an_address_is_one_line(site: Site) -> None:
    for address, status, said in (
        ("/embed?theme=pink", 400, 'theme: "pink" is none of light, dark'),
        ("/embed?view=table", 400, 'view: "table" is none of list, axis, map'),
        ("/embed?typ=AID", 400, "typ: is not a filter: did you mean type?"),
        (f"{EVENT}?version=x", 400, 'version: "x" is not a number: write one such as 41'),
        ("/embed?since=the+other+day", 400, "since"),
        ("/embed?tag=" + "x" * 2001, 400, "tag: has 2,001 characters: give at most 2,000"),
        ("/embed/events/no-such-event", 404, 'no event "no-such-event"'),
        ("/embed/actors/nobody-here", 404, 'no actor "nobody-here"'),
        ("/embed/tags/none", 404, 'no tag "none"'),
        ("/embed/else", 404, 'no page "/embed/else"'),
    ):
        answer = site.ask(address)
        assert answer.status_code == status, address
        assert answer.text.startswith(said), answer.text
        assert answer.text.count("\n") == 1
        assert policy(answer) == ""


def test_an_embed_says_which_state_it_shows(site: Site) -> None:
    assert "as of now" in site.page("/embed")
    assert ", as of now" in site.page(EVENT)
    past = site.page("/embed?as_of=2025-04-14")
    assert "As it stood on 14 April 2025" in past
    assert "as of now" not in past
    assert '<a href="/events" target="_blank" rel="noopener">As it is now</a>' in past
    assert "version 2, of " in site.page(f"{EVENT}/2")


def test_the_forced_colours_are_those_of_the_site() -> None:
    static = Path(__file__).parents[2] / "timeline/site/static"
    own, site = ((static / name).read_text() for name in ("embed.css", "site.css"))

    def colours(text: str, head: str) -> dict[str, str]:
        block = text.partition(head)[2].partition("}")[0]
        return dict(re.findall(r"(--[a-z0-9-]+): (#[0-9a-f]+)", block))

    light = colours(site, "\n:root {")
    dark = colours(site, "prefers-color-scheme: dark) {\n  :root {")
    assert colours(own, '[data-theme="dark"] {') == dark
    assert colours(own, '[data-theme="light"] {') == {name: light[name] for name in dark}


# --- Who may embed ------------------------------------------------------------------------

OTHERS = ("/", "/events/sumy-strike", "/changes", "/events.json", "/embedded", "/story/events")


def test_only_embeds_may_stand_in_frames(site: Site) -> None:
    for address in EMBEDS:
        assert policy(site.ask(address)) == ""
    for address in OTHERS:
        assert policy(site.ask(address)) == "'none'"


def test_named_sites_alone_may_embed(path: Path, tmp_path: Path) -> None:
    sites = ["https://News.example/", "http://*.paper.example:8080"]
    with serving(
        *("timeline", "-d", path, "serve"),
        *(part for site in sites for part in ("--embed-from", site)),
        cwd=tmp_path,
    ) as address:
        with urllib.request.urlopen(f"{address}/embed") as answer:  # noqa: S310
            said = answer.headers["content-security-policy"]
        assert said.endswith(
            "frame-ancestors 'self' https://news.example http://*.paper.example:8080"
        )
        with urllib.request.urlopen(f"{address}/") as answer:  # noqa: S310
            assert answer.headers["content-security-policy"].endswith("frame-ancestors 'none'")


def test_a_site_that_is_not_embedded_has_no_embeds(path: Path, tmp_path: Path) -> None:
    with serving("timeline", "-d", path, "serve", "--no-embed", cwd=tmp_path) as address:
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            urllib.request.urlopen(f"{address}/embed")  # noqa: S310
        refused.value.close()
    assert "frame-ancestors 'none'" in refused.value.headers["content-security-policy"]


@pytest.mark.parametrize("site", ["", "news.example", "https://a.example/page", "*", "'self'; x"])
@pytest.mark.parametrize("command", [("serve",), ("publish", "out")])
def test_a_site_that_is_none_is_refused(
    site: str, command: tuple[str, ...], path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    problem = one_line(run("-d", path, *command, "--embed-from", site))
    assert problem.startswith(f'"{site}" is no site that may embed: give a scheme and a host')
    assert [*tmp_path.iterdir()] == []


def test_sites_that_may_and_none_that_may_are_wrong_together(path: Path) -> None:
    result = run("-d", path, "serve", "--embed-from", "https://a.example", "--no-embed")
    assert result.exit_code == 2
    assert "Error: give --embed-from or --no-embed, not both" in result.stderr


def test_a_kit_keeps_who_may_embed(path: Path, tmp_path: Path) -> None:
    for options, meant in (
        (("--embed-from", "https://news.example"), ["https://news.example"]),
        (("--no-embed",), False),
        ((), None),
    ):
        done("-d", path, "publish", tmp_path / "out", *options)
        metadata = json.loads((tmp_path / "out" / "metadata.json").read_text())
        assert metadata.get("plugins", {}).get("timeline", {}).get("embed") == meant


# --- Scripts of other sites ---------------------------------------------------------------


@pytest.mark.parametrize("cors", [True, False])
def test_formats_may_be_read_by_scripts_of_other_sites_if_datasette_says_so(
    cors: bool, path: Path
) -> None:
    files = (
        *(f"/{file}" for file in FILES if file != "events.html"),
        *("/events/sumy-strike.json", "/changes.json", "/changes.atom", "/verify.txt"),
        *("/events.csv?since=x", "/events/no-such-event.json", "/verify.json"),
    )
    with open_site(path, cors=cors) as site:
        for address in files:
            allowed = site.ask(address).headers.get("access-control-allow-origin")
            assert allowed == ("*" if cors else None), address
        for address in ("/", "/events/sumy-strike", "/embed", "/changes", "/events.html"):
            assert "access-control-allow-origin" not in site.ask(address).headers, address


# --- Share, and oEmbed --------------------------------------------------------------------


def field(text: str, name: str) -> str:
    """The value of a field of the panel that shares a page; an empty text if it has none."""
    found = re.search(f'id="share-{name}" readonly value="([^"]*)"', text)
    return html.unescape(found[1]) if found else ""


def source_of(code: str) -> str:
    (source,) = Links(code).found
    return source


@pytest.mark.parametrize(
    ("address", "living", "fixed", "embed", "fixed_embed"),
    [
        ("/", "/", "/?as_of=%23{n}", "/embed", "/embed?as_of=%23{n}"),
        (
            "/events?type=CONSULT&all=actor&find_tag=w&utm_source=x",
            "/types/CONSULT",
            "/events?type=CONSULT&as_of=%23{n}",
            "/embed?type=CONSULT",
            "/embed?as_of=%23{n}&type=CONSULT",
        ),
        (
            "/events?view=map&as_of=2025-04-14",
            "/events?view=map",
            "/events?as_of=2025-04-14&view=map",
            "/embed?view=map",
            "/embed?as_of=2025-04-14&view=map",
        ),
        (
            "/map",
            "/events?view=map",
            "/events?view=map&as_of=%23{n}",
            "/embed?view=map",
            "/embed?as_of=%23{n}&view=map",
        ),
        (
            "/events/sumy-strike?type=ASSAULT",
            "/events/sumy-strike",
            "/events/sumy-strike/5",
            "/embed/events/sumy-strike",
            "/embed/events/sumy-strike/5",
        ),
        (
            "/events/sumy-strike/2",
            "/events/sumy-strike",
            "/events/sumy-strike/2",
            "/embed/events/sumy-strike",
            "/embed/events/sumy-strike/2",
        ),
        (
            f"/actors/{RUTTE}",
            f"/actors/{RUTTE}",
            f"/actors/{RUTTE}?as_of=%23{{n}}",
            f"/embed/actors/{RUTTE}",
            f"/embed/actors/{RUTTE}?as_of=%23{{n}}",
        ),
        (
            "/sources/odesa-briefing",
            "/sources/odesa-briefing",
            "",
            "/embed?source=odesa-briefing",
            "",
        ),
        ("/changes?kind=corrected", "/changes?kind=corrected", "", "", ""),
        ("/verify", "/verify", "", "", ""),
    ],
)
def test_a_page_is_shared_living_and_fixed_and_as_an_embed(
    address: str, living: str, fixed: str, embed: str, fixed_embed: str, site: Site, path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        ((newest,),) = connection.execute("SELECT max(seq) FROM log")
    text = site.page(address)
    root = "http://localhost"
    assert field(text, "living") == root + living
    assert field(text, "fixed") == (root + fixed.format(n=newest) if fixed else "")
    for name, meant in (("code", embed), ("fixed-code", fixed_embed)):
        code = field(text, name)
        if meant:
            assert source_of(code).startswith(root + meant.format(n=newest))
            assert site.ask(source_of(code).removeprefix(root)).status_code == 200
        else:
            assert code == ""
    for name in ("living", "fixed"):
        if shared := field(text, name):
            assert site.ask(shared.removeprefix(root)).status_code == 200


def test_the_code_of_an_embed_is_html_whatever_the_title(tmp_path: Path) -> None:
    path = tmp_path / "title.db"
    title = "\"><script>alert('1')</script> & more"
    with Timeline.create(path, title=title) as timeline:
        timeline.record(Event(event_id="talks", title=title, occurred="2025"))
    with open_site(path) as site:
        for address in ("/", "/events/talks"):
            text = site.page(address)
            assert "<script>alert" not in text
            frame = fragment_fromstring(field(text, "code"))
            assert (frame.tag, frame.attrib["title"]) == ("iframe", title)
        described = json.loads(site.page("/oembed?url=http://localhost/events/talks"))
        frame = fragment_fromstring(described["html"])
        assert (frame.tag, frame.attrib["title"], described["title"]) == ("iframe", title, title)


@pytest.mark.parametrize("url", ["https://news.example/odesa/", None])
def test_what_is_shared_begins_with_the_public_address(
    url: str | None, path: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.db"
    done("-d", other, "init", "--title", "Other", "--origin", "news.example/other")
    done("-d", other, "append", "--title", "Talks", "--occurred", "2025", "--id", "talks")
    base = "/odesa/" if url else "/"
    root = (url or "http://localhost/").rstrip("/")
    with open_site(path, other, url=url, settings={"base_url": base}) as site:
        for prefix, event in (("", "sumy-strike"), ("/timelines/other", "talks")):
            text = site.page(f"{prefix}/events/{event}")
            assert field(text, "living") == f"{root}{prefix}/events/{event}"
            assert source_of(field(text, "code")) == f"{root}{prefix}/embed/events/{event}"
            assert source_of(field(text, "script")).startswith(f"{root}/-/static-plugins/")
            found = quote(f"{root}{prefix}/events/{event}", safe="")
            assert f'href="{root}{prefix}/oembed?url={found}"' in text
            said = json.loads(site.page(f"{prefix}/oembed?url={found}"))
            assert source_of(said["html"]) == f"{root}{prefix}/embed/events/{event}"
            assert said["provider_url"] == f"{root}{prefix}/"
        # The pages of the other timeline are not those of this one.
        assert site.ask(f"/oembed?url={root}/timelines/other/").status_code == 404


def test_a_site_without_embeds_offers_none(path: Path, tmp_path: Path) -> None:
    with serving("timeline", "-d", path, "serve", "--no-embed", cwd=tmp_path) as address:
        with urllib.request.urlopen(f"{address}/events/sumy-strike") as answer:  # noqa: S310
            text = answer.read().decode()
        with pytest.raises(urllib.error.HTTPError, match="404") as refused:
            urllib.request.urlopen(f"{address}/oembed?url={address}/")  # noqa: S310
        refused.value.close()
    assert field(text, "living") == f"{address}/events/sumy-strike"
    assert field(text, "code") == ""
    assert "oembed" not in text


def test_a_reader_of_oembed_that_is_not_ours_finds_and_reads_the_embed(
    path: Path, tmp_path: Path
) -> None:
    from oembedpy import consumer, discovery, types

    with serving("timeline", "-d", path, "serve", cwd=tmp_path) as address:
        for page, embed, title in (
            ("/", "/embed", "NATO and Odesa, spring 2025"),
            ("/events/sumy-strike", EVENT, "Ballistic missile strike on Sumy"),
            ("/events?type=CONSULT&view=map", "/embed?view=map&type=CONSULT", "NATO and Odesa"),
            (f"/actors/{RUTTE}", f"/embed/actors/{RUTTE}", "Mark Rutte - NATO and Odesa"),
            ("/sources/odesa-briefing", "/embed?source=odesa-briefing", "NATO and Odesa"),
        ):
            endpoint, asked = discovery.find_from_content(address + page)
            for form in ("json", "xml"):
                asked.format, asked.max_width, asked.max_height = form, 400, 300
                found = consumer.fetch_content(endpoint, asked)
                assert isinstance(found, types.Rich)
                assert (found.version, found.type) == ("1.0", "rich")
                assert (int(found.width), int(found.height)) == (400, 300)
                assert str(found.title).startswith(title)
                frame = fragment_fromstring(found.html)
                assert frame.attrib["src"] == address + embed
                assert (frame.attrib["width"], frame.attrib["height"]) == ("400", "300")


def test_what_is_no_page_with_an_embed_has_no_description(site: Site) -> None:
    root = "http://localhost"
    for url, status in (
        *((f"{root}/verify", 404), ("https://elsewhere.example/", 404), ("x", 404)),
        *((f"{root}/events/no-such-event", 404), (f"{root}/events?typ=AID", 400), ("", 400)),
        *((f"{root}/embed/events/sumy-strike", 200), (f"https://localhost{EVENT}/2", 200)),
        *((f"{root}/embed/highlights", 200), (f"{root}/events/sumy-strike/?utm_source=x", 200)),
        *((f"{root}/embed/tags/war", 404), ("http://[", 404)),
    ):
        answer = site.ask(f"/oembed?url={quote(url, safe='')}")
        assert answer.status_code == status, (url, answer.text)
        assert status == 200 or answer.text.count("\n") == 1
    answer = site.ask(f"/oembed?url={root}/&format=yaml")
    assert (answer.status_code, answer.text) == (501, 'format: "yaml" is none of json, xml\n')
    assert site.ask(f"/oembed?url={root}/&maxwidth=wide").status_code == 400
