"""docs/json.md says what `--json` prints: every key, of what type, and whether it may be missing.

A story that uses every field is told, every command is run on it, and what was printed is
compared with the page, both ways.
"""

from __future__ import annotations

import contextlib
import json
import random
import re
import shutil
import sqlite3
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin, get_type_hints, is_typeddict

import click
import pytest
from forks import KEY, fork_of, leaves
from published import KEY as PUBLISHER
from published import sign_and_put
from publisher import MAPPING, made_up_row, written
from running import CHECKOUT, done, run
from small_files import png

from timeline import ChangeRow, EventDict, EventRow, Timeline, VersionRow
from timeline.cli import cli
from timeline.intake.proposals.inbox import Inbox
from timeline.model.content import Event
from timeline.proof.signed_note import SigningKey, parse
from timeline.store import storage

PAGE = CHECKOUT / "docs" / "json.md"

WEB_PAGE = """<html lang="en"><head><meta property="og:title" content="A dam">
<meta name="author" content="Ann Orr"><meta property="og:site_name" content="P">
<link rel="canonical" href="https://example.org/dam"><link rel="license" href="https://a.example">
<meta property="article:published_time" content="2025-04-15"></head><body><article>
<p>The water rose.</p><p>They left, and nobody was hurt in the end.</p></article></body></html>"""

