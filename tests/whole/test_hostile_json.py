"""Malformed, nasty and arbitrary input of append: a receipt, or one line and no trace.

The corpus follows the categories of JSONTestSuite (Nicolas Seriot): what must be taken, what
must be refused, and what readers of JSON disagree about, which is refused.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import strategies
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from running import entries, one_line, run

from timeline import Timeline
from timeline.errors import TimelineError
from timeline.model.content import Statement
from timeline.proof.verify import verify

EVENT = '{"title":"T","occurred":"2025"}'


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One file for everything here; after all of it, it holds."""
    path = tmp_path_factory.mktemp("hostile") / "timeline.db"
    with Timeline.create(path, title="A story") as timeline:
        timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025-04-15"})
    yield path
    assert verify(path).findings == []


def appended(story: Path, content: bytes, *options: str) -> int:
    """How many entries a file of this content adds; one that is refused says so in one line."""
    before = entries(story)
    result = run("-d", story, "append", "-", *options, input=content)
    after = entries(story)
    assert after[: len(before)] == before
    if result.exit_code != 0:
        assert len(one_line(result)) < 400
        assert after == before
    return len(after) - len(before)


# --- The corpus ---------------------------------------------------------------------------


def saying(value: str) -> str:
    """An event that has this text of JSON as its extra."""
    return f'{{"title":"T","occurred":"2025","extra":{{"a":{{"b":{value}}}}}}}'


