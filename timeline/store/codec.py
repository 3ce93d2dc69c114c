"""Encode an entry as bytes, hash it, and read it back.

Guarantees: the bytes of an entry are made once, here. After that they are only compared, never
made again. An envelope is one line of UTF-8 JSON with its keys in one order and no space. Its
leaf is SHA-256(0x00 || envelope) (RFC 6962, section 2.1). `payload_hash` is
SHA-256(salt || payload), so that a payload can be erased and the leaf still holds.

Knows neither database nor model: a payload is a dict of JSON types.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any, NamedTuple

from timeline.errors import InvalidInput, InvalidValue, TooNew
from timeline.model import clock
from timeline.model.limits import ID
from timeline.model.strict_json import parse_json
from timeline.store.merkle import leaf_hash

VERSION = 2
"""The newest `v` that this package reads. It writes the lowest `v` that can say an entry.

No `v` may let an envelope pass 65,535 bytes: a bundle has its length in two bytes.
"""

MAX_PAYLOAD = 4 * 2**20
"""The largest payload, in bytes of UTF-8."""

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
    "media": ("media.erased",),
}
"""Every kind of entry, by the class of its subject; format v 1 has no entries about media."""

_NEW_IN_2 = {
    "event": frozenset(("media", "highlight")),
    "log": frozenset(("description", "publisher", "contact", "homepage")),
}
"""The fields that format v 2 brought, by the class of the subject."""

NO_CONTENT = ("author", "reason", "proposed_by")
"""The fields of a payload that are not part of its content, in their order."""

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
_COLUMNS = _KEYS[1:-1]
"""The keys of an envelope that are columns of table `log` too."""
_FORMS = {
    "id": ID,
    "subject": rf"log|(?:event|source|actor|entry)/{ID}|media/[0-9a-f]{{64}}",
    "recorded_at": r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z",
    "payload_hash": r"sha256:[0-9a-f]{64}",
}

_SUBJECTS = {
    1: r"(?P<what>event|source|actor|entry)/ID",
    2: r"(?P<what>event|source|actor|entry|media)(?:(?<!media)/ID|(?<=media)/[0-9a-f]{64})",
}
_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _BASE32 for second in _BASE32]
_BEGINNINGS = tuple(f'{{"v":{v},' for v in _SUBJECTS)


class Entry(NamedTuple):
    """An entry is one immutable line of the log; its fields are in the order of table `log`."""

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
        """Return the subject without its class: odesa-visit for event/odesa-visit."""
        return self.subject.partition("/")[2]


class Payload(NamedTuple):
    """A payload in its parts; all are None if it was erased."""

    author: str | None = None
    reason: str | None = None
    proposed_by: str | None = None
    content: dict[str, Any] | None = None


def encode_id(number: int) -> str:
    """Return eleven characters that sort as `number` does.

    They are Crockford's base 32 in lower case, without i, l, o and u. For microseconds since 1970
    they last for 1,100 years.
    """
    pairs = [_PAIRS[number >> shift & 1023] for shift in (45, 35, 25, 15, 5)]
    return "".join((*pairs, _BASE32[number & 31]))


def decode_id(text: str) -> int | None:
    """Return the number of an id that `encode_id` made; None for any other id."""
    if len(text) != 11 or not set(text) <= set(_BASE32):
        return None
    number = 0
    for character in text:
        number = number << 5 | _BASE32.index(character)
    return number


def _encode(value: dict[str, Any]) -> str:
    """Return the JSON that entries contain: one line, raw UTF-8, no space between tokens.

    The bytes are those of `json.dumps` with these separators, made in a third of its time.
    """
    from pydantic_core import to_json  # takes 20 ms, and who only reads needs it not

    return to_json(value).decode()


def encode_payload(
    author: str | None,
    reason: str | None,
    content: Mapping[str, Any],
    proposed_by: str | None = None,
) -> str:
    """Return the text of a payload: author, reason, proposed_by, then the content in its order.

    Raises InvalidInput above 4 MiB of UTF-8.
    """
    payload = {
        **({"author": author} if author else {}),
        **({"reason": reason} if reason else {}),
        **({"proposed_by": proposed_by} if proposed_by else {}),
        **content,
    }
    text = _encode(payload)
    if len(text) > MAX_PAYLOAD // 4 and len(text.encode()) > MAX_PAYLOAD:
        raise InvalidInput("", f"is {len(text.encode())} bytes long: at most {MAX_PAYLOAD} fit")
    return text


def decode_payload(payload: str) -> dict[str, Any]:
    """Parse the payload of an entry of the log, which was checked when it was written."""
    decoded: dict[str, Any] = json.loads(payload)
    return decoded


def payload_of(entry: Entry) -> Payload:
    """Return the payload of an entry of the log in its parts."""
    if entry.payload is None:
        return Payload()
    content = decode_payload(entry.payload)
    author, reason, proposed_by = (content.pop(field, None) for field in NO_CONTENT)
    return Payload(author, reason, proposed_by, content)


def content_of(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the content of a decoded payload: everything but author, reason and proposed_by."""
    return {key: value for key, value in payload.items() if key not in NO_CONTENT}


def format_of(kind: str, payload: Mapping[str, Any]) -> int:
    """Return the lowest `v` that can say an entry of this kind with this decoded payload."""
    what = kind.partition(".")[0]
    is_new = (
        what == "media"
        or "proposed_by" in payload
        or not _NEW_IN_2.get(what, frozenset()).isdisjoint(payload)
        or (what == "event" and _leads_elsewhere(payload.get("relations")))
    )
    return 2 if is_new else 1


