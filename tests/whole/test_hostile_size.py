"""Inputs of any size: refused in a short line or taken, and read again, in a few seconds.

What was measured is not asserted, but nothing here may take half a minute of a fast machine:
each of the inputs once took minutes or hours in code that looked harmless.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pytest
from once_accepted import as_once_accepted
from running import done, entries, one_line, process, run, widest
from samples import SAMPLES, Way, sample, ways, with_text
from site_in_process import FILES, open_site
from terminal import forbidden

from timeline import Timeline
from timeline.cli import output
from timeline.errors import InvalidInput
from timeline.formats.exports import FORMATS
from timeline.model.base import Content
from timeline.model.content import Actor, Annotation, Source, Statement
from timeline.model.log_info import LogInfo
from timeline.model.validation import validate
from timeline.proof.verify import verify
from timeline.store.codec import MAX_PAYLOAD, encode_payload

EVENT: dict[str, Any] = {"title": "T", "occurred": "2025"}
MODELS = pytest.mark.parametrize("model", [Statement, Source, Actor, LogInfo, Annotation])


@contextlib.contextmanager
def not_forever(seconds: int = 30) -> Iterator[None]:
    """Fail what has not ended after so many seconds of work, however busy the machine is."""

    def stop(*_: object) -> NoReturn:
        raise TimeoutError(f"it takes more than {seconds} seconds")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@pytest.fixture(autouse=True)
def ends() -> Iterator[None]:
    with not_forever():
        yield


def refusal(model: type[Content], given: object) -> str:
    with pytest.raises(InvalidInput) as raised:
        validate(model, given)
    said = str(raised.value)
    assert len(said) < 500
    assert len(said.splitlines()) == 1
    return said


# --- Limits -------------------------------------------------------------------------------


class Limits:
    """Every limit that a schema states: the way to what it limits, and its schema."""

    def __init__(self, model: type[Content]) -> None:
        self.schema = model.model_json_schema(mode="validation")
        self.texts: dict[Way, dict[str, Any]] = {}
        self.lists: dict[Way, dict[str, Any]] = {}
        self.objects: dict[Way, dict[str, Any]] = {}
        self._walk(self.schema, ())

    def _walk(self, schema: dict[str, Any], way: Way) -> None:
        if "$ref" in schema:
            schema = self.schema["$defs"][schema["$ref"].rpartition("/")[2]]
        for choice in schema.get("anyOf", ()):
            self._walk(choice, way)
        for field, each in schema.get("properties", {}).items():
            self._walk(each, (*way, field))
        for each in schema.get("patternProperties", {}).values():
            self.objects[way] = schema
            self._walk(each, (*way, "a plain text"))
        if schema.get("type") == "array":
            self.lists[way] = schema
            self._walk(schema["items"], (*way, 0))
        if schema.get("type") == "string" and not {"enum", "const"} & schema.keys():
            self.texts[way] = schema


def placed(model: type[Content], way: Way, value: Any) -> Any:
    """The sample of a model with a value at a way."""
    given = {**sample(model)}
    if way[:2] == ("citations", 0) and way[2:] == ("source_id",):
        given["citations"] = [{"source_id": None}]
    if way == ("media", 0, "sha256"):
        given["media"] = [{"kind": "image", "alt": "A wall", "sha256": None}]
    return with_text(given, way, value)


@MODELS
def test_the_schema_states_a_limit_of_every_text_list_and_object(model: type[Content]) -> None:
    limits = Limits(model)
    for way, schema in limits.texts.items():
        is_short = not re.search(r"[*+](?![^\[]*\])", schema.get("pattern", "*"))
        assert "maxLength" in schema or is_short, way
    assert all("maxItems" in schema for schema in limits.lists.values())
    assert all("maxProperties" in schema for schema in limits.objects.values())


@MODELS
def test_the_limits_that_the_schema_states_are_those_that_hold(model: type[Content]) -> None:
    limits = Limits(model)
    for way, schema in limits.texts.items():
        longest = schema.get("maxLength", 100)
        said = refusal(model, placed(model, way, "x" * (longest + 1)))
        assert ".".join(map(str, way)) in said
        is_free = not {way[-1], way[-2] if len(way) > 1 else ""} & SAMPLES.keys()
        if is_free and "maxLength" in schema:
            assert f"at most {longest} characters" in said
            validate(model, placed(model, way, "x" * longest))
    for way, schema in limits.lists.items():
        (item,) = sample_at(model, way)
        most = schema["maxItems"]
        assert f"at most {most}" in refusal(model, placed(model, way, [item] * (most + 1)))
        validate(model, placed(model, way, [item] * most))
    for way, schema in limits.objects.items():
        (item,) = sample_at(model, way).values()
        most = schema["maxProperties"]
        many = {str(number): item for number in range(most + 1)}
        assert f"at most {most}" in refusal(model, placed(model, way, many))
        many.popitem()
        validate(model, placed(model, way, many))


def test_the_schema_states_how_much_fits_into_one_entry() -> None:
    assert str(MAX_PAYLOAD) in json.loads(done("schema"))["$comment"]
    event = {**EVENT, "extra": {f"n{n}": {"k": "x" * 100_000} for n in range(41)}}
    fits = MAX_PAYLOAD - len(json.dumps(event, separators=(",", ":")).encode())
    event["summary"] = "x" * (fits - len(',"summary":""'))
    content = validate(Statement, event).content()
    assert len(encode_payload(None, None, content).encode()) == MAX_PAYLOAD
    with pytest.raises(InvalidInput, match=f"^is {MAX_PAYLOAD + 1} bytes long: at most"):
        encode_payload(None, None, {**content, "title": "TT"})


def sample_at(model: type[Content], way: Way) -> Any:
    here = sample(model)
    for step in way:
        here = here[step]
    return here


@MODELS
@pytest.mark.parametrize(
    "text",
    ["x", "\u0301", *(pytest.param(text, marks=pytest.mark.torture) for text in "1 <(/")],
    ids=ascii,
)
def test_10_million_characters_are_refused_in_every_field(text: str, model: type[Content]) -> None:
    long = (text * 10_000_000)[:10_000_000]
    for way in ways(sample(model)):
        if text != " " or way[-1] == "key":  # blanks around a text do not count
            assert len(refusal(model, with_text(sample(model), way, long))) < 500


# --- Files --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    path = tmp_path_factory.mktemp("sizes") / "timeline.db"
    with Timeline.create(path, title="A story") as timeline:
        timeline.record({"event_id": "talks", **EVENT})
    yield path
    assert verify(path).findings == []


def event_with(**fields: Any) -> str:
    return json.dumps({**EVENT, **fields})


def keys(count: int, *more: str) -> str:
    return "{" + ",".join(f'"{key}":"1"' for key in [*(f"k{n}" for n in range(count)), *more]) + "}"


MANY = 100_000
TOO_LARGE = {
    "participants": event_with(participants=[{"name": f"P {n}"} for n in range(10_000)]),
    "wrong participants": event_with(participants=[{"nam": f"P {n}"} for n in range(10_000)]),
    "quantities": event_with(quantities=[{"measure": "killed", "value": n} for n in range(10_000)]),
    "tags": event_with(tags=[f"t {n}" for n in range(10_000)]),
    "keys": keys(MANY),
    "keys, the last twice": keys(MANY, f"k{MANY - 1}"),
    "keys of extra": event_with(extra=0).replace("0}", f'{{"a":{keys(MANY)}}}}}'),
    "keys of extra, one twice": event_with(extra=0).replace(
        "0}", f'{{"a":{keys(MANY, "k99999 ")}}}}}'
    ),
    "4 MiB": event_with(claims=[{"speaker": "S", "statement": "x" * 100_000}] * 42),
    "empty objects": "[" + "{}," * MANY + "{}]",
    "numbers": "[" + "1," * MANY + "1]",
    "a name": json.dumps({**EVENT, "n" * 10_000_000: 1}),
    "a name twice": '{"%s":1,"%s":1}' % (("n" * 10_000_000,) * 2),
    "a number": '{"title":"T","occurred":"2025","place":{"lat":%s}}' % ("9" * 10_000_000),
    "a fraction": '{"title":"T","occurred":"2025","place":{"lat":0.%s}}' % ("9" * 10_000_000),
    "an exponent": '{"title":"T","occurred":"2025","place":{"lat":1e%s}}' % ("9" * 10_000_000),
    "an escape": '"' + r"\u0041" * 1_000_000,
    "brackets": "[" * 10_000_000,
    "braces": '{"":' * 2_000_000,
    "lines": "[" + "\n" * 10_000_000 + "x",
    "the last line": f"{json.dumps(EVENT)}\n" * 1_000 + "x",
}


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_too_large_is_refused_in_one_line(name: str, story: Path) -> None:
    before = entries(story)
    for options in ([], ["--nl"]):
        result = run("-d", story, "append", "-", *options, input=TOO_LARGE[name])
        assert len(one_line(result)) < 500
    assert entries(story) == before


@pytest.mark.torture
@pytest.mark.parametrize(
    ("line", "taken"),
    [
        (json.dumps(EVENT) + " " * 50_000_000, 1),
        (" " * 50_000_000, 0),
        ("[" + "1," * 25_000_000 + "1]", None),
        (json.dumps({**EVENT, "summary": "\u00e4" * 25_000_000}, ensure_ascii=False), None),
        ((json.dumps(EVENT) + "\n") * 50_000, 50_000),
    ],
    ids=["an event and blanks", "blanks", "numbers", "text", "many lines"],
)
def test_a_line_of_50_megabytes_is_read(line: str, taken: int | None, tmp_path: Path) -> None:
    path = tmp_path / "timeline.db"
    Timeline.create(path, title="A story").close()
    with not_forever(120):
        result = run("-d", path, "append", "--nl", "-", input=line)
    if taken is None:
        assert len(one_line(result)) < 500
    else:
        assert result.exit_code == 0
    assert len(entries(path)) == 1 + (taken or 0)


# --- The largest events that are taken ----------------------------------------------------

MOST = 1_000
REPEATED = [{"name": name} for name in ("Same", "Other")] * (MOST // 2)


def largest() -> dict[str, Any]:
    """An event with as much of everything as fits."""
    return {
        **EVENT,
        "participants": [{"name": f"Person {n}", "office": f"o {n}"} for n in range(MOST)],
        "quantities": [
            {"measure": "killed", "value": n, "reported_by": f"{'Who ' * 20}{n}"}
            for n in range(MOST)
        ],
        "claims": [{"speaker": f"S {n}", "statement": "so " * 20} for n in range(MOST)],
        "citations": [
            {"source": {"url": f"https://example.org/{n}", "title": f"S {n}"}, "quote": f"q {n}"}
            for n in range(MOST)
        ],
        "tags": [f"tag {n}" for n in range(200)],
        "external_ids": [f"a:{n}" for n in range(50)],
        "extra": {f"n {m}": {f"k {n}": "v" for n in range(MOST)} for m in range(50)},
    }


WORDY = {
    "words": "x " * 49_999,
    "accents": "x" * 200 + "\u0301" * 90_000,
    "words of accents": "\u0301 " * 49_999,
    "one word": "x" * 100_000,
    "wide": "東" * 100_000,
    "overrides": "\u202e" * 90_000,
    "lines": "a\n" * 49_999,
    "marks": "\x02x\x03" * 30_000,
    "markup": "<b>&'\"" * 16_000,
}


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Events that are as large as may be, changed as badly as may be."""
    path = tmp_path_factory.mktemp("large") / "story.db"
    with not_forever(), as_once_accepted(), Timeline.create(path, title="A story") as timeline:
        most = largest()
        timeline.record({"event_id": "most", **most})
        timeline.update("most", {"participants": most["participants"][::-1], "title": "New"})
        timeline.correct("most", {f"claims.{n}.speaker": "New" for n in range(MOST)}, reason="r")
        timeline.record({"event_id": "same", **EVENT, "participants": [{"name": "Same"}] * MOST})
        timeline.update("same", {"participants": REPEATED})
        timeline.update("same", {"participants": (REPEATED[:1] + REPEATED[1:2] * 2) * 333})
        timeline.record(
            {
                "event_id": f"wordy-{number}",
                **EVENT,
                "summary": text,
                "claims": [{"speaker": "S", "statement": text}],
                "citations": [
                    {"source": {"title": name}, "quote": f"{count} {text[:19_000]}"}
                    for count in range(5)
                ],
            }
            for number, (name, text) in enumerate(WORDY.items())
        )
        for number, text in enumerate(WORDY.values()):
            timeline.update(
                f"wordy-{number}",
                {"summary": text[::-1][:-9], "title": text.replace("\n", " ")[:400]},
            )
    yield path
    with not_forever():
        assert verify(path).findings == []


