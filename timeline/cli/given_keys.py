"""Read the keys and the signed files that a person gives to a command."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import click

from timeline.errors import InvalidInput, InvalidValue, ProofError, StoreError
from timeline.proof.policy import Policy
from timeline.proof.signed_note import SigningKey, VerifierKey

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]
"""Gives a command one more option."""

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


def key_option(help: str, *, required: bool = False) -> Decorator:
    """Return the option --key, which takes verifier keys and may be repeated."""
    return click.option(
        "--key",
        "keys",
        metavar="VKEY",
        type=VerifierKeyType(),
        multiple=True,
        required=required,
        help=help,
    )


def policy_option(help: str) -> Decorator:
    """Return the option --policy, which takes the file of a policy."""
    return click.option("--policy", "policy_file", metavar="FILE", type=existing_file, help=help)


def policy_in(file: Path | None, keys: Collection[VerifierKey]) -> Policy | None:
    """Return the policy in the file that was given, if one was; `keys` are those of --key."""
    if file is None:
        return None
    if keys:
        raise click.UsageError("Give --key or --policy, not both.")
    return Policy.parse(file_text(file))


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
