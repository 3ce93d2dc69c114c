"""Embeds: any selection without the frame of the site, which pages of other sites may show."""

from __future__ import annotations

import json
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from links import Links
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
        *(f"/{file}" for file in FILES),
        *("/events/sumy-strike.json", "/changes.json", "/changes.atom", "/verify.txt"),
        *("/events.csv?since=x", "/events/no-such-event.json", "/verify.json"),
    )
    with open_site(path, cors=cors) as site:
        for address in files:
            allowed = site.ask(address).headers.get("access-control-allow-origin")
            assert allowed == ("*" if cors else None), address
        for address in ("/", "/events/sumy-strike", "/embed", "/changes"):
            assert "access-control-allow-origin" not in site.ask(address).headers, address
