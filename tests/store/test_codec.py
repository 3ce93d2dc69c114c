"""Entries and bytes: what is written, and what is refused when it is read."""

from __future__ import annotations

import hashlib
import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from timeline.errors import InvalidInput, TooNew
from timeline.model import strict_json
from timeline.model.limits import ID
from timeline.store import codec
from timeline.store.codec import Entry

SALT = bytes(range(16))
SALT_HEX = SALT.hex()
PAYLOAD = '{"author":"mk","title":"Рютте в Одесі","occurred":"2025-04-15"}'
ENVELOPE = (
    '{"v":1,"id":"01jrx5k8m2a","kind":"event.recorded","subject":"event/odesa-visit","version":1,'
    '"recorded_at":"2026-11-22T15:08:55.123456Z","reported_at":"2025-04-15",'
    '"payload_hash":"sha256:3d5b83d158164908aa7398b057835cd58cc6f55add2eec7acef74b2893267c4c"}'
)
LEAF = "bb6444d57749c9b9422fa8c0014f7ea054ace15b4bbe65f179da3f925a66d81f"


def wire(envelope: str = ENVELOPE, salt: Any = SALT_HEX, payload: Any = PAYLOAD) -> str:
    return json.dumps({"envelope": envelope, "salt": salt, "payload": payload})


def erased(envelope: str) -> str:
    return wire(envelope, None, None)


def envelope_with(**changes: object) -> str:
    """The envelope with other values, in its own form."""
    fields = {**json.loads(ENVELOPE), **changes}
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))


def refusal(line: str) -> InvalidInput:
    """How a line is refused; in one line that is fit to print."""
    with pytest.raises(InvalidInput) as caught:
        codec.from_wire(line, 0)
    assert str(caught.value).isprintable()
    return caught.value


def an_entry(**fields: Any) -> Entry:
    given = {
        "seq": 7,
        "id": "01jrx5k8m2a",
        "kind": "event.recorded",
        "subject": "event/odesa-visit",
        "version": 1,
        "recorded_at": "2026-11-22T15:08:55.123456Z",
        "reported_at": "2025-04-15",
        "payload": PAYLOAD,
    }
    return codec.encode(**{**given, **fields})


# --- The bytes of an entry -------------------------------------------------------------------


def test_an_envelope_is_one_line_of_json_in_the_order_of_the_design() -> None:
    entry = an_entry()
    assert entry.salt is not None
    hashed = hashlib.sha256(entry.salt + PAYLOAD.encode()).hexdigest()
    assert entry.envelope == (
        '{"v":1,"id":"01jrx5k8m2a","kind":"event.recorded","subject":"event/odesa-visit",'
        '"version":1,"recorded_at":"2026-11-22T15:08:55.123456Z","reported_at":"2025-04-15",'
        f'"payload_hash":"sha256:{hashed}"}}'
    )
    assert entry.payload == PAYLOAD


def test_no_report_is_null_in_an_envelope() -> None:
    assert '"reported_at":null,' in an_entry(reported_at=None).envelope


def test_the_columns_beside_an_envelope_say_what_it_says() -> None:
    entry = an_entry()
    fields = json.loads(entry.envelope)
    for column in ("id", "kind", "subject", "version", "recorded_at", "reported_at"):
        assert getattr(entry, column) == fields[column]
    assert entry.seq == 7
    assert entry.subject_id == "odesa-visit"


def test_a_leaf_is_the_sha256_of_a_zero_byte_and_the_envelope() -> None:
    entry = an_entry()
    assert entry.leaf == hashlib.sha256(b"\x00" + entry.envelope.encode()).digest()


def test_a_known_entry_has_its_known_hashes() -> None:
    """Literals, so that envelope, leaf and payload_hash cannot change together unseen."""
    assert codec.payload_hash(SALT, PAYLOAD) == json.loads(ENVELOPE)["payload_hash"]
    assert codec.from_wire(wire(), 0).leaf.hex() == LEAF


def test_every_entry_has_a_salt_of_its_own_of_16_bytes() -> None:
    salts = {an_entry().salt for _ in range(50)}
    assert len(salts) == 50
    assert {len(salt or b"") for salt in salts} == {16}


