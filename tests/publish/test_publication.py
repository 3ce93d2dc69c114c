"""A copy for readers: what is in it, what is on record, and that nobody sees half of one."""

from __future__ import annotations

import base64
import contextlib
import fnmatch
import hashlib
import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import zipfile
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from folders import contents
from links import answer, links
from running import PROGRAM, done, environment, one_line, run
from serving import serving

from timeline import Timeline
from timeline.proof import verify
from timeline.store import storage
from timeline.store.scratch_folder import shared_scratch_folder


@pytest.fixture
def path(story: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(story, tmp_path / "story.db"))


def publications(path: Path) -> list[tuple[object, ...]]:
    with contextlib.closing(storage.connect(path)) as connection:
        return connection.execute("SELECT * FROM publications ORDER BY 1").fetchall()


def a_sentence(path: Path) -> bytes:
    """Words that stand in a captured text alone."""
    with contextlib.closing(storage.connect(path)) as connection:
        (body,) = connection.execute("SELECT body FROM source_texts").fetchone()
    return str(body)[200:240].encode()


# --- The copy -----------------------------------------------------------------------------


def test_a_copy_holds_says_when_it_was_published_and_has_no_text(
    path: Path, tmp_path: Path
) -> None:
    text = done("-d", path, "publish", tmp_path / "out")
    copy = tmp_path / "out" / "story.db"
    report = verify.verify(copy)
    assert report.findings == []
    assert (report.texts, report.texts_absent) == (0, 1)
    assert base64.b64encode(report.root).decode() in text
    ((published_at, size, root, checkpoint_size),) = publications(copy)
    assert publications(path) == [(published_at, size, root, checkpoint_size)]
    assert (size, root, checkpoint_size) == (report.size, report.root, report.size)
    assert a_sentence(path) in path.read_bytes()
    assert a_sentence(path) not in copy.read_bytes()
    with contextlib.closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_texts_go_along_where_they_are_wanted(path: Path, tmp_path: Path) -> None:
    done("-d", path, "publish", tmp_path / "out", "--with-texts")
    report = verify.verify(tmp_path / "out" / "story.db")
    assert (report.findings, report.texts) == ([], 1)
    assert a_sentence(path) in (tmp_path / "out" / "story.db").read_bytes()


def test_the_same_state_is_on_record_once_and_gives_the_same_bytes(
    path: Path, tmp_path: Path
) -> None:
    done("-d", path, "publish", tmp_path / "out")
    before = (tmp_path / "out" / "story.db").read_bytes()
    done("-d", path, "publish", tmp_path / "out")
    done("-d", path, "publish", tmp_path / "other")
    assert (tmp_path / "out" / "story.db").read_bytes() == before
    assert (tmp_path / "other" / "story.db").read_bytes() == before
    assert len(publications(path)) == 1
    done("-d", path, "append", "--title", "More", "--occurred", "2025")
    done("-d", path, "publish", tmp_path / "out")
    assert [size for _, size, *_ in publications(path)] == [64, 65]
    assert publications(tmp_path / "out" / "story.db") == publications(path)


def test_what_was_published_never_changes(path: Path, tmp_path: Path) -> None:
    done("-d", path, "publish", tmp_path / "out")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        for change in (
            "UPDATE publications SET size = 1",
            "DELETE FROM publications",
            "INSERT OR REPLACE INTO publications SELECT published_at, 1, root, 1 FROM publications",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="publications: "):
                connection.execute(change)


def test_a_log_that_does_not_hold_is_not_published_and_the_copy_before_it_stays(
    path: Path, tmp_path: Path
) -> None:
    done("-d", path, "publish", tmp_path / "out")
    copy = tmp_path / "out" / "story.db"
    before = copy.read_bytes()
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE events SET title = 'Forged' WHERE event_id = 'sumy-strike'")
    problem = one_line(run("-d", path, "publish", tmp_path / "out"))
    assert "does not hold, and was not published: table events event_key 16, title" in problem
    assert copy.read_bytes() == before
    assert not [file for file in (tmp_path / "out").iterdir() if file.name.startswith(".")]


def test_a_timeline_is_not_published_over_itself(path: Path) -> None:
    before = path.read_bytes()
    problem = one_line(run("-d", path, "publish", path.parent))
    assert problem.endswith("is the timeline itself: publish into another folder")
    assert path.read_bytes() == before