def _leads_elsewhere(relations: object) -> bool:
    """Return whether one of the relations is to an event of another timeline."""
    return isinstance(relations, list) and any(
        isinstance(tie, dict) and "origin" in tie for tie in relations
    )


def decode_content(payload: str | None) -> dict[str, Any] | None:
    """Return the content in the payload of an entry; None if it was erased."""
    return None if payload is None else content_of(decode_payload(payload))


def payload_hash(salt: bytes, payload: str) -> str:
    """Return "sha256:" and the hex of SHA-256(salt || payload)."""
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
    v: int = 1,
) -> Entry:
    """Make a new entry, with a fresh salt, its envelope and its leaf.

    `v` is what `format_of` says of its payload.
    """
    salt = os.urandom(16)
    envelope = _encode(
        {
            "v": v,
            "id": id,
            "kind": kind,
            "subject": subject,
            "version": version,
            "recorded_at": recorded_at,
            "reported_at": reported_at,
            "payload_hash": payload_hash(salt, payload),
        }
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
    """Return an entry as one line of JSON: envelope and payload verbatim, the salt in hex."""
    return _encode(
        {
            "envelope": entry.envelope,
            "salt": entry.salt.hex() if entry.salt is not None else None,
            "payload": entry.payload,
        }
    )


def from_wire(line: str, seq: int) -> Entry:
    """Return the entry in one line of an export; its leaf is made from its bytes.

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
    fields = parse_envelope(envelope, seq)
    hashed = fields["payload_hash"]
    if salt is not None:
        if not isinstance(payload, str):
            raise InvalidInput("payload", "must be text")
        said = _parse_object("payload", payload)
        _check_written("payload", payload, said)
        if (v := format_of(fields["kind"], said)) != fields["v"]:
            raise InvalidInput("envelope.v", f"must be {v} for what the payload says")
        if len(payload.encode()) > MAX_PAYLOAD:
            raise InvalidInput("payload", f"is too long: at most {MAX_PAYLOAD} bytes fit")
        if hashed != payload_hash(salt, payload):
            raise InvalidInput("payload", "does not match the payload_hash of its envelope")
    return Entry(
        seq=seq,
        **{column: fields[column] for column in _COLUMNS},
        envelope=envelope,
        payload=payload,
        salt=salt,
        leaf=leaf_hash(envelope.encode()),
    )


@cache
def quick_envelope(v: int) -> re.Pattern[bytes]:
    """Return what matches the bytes of an envelope of this `v`, quicker than `parse_envelope`.

    It does not say what is wrong.
    """
    return re.compile(
        (
            rf'\{{"v":{v},"id":"(?P<id>ID)","kind":"(?P<kind>[a-z]+\.[a-z]+)",'
            rf'"subject":"(?P<subject>log|{_SUBJECTS[v]})",'
            r'"version":(?P<version>[1-9][0-9]{0,15}),'
            r'"recorded_at":"(?P<recorded_at>[0-9TZ:.-]{27})",'
            r'"reported_at":(?:null|"(?P<reported_at>[0-9TZ:.+-]+)"),'
            r'"payload_hash":"sha256:(?P<payload_hash>[0-9a-f]{64})"\}'
        )
        .replace("ID", ID)
        .encode()
    )


def check_version(seq: int, envelope: str) -> None:
    """Raise TooNew for an entry, of the log or of an export, of a later `v` than ours."""
    if not envelope.startswith(_BEGINNINGS):
        parse_envelope(envelope, seq)


def parse_envelope(envelope: str, seq: int) -> dict[str, Any]:
    """Return the fields of an envelope, after a check of its form.

    Exactly one text is accepted for one set of fields: the one that `encode` writes. Raises
    InvalidInput, TooNew.
    """
    fields = _parse_object("envelope", envelope)
    v = fields.get("v")
    if isinstance(v, int | Decimal) and v > VERSION:
        raise TooNew(
            f"entry {seq}", f"is of format {v}; this Timeline reads up to {VERSION}: upgrade it"
        )
    _check_written("envelope", envelope, fields)
    if tuple(fields) != _KEYS or type(v) is not int or v not in _SUBJECTS:
        raise InvalidInput("envelope", f"must have the keys {', '.join(_KEYS)}, and v 1 or 2")
    for field, form in _FORMS.items():
        if not isinstance(fields[field], str) or not re.fullmatch(form, fields[field]):
            raise InvalidInput(f"envelope.{field}", "is not what a Timeline writes there")
    what = fields["subject"].partition("/")[0]
    if what == "media" and v == 1:
        raise InvalidInput("envelope.v", f"must be 2 for {fields['kind']}")
    if fields["kind"] not in KINDS[what]:
        raise InvalidInput("envelope.kind", f"must be one of {', '.join(KINDS[what])}")
    if type(fields["version"]) is not int or fields["version"] < 1:
        raise InvalidInput("envelope.version", "must be a whole number from 1")
    if not _is_instant(fields["recorded_at"]):
        raise InvalidInput("envelope.recorded_at", "is not a time that there is")
    if fields["reported_at"] is not None and not _is_reported(fields["reported_at"]):
        raise InvalidInput("envelope.reported_at", "must be a day or a time, or null")
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
    """Raise InvalidInput for JSON in another form than the one that we write."""
    try:
        written = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    except TypeError:  # it is a Decimal
        raise InvalidInput(field, "holds a number that is not a whole one within 2^53") from None
    if written != text:
        raise InvalidInput(field, "must be one line of JSON, without spaces or needless escapes")
