"""Names of the files of exports, which say selection and state."""

from __future__ import annotations

import contextlib
import re
import unicodedata
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import done
from site_in_process import FILES, Site, open_site

from timeline import Timeline, demo
from timeline.formats.about import About, about_selection
from timeline.formats.exports import FORMATS
from timeline.formats.file_names import disposition, file_name
from timeline.formats.selection_words import Condition
from timeline.reading.as_of import AsOf, parse_as_of
from timeline.store import storage


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "timeline.db"
    demo.build(path)
    return path


def name_of(
    path: Path, form: str = "csv", text: str | None = None, as_of: str | None = None, **filters: Any
) -> str:
    with contextlib.closing(storage.connect(path)) as connection:
        point = parse_as_of(connection, as_of)
        about = about_selection(connection, point, filters, {"as_of": as_of}, text)
        return file_name(about, FORMATS[form])


LOG = "nato-and-odesa-spring-2025"


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ({}, ""),
        ({"country": ["ua"]}, "ukraine-"),
        ({"country": ["UKR", "Moldova"]}, "moldova-ukraine-"),
        ({"not_country": ["Ukraine"], "tag": ["Aid"]}, "not-ukraine-aid-"),
        ({"since": "April 2025", "until": "2025-04"}, "2025-04-"),
        ({"since": "2025-04-01", "until": "15 April 2025"}, "2025-04-01-to-2025-04-15-"),
        ({"until": "2025"}, "to-2025-"),
        ({"month": "April 2025"}, "2025-04-"),
        ({"event_type": "ASSAULT", "actor": ["nato"]}, "assault-nato-"),
        ({"event_type": ["assault"], "at_risk": "yes"}, "assault-at-risk-"),
        ({"measure": "killed", "at_least": "10"}, "killed-at-least-10-"),
        ({"text": "Black  Sea!"}, "black-sea-"),
        ({"text": "../../etc/passwd\r\nX: y\x00"}, "etc-passwd-x-y-"),
        ({"text": "\u202e%00;\\\"'C:\\con"}, "00-c-con-"),
        ({"text": "Одеса"}, "одеса-"),
    ],
)
def test_a_name_says_the_log_the_selection_and_the_state(
    filters: dict[str, Any], said: str, story: Path
) -> None:
    assert name_of(story, **filters) == f"{LOG}-{said}as-of-63.csv"


def test_a_name_says_the_format_and_the_moment(story: Path, tmp_path: Path) -> None:
    assert name_of(story, "figures", as_of="#21") == f"{LOG}-figures-as-of-21.csv"
    assert name_of(story, "timelinejs") == f"{LOG}-as-of-63.timelinejs.json"
    with Timeline.create(tmp_path / "t.db", title="!?") as timeline:
        assert name_of(timeline.path) == "timeline-as-of-0.csv"


def about_of(title: str, text: str) -> About:
    """What a file says of a search in an empty log that is called so."""
    return About({"title": title}, as_of=AsOf(0), conditions=[Condition(text, text)])


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=200)


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS, st.sampled_from([*FORMATS]))
def test_any_text_makes_a_short_name_without_signs(text: str, title: str, form: str) -> None:
    about = about_of(title, text)
    name = file_name(about, FORMATS[form])
    assert name == file_name(about, FORMATS[form])
    assert len(name.encode()) <= 220
    stem = name.removesuffix(FORMATS[form].suffix)
    assert all(unicodedata.category(each)[0] in "LMN" for each in stem.replace("-", ""))
    assert stem.endswith("as-of-0")
    header = disposition(name, FORMATS[form])
    assert header.isascii()
    assert header.isprintable()
    assert read(header) == ("inline" if form in ("ics", "atom", "html") else "attachment", name)


def test_long_selections_that_differ_have_names_that_differ() -> None:
    names = {file_name(about_of("T", f"{'word ' * 50}{n}"), FORMATS["csv"]) for n in range(20)}
    assert len(names) == 20


def test_the_site_and_the_command_give_a_file_one_name(story: Path, tmp_path: Path) -> None:
    query = "?country=Ukraine&since=2025-04&as_of=%2360"
    with open_site(story) as site:
        for file in FILES:
            name = saved_as(site, f"/{file}{query}")
            form = next(
                each for each, form in FORMATS.items() if file == f"{form.stem}{form.suffix}"
            )
            options = ("--country", "ua", "--since", "April 2025", "--as-of", "#60")
            said = done("-d", story, "export", form, *options, "-o", tmp_path)
            assert said == f"{tmp_path / name}\n"
            assert (tmp_path / name).is_file()
            assert name.startswith(f"{LOG}-")
            assert "ukraine-from-2025-04-as-of-60" in name
        assert saved_as(site, "/events.csv") == f"{LOG}-as-of-63.csv"
        assert saved_as(site, "/events.csv?q=%D0%9E") == f"{LOG}-\u043e-as-of-63.csv"


def read(header: str) -> tuple[str, str]:
    """How a browser takes a file, and under which name: that of RFC 5987 if there is one."""
    message = Message()
    message["Content-Disposition"] = header
    latin, own = message.get_filename() or "", re.search(r"; filename\*=UTF-8''(\S+)", header)
    assert re.fullmatch(r"[a-z0-9.-]+", latin)
    return message.get_content_disposition() or "", unquote(own[1]) if own else latin


def saved_as(site: Site, path: str) -> str:
    return read(site.ask(path).headers["content-disposition"])[1]


def test_the_parts_of_a_long_file_have_names_that_differ(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "t.db"
    with Timeline.create(path, title="T") as timeline:
        timeline.record(
            {"event_id": f"e-{n}", "title": "E", "occurred": f"2025-01-0{n + 1}"} for n in range(5)
        )
    monkeypatch.setattr("timeline.site.views.feeds.JSON_SIZE", 2)
    with open_site(path) as site:
        following = site.ask("/events.json").json()["next"].partition("http://localhost")[2]
        assert saved_as(site, "/events.json") == "t-as-of-5.json"
        assert saved_as(site, following) == "t-as-of-5-after-2025-01-04-e-3.json"


def test_a_static_site_says_under_which_names_its_files_are_saved(
    story: Path, tmp_path: Path
) -> None:
    done("-d", story, "publish", tmp_path / "site", "--static", "--url", "https://example.org/")
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert f'href="events.csv" download="{LOG}-as-of-63.csv"' in page
    assert f'href="events.md" download="{LOG}-as-of-63.md"' in page
    assert 'href="events.ics">' in page
