"""Define the commands about those who countersign a log: witness add, remove, list, ask."""

from __future__ import annotations

import click

from timeline.cli import output
from timeline.cli.given_keys import VerifierKeyType
from timeline.cli.opening import opened, share_notes, writing
from timeline.cli.options import Command, json_option
from timeline.cli.witness_report import quorum_option, report
from timeline.errors import Refused
from timeline.proof import checkpoints, witness_list
from timeline.proof.signed_note import VerifierKey, parse
from timeline.proof.witness_list import Witness


@click.command("add", cls=Command)
@click.argument("name")
@click.argument("key", metavar="VKEY", type=VerifierKeyType())
@click.argument("url")
@click.option("--pull", is_flag=True, help="It has no server: fetch from URL what it signed.")
@click.pass_obj
def add_command(database: str, /, name: str, key: VerifierKey, url: str, pull: bool) -> None:
    """Ask a witness to sign this log's checkpoints.

    URL is the address of its server, https://kyiv.example/witness. Only that address is asked,
    by timeline checkpoint and timeline witness ask.
    """
    with writing(database) as connection:
        added = witness_list.add(connection, name, key, url, pull=pull)
    how = "is fetched from" if pull else "is asked for at"
    output.echo(output.wrapped(f"The signature of {added.name} {how} {added.url} from now on."))


@click.command("remove", cls=Command)
@click.argument("name")
@click.pass_obj
def remove_command(database: str, /, name: str) -> None:
    """Ask a witness no more. What it signed stays."""
    with writing(database) as connection:
        witness_list.remove(connection, name)
    output.echo(output.wrapped(f"{name} is asked no more."))


@click.command("list", cls=Command)
@click.option("--policy", is_flag=True, help="Print them as a tlog-policy, for readers.")
@json_option
@click.pass_obj
def list_command(database: str, /, policy: bool, as_json: bool) -> None:
    """List the witnesses that are asked, and how far each has signed."""
    if policy and as_json:
        raise click.UsageError("Give --policy or --json, not both.")
    with opened(database) as (connection, _):
        if policy:
            output.echo(witness_list.policy_text(connection).removesuffix("\n"))
            return
        rows = [
            (each, checkpoints.newest_size(connection, each.key))
            for each in witness_list.asked(connection)
        ]
    if as_json:
        output.dump([_object(each, size) for each, size in rows])
    elif rows:
        output.echo(output.table([_row(each, size) for each, size in rows]))
    else:
        output.echo("No witness is asked: timeline witness add NAME VKEY URL")


@click.command("ask", cls=Command)
@quorum_option
@click.pass_obj
def ask_command(database: str, /, quorum: int | None) -> None:
    """Ask the witnesses that have not signed the newest checkpoint.

    It needs no key. From witnesses without a server, it fetches what they have signed, older
    checkpoints too. The exit code is 3, and nothing is stored, if one has signed another history.
    """
    from timeline.mirror.witnesses import countersign  # it takes time to load

    with writing(database) as connection:
        newest = checkpoints.newest(connection)
        if newest is None:
            raise Refused("nothing is signed yet: timeline checkpoint --key FILE signs the log")
        asked = witness_list.asked(connection)
        logs = [key for key in newest.keys if not key.is_of_witness]
        stored, answers = countersign(connection, parse(newest.note), logs, asked, with_files=True)
    share_notes(database)
    report(stored, asked, answers, quorum)


def _object(witness: Witness, size: int) -> dict[str, object]:
    return {
        "name": witness.name,
        "verifier_key": str(witness.key),
        "url": witness.url,
        "pull": witness.pull,
        "added_at": witness.added_at,
        "signed": size,
    }


def _row(witness: Witness, size: int) -> list[str]:
    signed = f"signed {size:,} entries" if size else "has signed nothing yet"
    return [witness.name, signed, f"{witness.url}{' (fetched)' if witness.pull else ''}"]
