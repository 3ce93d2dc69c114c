"""Define the command that signs the log, and has others sign it: checkpoint."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import click

from timeline.cli import output
from timeline.cli.given_keys import VerifierKeyType, existing_file, file_text, signing_key
from timeline.cli.opening import share_notes, to_change, writing
from timeline.cli.options import Command, dry_run_option, is_dry_run
from timeline.cli.witness_report import quorum_option, report, say_unchecked
from timeline.errors import Refused
from timeline.proof import checkpoints, witness_list
from timeline.proof.published import check_goes_on, published_checkpoint
from timeline.proof.signed_note import SigningKey, VerifierKey, parse


@click.command("checkpoint", cls=Command)
@click.option(
    "--key",
    "key_files",
    metavar="FILE",
    type=existing_file,
    multiple=True,
    help="The key that keygen made. While you change keys, give the old one as well.",
)
@quorum_option
@click.option(
    "--cosigned",
    metavar="FILE",
    type=existing_file,
    help="Keep a checkpoint of this log that witnesses have signed too.",
)
@click.option(
    "--witness",
    "signers",
    metavar="VKEY",
    type=VerifierKeyType(),
    multiple=True,
    help="The verifier key of a witness that signed it. May be repeated. Signatures by other "
    "keys are kept unchecked.",
)
@click.option(
    "--published",
    metavar="DIR|URL",
    help="With --key: sign only if the log goes on from the checkpoint that this site publishes.",
)
@dry_run_option
@click.pass_obj
def checkpoint_command(
    database: str,
    /,
    key_files: tuple[Path, ...],
    quorum: int | None,
    cosigned: Path | None,
    signers: tuple[VerifierKey, ...],
    published: str | None,
) -> None:
    """Sign the log as it is, and have its witnesses sign it.

    The note is stored and printed. Keep it in another place: it shows later whether the log has
    lost an entry or was rewritten.

    Every witness of timeline witness list that has a server is asked, for 10 seconds at most; the
    exit code is 3, and nothing is stored, if one has signed another history. A dry run asks none.
    """
    if bool(key_files) == bool(cosigned):
        raise click.UsageError("Give --key FILE to sign the log, or --cosigned FILE.")
    if bool(cosigned) != bool(signers):
        raise click.UsageError("--cosigned and --witness go together.")
    for name, given in (("--quorum", quorum), ("--published", published)):
        if given and not key_files:
            raise click.UsageError(f"{name} goes with --key.")
    if cosigned:
        _keep_cosigned(database, cosigned, signers)
    else:
        _sign(database, [*map(signing_key, key_files)], quorum, published)


def _sign(
    database: str, keys: Sequence[SigningKey], quorum: int | None, published: str | None
) -> None:
    from timeline.mirror.witnesses import countersign  # it takes time to load

    with to_change(database) as file, writing(file) as connection:
        if published:
            _check_published(connection, published)
        note = checkpoints.signed(connection, keys)
        asked = [] if is_dry_run() else witness_list.asked(connection)
        stored, answers = countersign(connection, note, [key.verifier for key in keys], asked)
        output.echo(stored.note.removesuffix("\n"))
    if not is_dry_run():
        share_notes(database)
        report(stored, asked, answers, quorum)


def _check_published(connection: sqlite3.Connection, place: str) -> None:
    """Raise WouldGoBack unless the log goes on from the checkpoint that a site publishes."""
    seen = published_checkpoint(place)
    if seen is None:
        raise Refused(f"{place} has no checkpoint yet: the first time, leave --published out")
    check_goes_on(connection, seen, place, "Nothing was signed.")


def _keep_cosigned(database: str, file: Path, signers: tuple[VerifierKey, ...]) -> None:
    text = file_text(file)
    with to_change(database) as path, writing(path) as connection:
        stored = checkpoints.cosign(connection, text, signers)
        output.echo(stored.note.removesuffix("\n"))
    say_unchecked(parse(stored.note).unchecked(stored.keys), err=True)
    if not is_dry_run():
        share_notes(database)