def test_a_payload_begins_with_author_and_reason_and_keeps_the_order_of_its_content() -> None:
    payload = codec.encode_payload("mk", "a typo", {"title": "Одеса 😀", "a": ["b", {"c": 1}]})
    assert payload == ('{"author":"mk","reason":"a typo","title":"Одеса 😀","a":["b",{"c":1}]}')
    assert codec.decode_payload(payload)["a"] == ["b", {"c": 1}]


@pytest.mark.parametrize("nothing", [None, ""])
def test_a_payload_without_author_or_reason_lacks_their_keys(nothing: str | None) -> None:
    assert codec.encode_payload(nothing, nothing, {}) == "{}"
    assert codec.encode_payload(nothing, "why", {"b": 1}) == '{"reason":"why","b":1}'


@pytest.mark.parametrize("letter", ["x", "я", "😀"])
def test_a_payload_of_4_mib_of_utf_8_fits_and_one_byte_more_does_not(letter: str) -> None:
    frame = len('{"summary":""}')
    count, rest = divmod(codec.MAX_PAYLOAD - frame, len(letter.encode()))
    fits = codec.encode_payload(None, None, {"summary": letter * count + "." * rest})
    assert len(fits.encode()) == codec.MAX_PAYLOAD == 4 * 1024 * 1024
    with pytest.raises(InvalidInput, match="at most 4194304"):
        codec.encode_payload(None, None, {"summary": letter * count + "." * (rest + 1)})


# --- Ids --------------------------------------------------------------------------------------

numbers = st.integers(0, 2**55 - 1)


@given(numbers)
@example(0)
@example(2**55 - 1)
def test_an_id_gives_its_number_back(number: int) -> None:
    text = codec.encode_id(number)
    assert len(text) == 11
    assert set(text) <= set("0123456789abcdefghjkmnpqrstvwxyz")
    assert codec.decode_id(text) == number


@given(numbers, numbers)
def test_ids_sort_as_their_numbers_do(one: int, two: int) -> None:
    assert (codec.encode_id(one) < codec.encode_id(two)) == (one < two)


@pytest.mark.parametrize("text", ["", "odesa-visit", "0123456789", "01jrx5k8m2ab", "01JRX5K8M2A"])
def test_an_id_of_ones_own_has_no_number(text: str) -> None:
    assert codec.decode_id(text) is None


# --- The wire form ----------------------------------------------------------------------------

json_texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | json_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(json_texts, inner, max_size=3),
    max_leaves=8,
)
own_ids = st.from_regex(ID, fullmatch=True)
subjects = st.sampled_from(sorted(codec.KINDS))


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    what = draw(subjects)
    kind = draw(st.sampled_from(codec.KINDS[what]))
    key = draw(st.from_regex("[0-9a-f]{64}", fullmatch=True) if what == "media" else own_ids)
    new = st.sampled_from(("media", "highlight", "relations", "contact", "proposed_by"))
    content = draw(st.dictionaries(new | json_texts, json_values, max_size=4))
    recorded_at = draw(st.datetimes())
    entry = codec.encode(
        seq=draw(st.integers(0, 2**40)),
        id=draw(own_ids),
        kind=kind,
        subject="log" if what == "log" else f"{what}/{key}",
        version=draw(st.integers(1, 2**53)),
        recorded_at=recorded_at.isoformat(timespec="microseconds") + "Z",
        reported_at=draw(st.none() | st.sampled_from(("2025-04-15", "2025-04-15T10:15+02:00"))),
        payload=codec.encode_payload(
            draw(st.none() | json_texts),
            draw(st.none() | json_texts),
            content,
        ),
        v=codec.format_of(kind, content),
    )
    return entry._replace(salt=None, payload=None) if draw(st.booleans()) else entry


@given(entries())
@settings(deadline=None)
def test_any_entry_is_the_same_after_a_trip_over_the_wire(entry: Entry) -> None:
    line = codec.to_wire(entry)
    assert "\n" not in line
    again = codec.from_wire(line, entry.seq)
    assert again == entry
    assert codec.to_wire(again) == line


