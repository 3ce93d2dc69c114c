"""Read the keys and the signed files that a person gives to a command."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from timeline.errors import InvalidInput, InvalidValue, ProofError, StoreError
from timeline.proof.signed_note import SigningKey, VerifierKey

existing_file = click.Path(exists=True, dir_okay=False, path_type=Path)


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
        return SigningKey.parse(file_text(file))
    except (InvalidValue, ProofError, StoreError):
        raise InvalidInput("key", f"{file} has no signing key: timeline keygen makes one") from None


def file_text(file: Path) -> str:
    """Read the text of a file, byte for byte. Raises ProofError if it is not UTF-8."""
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError:
        raise ProofError(f"{file}: is not UTF-8") from None
    except OSError as error:
        raise StoreError(str(file), f"cannot be read: {error.strerror}") from None
