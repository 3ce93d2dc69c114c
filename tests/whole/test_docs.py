"""README.md and docs/: every example runs and prints what is shown, every link leads somewhere."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import sqlite3
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from examples import PAGES, blocks, commands, printed_anew
from running import CHECKOUT

from timeline import Timeline, demo
from timeline.store import storage
from timeline.store.rows import as_dicts

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_of_a_page_prints_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    assert printed_anew(page, tmp_path).split("\n") == page.read_text(encoding="utf-8").split("\n")


def test_every_promise_of_security_names_a_test_that_exists() -> None:
    page = (CHECKOUT / "docs" / "security.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| [A-Z].*\|$", page.partition("## What is promised")[2], re.MULTILINE)
    named = re.findall(r"`((?:tests|bench|timeline)/[\w/.]+)`", page)
    assert len(rows) > 12
    assert all("`tests/" in row or "`bench/" in row for row in rows)
    assert [name for name in named if not (CHECKOUT / name).is_file()] == []


def test_the_examples_are_found() -> None:
    assert len(commands(README)) >= 7


def test_the_python_of_the_readme_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = (block for block in blocks(README, "python") if not block.name)
    namespace: dict[str, object] = {}
    exec(compile(example.body, "README.md", "exec"), namespace)
    assert [row["title"] for row in namespace["rows"]] == ["Missile strike on Sumy"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [
        link
        for link in links
        if not link.startswith(("https://", "http://")) and not (page.parent / link).is_file()
    ]
    assert missing == []


# --- SQL ----------------------------------------------------------------------------------

SQL = (CHECKOUT / "docs" / "sql.md").read_text(encoding="utf-8")
QUERIES = {
    block.body.split("\n")[0].removeprefix("-- "): block.body for block in blocks(SQL, "sql")
}
Rows = list[dict[str, Any]]


def _of_a_month(rows: Rows, story: Timeline) -> bool:
    listed = [row["title"] for row in story.list(month="April 2025")]
    return [row["title"] for row in rows] == listed and rows[1]["type"] == "Assault"


def _in_a_week(rows: Rows, story: Timeline) -> bool:
    listed = [row["title"] for row in story.list(since="2025-04-07", until="2025-04-13")]
    vague = [row["occurred"] for row in rows if ".." in row["occurred"]]
    return [row["title"] for row in rows] == listed and len(rows) > len(vague) > 3


def _with_whom(rows: Rows, story: Timeline) -> bool:
    together = {(row["actor"], row["other"]): row["events"] for row in rows}
    rutte = {row["event_id"] for row in story.list(actor="Mark Rutte")}
    zelenskyy = {row["event_id"] for row in story.list(actor="Volodymyr Zelenskyy")}
    return together["Mark Rutte", "Volodymyr Zelenskyy"] == len(rutte & zelenskyy)


def _competing(rows: Rows, story: Timeline) -> bool:
    figures = story.get("sumy-strike")["quantities"]
    killed = {figure["value"] for figure in figures if figure["measure"] == "killed"}
    return {str(row["value"]) for row in rows} == killed


def _corrections(rows: Rows, story: Timeline) -> bool:
    corrected = sum(row["corrections_count"] for row in story.list(state="all"))
    kinds = Counter(row["kind"] for row in rows)
    return all(row["reason"] for row in rows) and kinds == {
        "event.corrected": corrected,
        "event.retracted": 1,
    }


def _moved(rows: Rows, story: Timeline) -> bool:
    values = [json.loads(row["new_value"])["value"] for row in rows]
    return values == ["34", "60", "2", "35", "36", "119"] and rows[3]["version"] == 3


def _believed(rows: Rows, story: Timeline) -> bool:
    listed = story.list(as_of="2025-04-14T23:59:59Z")
    return {(row["event_id"], row["version"]) for row in rows} == {
        (row["event_id"], row["version"]) for row in listed
    }


def _sources(rows: Rows, story: Timeline) -> bool:
    counted = [(row["label"], row["count"]) for row in story.facets()["source"]]
    return [(row["title"], row["events"]) for row in rows] == counted


def _few_sources(rows: Rows, story: Timeline) -> bool:
    few = {row["event_id"]: row["sources_count"] for row in story.list()}
    few = {event_id: count for event_id, count in few.items() if count <= 2}
    return Counter(row["event_id"] for row in rows) == few


def _found(rows: Rows, story: Timeline) -> bool:
    titles = [row["title"] for row in story.search('"black sea" secur')]
    return [row["title"] for row in rows] == titles


CHECKS: dict[str, Callable[[Rows, Timeline], bool]] = {
    "Events of a month, with the label of their type": _of_a_month,
    "All that could have happened in a week, vague dates too": _in_a_week,
    "Who appears with whom": _with_whom,
    "Competing figures, side by side": _competing,
    "Every correction and retraction, with its reason": _corrections,
    "How the figures of an event moved, entry by entry": _moved,
    "What was believed at the end of 14 April, UTC": _believed,
    "Sources, by how many events they carry": _sources,
    "Events that rest on one source or two": _few_sources,
    'Full text: words, "a phrase", begin*': _found,
}


@pytest.fixture(scope="module")
def demonstration(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "timeline.db"
    demo.build(path)
    return path


def test_every_query_has_a_check() -> None:
    assert list(QUERIES) == list(CHECKS)


@pytest.mark.parametrize("title", CHECKS)
def test_a_query_answers_in_sqlite3_and_says_what_it_promises(
    title: str, demonstration: Path
) -> None:
    done = subprocess.run(
        ["sqlite3", "-readonly", "-json", demonstration],
        input=QUERIES[title],
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    assert done.stderr == ""
    rows = json.loads(done.stdout)
    with Timeline.open(demonstration) as story:
        assert rows
        assert CHECKS[title](rows, story), rows


def test_words_are_found_by_sql_as_its_page_says(tmp_path: Path) -> None:
    rows = [line.split("|") for line in SQL.splitlines() if line.startswith("| `")]
    path = tmp_path / "timeline.db"
    with Timeline.create(path, title="Words") as timeline:
        for _, texts, questions, _ in rows:
            pairs = zip(
                *(re.findall("`([^`]+)`", cell) for cell in (texts, questions)), strict=True
            )
            for text, question in pairs:
                event = timeline.record({"title": f"{text} {text}", "occurred": "2025"})
                found = subprocess.run(
                    ["sqlite3", "-readonly", path],
                    input="SELECT rowid FROM event_search WHERE event_search MATCH"
                    f" '{question}' ORDER BY rowid DESC LIMIT 1;",
                    capture_output=True,
                    check=True,
                    encoding="utf-8",
                )
                assert (found.stdout, found.stderr) == (f"{event.seq}\n", ""), text


def test_every_query_answers_the_same_in_datasette(demonstration: Path) -> None:
    from datasette.app import Datasette

    async def rows_of(query: str) -> Rows:
        datasette = Datasette([str(demonstration)])
        await datasette.invoke_startup()
        address = "/timeline.json?" + urlencode({"sql": query, "_shape": "array"})
        answer = await datasette.client.get(address, follow_redirects=True)
        assert answer.status_code == 200, answer.text
        rows: Rows = answer.json()
        return rows

    with contextlib.closing(storage.connect(demonstration)) as connection:
        for query in QUERIES.values():
            assert asyncio.run(rows_of(query)) == [*as_dicts(connection.execute(query))]


def test_the_drawing_of_the_tables_is_that_of_the_schema() -> None:
    (drawing, *_) = (block.body for block in blocks(SQL, "text"))
    created = (CHECKOUT / "db" / "schema.sql").read_text(encoding="utf-8")
    names = set(re.findall(r"CREATE (?:TABLE|VIEW|VIRTUAL TABLE) (\w+)", created))
    own = {
        *("checkpoints", "follows", "mirror", "node", "projection_state", "publications"),
        *("scrub_pending", "sightings", "source_texts", "tree_hashes", "witnesses"),
    }
    assert set(re.findall(r"\b[a-z]+(?:_[a-z]+)*\b", drawing)) >= names - own
    references = {
        (table, column, parent)
        for table, body in re.findall(r"CREATE TABLE (\w+) \((.*?)\n\)", created, re.DOTALL)
        for column, parent in re.findall(r"(\w+) +\w+[^,\n]*REFERENCES (\w+)", body)
    }
    assert _drawn(drawing) == references
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(created)
        for table, columns in re.findall(r"(?m)(\w+) .*: (\w+(?:, \w+)*)(?=  |$)", drawing):
            connection.execute(f"SELECT {columns} FROM {table}")


def _drawn(drawing: str) -> set[tuple[str, str, str]]:
    """Table, column and the table that it points to: by branches, and by arrows."""
    found = set()
    root = table = ""
    keys = {"events": "event_id", "actors": "actor_id", "sources": "source_id"}
    for line in drawing.split("\n"):
        if branch := re.match(r"[├└]── (\w+)", line):
            table = branch[1]
            found.add((table, keys[root], root))
        elif trunk := re.match(r"\w+", line):
            root = table = trunk[0]
        for columns, parent in re.findall(r"(\w+(?:, \w+)*) -> (\w+)", line):
            found |= {(table, column, parent) for column in columns.split(", ")}
    return found


# --- How examples are run -----------------------------------------------------------------

EXAMPLE = """\
# A page

```console
$ echo one; echo two >&2
old
$ echo "a long \\
  line" > file
$ cat file; timeline show nothing
...
```

```python
x = 1
print("printed")
x + 1
```

```text
...
```

```python tool.py
print("a tool")
```

```console
$ python tool.py
...
```
"""


def test_what_an_example_prints_takes_the_place_of_what_is_shown(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(EXAMPLE)
    folder = tmp_path / "folder"
    folder.mkdir()
    text = printed_anew(page, folder)
    assert "$ echo one; echo two >&2\none\ntwo\n$ echo" in text
    assert re.search(r"\$ cat file; .*\na long   line\nError: .*\n```", text)
    assert "```text\nprinted\n2\n```" in text
    assert text.endswith("$ python tool.py\na tool\n```\n")


@pytest.mark.parametrize(
    "example",
    [
        "```console\n$ false\n```\n",
        "```console\n$ echo problem >&2\n```\n",
        "```console\n$ false\nshown\n```\n",
        "```python\nassert False\n```\n",
    ],
)
def test_an_example_that_fails_unseen_is_found(example: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(example)
    with pytest.raises(AssertionError):
        printed_anew(page, tmp_path)
