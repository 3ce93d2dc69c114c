"""Read the rules of time zones from the package `tzdata`, and from nowhere else.

Guarantees: every machine with the same version of `tzdata` gives the same answers. The files of
the operating system are never read: they differ from machine to machine, and so would tables.
"""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from functools import lru_cache
from pathlib import Path

from timeline.errors import InvalidValue

_NAME = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*", re.ASCII)


@lru_cache(maxsize=64)
def zone(name: str) -> tzinfo:
    """Return the time zone with an IANA name. Raises InvalidValue for an unknown name."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    try:
        with rules_file(name).open("rb") as rules:
            return ZoneInfo.from_file(rules, key=name)
    except (ValueError, OSError):
        raise InvalidValue(
            name, f'"{name}" is not a time zone: write one such as Europe/Kyiv or UTC'
        ) from None


def known(name: str) -> str:
    """Return the name of a time zone, or UTC if this version of `tzdata` lacks the zone.

    A log is read in any case: its zone may be newer than the `tzdata` of this machine.
    """
    try:
        zone(name)
    except InvalidValue:
        return "UTC"
    return name


def rules_sha256(name: str) -> str:
    """Return the SHA-256 of the file with the rules of a zone, in hexadecimal; "" for UTC."""
    import hashlib

    return "" if name == "UTC" else hashlib.sha256(rules_file(name).read_bytes()).hexdigest()


def rules_file(name: str) -> Path:
    """Return the file with the rules of a zone. Raises ValueError for what is no name of one."""
    from importlib import import_module

    if not _NAME.fullmatch(name):
        raise ValueError(name)
    return Path(str(import_module("tzdata").__file__)).parent / "zoneinfo" / name