def test_the_wire_form_is_envelope_salt_and_payload_verbatim() -> None:
    entry = codec.from_wire(wire(), 3)
    assert codec.to_wire(entry) == (
        '{"envelope":' + json.dumps(ENVELOPE, ensure_ascii=False) + ","
        '"salt":"000102030405060708090a0b0c0d0e0f",'
        '"payload":' + json.dumps(PAYLOAD, ensure_ascii=False) + "}"
    )
    assert entry.seq == 3


def test_the_salt_and_payload_of_an_erased_entry_are_null() -> None:
    entry = codec.from_wire(erased(ENVELOPE), 0)
    assert (entry.salt, entry.payload) == (None, None)
    assert entry.leaf.hex() == LEAF
    assert codec.to_wire(entry).endswith(',"salt":null,"payload":null}')


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        '"text"',
        "null",
        "{}",
        '{"envelope":"{}","salt":null}',
        '{"envelope":"{}","salt":null,"payload":null,"seq":0}',
        '{"Envelope":"{}","salt":null,"payload":null}',
    ],
)
def test_a_line_with_other_keys_than_the_three_is_refused(line: str) -> None:
    assert "envelope, salt and payload" in str(refusal(line))


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("", "is not JSON: Expecting value at character 1"),
        ('{"envelope":', "is not JSON: Expecting value at character 13"),
        (wire() + " {}", "is not JSON: Extra data"),
        (wire()[:-1] + ',"salt":"00"}', 'has the key "salt" twice'),
        ('{"envelope":"\ud800","salt":null,"payload":null}', "half a character"),
    ],
)
def test_a_line_that_is_not_json_as_all_readers_read_it_is_refused(line: str, problem: str) -> None:
    assert problem in str(refusal(line))


@pytest.mark.parametrize(
    "salt",
    [
        "",
        SALT.hex().upper(),
        SALT.hex()[:-2],
        SALT.hex() + "00",
        "0x" + SALT.hex()[2:],
        SALT.hex()[:-1] + " ",
        SALT.hex() + "\n",
        "\u0660" * 32,
        12,
        [SALT.hex()],
        True,
    ],
)
def test_a_salt_is_32_lower_case_hex_digits_and_nothing_else(salt: object) -> None:
    assert str(refusal(wire(salt=salt))) == "salt: must be 32 lower-case hex digits"


@pytest.mark.parametrize(("salt", "payload"), [(None, PAYLOAD), (SALT.hex(), None)])
def test_salt_and_payload_are_erased_together(salt: str | None, payload: str | None) -> None:
    assert "erased together" in str(refusal(wire(salt=salt, payload=payload)))


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (PAYLOAD.replace("2025", "2026"), "does not match the payload_hash"),
        (PAYLOAD[:-1] + ',"a":1}', "does not match the payload_hash"),
        ("{}", "does not match the payload_hash"),
        ("[]", "the text of a JSON object"),
        ("", "is not JSON"),
        ({"title": "x"}, "must be text"),
        (3, "must be text"),
    ],
)
def test_a_payload_that_its_envelope_does_not_vouch_for_is_refused(
    payload: object, problem: str
) -> None:
    error = refusal(wire(payload=payload))
    assert error.field == "payload"
    assert problem in error.problem


@pytest.mark.parametrize(
    "payload",
    [
        '{"title": "x"}',
        '{"title":"x"}\n',
        '{"title":"\\u0041"}',
        '{"title":"\\/"}',
        '{"title":"x","title":"x"}',
        '{"value":1.5}',
        '{"value":9007199254740993}',
        '{"value":NaN}',
        '{"title":"\\ud800"}',
        '{"title":"\\u0000"}',
        '{"title":"' + "x" * codec.MAX_PAYLOAD + '"}',
    ],
)
def test_a_payload_in_another_form_than_ours_is_refused_whatever_its_hash(payload: str) -> None:
    envelope = envelope_with(payload_hash=codec.payload_hash(SALT, payload))
    assert refusal(wire(envelope, SALT.hex(), payload)).field == "payload"


