"""What a served site gives to who mirrors it: checkpoint, tiles, bundles and files of entries.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import base64
import contextlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from urllib.request import Request, urlopen
from urllib.robotparser import RobotFileParser

import pytest
import tlog_client
from datasette.app import Datasette
from operations import erase
from running import done
from serving import serving
from site_in_process import Site, open_site
from tlog_client import read_log

from timeline import Timeline, demo
from timeline.proof import checkpoints
from timeline.proof.policy import Policy
from timeline.proof.signed_note import SigningKey
from timeline.store import log, storage

ORIGIN = "example.org/story"
KEY = SigningKey(ORIGIN, b"k" * 32)
SIZES = (2, 257, 513, 700)
"""The number of entries at each checkpoint of the story; four more are under none."""
FOR_EVER = "public, max-age=31536000, immutable"


def sign(path: Path, key: SigningKey = KEY) -> str:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        return checkpoints.sign(connection, key).note


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path, size = tmp_path_factory.mktemp("tiles") / "story.db", 1
    with Timeline.create(path, title="A story", origin=ORIGIN) as timeline:
        for following in (*SIZES, SIZES[-1] + 4):
            timeline.record(
                {"title": f"Day {number}", "event_id": f"day-{number}", "occurred": "2025"}
                for number in range(size, following)
            )
            size = following
            if size in SIZES:
                sign(path)
    return path


@pytest.fixture(scope="module")
def site(story: Path) -> Iterator[Site]:
    with open_site(story) as opened:
        yield opened


def of_site(site: Site, prefix: str = "/") -> Callable[[str], bytes]:
    def fetch(path: str) -> bytes:
        answer = site.ask(f"{prefix}{path}")
        if answer.status_code != 200:
            raise FileNotFoundError(path)
        content: bytes = answer.content
        return content

    return fetch


# --- As others read it --------------------------------------------------------------------


def test_every_checkpoint_finds_its_tree(story: Path, site: Site) -> None:
    with contextlib.closing(storage.connect(story)) as connection:
        stored = checkpoints.stored(connection)
    assert [row.size for row in stored] == [*reversed(SIZES)]
    trees = [
        read_log(of_site(site), str(KEY.verifier), row.note.encode()) for row in reversed(stored)
    ]
    for old, new in pairwise(trees):
        roots = (old.root_of(0, old.size), new.root_of(0, new.size))
        proof = new.consistency(old.size)
        tlog_client.check_consistency(old.size, roots[0], new.size, roots[1], proof)


@pytest.mark.parametrize(("base", "prefix"), [("/", "/"), ("/x/", "/timelines/second/")])
def test_the_demonstration_is_read_wherever_it_is(base: str, prefix: str, tmp_path: Path) -> None:
    path, other = tmp_path / "second.db", tmp_path / "first.db"
    demo.build(path)
    Timeline.create(other, title="Another").close()
    with Timeline.open(path) as timeline:
        origin = timeline.info["origin"]
    key = SigningKey(origin, b"d" * 32)
    sign(path, key)
    files = [path] if base == "/" else [other, path]
    with open_site(*files, settings={"base_url": base}) as opened:
        assert read_log(of_site(opened, prefix), str(key.verifier)).size > 60
        assert base == "/" or opened.ask("/checkpoint").status_code == 404


def test_a_server_sends_it_all_and_answers_head(story: Path) -> None:
    with serving("timeline", "-d", story, "serve", cwd=story.parent) as address:
        assert read_log(tlog_client.web(f"{address}/"), str(KEY.verifier)).size == SIZES[-1]
        for path in ("/checkpoint", "/tile/0/001", "/tile/entries/001", "/entries/001.jsonl"):
            asking = {"Accept-Encoding": "gzip"}
            with urlopen(Request(address + path, headers=asking)) as answer:  # noqa: S310
                packed = answer.headers["content-encoding"] == "gzip"
            assert packed == ("entries" in path)
            with urlopen(Request(address + path, method="HEAD")) as head:  # noqa: S310
                assert (head.read(), head.status) == (b"", 200)
                for name in ("content-type", "cache-control", "etag"):
                    assert head.headers[name] == answer.headers[name]


def test_the_policy_names_the_key_of_the_log_and_its_witnesses(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    Timeline.create(path, title="A story", origin=ORIGIN).close()
    witness = SigningKey("kyiv.example/w", b"w" * 32, 4).verifier
    with open_site(path) as opened:
        assert opened.ask("/tlog-policy").status_code == 404
        sign(path)
        policy = Policy.parse(opened.ask("/tlog-policy").text)
        assert policy == Policy.of_keys([KEY.verifier])
        done("-d", path, "witness", "add", "kyiv", witness, "https://kyiv.example")
        text = opened.ask("/tlog-policy").text
    assert text == done("-d", path, "witness", "list", "--policy")
    assert Policy.parse(text).witnesses["kyiv"] == ("kyiv", witness, "https://kyiv.example")


def test_files_of_entries_in_a_row_are_the_export_up_to_the_checkpoint(
    story: Path, site: Site
) -> None:
    files = b"".join(of_site(site)(f"entries/00{number}.jsonl") for number in range(3))
    exported = done("-d", story, "export", "jsonl").splitlines(keepends=True)
    assert files.decode() == "".join(exported[: SIZES[-1]])
    assert len(exported) == SIZES[-1] + 4


# --- Names and headers --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "content_type", "cached"),
    [
        ("/checkpoint", "text/plain; charset=utf-8", "no-cache"),
        ("/tlog-policy", "text/plain; charset=utf-8", "no-cache"),
        ("/tile/0/000", "application/octet-stream", FOR_EVER),
        ("/tile/0/002.p/188", "application/octet-stream", FOR_EVER),
        ("/tile/entries/000", "application/octet-stream", FOR_EVER),
        ("/entries/002.jsonl", "application/jsonl", "no-cache"),
        ("/tile/0/002.p/188?lang=uk&more=1", "application/octet-stream", FOR_EVER),
    ],
)
def test_each_resource_has_its_type_and_its_time_in_a_cache(
    path: str, content_type: str, cached: str, site: Site
) -> None:
    answer = site.ask(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["cache-control"] == cached
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    [
        "/tile/0/000.p/0", "/tile/0/000.p/256", "/tile/0/000.p/01", "/tile/0/x000/001",
        "/tile/00/000", "/tile/64/000", "/tile/0/0", "/tile/0/000/", "/tile/0/000%0A",
        "/tile/0/%2e%2e/0/000", "/tile/%30/000", "/tile/0/000.p%2F4", "/tile/data/000", "/tile/",
        "/tile/0/002.p/189", "/tile/0/002", "/tile/1/000.p/3", "/tile/entries/002.p/189",
        "/tile/3/000.p/1", "/tile/0/x009/999", "/entries/003.jsonl", "/entries/0.jsonl",
        "/entries/000", "/entries/000.jsonl/", "/entries/000.jsonl%0A", "/entries/x000/001.jsonl",
        "/entries/000.p/4.jsonl", "/entries/%30%30%30.jsonl", "/entries/", "/entries/.jsonl",
    ],
)  # fmt: skip
def test_nothing_else_has_an_address(path: str, site: Site) -> None:
    answer = site.ask(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.text.count("\n") == 1


def test_while_nothing_is_signed_there_is_nothing_to_mirror(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    Timeline.create(path, title="A story", origin=ORIGIN).close()
    with open_site(path) as opened:
        for name in ("checkpoint", "tile/0/000.p/1", "tile/entries/000.p/1", "entries/000.jsonl"):
            assert opened.ask(f"/{name}").status_code == 404
        sign(path)
        assert read_log(of_site(opened), str(KEY.verifier)).size == 1


def test_who_has_a_file_of_entries_is_told_so_until_words_are_erased(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story", origin=ORIGIN) as timeline:
        timeline.record({"title": "Zarathustra spoke", "occurred": "2025"})
    sign(path)
    with open_site(path) as opened:
        tile = opened.ask("/tile/entries/000.p/2").content
        first = opened.ask("/entries/000.jsonl")
        again = opened.ask("/entries/000.jsonl", **{"If-None-Match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
        erase(path, 1)
        third = opened.ask("/entries/000.jsonl", **{"If-None-Match": first.headers["etag"]})
        assert third.status_code == 200
        assert "Zarathustra" in first.text
        assert "Zarathustra" not in third.text
        assert opened.ask("/tile/entries/000.p/2").content == tile
        assert read_log(of_site(opened), str(KEY.verifier)).size == 2


# --- Who reads it -------------------------------------------------------------------------


def test_search_engines_leave_tiles_and_entries_alone(story: Path, site: Site) -> None:
    robots = RobotFileParser()
    robots.parse(site.ask("/robots.txt").text.splitlines())
    for path in ("/tile/0/000", "/tile/entries/000", "/entries/000.jsonl"):
        assert not robots.can_fetch("Examplebot", path)
    assert robots.can_fetch("Examplebot", "/events")


def test_what_only_some_may_see_is_kept_by_their_own_caches_at_most(story: Path) -> None:
    rules = {"databases": {"story": {"allow": {"id": "root"}}}}
    is_new = hasattr(Datasette, "add_query")
    with open_site(story) as opened:
        datasette = Datasette([str(story)], **{"config" if is_new else "metadata": rules})
        opened.runner.run(datasette.invoke_startup())
        cookies = {"ds_actor": datasette.sign({"a": {"id": "root"}}, "actor")}
        for path in ("/checkpoint", "/tlog-policy", "/tile/0/000", "/entries/000.jsonl"):
            assert opened.runner.run(datasette.client.get(path)).status_code == 403
            answer = opened.runner.run(datasette.client.get(path, cookies=cookies))
            assert answer.status_code == 200
            assert "public" not in answer.headers["cache-control"]


def test_a_tile_that_the_tree_has_lost_is_an_error_and_no_tile(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    Timeline.create(path, title="A story", origin=ORIGIN).close()
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        root = base64.b64encode(log.root_at(connection, 1)).decode()
        note = str(KEY.sign(f"{ORIGIN}\n9\n{root}\n"))
        row = (9, bytes(32), note, str(KEY.verifier), "2025-04-14T00:00:00Z")
        connection.execute("INSERT INTO checkpoints VALUES (?, ?, ?, ?, ?)", row)
    with open_site(path) as opened:
        answer = opened.ask("/tile/0/000.p/9")
        assert answer.status_code == 404
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.text == "the tree lacks a hash of level 0: run timeline verify\n"