READING = [
    *(["list"], ["log"], ["facets"], ["changes", "--from", "#0"], ["changes", "--from", "#1003"]),
    *(["search", word] for word in ("x", "person", "a", "\u0301x")),
    *([command, event] for command in ("show", "history", "diff") for event in ("most", "same")),
    *(["show", f"wordy-{number}"] for number in range(len(WORDY))),
    *(["diff", f"wordy-{number}"] for number in (0, 2, 6)),
]


@pytest.mark.parametrize("arguments", READING, ids=ascii)
def test_the_largest_events_are_read_on_a_terminal(arguments: list[str], large: Path) -> None:
    shown = done("-d", large, *arguments)
    assert shown
    assert not forbidden(shown)
    json.loads(done("-d", large, *arguments, "--json"))


@pytest.mark.parametrize("name", [name for name, each in FORMATS.items() if not each.needs])
def test_the_largest_events_are_exported(name: str, large: Path) -> None:
    assert len(done("-d", large, "export", name)) > 100_000


def test_the_largest_events_are_rebuilt(large: Path) -> None:
    done("-d", large, "rebuild")


def test_the_largest_events_have_pages(large: Path) -> None:
    with open_site(large, settings={"sql_time_limit_ms": 20_000}) as site:
        for page in ("/", "/events?q=x", "/events?q=person", "/events?all=actor", "/changes"):
            site.page(page)
        for event_id in ("most", "same", *(f"wordy-{n}" for n in range(len(WORDY)))):
            for rest in ("", "/1", ".json"):
                site.page(f"/events/{event_id}{rest}")
        for page in ("/story/events", "/story/log", "/story/events/most", "/story/event_search"):
            site.page(page)
        for file in FILES:
            site.page(f"/{file}")


