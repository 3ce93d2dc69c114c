"""Every link of every page leads somewhere: below a `base_url`, and beside another timeline."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pytest
from links import answer, links
from serving import serving

from timeline import Event, Participant, Place, Relation, Timeline
from timeline.model.names import actor_id_of
from timeline.proof import checkpoints
from timeline.proof.signed_note import SigningKey
from timeline.store import storage

RUTTE = actor_id_of("Mark Rutte")


def made(path: Path, title: str) -> Path:
    with Timeline.create(path, title=title, origin=f"example.org/{path.stem}") as timeline:
        timeline.record(
            [
                Event(
                    event_id=f"{path.stem}-talks",
                    title="Talks",
                    occurred="2025-04-15",
                    event_type="CONSULT",
                    tags=["black sea & straits"],
                    place=Place(name="Odesa", country="UKR", lat="46.48", lon="30.72"),
                    participants=[
                        Participant(name="Mark Rutte", country="NLD", office="Secretary General"),
                        Participant(name="Volodymyr Zelenskyy", country="UKR"),
                    ],
                ),
                Event(
                    event_id=f"{path.stem}-pledge",
                    title="A pledge",
                    occurred="2025-04",
                    relations=[Relation(type="follows", event_id=f"{path.stem}-talks")],
                ),
            ]
        )
        for source_id in ("report", "reprint"):
            text = "They talked in Odesa. They will talk again."
            timeline.capture(text, {"source_id": source_id, "title": source_id})
        quoted = {"source_id": "report", "quote": "They talked"}
        timeline.update(f"{path.stem}-talks", {"citations.-": quoted})
        timeline.correct(f"{path.stem}-talks", {"occurred": "2025-04-14"}, reason="A day early")
        timeline.retract(f"{path.stem}-pledge", reason="Nobody pledged")
        with timeline.append() as append:
            for name in ("Mark Rutte", "M. Rutte"):
                append.record_actor({"actor_id": actor_id_of(name), "name": name})
            append.merge_actor(actor_id_of("M. Rutte"), RUTTE)
        origin = timeline.info["origin"]
    with closing(storage.connect(path, write=True)) as connection:
        checkpoints.sign(connection, SigningKey.generate(origin))
    return path


@pytest.fixture(params=["/", "/story/"])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The root of a Datasette with two timelines."""
    files = [made(tmp_path / f"{name}.db", name.title()) for name in ("first", "second")]
    options = ("--setting", "base_url", request.param, "--setting", "default_cache_ttl", "0")
    with serving("datasette", "serve", *files, *options, cwd=tmp_path) as address:
        yield address + request.param


@pytest.mark.parametrize("name", ["first", "second"])
def test_every_link_leads_to_a_page(site: str, name: str) -> None:
    root = site if name == "first" else f"{site}timelines/second/"
    with closing(HTTPConnection(urlsplit(site).netloc, timeout=30)) as connection:
        seen = crawled(connection, site, root, name)
    for path in (
        *("events.ics", f"events/{name}-talks/1", f"events/{name}-pledge.json", "changes"),
        *(f"actors/{RUTTE}", f"actors/{RUTTE}.json", f"actors/{actor_id_of('M. Rutte')}"),
        *("verify", "verify.txt", "verify.json", f"events/{name}-talks/2.tlog-proof"),
        *("sources/report", "sources/report.json", "sources/reprint"),
        *("embed", f"embed/events/{name}-talks", f"embed/actors/{RUTTE}", "embed?source=report"),
    ):
        assert root + path in seen
    assert f"{site}{name}" in seen


def crawled(connection: HTTPConnection, site: str, root: str, database: str) -> set[str]:
    """All that the pages of a timeline lead to, each of which answers."""
    own = tuple(
        root + part
        for part in (
            "embed",
            "events",
            "figures.csv",
            "map",
            "actors",
            "oembed",
            "sources",
            "changes",
            "about",
            "tags",
            "tlog-policy",
            "types",
            "countries",
            "months",
            "known",
            "corrections.atom",
            "verify",
        )
    )
    others = (f"{site}{database}", f"{site}-/static-plugins/")
    waiting, seen = [root], {root}
    while waiting:
        address = waiting.pop()
        status, content_type, text = answer(connection, address)
        assert status == 200, address
        is_ours = address == root or address.startswith(own)
        given = parse_qsl(urlsplit(address).query)
        # Filters of filters lead to ever more filters: one is enough, and so is one language.
        if is_ours and len(given) < 2 and "lang" not in dict(given):
            for link in links(address, content_type, text):
                is_root = link.partition("?")[0] == root
                assert is_root or "lang=" in link or link.startswith((*own, *others)), (
                    address,
                    link,
                )
                if "lang=" in link and not link.endswith("?lang=ar"):
                    continue
                if link not in seen:
                    seen.add(link)
                    waiting.append(link)
    return seen
