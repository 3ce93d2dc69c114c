"""Attached files on the site: shown on the page of their event, and sent so that nothing runs.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest
from running import done
from site_in_process import open_site
from small_files import PDF, png

from timeline import Timeline
from timeline.media.attached import AttachedFile, attached_file

RED, BLUE = attached_file(png("red")), attached_file(png("blue"))


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story", origin="example.org/story") as timeline:
        timeline.record(
            {
                "event_id": "talks",
                "title": "Talks",
                "occurred": "2025-04-15",
                "media": [
                    {
                        "kind": "video",
                        "url": "https://example.org/film",
                        "caption": "The <b>film</b>",
                    }
                ],
                "relations": [{"type": "about", "event_id": "fort", "origin": "example.org/old"}],
            }
        )
        timeline.attach(
            "talks",
            png("red"),
            {
                "alt": 'A "red" wall',
                "caption": "By the quay",
                "credit": "Mara",
                "licence": "CC0-1.0",
            },
        )
        timeline.attach("talks", PDF, {"caption": "The treaty"})
        timeline.attach("talks", png("blue"), {"alt": "A guest"})
    return path


def address(file: AttachedFile, ending: str) -> str:
    return f"/media/{file.sha256.removeprefix('sha256:')}{ending}"


def erase_guest(path: Path) -> None:
    target = BLUE.sha256.replace("sha256:", "media/")
    done("-d", path, "erase", target, "--reason", "The guest asked", "--yes")


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())


def test_a_picture_stands_on_the_page_of_its_event(story: Path) -> None:
    with open_site(story) as site:
        page = site.page("/events/talks")
        assert f'<img src="{address(RED, ".png")}" alt="A &#34;red&#34; wall"' in page
        assert f'width="{RED.width}" height="{RED.height}"' in page
        assert "By the quay" in words(page)
        assert "Mara , CC0-1.0" in words(page)
        assert "The <b>film</b>" in words(page)
        assert 'href="https://example.org/film"' in page
        assert "This event is about fort of example.org/old" in words(page)
        assert 'src="http' not in page


def test_a_file_is_sent_as_it_is_and_nothing_in_it_can_run(story: Path) -> None:
    with open_site(story) as site:
        answer = site.ask(address(RED, ".png"))
        assert answer.content == RED.body
        assert answer.headers["content-type"] == "image/png"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
        document = site.ask(address(attached_file(PDF), ".pdf"))
        assert document.content == PDF
        assert document.headers["content-type"] == "application/pdf"
        assert re.fullmatch(
            r'attachment; filename="talks-[0-9a-f]{8}\.pdf"',
            document.headers["content-disposition"],
        )


@pytest.mark.parametrize(
    "path",
    [
        address(RED, ".jpg"),
        address(RED, ".html"),
        address(RED, ""),
        "/media/" + "0" * 64 + ".png",
        "/media/nothing.png",
        address(RED, ".png") + "/",
    ],
)
def test_a_file_has_one_address(story: Path, path: str) -> None:
    with open_site(story) as site:
        assert site.ask(path).status_code in (302, 404)


def test_a_file_of_many_megabytes_is_sent_whole(story: Path) -> None:
    document = b"%PDF-1.7\n" + bytes(range(256)) * 30_000 + b"\n%%EOF\n"
    with Timeline.open(story) as timeline:
        timeline.attach("talks", document, {"caption": "All minutes"})
    with open_site(story) as site:
        answer = site.ask(address(attached_file(document), ".pdf"))
        assert answer.content == document


def test_a_file_that_was_erased_is_gone_and_the_page_says_why(story: Path) -> None:
    erase_guest(story)
    with open_site(story) as site:
        answer = site.ask(address(BLUE, ".png"))
        assert answer.status_code == 410
        assert "The guest asked" in answer.text
        page = site.page("/events/talks")
        assert address(BLUE, ".png") not in page
        assert re.search(
            r"Picture, removed on \d+ \w+ \d{4}: The guest asked: A guest", words(page)
        )


def test_a_copy_without_files_says_so(story: Path, tmp_path: Path) -> None:
    done("-d", story, "publish", tmp_path / "out", "--without-media")
    with open_site(immutables=[tmp_path / "out" / "story.db"]) as site:
        assert "Picture, not in this copy: A guest" in words(site.page("/events/talks"))
        assert site.ask(address(RED, ".png")).status_code == 404


def test_a_publication_has_the_files(story: Path, tmp_path: Path) -> None:
    done("-d", story, "publish", tmp_path / "out")
    with open_site(immutables=[tmp_path / "out" / "story.db"]) as site:
        assert site.ask(address(RED, ".png")).content == RED.body


def test_a_static_site_has_the_files_that_its_pages_show(story: Path, tmp_path: Path) -> None:
    erase_guest(story)
    out = tmp_path / "out"
    done("-d", story, "publish", out, "--static")
    assert (out / address(RED, ".png").lstrip("/")).read_bytes() == RED.body
    assert not (out / address(BLUE, ".png").lstrip("/")).exists()
    page = (out / "events" / "talks" / "index.html").read_text(encoding="utf-8")
    assert f'src="../..{address(RED, ".png")}"' in page


@pytest.mark.parametrize(
    "path",
    [
        "/story.json?sql=select+body+from+media_bytes&_shape=array",
        "/story/media_bytes.json?_shape=array",
    ],
)
def test_sql_and_tables_do_not_read_the_bytes(story: Path, path: str) -> None:
    with open_site(story) as site:
        answer = site.ask(path)
        if answer.status_code in (301, 302):
            answer = site.ask(answer.headers["location"])
        assert RED.body[:8].hex() not in answer.text
        assert answer.status_code in (200, 403, 404)
        if answer.status_code == 200:
            assert all(row["body"] is None for row in answer.json())
