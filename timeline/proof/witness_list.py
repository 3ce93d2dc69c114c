"""Keep the list of witnesses that a log asks to sign its checkpoints (c2sp.org/tlog-witness).

Guarantees: no two of them have one name or one public key; signatures of each can be checked here;
the address of each is https, or http on this machine.

Knows table `witnesses` and what is signed, and asks nobody.
"""

from __future__ import annotations

import ipaddress
import re
import sqlite3
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

from timeline.errors import InvalidInput, NotFound, ProofError, Refused
from timeline.model import clock
from timeline.proof import checkpoints
from timeline.proof.policy import Policy, PolicyGroup, PolicyWitness
from timeline.proof.signed_note import VerifierKey
from timeline.store.storage import immediate

_MAJORITY = "majority"
"""The name of the group in the policy of a log that has witnesses."""
_TAKEN = ("none", _MAJORITY)

_COMMENT = """\
# Who signs this log, and whom its publisher asks to countersign it (c2sp.org/tlog-policy).
# This list and this quorum are the publisher's: choose your own witnesses, and your own quorum.
"""


class Witness(NamedTuple):
    """A witness is a row of table `witnesses`."""

    name: str
    key: VerifierKey
    url: str
    """The address of its server, or of the folder that it publishes, without a slash at its end."""
    pull: bool
    """Whether it has no server: it follows the log, and what it signed is fetched from `url`."""
    added_at: str


def asked(connection: sqlite3.Connection) -> list[Witness]:
    """Return the witnesses that are asked, by their names. Raises InvalidValue for a broken row."""
    rows = connection.execute(
        "SELECT name, verifier_key, url, pull, added_at FROM witnesses"
        " WHERE removed_at IS NULL ORDER BY name"
    )
    return [
        Witness(name, VerifierKey.parse(key), url, bool(pull), added_at)
        for name, key, url, pull, added_at in rows
    ]


def asked_no_more(connection: sqlite3.Connection) -> set[str]:
    """Return the keys of the witnesses that were asked, and are asked no more."""
    rows = connection.execute("SELECT verifier_key FROM witnesses WHERE removed_at IS NOT NULL")
    return {key for (key,) in rows}


def add(
    connection: sqlite3.Connection,
    name: str,
    key: VerifierKey,
    url: str,
    *,
    pull: bool = False,
    now: Callable[[], datetime] = clock.now,
) -> Witness:
    """Ask this witness from now on.

    Raises InvalidInput for a name, a key or an address that no witness can have, Refused for a
    witness that is there, and ProofError for a key whose signatures cannot be checked here.
    """
    if not re.fullmatch(r"[^\s#]\S{0,199}", name) or name in _TAKEN:
        raise InvalidInput("NAME", f'"{name}" can be no name: no blanks, no # at its start')
    if not key.is_of_witness:
        raise InvalidInput("VKEY", f"{key.name} has the key of a log, not of a witness")
    key.check_usable()
    new = Witness(name, key, _address(url), pull, clock.utc(now()))
    with immediate(connection):
        for other in asked(connection):
            if other.key.public_key == key.public_key:
                raise Refused(f"{other.name} has this key: one witness counts once")
            if other.name == name:
                raise Refused(f"there is a witness {name}: timeline witness remove {name}")
        connection.execute("DELETE FROM witnesses WHERE verifier_key = ?", (str(key),))
        connection.execute(
            "INSERT INTO witnesses VALUES (?, ?, ?, ?, ?, NULL)",
            (name, str(key), new.url, pull, new.added_at),
        )
    return new


def remove(
    connection: sqlite3.Connection, name: str, *, now: Callable[[], datetime] = clock.now
) -> None:
    """Ask this witness no more; what it signed stays. Raises NotFound."""
    with immediate(connection):
        done = connection.execute(
            "UPDATE witnesses SET removed_at = ? WHERE name = ? AND removed_at IS NULL",
            (clock.utc(now()), name),
        )
        if not done.rowcount:
            raise NotFound("witness", name, "timeline witness list names them")


def policy_text(connection: sqlite3.Connection) -> str:
    """Return the tlog-policy of this log: its key, and a majority of its witnesses.

    It has the keys of the log that signed the newest checkpoint. Raises ProofError as long as
    nothing is signed.
    """
    newest = checkpoints.newest(connection)
    if newest is None:
        raise ProofError("nothing is signed yet: timeline checkpoint --key FILE signs the log")
    logs = [key for key in newest.keys if not key.is_of_witness]
    found = {each.name: PolicyWitness(each.name, each.key, each.url) for each in asked(connection)}
    group = PolicyGroup(len(found) // 2 + 1, tuple(found))
    policy = Policy(
        tuple(logs),
        found,
        {_MAJORITY: group} if found else {},
        _MAJORITY if found else "none",
    )
    return f"{_COMMENT}{policy}"


def _address(url: str) -> str:
    """Return an address in the form in which it is kept. Raises InvalidInput."""
    try:
        parts = urlsplit(url)
        is_web = bool(parts.hostname) and parts.port != 0 and parts.username is None
    except ValueError:
        is_web = False
    if not is_web or not re.fullmatch(r"[!-~]+", url) or parts.query or parts.fragment:
        raise InvalidInput("URL", "is no address of a witness: write https://witness.example/log")
    if parts.scheme != "https" and not (
        parts.scheme == "http" and _is_this_machine(str(parts.hostname))
    ):
        raise InvalidInput("URL", "must begin with https, unless the witness is on this machine")
    return url.rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