SWAPPED = ENVELOPE.replace('"v":1,"id":"01jrx5k8m2a",', '"id":"01jrx5k8m2a","v":1,')


@pytest.mark.parametrize(
    "envelope",
    [
        "",
        "[]",
        "null",
        ENVELOPE + "\n",
        " " + ENVELOPE,
        ENVELOPE.replace(":", ": "),
        ENVELOPE.replace(",", ", "),
        ENVELOPE.replace("01jrx5k8m2a", "01jrx5k8m2\\u0061"),
        SWAPPED,
        ENVELOPE.replace('"version":1,', ""),
        ENVELOPE.replace('"version":1,', '"version":1,"seq":0,'),
        ENVELOPE.replace('"version":1,', '"version":1,"version":1,'),
    ],
)
def test_an_envelope_in_any_other_form_is_refused(envelope: str) -> None:
    assert envelope != ENVELOPE
    for line in (erased(envelope), wire(envelope)):
        assert refusal(line).field == "envelope"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("id", None),
        ("id", 7),
        ("id", "ab"),
        ("id", "Odesa"),
        ("id", "-abc"),
        ("id", "a" * 65),
        ("kind", "event.noted"),
        ("kind", "source.recorded"),
        ("kind", None),
        ("kind", []),
        ("kind", {}),
        ("subject", "event"),
        ("subject", "event/"),
        ("subject", "event/a b"),
        ("subject", "place/odesa"),
        ("subject", "source/nato"),
        ("subject", "log"),
        ("subject", 3),
        ("version", 0),
        ("version", -1),
        ("version", "1"),
        ("version", True),
        ("version", None),
        ("recorded_at", "2026-11-22T15:08:55Z"),
        ("recorded_at", "2026-11-22T15:08:55.123456+00:00"),
        ("recorded_at", "2026-13-22T15:08:55.123456Z"),
        ("recorded_at", "2026-11-22T25:08:55.123456Z"),
        ("recorded_at", None),
        ("reported_at", ""),
        ("reported_at", 2025),
        ("reported_at", "2025-04"),
        ("reported_at", "15 April 2025"),
        ("payload_hash", None),
        ("payload_hash", "00" * 32),
        ("payload_hash", "sha256:" + "AB" * 32),
        ("payload_hash", "sha256:" + "ab" * 31),
    ],
)
def test_an_envelope_with_a_value_that_no_timeline_writes_is_refused(
    field: str, value: object
) -> None:
    assert refusal(erased(envelope_with(**{field: value}))).field.startswith("envelope")


@pytest.mark.parametrize("v", ["1", None, True, 0, -1, [1]])
def test_an_envelope_of_no_format_is_refused(v: object) -> None:
    assert "and v 1" in str(refusal(erased(envelope_with(v=v))))


@pytest.mark.parametrize("text", ["1.0", "0.5", "1e0"])
def test_a_number_with_a_fraction_is_refused_in_an_envelope(text: str) -> None:
    for name in ("v", "version"):
        refusal(erased(ENVELOPE.replace(f'"{name}":1,', f'"{name}":{text},')))


@pytest.mark.parametrize(
    "newer",
    [
        '{"v":3,"id":"abc"}',
        ENVELOPE.replace('"v":1', '"v":3'),
        ENVELOPE.replace('"v":1', '"v": 7, "new": 1.5'),
        ENVELOPE.replace('"v":1', '"v":123456789012345678901234'),
    ],
)
def test_an_entry_of_a_newer_format_is_named_as_such_and_not_as_damaged(newer: str) -> None:
    for line in (erased(newer), wire(newer, SALT.hex(), '{"new": 1.5}')):
        with pytest.raises(TooNew, match=r"entry 41: is of format \d+; .* reads up to 2") as caught:
            codec.from_wire(line, 41)
        assert str(caught.value).isprintable()


def test_an_entry_of_the_log_is_asked_for_its_format_before_it_is_read() -> None:
    codec.check_version(3, ENVELOPE)
    codec.check_version(3, ENVELOPE.replace('"v":1', '"v":2'))
    with pytest.raises(TooNew, match="entry 3: is of format 3"):
        codec.check_version(3, ENVELOPE.replace('"v":1', '"v":3'))
    with pytest.raises(InvalidInput):
        codec.check_version(3, "")


