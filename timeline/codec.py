"""Entries and bytes: how a line of the log is written down, hashed and read back.

Guarantees: the bytes of an entry are made once, here, and only ever compared after that,
never made again. An envelope is one line of UTF-8 JSON with its keys in one order and no
space; its leaf is SHA-256(0x00 || envelope) (RFC 6962, section 2.1); `payload_hash` is
SHA-256(salt || payload), so that a payload can be taken out and the leaf still holds.
Input that JSON readers disagree about - a key given twice, NaN, a number of more than 38
digits, half a surrogate pair, NUL - is refused, never repaired.

Knows neither database nor model: a payload is a dict of JSON types.
"""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple, NoReturn

from timeline import clock
from timeline.errors import InvalidInput, InvalidValue, TooNew
from timeline.merkle import leaf_hash

__all__ = [
    "KINDS",
    "MAX_PAYLOAD",
    "VERSION",
    "Entry",
    "check_version",
    "decode_id",
    "decode_payload",
    "encode",
    "encode_id",
    "encode_payload",
    "from_wire",
    "parse_json",
    "parse_json_items",
    "payload_hash",
    "to_wire",
]

VERSION = 1
"""The newest `v` that this package reads, and the one that it writes."""

MAX_PAYLOAD = 4 * 2**20
"""Bytes of UTF-8 in one payload."""

KINDS = {
    "log": ("log.opened", "log.updated"),
    "event": (
        "event.recorded",
        "event.updated",
        "event.corrected",
        "event.retracted",
        "event.reinstated",
        "event.merged",
    ),
    "source": (
        "source.recorded",
        "source.updated",
        "source.withdrawn",
        "source.reinstated",
        "source.annotated",
    ),
    "actor": ("actor.recorded", "actor.updated", "actor.merged"),
    "entry": ("entry.erased",),
}
"""Every kind of v 1, by what its subject is."""

_KEYS = (
    "v",
    "id",
    "kind",
    "subject",
    "version",
    "recorded_at",
    "reported_at",
    "payload_hash",
)
_ID = r"[a-z0-9][a-z0-9_-]{2,63}"
_FORMS = {
    "id": _ID,
    "subject": rf"log|(?:event|source|actor|entry)/{_ID}",
    "recorded_at": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z",
    "payload_hash": r"sha256:[0-9a-f]{64}",
}
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_MAX_SAFE_INTEGER = 2**53
_MAX_DIGITS = 38
_MAX_NUMBER = Decimal("1e38")


class Entry(NamedTuple):
    """One immutable line of the log, in the order of the columns of table `log`."""

    seq: int
    id: str
    kind: str
    subject: str
    version: int
    recorded_at: str
    reported_at: str | None
    envelope: str
    payload: str | None
    salt: bytes | None
    leaf: bytes

    @property
    def subject_id(self) -> str:
        """The subject without its class: "odesa-visit" of "event/odesa-visit"."""
        return self.subject.partition("/")[2]


def encode_id(number: int) -> str:
    """Eleven characters that sort as `number` does; microseconds since 1970, good for 1,100 years.

    Crockford's base 32 in lower case: no i, l, o or u.
    """
    return "".join(_BASE32[number >> shift & 31] for shift in range(50, -5, -5))


def decode_id(text: str) -> int | None:
    """The number of an id that `encode_id` made; None for any other id."""
    if len(text) != 11 or not set(text) <= set(_BASE32):
        return None
    number = 0
    for character in text:
        number = number << 5 | _BASE32.index(character)
    return number


def encode_payload(author: str | None, reason: str | None, content: dict[str, Any]) -> str:
    """The text of a payload: author and reason first, then the content in its own order.

    Raises InvalidInput above 4 MiB of UTF-8.
    """
    payload = {
        **({"author": author} if author else {}),
        **({"reason": reason} if reason else {}),
        **content,
    }
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    if len(text) > MAX_PAYLOAD // 4 and len(text.encode()) > MAX_PAYLOAD:
        raise InvalidInput("", f"is {len(text.encode())} bytes long: at most {MAX_PAYLOAD} fit")
    return text


def decode_payload(payload: str) -> dict[str, Any]:
    """The payload of an entry of the log, which was checked when it was written."""
    decoded: dict[str, Any] = json.loads(payload)
    return decoded


def payload_hash(salt: bytes, payload: str) -> str:
    """ "sha256:" and the hex of SHA-256(salt || payload)."""
    return "sha256:" + hashlib.sha256(salt + payload.encode()).hexdigest()