TRUNCATED = [
    *(saying('"\\ud83d\\ude00"')[:end] for end in range(1, len(saying('"\\ud83d\\ude00"')))),
    *("[", "[{", "[[", f"[{EVENT}", f"[{EVENT},", f"[{EVENT},{{", '"', '"\\', '"\\u', "[nul"),
]
NO_VALUES = {
    "numbers": "01 -01 - -- + +1 .5 -.5 1. 1.e1 1e 1e+ 1E- 0x1F 0b1 0o7 1_000 1,5 1.5.5 1e5.5 "
    "\uff11 NaN -NaN nan Infinity -Infinity +Infinity inf 1e 1f 1n $1 1a",
    "words": "nul NULL Null None True FALSE tru truee undefined nil yes abc",
    "texts": r""" 'a' `a` "a ""a"" "a"b" "\x41" "\a" "\'" "\0" "\u" "\u12" "\u12G4" "\U0001F600" """
    r""" "\uD800" "\uDC00" "\uD800\uD800" "\uDC00\uD800" "\uD800a" "\u0000" "\ud83d" "\" """,
    "lists": "[1,] [,1] [1,,2] [,] [1:2] [1;2] [ ] [1}",
    "objects": """{"a":1,} {,} {"a"} {"a":} {"a",1} {:1} {a:1} {'a':1} {1:1} {null:1} {"a"::1}"""
    """ {"a":1;"b":2} {"a":1,"a":2} {"a":1,"\\u0061":2} {"a":{"b":1,"b":1}} {"a":1]""",
    "comments": "1/**/ /**/1 1//c 1#c #1 <!---->1 --1 ;1 1; () (1) <b>1</b> ] }",
}
RAW = [
    *(f'"a{chr(code)}b"' for code in range(0x20)),
    *(f"{blank}1" for blank in "\x00\x0b\x0c\x1c\x85\xa0\u180e\u2003\u2028\u3000\ufeff\u200b"),
    "1 2",
    '"a" "b"',
    '{"a" 1}',
    '{"a":1 "b":2}',
    "[1 2]",
    "9" * 39,
    "0." + "1" * 39,
    "1e39",
    "-1e400",
    "1e" + "9" * 1_000,
    "1e-" + "9" * 1_000,
]
NOT_UTF8 = [
    *(b"\xff", b"\xfe", b"\x80", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xed\xa0\x80"),
    *(b"\xed\xb0\x80", b"\xf4\x90\x80\x80", b"\xf5\x80\x80\x80", b"\xe2\x82", b"\xf0\x9f\x98"),
    *(b"\xe9", b"\xfc\x80\x80\x80\x80\x80", b"\xef\xbf"),
]
OTHER_FILES = [
    *(EVENT.encode(encoding) for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32")),
    b"\xef\xbb\xbf\xef\xbb\xbf" + EVENT.encode(),
    EVENT.encode() + b"\x00",
    b"\x00" * 1_000,
    gzip.compress(EVENT.encode()),
    b"SQLite format 3\x00" + bytes(84),
    b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n",
    b"title,occurred\nT,2025\n",
    b"title: T\noccurred: 2025\n",
    b"<event><title>T</title></event>",
    b"\x1e" + EVENT.encode(),
    f"callback({EVENT})".encode(),
    f")]}}',\n{EVENT}".encode(),
    f"{EVENT},".encode(),
    f"{EVENT}{EVENT}".encode(),
    f"{EVENT} x".encode(),
    b'"' + b"\\" * 9_999,
    *(opening.encode() * 10_000 for opening in ("[", '{"a":', '[{"":')),
    *(
        f"{left * 100_000}{right * 100_000}".encode()
        for left, right in (("[", "]"), ('{"a":[', "]}"))
    ),
    b"null",
    b"7",
    b"{}",
    b"[{}]",
    b'[[{"title":"T","occurred":"2025"}]]',
]
REFUSED: dict[str, list[bytes]] = {
    "truncated": [text.encode() for text in TRUNCATED],
    **{
        name: [saying(value).encode() for value in texts.split()]
        for name, texts in NO_VALUES.items()
    },
    "raw": [saying(value).encode() for value in RAW],
    "not-utf8": [saying('"a?b"').encode().replace(b"?", part) for part in NOT_UTF8],
    "other": OTHER_FILES,
}
TAKEN: dict[str, str | None] = {
    '"a"': "a",
    '""': None,
    "null": None,
    r'"\"\\\/\b\f\n\r\t"': '"\\/\b\f\n\r\t',
    r'"\ud83d\ude00"': "😀",
    r'"\uD83D\uDE00"': "😀",
    r'"\u001b[31m\u202e"': "\x1b[31m\u202e",
    '"\x7f\x9b\u2028\ufeffx"': "\x7f\x9b\u2028\ufeffx",
    r'"\uffff\ufffe"': "\uffff\ufffe",
    '"\U0010ffff\ue000"': "\U0010ffff\ue000",
    '"e\u0301é"': "e\u0301é",
    ' \t "a" \t ': "a",
}


@pytest.mark.parametrize("options", [[], ["--nl"]], ids=["json", "nl"])
@pytest.mark.parametrize("category", REFUSED)
def test_what_is_no_json_is_refused_in_one_line(
    category: str, options: list[str], story: Path
) -> None:
    for content in REFUSED[category]:
        assert appended(story, content, *options) == 0, content[:200]


@pytest.mark.parametrize("options", [[], ["--nl"]], ids=["json", "nl"])
@pytest.mark.parametrize("value", TAKEN)
def test_what_is_json_is_taken_as_it_is_meant(value: str, options: list[str], story: Path) -> None:
    assert appended(story, saying(value).encode(), *options) == 1
    (*_, payload, _, _) = entries(story)[-1]
    extra = json.loads(payload).get("extra")
    assert extra == (None if TAKEN[value] is None else {"a": {"b": TAKEN[value]}})


@pytest.mark.parametrize(
    "content",
    ["\ufeff{}", " \t\r\n{}\r\n\t ", "[{},{}]", " [ {} \n,\r\n {} ] ", "[]", "[\n]", "\ufeff[{}]"],
    ids=ascii,
)
def test_a_file_of_json_is_taken_whole(content: str, story: Path) -> None:
    assert appended(story, content.replace("{}", EVENT).encode()) == content.count("{}")


@pytest.mark.parametrize(
    "content",
    [
        *("{}", "{}\n", "{}\n{}", "{}\r\n{}\r\n", "\n\n{}\n\n \t\n{}\n", "\ufeff{}\n{}"),
        *("", "\n", " \t\r\n\n", "\ufeff"),
        *("\ufeff{}\n\ufeff{}", "{}" + " " * 100_000),
    ],
    ids=ascii,
)
def test_a_file_of_lines_is_taken_whole(content: str, story: Path) -> None:
    taken = appended(story, content.replace("{}", EVENT).encode(), "--nl")
    assert taken == content.count("{}")


@pytest.mark.parametrize(
    "bad",
    [
        *("[", "{", "}", "x", "null", "[{}]", "{}{}", "{},", "{} {}", '{"title":"T"', "\x00", "//"),
        *("\x1e{}", "{}\x0b", "{}\r{}", "{}\u2028{}", "{}\x85"),
    ],
    ids=ascii,
)
def test_one_bad_line_among_good_ones_is_named_and_nothing_is_written(
    bad: str, story: Path
) -> None:
    text = "\n".join(["{}", "", "{}", bad, "{}"]).replace("{}", EVENT)
    before = entries(story)
    result = run("-d", story, "append", "-", "--nl", input=text.encode())
    assert one_line(result).startswith("line 4")
    assert entries(story) == before


# --- Anything -----------------------------------------------------------------------------

FEW_OR_MANY = pytest.mark.parametrize(
    "examples", [80, pytest.param(5_000, marks=pytest.mark.torture)]
)
FIELDS = [*Statement.model_fields, "name", "lat", "source_id", "source", "measure", "value", "a b"]
TEXTS = st.text() | st.sampled_from(("2025", "talks", "killed", "EUR", "UKR", "a:1", "\x00", "  "))
VALUES: SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**400), 10**400)
    | st.integers(-9, 9)
    | st.floats()
    | TEXTS,
    lambda values: (
        st.lists(values, max_size=4)
        | st.dictionaries(TEXTS | st.sampled_from(FIELDS), values, max_size=4)
    ),
    max_leaves=12,
)
EVENTS = strategies.events(known_events=(), known_sources=())


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A well-formed event with one to three parts put out, doubled, moved or made nonsense."""
    event = json.loads(json.dumps(draw(EVENTS), default=str))
    for _ in range(draw(st.integers(1, 3))):
        here: Any = event
        while True:
            keys = [*here] if isinstance(here, dict) else [*range(len(here))]
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(here[key], dict | list) and draw(st.booleans()):
                here = here[key]
                continue
            match draw(st.sampled_from(("other", "less", "twice", "swap", "nest"))):
                case "other":
                    here[key] = draw(VALUES)
                case "less":
                    del here[key]
                case "twice" if isinstance(here, list):
                    here.append(here[key])
                case "swap":
                    other = draw(st.sampled_from(keys))
                    here[key], here[other] = here[other], here[key]
                case _:
                    here[key] = [here[key]]
            break
    return event


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """The bytes of a file of events, some of them put out, doubled or changed."""
    events = draw(st.lists(EVENTS, min_size=1, max_size=3))
    lines = [json.dumps(event, ensure_ascii=False, default=str) for event in events]
    content = bytearray(("\n" * draw(st.booleans())).join(lines).encode())
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(content)))
        gone = draw(st.integers(0, 3))
        content[at : at + gone] = draw(
            st.binary(max_size=4) | st.sampled_from((b'"', b"\\u", b"}"))
        )
    return bytes(content)


def try_each(examples: int, values: SearchStrategy[Any], attempt: Callable[[Any], object]) -> None:
    """Attempt something with many examples."""
    tried = []

    @settings(max_examples=examples, suppress_health_check=[*HealthCheck])
    @given(values)
    def trial(value: Any) -> None:
        tried.append(attempt(value))

    trial()
    assert len(tried) >= examples // 2


@FEW_OR_MANY
@pytest.mark.parametrize("options", [[], ["--nl"]], ids=["json", "nl"])
def test_any_bytes_end_in_receipts_or_in_one_line(
    options: list[str], examples: int, story: Path
) -> None:
    def append(content: bytes) -> None:
        result = run("-d", story, "append", "-", "--json", *options, input=content)
        if result.exit_code:
            assert len(one_line(result)) < 700
        else:
            json.loads(result.stdout)

    try_each(examples, st.binary() | st.text().map(str.encode) | damaged(), append)


@FEW_OR_MANY
def test_any_value_ends_in_a_receipt_or_in_a_refusal(examples: int, story: Path) -> None:
    with Timeline.open(story) as timeline:

        def record(value: Any) -> None:
            said = ""
            try:
                (receipt,) = timeline.record([value])
                assert timeline.get(receipt.id)["title"]
            except TimelineError as error:
                said = str(error)
            assert len(said.splitlines()) < 2
            assert len(said) < 700

        statements = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=5).map(
            lambda fields: {"title": "T", "occurred": "2025", **fields}
        )
        try_each(examples, VALUES | statements | mutated(), record)


PATHS = st.builds(
    lambda first, rest: ".".join([first, *rest]),
    st.sampled_from([*Statement.model_fields, "", "/", "/a~2"]) | st.text(),
    st.lists(st.sampled_from(("0", "-", "1", "name", "²", "٣", "9" * 9, "9" * 5_000)) | st.text()),
)


@FEW_OR_MANY
def test_any_change_ends_in_a_receipt_or_in_a_refusal(examples: int, story: Path) -> None:
    with Timeline.open(story) as timeline:

        def update(changes: dict[str, Any]) -> None:
            said, version = "", timeline.get("talks")["version"]
            try:
                assert timeline.update("talks", changes, reason="r").version == version + 1
            except TimelineError as error:
                said = str(error)
            assert timeline.get("talks")["version"] == version + (not said)
            assert len(said.splitlines()) < 2
            assert len(said) < 1_100

        try_each(examples, st.dictionaries(PATHS, VALUES, min_size=1, max_size=3), update)


@pytest.mark.parametrize("depth", [10, 100, 300, 500, 900, 10_000])
@pytest.mark.parametrize(("left", "right"), [("[", "]"), ('{"a":', "}")], ids=["[", "{"])
def test_no_depth_overturns_a_change(left: str, right: str, depth: int, story: Path) -> None:
    value = left * depth + "1" + right * depth
    for path in ("tags", "extra", "extra.a", "quantities.-", "participants.0.name", "title"):
        before = entries(story)
        said = one_line(run("-d", story, "update", "talks", "--set", f"{path}={value}"))
        assert said.startswith(path.partition(".")[0])
        assert len(said) < 400
        assert entries(story) == before


def test_any_order_of_bad_and_good_batches_leaves_the_good_ones(story: Path) -> None:
    """Refusals in between, which leave nothing, do not touch what comes after them."""
    bad = [content for contents in REFUSED.values() for content in contents]
    for content in bad[:: len(bad) // 20]:
        good = [EVENT.encode(), content, EVENT.encode()]
        assert [appended(story, each) for each in good] == [1, 0, 1]