def killed_in_the_middle(program: Sequence[str], folder: Path, moment: str, **changes: str) -> bool:
    """Kill a program when a file that `moment` names is being written; tell whether it was."""
    with (
        subprocess.Popen(program, stdout=subprocess.DEVNULL, env=environment(**changes)) as running,
        contextlib.suppress(FileNotFoundError),
    ):
        while running.poll() is None:
            if any(file.stat().st_size for file in folder.glob(moment)):
                running.kill()
                break
    return any(folder.glob(".timeline-new-*"))


@pytest.mark.parametrize("form", [(), ("--static",)])
@pytest.mark.parametrize("moment", [".timeline-new-*/*", ".timeline-new-*/**/*.db"])
def test_what_a_killed_run_leaves_is_for_its_owner_alone_and_goes_with_the_next(
    path: Path, tmp_path: Path, form: tuple[str, ...], moment: str
) -> None:
    done("-d", path, "publish", tmp_path / "whole", *form)
    folder, temporary = tmp_path / "out", tmp_path / "tmp"
    temporary.mkdir()
    program = [*PROGRAM, "-d", str(path), "publish", str(folder), *form]
    while not killed_in_the_middle(program, folder, moment, TMPDIR=str(temporary)):
        shutil.rmtree(folder)  # it ended before it was killed
    assert [*temporary.iterdir()] == []
    (left,) = folder.glob(".timeline-new-*")
    assert left.stat().st_mode & 0o777 == 0o700
    for file in left.rglob("*.db*"):
        assert file.stat().st_mode & 0o777 == 0o600
        assert a_sentence(path) not in file.read_bytes()
    done("-d", path, "publish", folder, *form)
    assert contents(folder) == contents(tmp_path / "whole")


def test_those_who_publish_into_one_folder_at_once_wait_for_each_other(
    path: Path, tmp_path: Path
) -> None:
    done("-d", path, "publish", tmp_path / "whole")
    program = [*PROGRAM, "-d", str(path), "publish", str(tmp_path / "out")]
    everybody = [subprocess.Popen(program, stdout=subprocess.DEVNULL) for _ in range(4)]
    assert [each.wait() for each in everybody] == [0, 0, 0, 0]
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("form", [(), ("--static",)])
def test_tables_of_a_user_are_not_published(
    path: Path, tmp_path: Path, form: tuple[str, ...]
) -> None:
    done("-d", path, "publish", tmp_path / "before", *form)
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE mine (a INTEGER PRIMARY KEY AUTOINCREMENT, b UNIQUE);"
            " CREATE INDEX by_b ON MINE (b); INSERT INTO mine (b) VALUES ('Words of a user')"
        )
    done("-d", path, "publish", tmp_path / "after", *form)
    assert contents(tmp_path / "after") == contents(tmp_path / "before")


