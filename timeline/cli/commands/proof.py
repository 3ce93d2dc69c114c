"""Define the commands that make a key, and proofs: keygen, prove."""

from __future__ import annotations

from pathlib import Path

import click

from timeline.cli import output
from timeline.cli.opening import opened
from timeline.cli.options import Command
from timeline.errors import NotWritable, StoreError
from timeline.proof.checkpoints import prove
from timeline.proof.signed_note import SigningKey
from timeline.reading.references import resolve_entry
from timeline.store import atomic, log


@click.command("keygen", cls=Command)
@click.option(
    "--witness", "name", metavar="NAME", help="Make the key of a witness, such as kyiv.example/w."
)
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def keygen_command(database: str, /, name: str | None, file: Path) -> None:
    """Make a key that signs this log.

    FILE gets the key, which only its owner can read: keep it away from the database. Its
    public half is printed: give it to your readers, best in another place than the log, because
    they check the log with it.

    With --witness, the key countersigns the logs of others, and no log of yours is needed.
    """
    if name is None:
        with opened(database) as (connection, _):
            key = SigningKey.generate(str(log.info(connection)["origin"]))
    else:
        key = SigningKey.generate(name, for_witness=True)
    try:
        atomic.write_new(file, f"{key}\n".encode(), mode=0o600)
    except FileExistsError:
        raise StoreError(str(file), "exists already; it was not touched") from None
    except OSError as error:
        raise NotWritable(str(file), f"cannot be made: {error.strerror}") from None
    output.echo(str(key.verifier))


@click.command("prove", cls=Command)
@click.argument("entry", metavar="EVENT|#SEQ")
@click.option("-o", "--output", "path", metavar="FILE", default="-", help="Write there.")
@click.pass_obj
def prove_command(database: str, /, entry: str, path: str) -> None:
    """Prove an entry to somebody who has no database.

    The file has one entry - #41, or the newest of EVENT, or EVENT@3 - with its content, and
    the hashes that lead from it to the newest checkpoint.
    """
    with opened(database) as (connection, _):
        seq = resolve_entry(connection, entry)
        proof = prove(connection, seq)
    if path == "-":
        output.echo(str(proof).removesuffix("\n"))
        return
    atomic.put(path, str(proof).encode())
    output.echo(f"Proof of entry {seq} in {path}.")