# --- JSON from outside ------------------------------------------------------------------------


def json_refusal(text: str) -> InvalidInput:
    with pytest.raises(InvalidInput) as caught:
        strict_json.parse_json(text)
    with pytest.raises(InvalidInput) as again:
        list(strict_json.parse_json_items(text))
    assert str(caught.value).isprintable()
    assert str(again.value).isprintable()
    return caught.value


@given(json_values)
@settings(deadline=None)
def test_json_is_read_as_the_standard_library_reads_it(value: object) -> None:
    for text in (
        json.dumps(value),
        json.dumps(value, ensure_ascii=False),
        json.dumps(value, indent=2),
        f" \t\r\n{json.dumps(value)}\n",
    ):
        assert strict_json.parse_json(text) == value


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('{"a":1,"a":1}', 'has the key "a" twice'),
        ('[{"b":{"c":1,"d":2,"c":3}}]', 'has the key "c" twice'),
        ('{"a":1,"\\u0061":2}', 'has the key "a" twice'),
        ('{"x\\ny":1,"x\\ny":2}', r"has the key 'x\ny' twice"),
        ("NaN", "has NaN, which is not a JSON number"),
        ('{"a":[-Infinity]}', "has -Infinity, which is not a JSON number"),
        ("Infinity", "has Infinity, which is not a JSON number"),
        ("1e400", "has a number beyond 1e38"),
        ("-1e39", "has a number beyond 1e38"),
        ("1e99999999999999999999", "has a number beyond 1e38"),
        ("1e-400", "has a number of more than 38 digits"),
        ("9" * 39, "has a number of more than 38 digits"),
        ("-" + "9" * 39, "has a number of more than 38 digits"),
        ("9" * 5000, "has a number of more than 38 digits"),
        ("0." + "3" * 39, "has a number of more than 38 digits"),
        ("3" * 20 + "." + "3" * 19, "has a number of more than 38 digits"),
        ('"\\ud800"', "half a character"),
        ('{"\\udfff":1}', "half a character"),
        ('["\\ud83d","\\ude00"]', "half a character"),
        ('["\ud800"]', "half a character"),
        ('"a\\u0000b"', "holds a NUL character"),
        ('{"a\\u0000":1}', "holds a NUL character"),
        ('{"a":[{"b":"\\u0000"}]}', "holds a NUL character"),
    ],
)
def test_json_that_readers_disagree_about_is_refused(text: str, problem: str) -> None:
    assert problem in json_refusal(text).problem


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("9" * 38, Decimal("9" * 38)),
        ("-" + "9" * 38, Decimal("-" + "9" * 38)),
        ("1e38", Decimal("1e38")),
        ("0." + "3" * 38, Decimal("0." + "3" * 38)),
        ("0.1", Decimal("0.1")),
        (str(2**53), 2**53),
        (str(2**53 + 1), Decimal(2**53 + 1)),
        ('"\\ud83d\\ude00"', "😀"),
        ('"\\u0001\x7f\u2028"', "\x01\x7f\u2028"),
    ],
)
def test_what_all_readers_can_agree_about_is_read_exactly(text: str, value: object) -> None:
    found = strict_json.parse_json(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ('{"a" 1}', None, "Expecting ':' delimiter at character 6"),
        ("", None, "Expecting value at character 1"),
        ("  ", None, "Expecting value at character 3"),
        ("[1,2", None, "at character 5"),
        ("{'a':1}", None, "at character 2"),
        ('"a\nb"', 1, "Invalid control character at character 3"),
        ('{"a":"\x00"}', None, "Invalid control character at character 7"),
        ('{\n  "a": 1\n  "b": 2\n}', 3, "Expecting ',' delimiter at character 3"),
        ('{"a":1}\n\n  x', 3, "Extra data"),
        ("[1]\n]", 2, "Extra data at character 1"),
    ],
)
def test_malformed_json_is_refused_with_line_and_column(
    text: str, line: int | None, problem: str
) -> None:
    error = json_refusal(text)
    assert error.line == line
    assert error.problem.startswith("is not JSON: ")
    assert problem in error.problem


