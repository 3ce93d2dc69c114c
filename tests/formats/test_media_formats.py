"""Media in the files that leave a timeline, and in the slides that come from TimelineJS."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import feedparser
import icalendar
import pytest
from running import done, run
from site_in_process import open_site
from small_files import PDF, png

from timeline import Timeline
from timeline.media.attached import attached_file

FILM = "https://example.org/film.mp4"
RED, PAPER = attached_file(png("red")), attached_file(PDF)


def address(file: Any, ending: str) -> str:
    return f"http://localhost/media/{file.sha256.removeprefix('sha256:')}.{ending}"


@pytest.fixture
def files(timeline: Timeline) -> dict[str, str]:
    """What a site offers of an event with a picture, a document, and a film elsewhere."""
    film = {"kind": "video", "url": FILM, "caption": "From the hill"}
    timeline.record(
        {"event_id": "talks", "title": "Talks", "occurred": "2025-04-15", "media": [film]}
    )
    timeline.attach("talks", png("red"), {"alt": 'A "red" wall', "credit": "M & K", "caption": "W"})
    timeline.attach("talks", PDF, {"caption": "The order"})
    names = ("geojson", "atom", "ics", "timelinejs.json")
    with open_site(timeline.path) as site:
        return {name: site.page(f"/events.{name}") for name in names}


def test_a_map_has_the_addresses_of_media(files: dict[str, str]) -> None:
    (feature,) = json.loads(files["geojson"])["features"]
    said = feature["properties"]
    assert said["media_url"] == f"{FILM}; {address(RED, 'png')}; {address(PAPER, 'pdf')}"
    assert said["media_alt"] == '; A "red" wall;'
    assert said["media_credit"] == "; M & K;"


def test_a_feed_has_enclosures(files: dict[str, str]) -> None:
    (entry,) = feedparser.parse(files["atom"]).entries
    found = [(each["href"], each.get("type"), each.get("title")) for each in entry.enclosures]
    assert found == [
        (FILM, "text/html", None),  # feedparser's word for no type
        (address(RED, "png"), "image/png", 'A "red" wall'),
        (address(PAPER, "pdf"), "application/pdf", None),
    ]


def test_a_calendar_has_pictures_and_attachments(files: dict[str, str]) -> None:
    (event,) = icalendar.Calendar.from_ical(files["ics"]).walk("VEVENT")
    assert event["IMAGE"] == address(RED, "png")
    assert event["IMAGE"].params["FMTTYPE"] == "image/png"
    assert [str(each) for each in event["ATTACH"]] == [FILM, address(PAPER, "pdf")]


def test_a_slide_shows_the_picture_of_the_site_only(files: dict[str, str]) -> None:
    (slide,) = json.loads(files["timelinejs.json"])["events"]
    url = address(RED, "png")
    assert slide["media"] == {
        "url": url,
        "thumbnail": url,
        "alt": 'A "red" wall',
        "credit": "M &amp; K",
        "caption": "W",
    }


def test_an_erased_picture_is_in_no_file(files: dict[str, str], timeline: Timeline) -> None:
    name = RED.sha256.replace("sha256:", "media/")
    done("-d", timeline.path, "erase", name, "--reason", "A court", "--yes")
    with open_site(timeline.path) as site:
        for each in files:
            assert address(RED, "png") not in site.page(f"/events.{each}")


# --- Slides of TimelineJS ---------------------------------------------------------------------


def imported(timeline: Timeline, path: Path, **media: str) -> dict[str, Any]:
    slide = {"start_date": {"year": 2025}, "text": {"headline": "Talks"}, "media": media}
    path.write_text(json.dumps({"events": [slide]}))
    done("-d", timeline.path, "import", "timelinejs", path)
    return dict(timeline.get(timeline.list()[0]["event_id"]))


def test_media_of_slides_come_in(timeline: Timeline, tmp_path: Path) -> None:
    event = imported(
        timeline,
        tmp_path / "slides.json",
        url="https://example.org/quay.JPG?width=9",
        alt="The quay",
        caption="<i>At dawn</i>",
        credit="<a href='https://example.org'>Mara K.</a>",
    )
    assert event["media"] == [
        {
            "kind": "image",
            "url": "https://example.org/quay.JPG?width=9",
            "alt": "The quay",
            "caption": "At dawn",
            "credit": "Mara K.",
        }
    ]


@pytest.mark.parametrize(
    "url", ["https://example.org/page", "<iframe src='https://example.org'></iframe>", "a.jpg"]
)
def test_pages_and_frames_stay_in_the_cells(timeline: Timeline, tmp_path: Path, url: str) -> None:
    assert "media" not in imported(timeline, tmp_path / "slides.json", url=url)


def test_the_same_slides_again_change_nothing_and_edits_go_out(
    timeline: Timeline, tmp_path: Path
) -> None:
    path = tmp_path / "slides.json"
    event = imported(
        timeline,
        path,
        url="https://youtu.be/abc",
        caption="<b>Old</b>",
        thumbnail="https://e.org/t",
    )
    imported(
        timeline,
        path,
        url="https://youtu.be/abc",
        caption="<b>Old</b>",
        thumbnail="https://e.org/t",
    )
    assert timeline.get(event["event_id"])["version"] == 1

    def shown() -> dict[str, Any] | None:
        (slide,) = json.loads(done("-d", timeline.path, "export", "timelinejs"))["events"]
        found: dict[str, Any] | None = slide.get("media")
        return found

    assert shown() == {
        "url": "https://youtu.be/abc",
        "caption": "<b>Old</b>",
        "thumbnail": "https://e.org/t",
    }
    timeline.ahead = "the clock of the command is later"
    timeline.update(event["event_id"], {"media.0.caption": "A <new> one"})
    changed = shown()
    assert changed is not None
    assert changed["caption"] == "A &lt;new&gt; one"
    assert changed["thumbnail"] == "https://e.org/t"
    timeline.update(event["event_id"], {"media": None})
    assert shown() is None


def test_a_sheet_and_a_map_say_the_same(timeline: Timeline) -> None:
    media = [{"kind": "image", "url": "https://example.org/a;b.png", "alt": "x; y"}]
    timeline.record({"event_id": "talks", "title": "T", "occurred": "2025", "media": media})
    columns = [f"--column=media_{each}" for each in ("url", "alt", "credit")]
    sheet = run("-d", timeline.path, "export", "csv", *columns).stdout
    (row,) = csv.DictReader(io.StringIO(sheet))
    (feature,) = json.loads(done("-d", timeline.path, "export", "geojson"))["features"]
    for name in ("media_url", "media_alt", "media_credit"):
        assert feature["properties"][name] == row[name]