PLACE = {
    "name": "Odesa",
    "country": "UKR",
    "admin1": "Odesa Oblast",
    "lat": "46.48",
    "lon": "30.73",
    "geo_precision": 1,
}
FULL: dict[str, Any] = {
    "event_id": "talks",
    "title": "Talks in Odesa",
    "summary": "They talked.",
    "note": "A remark.",
    "event_type": "CONSULT",
    "mode": "visit",
    "contexts": ["military"],
    "tags": ["nato"],
    "occurred": "2025-04-15",
    "occurred_text": "Tuesday",
    "occurred_basis": "resolved",
    "place": PLACE,
    "about_place": PLACE,
    "participants": [
        {
            "name": "Mark Rutte",
            "actor_id": "rutte",
            "role": "speaker",
            "as_named": "the Secretary General",
            "office": "Secretary General",
            "country": "NLD",
            "organisation": "NATO",
            "sector": "IGO",
            "wikidata": "Q57792",
        },
        {"name": "Kyiv"},
    ],
    "quantities": [
        {
            "measure": "pledged",
            "value": "20",
            "low": "19",
            "high": "21",
            "qualifier": "more_than",
            "unit": "EUR",
            "dated": "2025",
            "reported_by": "Mark Rutte",
            "source_ids": ["visit"],
        },
        {"measure": "killed", "low": 1},
        {"measure": "injured", "value": 1},
    ],
    "claims": [
        {
            "speaker": "Moscow",
            "stance": "denies",
            "statement": "no progress",
            "source_ids": ["visit"],
        },
        {"speaker": "Kyiv"},
    ],
    "relations": [
        {"type": "follows", "event_id": "bare"},
        {"type": "about", "event_id": "fort", "origin": "example.org/history"},
    ],
    "citations": [
        {
            "source": {"source_id": "visit", "title": "A visit", "publisher": "AP"},
            "source_version": 1,
            "quote": "They met",
            "quote_start": 0,
            "quote_end": 8,
            "credibility": 2,
        },
        {"source": {"url": "https://example.org/"}},
        {"source_id": "visit", "quote": "They ate"},
    ],
    "modality": "ongoing",
    "verification": "corroborated",
    "media": [
        {
            "kind": "image",
            "url": "https://example.org/p.jpg",
            "media_type": "image/jpeg",
            "width": 640,
            "height": 480,
            "alt": "A quay",
            "caption": "The quay",
            "credit": "Mara K.",
            "licence": "CC-BY-4.0",
            "source_id": "visit",
        },
        {"kind": "video", "url": "https://example.org/v.mp4"},
    ],
    "highlight": True,
    "external_ids": ["gdelt:1"],
    "extra": {"gdelt": {"goldstein": "3"}},
}


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What every command prints as JSON, of a story in which everything occurs."""
    path = tmp_path_factory.mktemp("json") / "timeline.db"
    with Timeline.create(path, title="T", origin="example.org/t"):
        pass
    answers: dict[str, list[Any]] = defaultdict(list)

    def ask(command: str, *arguments: object, input: str | None = None) -> None:
        answers[command].append(
            json.loads(done("-d", path, *command.split(), *arguments, "--json", input=input))
        )

    events = [
        FULL,
        {"event_id": "bare", "title": "Bare", "occurred": "../2025"},
        {"event_id": "open", "title": "Open", "occurred": "2025/..", "proposed_by": "a model"},
        {
            "event_id": "rumour",
            "title": "Rumour",
            "occurred": "2025",
            "place": {"country": "UKR"},
            "about_place": {"country": "UKR"},
        },
        {"event_id": "secret", "title": "Rumour", "occurred": "2025", "author": "desk"},
    ]
    ask("about")
    ask("about", "--licence", "CC0-1.0", "--notice", "A draft", "--dry-run")
    ask("about", "--licence", "CC0-1.0", "--time-zone", "Europe/Kyiv")
    keeper = ("--description", "D", "--publisher", "P", "--contact", "c@example.org")
    ask("about", *keeper, "--homepage", "https://example.org/")
    ask("append", "-", input=json.dumps(events))
    ask("append", "-", "--dry-run", input=json.dumps(events))
    places = ("--set", "place.name=Kyiv", "--set", "about_place.name=Black Sea")
    ask("update", "bare", "--set", "note=N", *places, "--author", "desk")
    ask("correct", "bare", "--set", "note=", "--reason", "r", "--reported-at", "2025-04-15")
    picture = path.with_suffix(".png")
    picture.write_bytes(png())
    ask("attach", picture, "--event", "bare", "--alt", "A wall")
    ask("retract", "rumour", "--reason", "r")
    ask("reinstate", "rumour")
    ask("merge", "rumour", "--into", "bare")
    (secret,) = (row["seq"] for row in answers["append"][0] if row["event_id"] == "secret")
    key, proof = path.with_suffix(".key"), path.with_suffix(".tlog-proof")
    verifier = done("-d", path, "keygen", key).strip()
    done("-d", path, "checkpoint", "--key", key)

    def ask_for_proof_of(entry: str) -> None:
        done("-d", path, "prove", entry, "-o", proof)
        shown = done("-d", path, "verify", proof, "--key", verifier, "--json")
        answers["verify PROOF"].append(json.loads(shown))

    ask_for_proof_of("bare")
    ask_for_proof_of("#0")
    ask("erase", f"#{secret}", "--reason", "r")
    ask("erase", f"#{secret}", "--reason", "r")
    done("-d", path, "checkpoint", "--key", key)
    ask_for_proof_of(f"#{secret}")
    ask("erase", "media/", "--reason", "r")
    answers["follow"] = [*followed(path.with_suffix(".followed"))]
    for event_id in ("talks", "bare", "bare@2", "open", "rumour", "secret"):
        ask("show", event_id)
        ask("history", event_id)
    ask("diff", "bare")
    ask("diff", "bare@1")
    ask("changes", "--from", "#0")
    ask("changes", "--from", "2100-01-01", "--to", "#0")
    ask("list", "--state", "all")
    ask("search", "talked")
    ask("facets", "--state", "all")
    ask("log")
    ask("doctor")
    done("-d", path, "actor", "alias", "Kyiv", "Kiev")
    done("-d", path, "actor", "merge", "rutte", "--into", "Kyiv")
    done("-d", path, "actor", "add", "The Kyiv", "--country", "UKR", "--wikidata", "Q1899")
    for title, *more in (
        ("Twins",),
        ("Twins",),
        ("One", "--actor", "Anna Nowak"),
        ("Other", "--actor", "Ana Nowak"),
    ):
        done("-d", path, "append", "--title", title, "--occurred", "2025", *more)
    ask("actor list")
    ask("actor suggest")
    header = "id,title,occurred,source_url,source_title,reported_at,reason\n"
    sheet = path.with_suffix(".csv")
    cited = "cited,Cited,2025,https://example.org/cited,{},2025-04-15,\n"
    sheet.write_text(f"{header}{cited.format('One title')}")
    done("-d", path, "append", "--csv", sheet)
    changed = "bare,Another title,2025,,,,a slip\nnew,New,2025,,,,\n"
    text = path.with_suffix(".txt")
    text.write_text("They left. They left.")
    page = path.with_suffix(".html")
    page.write_text(WEB_PAGE)
    ask("capture", page, "--dry-run")
    ask("capture", text, "--id", "visit", "--dry-run")
    ask("capture", text, "--id", "visit", "--url", "https://example.org/text")
    left = {"source_id": "visit", "quote": "They left"}
    quoting = {"event_id": "quoting", "title": "Q", "occurred": "2025", "citations": [left]}
    ask("append", "-", input=json.dumps(quoting))
    ask("capture", text, "--id", "visit", "--event", "bare", "--quote", "They left")
    ask("coverage", "visit")
    ask("annotate", "visit", "--sentence", "2", "--why", "w")
    ask("withdraw", "visit", "--reason", "r")
    ask("show", "quoting")
    (withdrawn,) = (row["seq"] for row in answers["withdraw"])
    done("-d", path, "erase", f"#{withdrawn}", "--reason", "r")
    ask("show", "quoting")
    sheet.write_text(f"{header}{cited.format('Another').replace('04-15', '04-16')}{changed}")
    ask("sync", "--dry-run", sheet)
    exported, copy = path.with_suffix(".jsonl"), path.with_name("copy.db")
    for zone in ("America/New_York", "UTC"):
        done("-d", path, "about", "--time-zone", zone)
        done("-d", path, "export", "jsonl", "-o", exported)
        answers["import jsonl"].append(
            json.loads(done("-d", copy, "import", "jsonl", exported, "--json"))
        )
    rows, mapping = path.with_name("rows.csv"), path.with_name("map.toml")
    mapping.write_text(MAPPING)
    row = made_up_row(random.Random(1), "r-1") | {"Kind": "Talks", "Country": "", "Dead": "3"}
    other = row | {"Ref": "r-2", "Country": "Ukraine"}
    slip = row | {"Ref": "r-3", "Kind": "Flood"}
    importing = ("import", "mapped", rows, "--map", mapping, "--reported-at")
    with contextlib.chdir(path.parent):
        bad = row | {"Ref": "r-4", "Day": "soon"}
        rows.write_bytes(written({"r-1": row, "r-2": other, "r-3": slip, "r-4": bad}))
        ask(*importing, "2025-06-01")
        rows.write_bytes(written({"r-1": row | {"Dead": "3.0", "Town": "Lviv"}, "r-4": bad}))
        ask(*importing, "2025-06-02", "--complete", "--dry-run")
        rows.write_bytes(written({"r-1": row, "r-2": other | {"Dead": "3.0"}}))
        done("-d", path, "retract", "casualties-r-1", "--reason", "r")
        done("-d", path, "update", "casualties-r-2", "--set", "place.country=")
        ask(*importing, "2025-06-02")
    rows.write_text(SHEET)
    with contextlib.chdir(path.parent):
        ask("import sheet", rows, "--yes", "--skip-bad")
        rows.write_text(SHEET.replace("Dead", "Dead,Desk").replace("Vale", "Hill"))
        ask("import sheet", rows, "--skip-bad", "--dry-run")
        twice = path.parent / "twice.csv"
        twice.write_text(
            "Date,Headline,Link\n2025-09-03,Vigil,https://example.org/a\n"
            "2025-09-03,Vigil,https://example.org/b\n2025-09-04,March,\n"
        )
        ask("import sheet", twice, "--dry-run")
    again = {**quoting, "event_id": "again", "occurred_basis": "inferred"}
    waiting = {**again, "event_id": "waiting"}
    wrong = {"comment": "visit", "sentences": [9], "reason": "r"}

    def propose(*bodies: object) -> str:
        given = "".join(f"{json.dumps(body)}\n" for body in bodies)
        shown = run("-d", path, "propose", "-", "--nl", "--json", input=given).stdout
        answers["propose"] += [json.loads(line) for line in shown.splitlines()]
        return str(answers["propose"][-1]["proposal"])

    proposal_id = propose(wrong, waiting, again)
    with Inbox.of(path) as inbox, contextlib.closing(storage.connect(path)) as log:
        inbox.decide(proposal_id, "rejected", log, by="desk", reason="r")
        propose(again)
        inbox.decide(proposal_id, "later", log, by="desk", reason="r")
    fork = path.with_suffix(".fork")
    fork.write_text(str(fork_of(leaves(3, 2, "a"), leaves(4, 2, "b"))))
    shown = run("verify", fork, "--key", KEY.verifier, "--json").stdout
    answers["verify FORK"].append(json.loads(shown))
    ask("review")
    witness = str(SigningKey("kyiv.example/w", b"w" * 32, 4).verifier)
    done("-d", path, "witness", "add", "kyiv", witness, "https://kyiv.example")
    ask("witness list")
    ask("verify")
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE events SET title = 'Forged'")
    answers["verify"].append(json.loads(run("-d", path, "verify", "--json").stdout))
    return answers


# --- The page -----------------------------------------------------------------------------

COLLECTIONS = {
    "append",
    "history",
    "changes",
    "list",
    "search",
    "log",
    "doctor",
    "actor list",
    "review",
    "witness list",
}
"""Commands that print an array; the others print one object."""


class Key(NamedTuple):
    """A key that a section of the page names, and what its value may be."""

    path: str
    types: frozenset[str]


def sections() -> dict[tuple[str, ...], list[Key]]:
    """The commands of each section of the page, and its keys."""
    found: dict[tuple[str, ...], list[Key]] = {}
    for section in PAGE.read_text(encoding="utf-8").split("\n## ")[1:]:
        commands = tuple(re.findall("`(.+?)`", section.partition("\n")[0]))
        rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
        found[commands] = [
            Key(path, frozenset(row[1].split(", or ")))
            for row in rows
            for path in re.findall("`(.+?)`", row[0])
        ]
    return found


def values(answer: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of an answer with the path to it: `changes[].path`, as the page writes it."""
    if isinstance(answer, dict):
        for name, value in answer.items():
            here = f"{path}.{name}".removeprefix(".")
            yield here, value
            yield from values(value, here)
    elif isinstance(answer, list):
        for value in answer:
            yield f"{path}[]", value
            yield from values(value, f"{path}[]")


