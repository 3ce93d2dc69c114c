"""The public address of a site: what citations and feeds name, whoever asks under whatever name.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from running import done, environment, one_line, run
from serving import free_port, serving
from site_in_process import FILES, open_site

from timeline.cli import cli
from timeline.model.names import actor_id_of

FOREIGN = "evil.example"
EVENT = "/events/sumy-strike"
OURS = (
    *("/", "/events?actor=NATO&limit=2", f"{EVENT}", f"{EVENT}/3", f"{EVENT}.json", "/changes"),
    *(
        "/changes.atom",
        "/corrections.atom",
        "/changes.json",
        "/verify",
        "/verify.json",
        "/events/no-such-event",
    ),
    f"/actors/{actor_id_of('Mark Rutte')}",
    *(f"/{file}" for file in FILES),
)
NAMING = ("/events.atom", "/events.ics", "/events.geojson", "/changes.atom")
"""The files that name the address of each event."""
DATASETTES = (
    "/",
    "/story/events?_facet=event_type&_facet_m2m=actors&_facet_period=occurred&_size=2",
    "/story/events.json?_facet=event_type&_facet_m2m=actors&_size=2&_shape=objects",
    "/story/sources.csv",
    "/story/sources?_size=2",
    "/-/databases.json",
)


@pytest.fixture(scope="module")
def path(story: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copy(story, tmp_path_factory.mktemp("address") / "story.db"))


def _seen(answer: object) -> str:
    """All that a reader, a browser or a cache gets."""
    return f"{answer.headers!r}\n{answer.text}"  # type: ignore[attr-defined]


@pytest.mark.parametrize("url", ["https://news.example/odesa/", "http://news.example:81"])
def test_a_configured_address_is_in_everything_whatever_the_request_says(
    path: Path, url: str
) -> None:
    with open_site(path, url=url, settings={"base_url": urlsplit(url).path or "/"}) as site:
        for address in (*OURS, *DATASETTES):
            for host in (FOREIGN, f"{FOREIGN}:443", "localhost", f"news.example@{FOREIGN}"):
                seen = _seen(site.ask(address, host=host))
                assert FOREIGN not in seen, address
                assert "://localhost" not in seen, address
        event = f"{url.rstrip('/')}{EVENT}"
        for address in NAMING:
            assert event in site.page(address), address
        page = site.page(EVENT)
        assert f'<link rel="canonical" href="{event}">' in page
        assert f"url = {{{event}/" in page
        facets = site.page(DATASETTES[1])
        assert f'"self": "{url.rstrip("/")}/events.json' in site.page("/events.json")
        assert f'href="{url.rstrip("/")}/story/events?' in facets


def test_a_published_copy_names_the_address_of_its_origin_whatever_the_request_says(
    path: Path,
) -> None:
    with open_site(immutables=[path]) as site:
        for address in OURS:
            assert FOREIGN not in _seen(site.ask(address, host=FOREIGN)), address
        event = f"https://example.org/nato-odesa-demo{EVENT}"
        for address in NAMING:
            assert event in site.page(address), address
        assert f'<link rel="canonical" href="{event}">' in site.page(EVENT)


def test_a_live_file_without_an_address_takes_that_of_the_request(path: Path) -> None:
    with open_site(path) as site:
        page = site.ask(EVENT, host="127.0.0.1:8001").text
        assert f'<link rel="canonical" href="http://127.0.0.1:8001{EVENT}">' in page


def test_each_of_several_timelines_is_at_its_own_address(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    done("-d", other, "init", "--title", "Other", "--origin", "news.example/other")
    done("-d", other, "append", "--title", "Talks", "--occurred", "2025", "--id", "talks")
    with open_site(path, other, url="https://news.example/") as site:
        text = site.page("/timelines/other/events.atom")
        assert "https://news.example/timelines/other/events/talks" in text
    with open_site(immutables=[path, other]) as site:
        text = site.page("/timelines/other/events.atom")
        assert "https://news.example/other/events/talks" in text


def test_an_origin_that_is_no_address_does_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    done("-d", path, "init", "--title", "T", "--origin", '"><script>alert(1)</script>?a#b')
    done("-d", path, "append", "--title", "Talks", "--occurred", "2025", "--id", "talks")
    with open_site(immutables=[path]) as site:
        page = site.page("/events/talks")
    assert "<script>alert" not in page
    assert "https://%22%3E%3Cscript%3Ealert(1)%3C/script%3E%3Fa%23b/events/talks/1" in page


# --- The commands -------------------------------------------------------------------------


def _asked(address: str, path: str, host: str) -> str:
    connection = HTTPConnection(urlsplit(address).netloc, timeout=60)
    connection.request("GET", path, headers={"Host": host})
    answer = connection.getresponse()
    try:
        return f"{answer.status} {answer.getheaders()} {answer.read().decode()}"
    finally:
        connection.close()


def test_serve_pins_the_address_that_it_is_given(path: Path, tmp_path: Path) -> None:
    own = tmp_path / "own.json"
    own.write_text('{"title": "My own words", "databases": {"story": {"title": "Mine"}}}')
    options = ("-d", path, "serve", "--url", "https://news.example/odesa")
    for more in ((), ("--", "--metadata", own)):
        with serving("timeline", *options, *more, cwd=tmp_path) as address:
            for place in (EVENT, f"/odesa{EVENT}"):
                seen = _asked(address, place, FOREIGN)
                assert f'<link rel="canonical" href="https://news.example/odesa{EVENT}">' in seen
                assert 'href="/odesa/verify"' in seen
                assert FOREIGN not in seen
            assert FOREIGN not in _asked(address, DATASETTES[1], FOREIGN)
            assert ("Mine</h1>" in _asked(address, "/story", FOREIGN)) == bool(more)
        said = (tmp_path / "server.log").read_text()
        assert ", for readers at https://news.example/odesa/  (Ctrl-C stops)\n" in said


def test_a_kit_pins_its_address(path: Path, tmp_path: Path) -> None:
    options = ("-i", "story.db", "-m", "metadata.json")
    for chosen, meant in (
        ((), "https://example.org/nato-odesa-demo"),
        (("--url", "https://News.example/odesa"), "https://news.example/odesa"),
    ):
        printed = done("-d", path, "publish", tmp_path / "out", *chosen)
        with serving("datasette", "serve", *options, cwd=tmp_path / "out") as address:
            seen = _asked(address, EVENT, FOREIGN)
            assert f'<link rel="canonical" href="{meant}{EVENT}">' in seen
            assert FOREIGN not in seen
        assert ("--setting base_url /odesa/\n" in printed) == bool(chosen)
        (tmp_path / "out" / "Dockerfile").rename(tmp_path / "Dockerfile")
        dockerfile = (tmp_path / "Dockerfile").read_text()
        assert ('"--setting", "base_url", "/odesa/"' in dockerfile) == bool(chosen)


def test_without_an_address_publish_says_which_one_citations_will_name(
    path: Path, tmp_path: Path
) -> None:
    note = (
        "Note: citations and feeds will name https://example.org/nato-odesa-demo/: "
        "if readers find the site elsewhere, publish with --url"
    )
    said = run("-d", path, "publish", tmp_path / "out").stderr
    assert note in " ".join(said.split())
    said = run("-d", path, "publish", tmp_path / "out", "--url", "http://a.example").stderr
    assert "citations" not in said


@pytest.mark.parametrize("command", [("serve",), ("publish", "out")])
@pytest.mark.parametrize("url", ["", "news.example", "ftp://news.example", "https://a@b.example"])
def test_an_address_that_is_none_is_refused(
    path: Path, tmp_path: Path, command: tuple[str, ...], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    problem = one_line(run("-d", path, *command, "--url", url))
    assert problem.startswith(f'"{url}" is no address of a site: give --url one such as')
    assert [*tmp_path.iterdir()] == []


def test_metadata_of_ones_own_that_cannot_be_read_are_wrong_usage(
    path: Path, tmp_path: Path
) -> None:
    (tmp_path / "own.json").write_text("{")
    command = [
        "-d",
        str(path),
        "serve",
        "--port",
        str(free_port()),
        "--url",
        "https://news.example",
        "--",
    ]
    result = CliRunner().invoke(cli, [*command, "--metadata", str(tmp_path / "own.json")])
    assert result.exit_code == 2
    assert "own.json: Metadata is not valid JSON or YAML" in result.stderr


def test_a_configuration_with_an_address_that_is_none_ends_in_one_line(
    path: Path, tmp_path: Path
) -> None:
    metadata = tmp_path / "metadata.json"
    metadata.write_text(json.dumps({"plugins": {"timeline": {"url": "news.example"}}}))
    options = ("serve", "-i", path, "-m", metadata, "--port", free_port())
    result = subprocess.run(
        [sys.executable, "-m", "datasette", *map(str, options)],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert 'Error: "news.example" is no address' in " ".join(result.stderr.split())
    assert "Traceback" not in result.stderr
