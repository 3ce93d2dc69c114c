"""A sheet is fetched by the link that people share, or the person reads how to share it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest
from answering import answer, answering, redirect
from running import done, entries, environment, one_line, process

from timeline.errors import NotFetched
from timeline.intake.shared_sheets import fetch_sheet, sheet_address

SHEETS = "https://docs.google.com/spreadsheets"
SHEET = "id,title,occurred\nquay-fire,Fire at the quay,2025-04-12\n"


@pytest.mark.parametrize(
    ("shared", "address"),
    [
        ("d/1aB_c-9/edit#gid=7", "d/1aB_c-9/export?format=csv&gid=7"),
        ("d/1aB_c-9/edit?gid=7#gid=7", "d/1aB_c-9/export?format=csv&gid=7"),
        ("d/1aB_c-9/edit?gid=0#gid=7&range=A1:B2", "d/1aB_c-9/export?format=csv&gid=7"),
        ("d/1aB_c-9/edit?usp=sharing", "d/1aB_c-9/export?format=csv"),
        ("d/1aB_c-9/edit?usp=drive_link&ouid=10&rtpof=true", "d/1aB_c-9/export?format=csv"),
        ("d/1aB_c-9/view", "d/1aB_c-9/export?format=csv"),
        ("d/1aB_c-9/htmlview?gid=12", "d/1aB_c-9/export?format=csv&gid=12"),
        ("d/1aB_c-9/preview", "d/1aB_c-9/export?format=csv"),
        ("d/1aB_c-9/", "d/1aB_c-9/export?format=csv"),
        ("d/1aB_c-9", "d/1aB_c-9/export?format=csv"),
        ("u/0/d/1aB_c-9/edit#gid=7", "d/1aB_c-9/export?format=csv&gid=7"),
        ("d/1aB/edit?resourcekey=0-x#gid=7", "d/1aB/export?format=csv&gid=7&resourcekey=0-x"),
        ("d/e/2PACX-1v/pubhtml", "d/e/2PACX-1v/pub?output=csv"),
        ("d/e/2PACX-1v/pubhtml?gid=7&single=true", "d/e/2PACX-1v/pub?output=csv&single=true&gid=7"),
        ("d/e/2PACX-1v/pubhtml#gid=7", "d/e/2PACX-1v/pub?output=csv&single=true&gid=7"),
        ("d/e/2PACX-1v/pub", "d/e/2PACX-1v/pub?output=csv"),
        ("u/1/d/e/2PACX-1v/pubhtml", "d/e/2PACX-1v/pub?output=csv"),
        ("d/1aB_c-9/pubhtml", "d/1aB_c-9/pub?output=csv"),
    ],
)  # fmt: skip
def test_a_link_to_a_google_sheet_leads_to_its_csv(shared: str, address: str) -> None:
    assert sheet_address(f"{SHEETS}/{shared}") == f"{SHEETS}/{address}"
    assert sheet_address(f"{SHEETS}/{address}") == f"{SHEETS}/{address}"


@pytest.mark.parametrize(
    ("shared", "address"),
    [
        (
            "https://docs.google.com/a/desk.example/spreadsheets/d/1aB/edit#gid=7",
            f"{SHEETS}/d/1aB/export?format=csv&gid=7",
        ),
        (
            "https://drive.google.com/file/d/1aB/view?usp=sharing",
            "https://drive.google.com/uc?export=download&id=1aB",
        ),
        (
            "https://www.dropbox.com/scl/fi/k1/s.csv?rlkey=r&dl=0",
            "https://www.dropbox.com/scl/fi/k1/s.csv?rlkey=r&dl=1",
        ),
        ("https://www.dropbox.com/s/k1/s.xlsx", "https://www.dropbox.com/s/k1/s.xlsx?dl=1"),
        (
            "https://github.com/desk/story/blob/main/data/blob/s.csv",
            "https://github.com/desk/story/raw/main/data/blob/s.csv",
        ),
    ],
)
def test_a_link_to_a_shared_file_leads_to_the_file(shared: str, address: str) -> None:
    assert sheet_address(shared) == address
    assert sheet_address(address) == address


@pytest.mark.parametrize(
    "url",
    [
        f"{SHEETS}/d/1aB/export?format=xlsx&gid=7",
        f"{SHEETS}/d/1aB/gviz/tq?tqx=out:csv&sheet=April",
        f"{SHEETS}/d/e/2PACX/pub?gid=3&single=true&output=csv",
        f"{SHEETS}/d/e/2PACX/pub?output=tsv",
        "https://docs.google.com/document/d/1aB/edit",
        "https://example.org/spreadsheets/d/1aB/edit#gid=7",
        "https://docs.google.com.example.org/spreadsheets/d/1aB/edit",
        "https://www.dropbox.com/home",
        "https://github.com/desk/story",
        "http://",
        "http://[",
    ],
)
def test_any_other_address_stays(url: str) -> None:
    assert sheet_address(url) == url


def test_the_sheet_of_a_link_comes_and_a_web_page_in_its_place_says_how_to_share_it() -> None:
    target = "/spreadsheets/d/{}/export?format=csv"
    answers = {
        target.format("open") + "&gid=7": redirect("http://files.example/open.csv"),
        "/open.csv": answer(SHEET.encode()),
        target.format("closed"): redirect("http://accounts.example/signin"),
        "/signin": answer(b"<!doctype html><title>Sign in</title>", "Content-Type: text/html"),
        target.format("denied"): answer(b"<html>", status="401 Unauthorized"),
        target.format("gone"): answer(b"<html>", status="404 Not Found"),
        "/page": answer(b"\xef\xbb\xbf\n<html>"),
    }
    with answering(answers) as server:

        def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
            return [(0, socket.SOCK_STREAM, 0, "", ("93.184.215.14", port))]

        def connect(_: tuple[str, int], seconds: float) -> socket.socket:
            return socket.create_connection(("127.0.0.1", server.port), seconds)

        def fetched(url: str) -> bytes:
            return fetch_sheet(url, resolve=resolve, connect=connect)

        def refused(url: str) -> str:
            with pytest.raises(NotFetched) as refusal:
                fetched(url)
            assert refusal.value.url == url
            return refusal.value.problem

        link = "http://docs.google.com/spreadsheets/d/{}/edit"
        assert fetched(link.format("open") + "#gid=7") == SHEET.encode()
        for name in ("closed", "denied"):
            assert refused(link.format(name)) == (
                "is not shared, and Google asks to sign in: share it with anyone with the link, or"
                " use File > Share > Publish to the web, as CSV"
            )
        assert refused(link.format("gone")) == "answered 404 Not Found"
        assert refused("http://news.example/page") == (
            "is a web page, not a sheet: publish the sheet as CSV"
        )


def test_sync_takes_the_link_that_the_browser_shows(tmp_path: Path) -> None:
    path = tmp_path / "story.db"
    done("-d", path, "init", "--title", "A story")
    sheets = "http://docs.google.com/spreadsheets"
    answers = {
        f"{sheets}/d/1aB/export?format=csv&gid=7": answer(SHEET.encode()),
        f"{sheets}/d/1aC/export?format=csv": answer(b"<!DOCTYPE html><title>Sign in</title>"),
    }
    with answering(answers) as proxy:
        env = environment(http_proxy=f"http://127.0.0.1:{proxy.port}", no_proxy="")
        env.pop("NO_PROXY", None)

        def sync(link: str) -> Any:
            return process("-d", path, "sync", f"{sheets}/{link}", cwd=tmp_path, env=env)

        assert sync("u/0/d/1aB/edit?gid=7#gid=7").stdout.endswith("1 recorded.\n")
        before = entries(path)
        refusal = one_line(sync("d/1aC/edit?usp=sharing"))
        assert refusal.startswith(f"{sheets}/d/1aC/edit?usp=sharing: is not shared, ")
    assert entries(path) == before