@pytest.mark.parametrize("text", WORDY.values(), ids=WORDY.keys())
def test_a_long_text_is_folded(text: str) -> None:
    for shown in (output.wrapped(text, 4), output.change("text", text, text[::-1])):
        assert widest(shown) <= 80


@pytest.mark.parametrize("form", ["gdelt", "ucdp", "timelinejs", "jsonl"])
def test_a_file_of_3_gb_in_one_line_is_refused_in_little_memory(form: str, tmp_path: Path) -> None:
    done("-d", tmp_path / "t.db", "init", "--title", "A story")
    with (tmp_path / "file").open("wb") as file:
        file.truncate(3 * 2**30)  # it takes no room on the disk
    result = process(
        *("-d", "t.db" if form != "jsonl" else "copy.db", "import", form, "file"),
        cwd=tmp_path,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)),
    )
    assert "is longer than 1" in one_line(result)


@pytest.mark.parametrize("is_piped", [False, True])
@pytest.mark.parametrize(
    ("form", "problem"),
    [
        ("", "is longer than 64 MiB: write one event as a JSON object on each line, and use --nl"),
        ("--csv", "is longer than 64 MiB: split the sheet"),
        ("--nl", "line 1: is longer than 16 MiB: is this a file of lines?"),
    ],
)
def test_a_file_that_is_too_long_to_append_is_refused_in_little_memory(
    tmp_path: Path, form: str, problem: str, is_piped: bool
) -> None:
    done("-d", tmp_path / "t.db", "init", "--title", "A story")
    (tmp_path / "file").touch()
    os.truncate(tmp_path / "file", 3 * 2**30)
    command = ["-d", "t.db", "append", *form.split(), "-" if is_piped else "file"]
    with subprocess.Popen(["cat", tmp_path / "file"], stdout=subprocess.PIPE) as cat:
        result = process(
            *command,
            cwd=tmp_path,
            stdin=cat.stdout if is_piped else subprocess.DEVNULL,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30)),
        )
        cat.kill()
    assert one_line(result).endswith(problem)