def test_a_link_in_the_place_of_what_a_killed_run_left_is_not_followed(
    path: Path, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    link = tmp_path / "out" / f".timeline-new-{'0' * 16}"
    link.symlink_to(tmp_path / "kept")
    done("-d", path, "publish", tmp_path / "out")
    assert (tmp_path / "kept" / "file").exists()


def test_a_run_leaves_alone_what_another_run_works_in(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with shared_scratch_folder(folder) as other:
        (other / "file").touch()
        done("-d", path, "export", "csv", "-o", folder / "made.csv")
        done("-d", path, "publish", folder)
        assert (other / "file").exists()
    assert not [*folder.glob(".*")]


def test_a_folder_that_cannot_be_made_is_named(path: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = run("-d", path, "publish", tmp_path / "file" / "out")
    assert "cannot be made" in one_line(result)


# --- Readers ------------------------------------------------------------------------------


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may look into."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def as_reader() -> tuple[str, ...]:
    """What runs a command as a user who can read the files of all, and write none."""
    if os.getuid() != 0:
        return ()
    return (
        *("setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"),
        *("--inh-caps", "+dac_read_search", "--ambient-caps", "+dac_read_search"),
    )


def every_page(address: str) -> dict[str, str]:
    """The text of every page that the pages of a timeline lead to, but for other selections."""
    own = (f"{address}/events", f"{address}/actors", f"{address}/sources")
    own += (f"{address}/changes", f"{address}/verify")
    found: dict[str, str] = {}
    waiting = [f"{address}/"]
    with contextlib.closing(HTTPConnection(urlsplit(address).netloc, timeout=60)) as connection:
        while waiting:
            page = waiting.pop()
            if page in found:
                continue
            status, content_type, found[page] = answer(connection, page)
            assert status == 200, (page, found[page])
            waiting += [
                link
                for link in links(page, content_type, found[page])
                if link.startswith(own) and not urlsplit(link).query
            ]
    return found


def test_a_copy_is_served_to_readers_from_a_folder_that_they_cannot_write_in(
    path: Path, open_folder: Path, tmp_path: Path
) -> None:
    done("-d", path, "publish", open_folder / "site")
    folder = open_folder / "site"
    folder.chmod(0o555)
    options = ("-i", folder / "story.db", "-m", folder / "metadata.json")
    with serving("datasette", "serve", *options, cwd=tmp_path, before=as_reader()) as address:
        pages = every_page(address)
        with contextlib.closing(storage.connect(path)) as connection:
            events = connection.execute("SELECT event_id, version FROM events").fetchall()
        for event_id, version in events:
            assert f"{address}/events/{event_id}" in pages
            assert f"{address}/events/{event_id}/{version}" in pages
        shown = json.loads(pages[f"{address}/verify.json"])
        assert shown["publications"][0]["root"] == shown["checkpoint"]["root"]
        root = base64.b64encode(verify.verify(path).root).decode()
        assert shown["checkpoint"]["root"] == root
        assert sorted(file.name for file in folder.iterdir()) == sorted(
            ["Dockerfile", "metadata.json", "requirements.txt", "story.db", wheel_of(folder).name]
        )
        done("-d", path, "append", "--title", "Published while they read", "--occurred", "2025")
        problems: list[object] = []
        stop = threading.Event()

        def read_on() -> None:
            with contextlib.closing(HTTPConnection(urlsplit(address).netloc)) as reader:
                while not stop.is_set():
                    status, _, text = answer(reader, f"{address}/events.json")
                    if status != 200 or len(json.loads(text)["events"]) not in (19, 20):
                        problems.append((status, text[:200]))

        readers = [threading.Thread(target=read_on) for _ in range(3)]
        for reader in readers:
            reader.start()
        folder.chmod(0o755)
        for _ in range(3):
            done("-d", path, "publish", folder)
        stop.set()
        for reader in readers:
            reader.join()
        assert problems == []
    assert verify.verify(folder / "story.db").size == 65


# --- What stands beside it ----------------------------------------------------------------


def wheel_of(folder: Path) -> Path:
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_beside_a_copy_is_this_package(path: Path, tmp_path: Path) -> None:
    done("-d", path, "publish", tmp_path / "out")
    wheel = wheel_of(tmp_path / "out")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"),
            *("--target", str(tmp_path / "lib"), str(wheel)),
        ],
        check=True,
        capture_output=True,
    )
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (record,) = (name for name in names if name.endswith("/RECORD"))
        for line in archive.read(record).decode().splitlines()[:-1]:
            name, hashed, size = line.rsplit(",", 2)
            content = archive.read(name)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            assert (hashed, size) == (f"sha256={digest.decode()}", str(len(content)))
    program = (
        "import sys; sys.path.insert(0, sys.argv.pop()); import timeline.cli as cli;"
        " print(cli.__file__); sys.argv.append('--help'); cli.main()"
    )
    shown = subprocess.run(
        [sys.executable, "-I", "-c", program, str(tmp_path / "lib")],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert shown.startswith(str(tmp_path / "lib"))
    assert "Keep the timeline of a developing story" in shown
    assert (tmp_path / "lib" / "timeline" / "db" / "projection.sql").is_file()
    done("-d", path, "publish", tmp_path / "again")
    assert wheel_of(tmp_path / "again").read_bytes() == wheel.read_bytes()


ODD = """my "story", $HOME's [1] *.db"""


@pytest.mark.parametrize("name", ["story.db", ODD])
def test_the_container_runs_as_an_ordinary_user_and_builds_nothing_when_it_starts(
    path: Path, tmp_path: Path, name: str
) -> None:
    path = path.rename(path.with_name(name))
    done("-d", path, "publish", tmp_path / "out")
    steps = container(tmp_path / "out")
    words = [word for word, _ in steps]
    order = ["FROM", "RUN", "WORKDIR", "COPY", "RUN", "COPY", "USER", "EXPOSE", "CMD"]
    assert words == order
    said = dict(steps)
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", said["FROM"])
    assert said["USER"] == "reader"
    command = json.loads(said["CMD"])
    assert command[:4] == ["datasette", "serve", "--immutable", name]
    assert "sql_time_limit_ms" not in command  # Datasette's own limit is one second.
    assert taken(tmp_path / "out") == sorted({*files(tmp_path / "out")} - {"Dockerfile"})


def container(folder: Path) -> list[tuple[str, str]]:
    """The steps of the container file: instruction and what it is given."""
    text = (folder / "Dockerfile").read_text().replace("\\\n", "")
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in text.splitlines())]