def objects(answers: dict[str, list[Any]], commands: tuple[str, ...]) -> Iterator[Any]:
    for command in commands:
        for answer in answers[command]:
            yield from answer if command in COLLECTIONS else [answer]


def pattern(path: str) -> re.Pattern[str]:
    """What matches a path of the page: `*` is any one name, `**` anything below."""
    return re.compile(re.escape(path).replace(r"\*\*", ".+").replace(r"\*", r"[^.\[]+") + r"\Z")


SHEET = """\
Date,Title,Place,Source,Notes,Dead
9/5/25,Sandbags arrive,Vale,www.example.org/sand,ask,
9/14/25,River over its banks,Vale,,,3
tbc,Inquiry opens,,,,
soon,Vigil,,,,
"""


def followed(folder: Path) -> Iterator[Any]:
    """Yield what `follow` says of a log that is new, has erased words, and is forked."""
    origin, other, copy = (folder / f"{name}.db" for name in ("origin", "other", "copy"))
    folder.mkdir()
    witnesses = [SigningKey(f"{n}.example", n.encode().ljust(32), 0x04) for n in ("kyiv", "lviv")]
    lines = [f"log {PUBLISHER.verifier}", *(f"witness {w.name} {w.verifier}" for w in witnesses)]
    (folder / "policy").write_text("\n".join(lines))
    done("-d", origin, "init", "--title", "A story", "--origin", PUBLISHER.name)

    def follow() -> Any:
        checkpoint = folder / "files" / "checkpoint"
        note = parse(checkpoint.read_text())
        signed = witnesses[0].sign(note.text, 1_767_225_600).signatures
        checkpoint.write_text(str(note._replace(signatures=note.signatures + signed)))
        more = ("--policy", folder / "policy", "--json")
        return json.loads(run("-d", copy, "follow", folder / "files", *more, input="").stdout)

    done("-d", origin, "append", "--title", "A talk", "--occurred", "2025")
    sign_and_put(origin, folder / "files", SigningKey(PUBLISHER.name, b"o" * 32))
    yield follow()
    with Timeline.open(origin) as timeline:
        timeline.record({"title": "Another talk", "occurred": "2025"})
    sign_and_put(origin, folder / "files")
    yield follow()
    shutil.copy(origin, other)
    done("-d", origin, "erase", "#1", "--reason", "r", "--yes")
    sign_and_put(origin, folder / "files")
    yield follow()
    done("-d", other, "append", "--title", "Another talk", "--occurred", "2025")
    sign_and_put(other, folder / "files")
    yield follow()


