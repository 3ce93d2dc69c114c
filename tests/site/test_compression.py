"""The site sends its pages compressed to readers who are not signed in."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from urllib.request import Request, urlopen

import pytest
from serving import serving

from timeline import Timeline


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("story") / "story.db"
    with Timeline.create(path, title="A story") as timeline:
        timeline.record({"title": f"Event {number}", "occurred": "2025"} for number in range(60))
    with serving("timeline", "-d", path, "serve", cwd=path.parent) as address:
        yield address


def asked(address: str, **headers: str) -> tuple[bytes, dict[str, str]]:
    with urlopen(Request(address, headers=headers)) as answer:  # noqa: S310 - our own server
        return answer.read(), {name.lower(): value for name, value in answer.headers.items()}


PAGES = (
    "/",
    "/events.csv",
    "/events.json",
    "/changes",
    "/-/static-plugins/timeline-store/site.css",
)


@pytest.mark.parametrize("path", PAGES)
def test_what_is_sent_compressed_is_what_is_sent_plainly(address: str, path: str) -> None:
    plain, as_it_is = asked(address + path)
    body, headers = asked(address + path, **{"Accept-Encoding": "gzip"})
    assert "content-encoding" not in as_it_is
    assert headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in headers["vary"]
    assert gzip.decompress(body) == plain
    assert len(body) < len(plain) / 2


def test_a_reader_with_a_cookie_gets_everything_as_it_is(address: str) -> None:
    """Nobody can guess a secret of a signed-in reader from the length of a page."""
    _, headers = asked(address, **{"Accept-Encoding": "gzip", "Cookie": "ds_actor=x"})
    assert "content-encoding" not in headers


def test_a_font_is_sent_as_it_is(address: str) -> None:
    font = "/-/static-plugins/timeline-store/source-serif-4-latin-wght-normal.woff2"
    body, headers = asked(address + font, **{"Accept-Encoding": "gzip"})
    assert body[:4] == b"wOF2"
    assert "content-encoding" not in headers