def test_an_error_in_what_is_well_formed_names_the_line_of_its_item() -> None:
    with pytest.raises(InvalidInput, match="line 3: has NaN"):
        list(strict_json.parse_json_items('[\n{"a":1},\n{"a":NaN}\n]'))


@pytest.mark.parametrize(
    "text", ["[" * 10_000, "[" * 10_000 + "]" * 10_000, '{"a":' * 10_000 + "1" + "}" * 10_000]
)
def test_json_that_is_nested_ten_thousand_deep_is_refused(text: str) -> None:
    assert json_refusal(text).problem == "is nested too deeply"


# --- Items of an array ------------------------------------------------------------------------

blanks = st.text(" \t\r\n", max_size=3)


@st.composite
def arrays(draw: st.DrawFn) -> tuple[str, list[tuple[int, Any]]]:
    """The text of an array with blanks anywhere, and its items with their lines."""
    values = draw(st.lists(json_values, max_size=4))
    text, items = draw(blanks) + "[" + draw(blanks), []
    for number, value in enumerate(values):
        text += "," + draw(blanks) if number else ""
        items.append((text.count("\n") + 1, value))
        text += json.dumps(value, indent=draw(st.none() | st.just(1))) + draw(blanks)
    return text + "]" + draw(blanks), items


@given(arrays())
@settings(deadline=None)
def test_the_items_of_an_array_are_those_of_json_loads_with_their_lines(
    array: tuple[str, list[tuple[int, Any]]],
) -> None:
    text, items = array
    assert list(strict_json.parse_json_items(text)) == items
    assert [value for _, value in items] == json.loads(text)


@given(json_values.filter(lambda value: not isinstance(value, list)), blanks)
@settings(deadline=None)
def test_one_value_is_one_item(value: object, before: str) -> None:
    text = before + json.dumps(value)
    assert list(strict_json.parse_json_items(text)) == [(before.count("\n") + 1, value)]


@pytest.mark.parametrize("text", ["[]", " [ ]\n", "[\n]"])
def test_an_empty_array_has_no_items(text: str) -> None:
    assert list(strict_json.parse_json_items(text)) == []


@pytest.mark.parametrize(
    ("text", "read", "problem"),
    [
        ("[1,]", 1, "A comma without an item behind it at character 4"),
        ("[1,\n2,\n]", 2, "line 3: is not JSON: A comma without an item behind it"),
        ("[,]", 0, "Expecting value at character 2"),
        ("[1,,2]", 1, "Expecting value at character 4"),
        ("[", 0, "Expecting value"),
        ("[1", 1, "Expecting ',' or ']' at character 3"),
        ("[1 2]", 1, "Expecting ',' or ']' at character 4"),
        ("[1,", 1, "Expecting value at character 4"),
        ("[1]\n\n x", 1, "line 3: is not JSON: Extra data at character 2"),
        ("[1][2]", 1, "Extra data"),
        (
            '{"a":1}\n{"a":2}',
            0,
            "line 2: is not JSON: Extra data (for one object a line, use --nl)",
        ),
        ("[1}", 1, "Expecting ',' or ']'"),
    ],
)
def test_items_before_an_error_are_read_and_the_error_is_placed(
    text: str, read: int, problem: str
) -> None:
    items = strict_json.parse_json_items(text)
    assert [next(items)[1] for _ in range(read)] == [1, 2][:read]
    with pytest.raises(InvalidInput) as caught:
        next(items)
    assert problem in str(caught.value)


def test_the_time_for_an_array_grows_with_its_length_and_not_with_its_square() -> None:
    """Once each item counted all lines before it: 20,000 of them took 90 seconds."""
    text = "[\n" + ",\n".join(['{"title":"' + "x" * 200 + '"}'] * 20_000) + "\n]"
    start = time.perf_counter()
    lines = [line for line, _ in strict_json.parse_json_items(text)]
    assert time.perf_counter() - start < 10
    assert lines == list(range(2, 20_002))