def taken(folder: Path) -> list[str]:
    """The files that its patterns take, each as often as one does."""
    patterns = [
        pattern
        for word, rest in container(folder)
        if word == "COPY"
        for pattern in rest.split()[:-1]
    ]
    return sorted(
        name for pattern in patterns for name in files(folder) if fnmatch.fnmatchcase(name, pattern)
    )


def files(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


def test_the_container_file_outlives_an_upgrade_of_the_package(path: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    done("-d", path, "publish", folder)
    ours = wheel_of(folder).name
    (folder / ours).rename(folder / "timeline_store-0.0.9-py3-none-any.whl")
    done("-d", path, "publish", folder)
    assert wheel_of(folder).name == ours
    assert taken(folder) == sorted({*files(folder)} - {"Dockerfile"})
    assert f"./{ours}[cards,timelinejs]" in (folder / "requirements.txt").read_text().splitlines()


def test_the_commands_that_come_next_are_for_a_shell(path: Path, tmp_path: Path) -> None:
    path, folder = path.rename(path.with_name(ODD)), tmp_path / "a site's"
    printed = done("-d", path, "publish", folder)
    commands = [shlex.split(line) for line in printed.partition("one of:\n")[2].splitlines()]
    datasette, docker, fly, cloud, publish = commands
    assert datasette[3:] == [str(folder / ODD), "-m", str(folder / "metadata.json")]
    name = "my--story----home-s--1"
    assert docker[:5] == ["docker", "build", "-t", name, str(folder)]
    assert fly[:2] == ["cd", str(folder)]
    assert cloud[3:6] == [name, "--source", str(folder)]
    assert publish[3] == str(folder / ODD)


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("metadata.json", "metadata.json is the name of a file that stands beside the copy"),
        ("Dockerfile", "Dockerfile is the name of a file that stands beside the copy"),
        ("which?.db", "Datasette opens no file with ? in its name: rename which?.db"),
        ("issue #1.db", "Datasette opens no file with # in its name: rename issue #1.db"),
        ("a%20b.db", "Datasette opens no file with %20 in its name: rename a%20b.db"),
    ],
)
def test_a_name_that_no_copy_can_have_is_refused_before_anything_is_written(
    path: Path, tmp_path: Path, name: str, problem: str
) -> None:
    path = path.rename(path.with_name(name))
    assert one_line(run("-d", path, "publish", tmp_path / "out")).startswith(problem)
    assert not (tmp_path / "out").exists()


def test_a_per_cent_sign_alone_is_no_hindrance(path: Path, tmp_path: Path) -> None:
    path = path.rename(path.with_name("100%.db"))
    done("-d", path, "publish", tmp_path / "out")
    options = ("-i", "100%.db", "-m", "metadata.json")
    with serving("datasette", "serve", *options, cwd=tmp_path / "out") as address:
        assert f"{address}/events/sumy-strike" in every_page(address)


def test_a_service_is_named_as_cloud_run_wants(path: Path, tmp_path: Path) -> None:
    path = path.rename(path.with_name("2025-story.db"))
    printed = done("-d", path, "publish", tmp_path / "out")
    assert "gcloud run deploy timeline-2025-story --source" in printed


def test_every_user_can_read_what_is_published_whatever_the_umask(
    path: Path, tmp_path: Path
) -> None:
    before = os.umask(0o077)
    try:
        done("-d", path, "publish", tmp_path / "out")
    finally:
        os.umask(before)
    modes = {file.name: file.stat().st_mode & 0o777 for file in (tmp_path / "out").iterdir()}
    assert set(modes.values()) == {0o644}, modes


def test_a_container_file_of_ones_own_is_kept(path: Path, tmp_path: Path) -> None:
    done("-d", path, "publish", tmp_path / "out")
    (tmp_path / "out" / "Dockerfile").write_text("FROM mine\n")
    done("-d", path, "publish", tmp_path / "out")
    assert (tmp_path / "out" / "Dockerfile").read_text() == "FROM mine\n"


def test_the_metadata_beside_a_copy_are_of_its_log(path: Path, tmp_path: Path) -> None:
    done("-d", path, "publish", tmp_path / "out")
    metadata = json.loads((tmp_path / "out" / "metadata.json").read_text())
    with Timeline.open(path) as timeline:
        assert metadata["databases"]["story"]["title"] == timeline.info["title"]
