"""Messages of a stream: what is written, what is read again, and how damage is named."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import random
from collections.abc import Sequence
from functools import cache
from itertools import groupby
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from running import CHECKOUT

from timeline.cluster import message
from timeline.cluster.message import BadMessage, Commit, Part, Stored, pack, unpack
from timeline.errors import Refused, TooNew
from timeline.store import codec, merkle
from timeline.store.codec import Entry

GOLDEN = CHECKOUT / "tests" / "golden"
AT = "2026-11-22T15:08:55.123456Z"
ROOT = bytes(range(32))
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


def an_entry(seq: int, payload: str, recorded_at: str = AT) -> Entry:
    return codec.encode(
        seq=seq,
        id=codec.encode_id(1_745_000_000_000_000 + seq),
        kind="event.recorded",
        subject=f"event/strike-{seq}",
        version=1,
        recorded_at=recorded_at,
        reported_at=None,
        payload=payload,
    )


def an_event(title: str) -> str:
    return codec.encode_payload("mk", None, {"title": title, "occurred": "2025-04-15"})


def noise(length: int, seed: int = 1) -> str:
    """A payload of some bytes that gzip cannot shrink by more than a fifth."""
    start, end = '{"title":"', '"}'
    characters = [chr(code) for code in range(32, 127) if chr(code) not in '"\\']
    return start + "".join(random.Random(seed).choices(characters, k=length - 12)) + end


def some(count: int, first: int = 41) -> list[Entry]:
    return [an_entry(first + number, an_event(f"Strike {number}")) for number in range(count)]


def packed(entries: Sequence[Entry], expected: int = 812, node: str = "odesa") -> list[Part]:
    return pack(entries, stream="TL_ukraine_1", expected=expected, root=ROOT, node=node)


def stored(parts: Sequence[Part], first: int = 813) -> list[Stored]:
    """The parts as a server keeps them; it adds headers of its own to those of a batch."""
    return [
        Stored(
            sequence,
            {**part.headers, "Nats-Batch-Id": "try1", "Nats-Batch-Sequence": f"{sequence - first}"}
            if len(parts) > 1
            else part.headers,
            part.body,
            AT,
        )
        for sequence, part in enumerate(parts, first)
    ]


@cache
def big() -> list[Stored]:
    """One append in three parts."""
    entries = [an_entry(41 + number, noise(1_000_000, number)) for number in range(3)]
    run = stored(packed(entries))
    assert len(run) == 3
    return run


def read(path: Path) -> list[Stored]:
    """The messages in a golden file."""
    # Not splitlines(): a payload holds U+2028, which is no end of a line of JSON.
    messages = map(json.loads, path.read_text(encoding="utf-8").removesuffix("\n").split("\n"))
    return [
        Stored(
            each["sequence"],
            each["headers"],
            base64.b64decode(each["body"]) if "packed" in path.name else each["body"].encode(),
            AT,
        )
        for each in messages
    ]


# --- The bytes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "digest"),
    [
        ("message-v1.jsonl", "ece1e5cb133045181feb0382b2b1bf7835a36710e055f82fa657d571c8cda283"),
        (
            "message-v1-packed.jsonl",
            "3b8dc2f44e8c6fd12bf5a5b52ea4ad30988c7231430c4c8602e8932cf204d5ef",
        ),
    ],
)
def test_the_golden_messages_never_change(name: str, digest: str) -> None:
    assert hashlib.sha256((GOLDEN / name).read_bytes()).hexdigest() == digest


def test_the_golden_log_makes_the_golden_messages_to_the_byte() -> None:
    lines = (GOLDEN / "v1.jsonl").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    entries = [codec.from_wire(line, seq) for seq, line in enumerate(lines)]
    made = []
    for _, group in groupby(entries, key=lambda entry: entry.recorded_at):
        batch = list(group)
        root = merkle.root(entry.leaf for entry in entries[: batch[-1].seq + 1])
        made += pack(batch, stream="TL_odesa_1", expected=len(made), root=root, node="kyiv")
    golden = read(GOLDEN / "message-v1.jsonl")
    assert [part.body for part in made] == [each.body for each in golden]
    assert [list(part.headers.items()) for part in made] == [
        list(each.headers.items()) for each in golden
    ]


def test_the_golden_messages_are_read_as_the_golden_log() -> None:
    lines = (GOLDEN / "v1.jsonl").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    commits = list(unpack(read(GOLDEN / "message-v1.jsonl")))
    assert [codec.to_wire(entry) for commit in commits for entry in commit.entries] == lines
    assert commits[-1].root.hex() == (GOLDEN / "v1.root").read_text(encoding="ascii").strip()
    assert [commit.first for commit in commits[1:]] == [commit.size for commit in commits[:-1]]


def test_a_compressed_message_of_two_parts_is_read_whatever_this_gzip_would_make_of_it() -> None:
    (commit,) = unpack(read(GOLDEN / "message-v1-packed.jsonl"))
    assert (commit.sequence, commit.parts, commit.first, commit.size) == (7, 2, 28, 178)
    assert [entry.seq for entry in commit.entries] == list(range(28, 178))
    lines = (GOLDEN / "v1.jsonl").read_text(encoding="utf-8").removesuffix("\n").split("\n")
    before = [codec.from_wire(line, seq).leaf for seq, line in enumerate(lines)]
    assert commit.root == merkle.root([*before, *(entry.leaf for entry in commit.entries)])


def test_a_short_append_is_one_message_that_a_person_can_read() -> None:
    entries = some(3)
    (part,) = packed(entries)
    body = "\n".join(map(codec.to_wire, entries)).encode()
    assert part.body == body
    assert list(part.headers.items()) == [
        ("Nats-Msg-Id", "sha256:" + hashlib.sha256(body).hexdigest()),
        ("Nats-Expected-Stream", "TL_ukraine_1"),
        ("Nats-Expected-Last-Sequence", "812"),
        ("Timeline-Format", "1"),
        ("Timeline-First", "41"),
        ("Timeline-Size", "44"),
        ("Timeline-Root", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="),
        ("Timeline-Node", "odesa"),
    ]


def test_a_body_above_64_kib_is_compressed_with_no_time_in_it() -> None:
    short = an_entry(41, '{"title":""}')
    room = 65_536 - len(codec.to_wire(short).encode())
    (part,) = packed([an_entry(41, f'{{"title":"{"x" * room}"}}')])
    assert len(part.body) == 65_536
    assert "Content-Encoding" not in part.headers
    entry = an_entry(41, f'{{"title":"{"x" * (room + 1)}"}}')
    (part,) = packed([entry])
    assert part.headers["Content-Encoding"] == "gzip"
    assert part.body[4:8] == bytes(4)
    assert gzip.decompress(part.body).decode() == codec.to_wire(entry)
    assert part.headers["Nats-Msg-Id"] == "sha256:" + hashlib.sha256(part.body).hexdigest()


def test_a_long_body_is_cut_into_parts_of_which_the_first_says_everything() -> None:
    entries = [an_entry(41 + number, noise(1_000_000, number)) for number in range(2)]
    parts = packed(entries)
    assert [len(part.body) for part in parts[:-1]] == [900_000] * (len(parts) - 1)
    body = b"".join(part.body for part in parts)
    assert parts[0].headers["Nats-Msg-Id"] == "sha256:" + hashlib.sha256(body).hexdigest()
    assert list(parts[0].headers)[-2:] == ["Content-Encoding", "Timeline-Part"]
    assert [part.headers for part in parts[1:]] == [
        {"Timeline-Part": f"{number}/{len(parts)}"} for number in range(2, len(parts) + 1)
    ]
    assert parts[0].headers["Timeline-Part"] == f"1/{len(parts)}"


def test_no_header_has_a_word_of_the_log() -> None:
    words = "Рютте\x01\r\nNats-Msg-Id: Одеса \u2028 \x7f"
    entries = [an_entry(41, codec.encode_payload(words, words, {"title": words * 10_000}))]
    for part in packed(entries):
        text = "".join(f"{name}: {value}" for name, value in part.headers.items())
        assert text.isascii()
        assert text.isprintable()
        assert text.count("Nats-Msg-Id") == ("Nats-Msg-Id" in part.headers)
    (commit,) = unpack(stored(packed(entries)))
    assert commit.entries == entries


# --- There and back -------------------------------------------------------------------------


@given(
    titles=st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
        min_size=1,
        max_size=40,
    ),
    repeated=st.integers(1, 300),
    first=st.integers(0, 2**40),
    expected=st.integers(0, 2**40),
    erased=st.booleans(),
)
@settings(max_examples=50)
def test_every_append_is_read_as_it_was_written(
    titles: list[str], repeated: int, first: int, expected: int, erased: bool
) -> None:
    entries = [an_entry(seq, an_event(title * repeated)) for seq, title in enumerate(titles, first)]
    if erased:
        entries[0] = entries[0]._replace(payload=None, salt=None)
    run = stored(packed(entries, expected), expected + 1)
    (commit,) = unpack(run)
    assert commit == Commit(
        id=run[0].headers["Nats-Msg-Id"],
        sequence=expected + 1,
        parts=len(run),
        first=first,
        size=first + len(titles),
        root=ROOT,
        node="odesa",
        entries=entries,
        stored_at=AT,
    )


def test_an_entry_of_4_mib_that_gzip_cannot_shrink_takes_several_parts() -> None:
    entries = [an_entry(41, noise(codec.MAX_PAYLOAD))]
    run = stored(packed(entries))
    assert len(run) == 4
    (commit,) = unpack(run)
    assert commit.entries == entries


def test_a_payload_that_is_longest_in_a_line_is_read() -> None:
    payload = json.dumps({"title": '"' * (codec.MAX_PAYLOAD // 2 - 10)}, separators=(",", ":"))
    entries = [an_entry(41, payload)]
    (commit,) = unpack(stored(packed(entries)))
    assert commit.entries == entries


def test_64_parts_are_the_most_of_one_append(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message, "PART", 1_000)
    rest = 64_000 - len(codec.to_wire(an_entry(41, '{"title":""}')))
    entries = [an_entry(41, f'{{"title":"{"x" * rest}"}}')]
    assert len(packed(entries)) == 64
    assert [commit.entries for commit in unpack(stored(packed(entries)))] == [entries]
    entries = [an_entry(41, f'{{"title":"{"x" * (rest + 1)}"}}')]
    with pytest.raises(Refused) as caught:
        packed(entries)
    assert str(caught.value) == ("too much for one append on a cluster: split it, or use import")


# --- Parts at the ends of a read ------------------------------------------------------------


@pytest.mark.parametrize("cut", range(5))
def test_a_run_that_is_cut_by_the_end_of_a_read_is_left_for_the_next_one(cut: int) -> None:
    before, after = stored(packed(some(1, 40), 811), 812), stored(packed(some(1, 43), 815), 816)
    messages = [*before, *big(), *after]
    firsts = [commit.first for commit in unpack(messages[:cut])]
    assert firsts == ([] if cut == 0 else [40] if cut < 4 else [40, 41])
    assert [commit.first for commit in unpack(messages)] == [40, 41, 43]
    assert next(iter(unpack(messages[1:]))).sequence == 813


def test_messages_are_taken_one_by_one_from_reads_that_follow_each_other() -> None:
    messages = iter([*big(), *stored(packed(some(1, 43), 815), 816)])
    commits = unpack(messages)
    assert next(commits).parts == 3
    assert next(messages).sequence == 816


def test_every_part_says_where_its_append_begins() -> None:
    assert [message.first_of_run(part) for part in big()] == [813, 813, 813]
    assert message.first_of_run(one()) == 813
    for part in ("", "x/3", "0/3", "65/70", "-1/3"):
        with pytest.raises(BadMessage, match="has no number of a part"):
            message.first_of_run(with_headers(one(), Timeline_Part=part))


def test_the_lines_of_an_append_are_those_of_an_export() -> None:
    for entries in (some(3), some(300)):
        (part,) = packed(entries)
        exported = "".join(f"{codec.to_wire(entry)}\n" for entry in entries).encode()
        assert b"".join(message.lines(part.headers, part.body)) == exported


# --- Damage -----------------------------------------------------------------------------------


def with_headers(stored: Stored, **changes: str | None) -> Stored:
    """A message with other headers; Timeline_First=None leaves one out."""
    headers = dict(stored.headers)
    for name, value in changes.items():
        headers.pop(name.replace("_", "-"), None)
        if value is not None:
            headers[name.replace("_", "-")] = value
    return stored._replace(headers=headers)


def with_body(stored: Stored, body: bytes, **changes: str | None) -> Stored:
    """A message with another body, and the id of it."""
    id = "sha256:" + hashlib.sha256(body).hexdigest()
    return with_headers(stored._replace(body=body), Nats_Msg_Id=id, **changes)


def problem(*messages: Stored) -> str:
    """How messages are refused: in one line that is fit to print."""
    with pytest.raises(BadMessage) as caught:
        list(unpack(messages))
    assert str(caught.value).isprintable()
    assert str(caught.value).startswith(f"message {caught.value.sequence} (")
    assert str(caught.value).endswith(caught.value.why)
    return str(caught.value)


def one() -> Stored:
    (message,) = stored(packed(some(3)))
    return message


SAYS = 'message 813 (Timeline-Node "odesa"): '


@pytest.mark.parametrize("place", [0, 100, -1])
def test_a_flipped_bit_is_named(place: int) -> None:
    body = bytearray(one().body)
    body[place] ^= 4
    damaged = one()._replace(body=bytes(body))
    assert problem(damaged) == f"{SAYS}its bytes do not match its Nats-Msg-Id"


def test_a_flipped_bit_in_any_part_is_named_at_the_first_one() -> None:
    for number, part in enumerate(run := big()):
        body = bytearray(part.body)
        body[7] ^= 1
        damaged = [*run[:number], part._replace(body=bytes(body)), *run[number + 1 :]]
        assert problem(*damaged) == f"{SAYS}its bytes do not match its Nats-Msg-Id"


@pytest.mark.parametrize("id", [None, "", "sha256:" + "0" * 64, "abc"])
def test_an_id_that_is_no_hash_of_the_bytes_is_named(id: str | None) -> None:
    message = with_headers(one(), Nats_Msg_Id=id)
    assert problem(message) == f"{SAYS}its bytes do not match its Nats-Msg-Id"


def test_a_hole_between_messages_and_between_parts_is_named() -> None:
    first, after = one(), stored(packed(some(1, 44), 814), 815)[0]
    assert problem(first, after) == "message 814 (without Timeline-Node): is missing"
    run = big()
    assert problem(run[0], run[2]) == "message 814 (without Timeline-Node): is missing"
    assert problem(first, first) == "message 814 (without Timeline-Node): is missing"


@pytest.mark.parametrize("expected", ["811", "813", "0", "9999999999999999"])
def test_a_message_that_was_written_for_another_place_is_named(expected: str) -> None:
    message = with_headers(one(), Nats_Expected_Last_Sequence=expected)
    assert problem(message) == f"{SAYS}was written to follow message {expected}"


@pytest.mark.parametrize(
    "header", ["Nats-Expected-Last-Sequence", "Timeline-Format", "Timeline-First", "Timeline-Size"]
)
@pytest.mark.parametrize("value", [None, "", "-1", "1.0", "٣", "1\n", "01", "9" * 20, " 1"])
def test_a_number_that_is_missing_or_none_is_named(header: str, value: str | None) -> None:
    said = problem(with_headers(one(), **{header.replace("-", "_"): value}))
    what = "has no" if value is None else "has no whole number in its"
    assert said == f"{SAYS}{what} header {header}"


@pytest.mark.parametrize("root", [None, "", "AAEC", "ä" * 44, "A" * 43, "*" * 44])
def test_a_root_that_is_none_is_named(root: str | None) -> None:
    said = problem(with_headers(one(), Timeline_Root=root))
    assert said == f"{SAYS}has no root of a log in its header Timeline-Root"


def test_a_part_out_of_its_place_is_named() -> None:
    run = big()
    where = "the append that begins with message 813"
    swapped = [run[0], run[2]._replace(sequence=814), run[1]._replace(sequence=815)]
    assert problem(*swapped) == f"message 814 (without Timeline-Node): is not part 2/3 of {where}"
    stranger = stored(packed(some(1, 41), 813, "lviv"), 814)
    said = problem(run[0], *stranger)
    assert said == f'message 814 (Timeline-Node "lviv"): is not part 2/3 of {where}'
    assert problem(*run[1:]).endswith(
        "is a later part of an append whose first part is not before it"
    )


def test_a_part_of_another_try_is_named() -> None:
    run = big()
    said = problem(run[0], with_headers(run[1], Nats_Batch_Id="try2"), run[2])
    assert said.endswith("is a part of another append than the one of message 813")
    other = stored(packed([an_entry(41 + number, noise(1_000_000, 9)) for number in range(3)]))
    assert problem(run[0], other[1], run[2]) == f"{SAYS}its bytes do not match its Nats-Msg-Id"


@pytest.mark.parametrize("part", ["1/0", "1/1", "1/65", "1/-2", "1/", "1/2/3", "1/٣"])
def test_a_first_part_of_a_wrong_number_of_parts_is_named(part: str) -> None:
    said = problem(with_headers(one(), Timeline_Part=part))
    assert said == f"{SAYS}is the first of a number of parts that is none from 2 to 64"


def test_two_times_in_one_message_are_named() -> None:
    entries = [*some(2), an_entry(43, an_event("Late"), "2026-11-22T15:08:55.123457Z")]
    said = problem(*stored(packed(entries)))
    assert said == f"{SAYS}entry 43 is of another recorded_at than entry 41"


def test_a_number_of_entries_that_its_headers_deny_is_named() -> None:
    assert problem(with_headers(one(), Timeline_Size="45")).endswith(
        "has 3 entries, and its headers say 4"
    )
    for size in ("43", "41", "7"):
        assert "has more entries than its headers say" in problem(
            with_headers(one(), Timeline_Size=size)
        )


def test_an_entry_that_no_timeline_wrote_is_named_with_its_number() -> None:
    lines = one().body.split(b"\n")
    body = b"\n".join([lines[0], lines[1].replace(b"strike", b"STRIKE"), lines[2]])
    assert problem(with_body(one(), body)).startswith(f"{SAYS}entry 42: ")
    assert problem(with_body(one(), b"")).startswith(f"{SAYS}has 0 entries")
    assert problem(with_body(one(), b"hello\0world")).startswith(f"{SAYS}entry 41: ")


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"\xff\xfe", None),
        (b"no gzip", "gzip"),
        (gzip.compress(b"x" * 100, mtime=0)[:-9], "gzip"),
        (gzip.compress(b"x" * 100, mtime=0)[:-4] + b"abcd", "gzip"),
        (gzip.compress(b"\xff", mtime=0), "gzip"),
    ],
)
def test_a_body_that_cannot_be_read_is_named(body: bytes, encoding: str | None) -> None:
    said = problem(with_body(one(), body, Content_Encoding=encoding))
    assert said == f"{SAYS}its body is no text, or is not compressed as gzip does it"


def test_another_compression_is_named() -> None:
    said = problem(with_headers(one(), Content_Encoding="zstd"))
    assert said == f"{SAYS}has a header Content-Encoding that is not gzip"


def test_a_short_message_that_unpacks_to_an_endless_line_is_refused() -> None:
    body = gzip.compress(bytes(40 * 2**20), 1)
    said = problem(with_body(one(), body, Content_Encoding="gzip"))
    assert said == f"{SAYS}has a line of more than 16777216 bytes"


def test_a_node_with_a_hostile_name_is_quoted_in_one_line() -> None:
    message = with_headers(one(), Timeline_Node="x\n\x1b[31m" + "y" * 500, Timeline_Root=None)
    said = problem(message)
    assert len(said) < 200
    assert problem(with_headers(message, Timeline_Node=None)).startswith(
        "message 813 (without Timeline-Node): "
    )


# --- Later formats ----------------------------------------------------------------------------


def test_a_message_of_a_later_format_asks_for_an_upgrade_whatever_else_it_has() -> None:
    later = Stored(813, {"Timeline-Format": "2", "Timeline-Part": "1/many"}, b"?", AT)
    with pytest.raises(TooNew) as caught:
        list(unpack([later]))
    assert str(caught.value) == (
        "message 813: is of format 2; this Timeline reads up to 1: upgrade it"
    )


def test_an_entry_of_a_later_format_asks_for_an_upgrade() -> None:
    body = one().body.replace(rb"{\"v\":1,", rb"{\"v\":9,")
    with pytest.raises(TooNew, match=r"^entry 41: is of format 9; this Timeline reads up to 2"):
        list(unpack([with_body(one(), body)]))