def encode(
    *,
    seq: int,
    id: str,
    kind: str,
    subject: str,
    version: int,
    recorded_at: str,
    reported_at: str | None,
    payload: str,
) -> Entry:
    """A new entry: a fresh salt, the envelope made for the first and only time, its leaf."""
    salt = secrets.token_bytes(16)
    envelope = json.dumps(
        {
            "v": VERSION,
            "id": id,
            "kind": kind,
            "subject": subject,
            "version": version,
            "recorded_at": recorded_at,
            "reported_at": reported_at,
            "payload_hash": payload_hash(salt, payload),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    return Entry(
        seq,
        id,
        kind,
        subject,
        version,
        recorded_at,
        reported_at,
        envelope,
        payload,
        salt,
        leaf_hash(envelope.encode()),
    )


def to_wire(entry: Entry) -> str:
    """One line of JSON: envelope and payload verbatim, the salt in hex."""
    return json.dumps(
        {
            "envelope": entry.envelope,
            "salt": entry.salt.hex() if entry.salt is not None else None,
            "payload": entry.payload,
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


def from_wire(line: str, seq: int) -> Entry:
    """The entry of one line of an export, its leaf made from its bytes.

    Raises InvalidInput for an entry that `to_wire` would not have written, and TooNew for
    an envelope of a later `v`.
    """
    wire = parse_json(line)
    if not isinstance(wire, dict) or set(wire) != {"envelope", "salt", "payload"}:
        raise InvalidInput("", "must be an object with envelope, salt and payload")
    envelope, salt_hex, payload = wire["envelope"], wire["salt"], wire["payload"]
    if not isinstance(envelope, str):
        raise InvalidInput("envelope", "must be text")
    if (salt_hex is None) != (payload is None):
        raise InvalidInput("salt", "salt and payload are erased together or not at all")
    salt = None
    if salt_hex is not None:
        if not isinstance(salt_hex, str) or not re.fullmatch(r"[0-9a-f]{32}", salt_hex):
            raise InvalidInput("salt", "must be 32 lower-case hex digits")
        salt = bytes.fromhex(salt_hex)
    fields = _parse_envelope(envelope, seq)
    hashed = fields.pop("payload_hash")
    if salt is not None:
        if not isinstance(payload, str):
            raise InvalidInput("payload", "must be text")
        _check_written("payload", payload, _parse_object("payload", payload))
        if len(payload.encode()) > MAX_PAYLOAD:
            raise InvalidInput("payload", f"is too long: at most {MAX_PAYLOAD} bytes fit")
        if hashed != payload_hash(salt, payload):
            raise InvalidInput("payload", "does not match the payload_hash of its envelope")
    return Entry(
        seq=seq,
        **fields,
        envelope=envelope,
        payload=payload,
        salt=salt,
        leaf=leaf_hash(envelope.encode()),
    )


def check_version(seq: int, envelope: str) -> None:
    """Raise TooNew for an entry, of the log or of an export, of a later `v` than ours."""
    if not envelope.startswith(f'{{"v":{VERSION},'):
        _parse_envelope(envelope, seq)


def _parse_envelope(envelope: str, seq: int) -> dict[str, Any]:
    """The fields of an envelope but `v`, its form checked. Raises InvalidInput, TooNew."""
    fields = _parse_object("envelope", envelope)
    v = fields.get("v")
    if isinstance(v, int | Decimal) and v > VERSION:
        raise TooNew(f"entry {seq}", f"is of format {v}; this Timeline reads up to {VERSION}")
    _check_written("envelope", envelope, fields)
    if tuple(fields) != _KEYS or type(v) is not int or v != VERSION:
        raise InvalidInput("envelope", f"must have the keys {', '.join(_KEYS)}, and v {VERSION}")
    for field, form in _FORMS.items():
        if not isinstance(fields[field], str) or not re.fullmatch(form, fields[field]):
            raise InvalidInput(f"envelope.{field}", "is not what a Timeline writes there")
    what = fields["subject"].partition("/")[0]
    if fields["kind"] not in KINDS[what]:
        raise InvalidInput("envelope.kind", f"must be one of {', '.join(KINDS[what])}")
    if type(fields["version"]) is not int or fields["version"] < 1:
        raise InvalidInput("envelope.version", "must be a whole number from 1")
    if not _is_instant(fields["recorded_at"]):
        raise InvalidInput("envelope.recorded_at", "is not a time that there is")
    if fields["reported_at"] is not None and not _is_reported(fields["reported_at"]):
        raise InvalidInput("envelope.reported_at", "must be a day or a time, or null")
    del fields["v"]
    return fields


def _is_instant(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def _is_reported(value: object) -> bool:
    try:
        return isinstance(value, str) and clock.reported(value) == value
    except InvalidValue:
        return False


def _parse_object(field: str, text: str) -> dict[str, Any]:
    try:
        value = parse_json(text)
    except InvalidInput as error:
        raise InvalidInput(field, error.problem) from None
    if not isinstance(value, dict):
        raise InvalidInput(field, "must be the text of a JSON object")
    return value


def _check_written(field: str, text: str, value: dict[str, Any]) -> None:
    """Refuse JSON in another form than the one that we write."""
    try:
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except TypeError:  # a Decimal
        raise InvalidInput(field, "holds a number that is not a whole one within 2^53") from None
    if written != text:
        raise InvalidInput(field, "must be one line of JSON, without spaces or needless escapes")


def parse_json(text: str) -> Any:
    """JSON from outside, with fractions as Decimal.

    Raises InvalidInput, with the line of the error where there is more than one, for
    malformed JSON and for all that JSON readers disagree about.
    """
    value, end = _decode(text, _skip_blanks(text, 0), suspicious=_is_suspicious(text))
    end = _skip_blanks(text, end)
    if end != len(text):
        raise _malformed(text, end, "Extra data")
    return value


def parse_json_items(text: str) -> Iterator[tuple[int, Any]]:
    """The items of a JSON array, or the one object that `text` is, each with its line.

    Lines count from 1. Raises InvalidInput as `parse_json` does, when it gets there.
    """
    suspicious = _is_suspicious(text)
    position = _skip_blanks(text, 0)
    if not text.startswith("[", position):
        line = text.count("\n", 0, position) + 1
        value, end = _decode(text, position, suspicious=suspicious)
        end = _skip_blanks(text, end)
        if end != len(text):
            raise _malformed(text, end, "Extra data (for one object a line, use --nl)")
        yield line, value
        return
    line, counted = 1, 0
    position = _skip_blanks(text, position + 1)
    while not text.startswith("]", position):
        line, counted = line + text.count("\n", counted, position), position
        value, position = _decode(text, position, suspicious=suspicious)
        yield line, value
        position = _skip_blanks(text, position)
        if text.startswith(",", position):
            position = _skip_blanks(text, position + 1)
            if text.startswith("]", position):
                raise _malformed(text, position, "A comma without an item behind it")
        elif not text.startswith("]", position):
            raise _malformed(text, position, "Expecting ',' or ']'")
    end = _skip_blanks(text, position + 1)
    if end != len(text):
        raise _malformed(text, end, "Extra data")


_BLANKS = re.compile(r"[ \t\n\r]*")


def _skip_blanks(text: str, position: int) -> int:
    match = _BLANKS.match(text, position)
    return match.end() if match else position


def _is_suspicious(text: str) -> bool:
    """Whether a text of this JSON may hold what UTF-8 cannot; asked once for all its items."""
    return _SUSPICIOUS.search(text) is not None


def _decode(text: str, start: int, *, suspicious: bool) -> tuple[Any, int]:
    """The JSON value that begins at `start`, checked, and where it ends.

    Does nothing that takes longer in a longer text: it is called for every item of one.
    """
    try:
        value, end = _DECODER.raw_decode(text, start)
        if suspicious:
            _check_texts(value)
    except json.JSONDecodeError as error:
        raise _malformed(text, error.pos, error.msg) from None
    except InvalidValue as error:
        raise InvalidInput("", error.problem).at(line=_line(text, start)) from None
    except RecursionError:
        raise InvalidInput("", "is nested too deeply").at(line=_line(text, start)) from None
    return value, int(end)


def _line(text: str, position: int) -> int | None:
    """The line of a position, counted from 1; None in a text of one line."""
    return text.count("\n", 0, position) + 1 if "\n" in text.strip() else None


def _malformed(text: str, position: int, problem: str) -> InvalidInput:
    column = position - text.rfind("\n", 0, position)
    message = f"is not JSON: {problem.removesuffix(' at')} at character {column}"
    return InvalidInput("", message).at(line=_line(text, position))


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidValue(twice, f"has the key {_shown(twice)} twice")
    return fields


def _fraction(digits: str) -> Decimal:
    try:
        number = Decimal(digits)
    except InvalidOperation:  # an exponent of more than 18 digits
        raise InvalidValue(digits, "has a number beyond 1e38") from None
    _, figures, exponent = number.as_tuple()
    if len(figures) > _MAX_DIGITS or int(exponent) < -_MAX_DIGITS:
        raise InvalidValue(digits, f"has a number of more than {_MAX_DIGITS} digits")
    if number.copy_abs() > _MAX_NUMBER:
        raise InvalidValue(digits, "has a number beyond 1e38")
    return number


def _integer(digits: str) -> int | Decimal:
    if len(digits.removeprefix("-")) > _MAX_DIGITS:
        raise InvalidValue(digits, f"has a number of more than {_MAX_DIGITS} digits")
    number = int(digits)
    return number if abs(number) <= _MAX_SAFE_INTEGER else Decimal(digits)


def _shown(name: str) -> str:
    short = name if len(name) <= 60 else name[:60] + "..."
    return f'"{short}"' if short.isprintable() else ascii(short)


def _no_constant(name: str) -> NoReturn:
    raise InvalidValue(name, f"has {name}, which is not a JSON number")


# An escape, or half a surrogate pair as Python reads a broken byte.
_SUSPICIOUS = re.compile("\\\\u|[\ud800-\udfff]")


def _check_texts(value: object) -> None:
    """Escapes can smuggle in what UTF-8 cannot hold, and SQLite cuts off (NUL)."""
    if isinstance(value, str):
        if "\x00" in value:
            raise InvalidValue(value, "holds a NUL character")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise InvalidValue(value, "holds half a character (a lone surrogate)") from None
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_texts(key)
            _check_texts(item)
    elif isinstance(value, list):
        for item in value:
            _check_texts(item)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_no_duplicates,
    parse_float=_fraction,
    parse_int=_integer,
    parse_constant=_no_constant,
)
