"""Read the keys that a person gives to a command: verifier keys as text, signing keys as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from timeline.errors import InvalidInput, InvalidValue
from timeline.proof.signed_note import SigningKey, VerifierKey


class VerifierKeyType(click.ParamType[VerifierKey]):
    """A verifier key is `name+hash+base64`, as `timeline keygen` prints it."""

    name = "vkey"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> VerifierKey:
        try:
            return VerifierKey.parse(value)
        except InvalidValue as error:
            self.fail(error.problem, param, ctx)


def signing_key(file: Path) -> SigningKey:
    """Read a key. Raises InvalidInput if others can read the file, or it has no key."""
    if file.stat().st_mode & 0o077:
        raise InvalidInput("key", f"{file} can be read by others: chmod 600 {file}")
    try:
        return SigningKey.parse(file.read_bytes().decode())
    except (InvalidValue, OSError, UnicodeDecodeError):
        raise InvalidInput("key", f"{file} has no signing key: timeline keygen makes one") from None