TYPES = {str: "text", bool: "boolean", int: "number", float: "number", dict: "object"}
SECTIONS = sections()


def test_the_page_has_every_command_that_prints_json() -> None:
    having = {
        name
        for name, command in every_command(cli)
        if any("--json" in option.opts for option in command.params)
    }
    on_the_page = {command for commands in SECTIONS for command in commands}
    assert having == on_the_page - {"verify PROOF", "verify FORK", "import jsonl"}


def every_command(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command by its name, "actor list" among them."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command
        if isinstance(command, click.Group):
            yield from every_command(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


@pytest.mark.parametrize("commands", SECTIONS, ids="-".join)
def test_every_key_is_on_the_page_and_every_key_of_the_page_appears(
    commands: tuple[str, ...], printed: dict[str, list[Any]]
) -> None:
    keys = SECTIONS[commands]
    seen: dict[str, set[str]] = {key.path: set() for key in keys}
    for answer in objects(printed, commands):
        for path, value in values(answer):
            key = next((key for key in keys if pattern(key.path).match(path)), None)
            assert key, f"{path} is not on the page"
            seen[key.path].add("null" if value is None else TYPES.get(type(value), "array"))
        for key in keys:
            parent, _, name = key.path.rpartition(".")
            holders = (
                [answer]
                if not parent
                else [value for path, value in values(answer) if pattern(parent).match(path)]
            )
            missing = [one for one in holders if isinstance(one, dict) and name not in one]
            if missing and not name.endswith("]") and "*" not in name:
                seen[key.path].add("absent")
    for key in keys:
        if key.types != {"anything"}:
            assert seen[key.path] == key.types, key.path


@pytest.mark.parametrize("commands", SECTIONS, ids="-".join)
def test_what_is_said_to_be_an_array_is_one(
    commands: tuple[str, ...], printed: dict[str, list[Any]]
) -> None:
    for command in commands:
        for answer in printed[command]:
            assert isinstance(answer, list) == (command in COLLECTIONS)


ROWS = {
    ("show",): EventDict,
    ("history",): VersionRow,
    ("diff", "changes"): ChangeRow,
    ("list", "search"): EventRow,
}
"""What `Timeline` returns of the commands that print it as it is."""


def declared(kind: Any, path: str = "") -> Iterator[Key]:
    """The keys that a TypedDict declares, as the page writes them."""
    for name, hint in get_type_hints(kind).items():
        here = f"{path}.{name}".removeprefix(".")
        yield from _declared(hint, here, () if name in kind.__required_keys__ else ("absent",))


def _declared(hint: Any, path: str, more: tuple[str, ...] = ()) -> Iterator[Key]:
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    names = {"null" if kind is NoneType else _named(kind) for kind in kinds}
    yield Key(path, frozenset(names.union(more)))
    for kind in kinds:
        if is_typeddict(kind):
            yield from declared(kind, path)
        elif get_origin(kind) is list:
            yield from _declared(*get_args(kind), f"{path}[]")
        elif get_origin(kind) is dict:
            yield from _declared(get_args(kind)[1], f"{path}.*")


def _named(kind: Any) -> str:
    if get_origin(kind) is list:
        return "array"
    return "object" if is_typeddict(kind) or get_origin(kind) is dict else TYPES[kind]


@pytest.mark.parametrize("commands", ROWS, ids="-".join)
def test_the_types_of_what_python_returns_are_those_of_the_page(commands: tuple[str, ...]) -> None:
    assert {*declared(ROWS[commands])} == {*SECTIONS[commands]}


def test_the_fields_of_an_event_are_all_in_the_story() -> None:
    assert {*FULL} == {*Event.model_fields}


def test_no_answer_is_an_empty_array(tmp_path: Path) -> None:
    path = tmp_path / "timeline.db"
    done("-d", path, "init", "--title", "T")
    for command in (["list"], ["search", "x"], ["changes", "--from", "#0"]):
        assert run("-d", path, *command, "--json").stdout == "[]\n"
