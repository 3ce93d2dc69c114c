"""Define the commands that make keys, prove and check: keygen, prove, verify."""

from __future__ import annotations

import base64
import sys
import textwrap
from pathlib import Path

import click

from timeline.cli import output
from timeline.cli.given_keys import VerifierKeyType, existing_file, file_text
from timeline.cli.opening import opened
from timeline.cli.options import Command, json_option
from timeline.cli.witness_report import say_unchecked
from timeline.errors import NotWritable, ProofError, StoreError
from timeline.formats import prose
from timeline.proof import verify
from timeline.proof.checkpoints import prove
from timeline.proof.checks.report import Report
from timeline.proof.signed_note import SigningKey, VerifierKey
from timeline.proof.tlog import Proof
from timeline.reading.references import resolve_entry
from timeline.store import atomic, log
from timeline.store.codec import decode_payload

DOES_NOT_HOLD = 3
"""The exit code of a log, or a proof, that does not verify."""


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
    try:
        with atomic.replacing(path) as file:
            file.write(str(proof).encode())
    except OSError as error:
        raise NotWritable(path, f"cannot be written: {error.strerror}") from None
    output.echo(f"Proof of entry {seq} in {path}.")


@click.command("verify", cls=Command)
@click.argument("proof", required=False, type=existing_file)
@click.option(
    "--checkpoint",
    "checkpoints",
    metavar="FILE",
    type=existing_file,
    multiple=True,
    help="A checkpoint that was kept elsewhere; the log must continue it. May be repeated.",
)
@click.option(
    "--key",
    "keys",
    metavar="VKEY",
    type=VerifierKeyType(),
    multiple=True,
    help="A key whose signatures count: the log's verifier key, or a witness's. May be repeated.",
)
@json_option
@click.pass_obj
def verify_command(
    database: str,
    /,
    proof: Path | None,
    checkpoints: tuple[Path, ...],
    keys: tuple[VerifierKey, ...],
    as_json: bool,
) -> None:
    """Check that nothing was altered.

    Checks the whole database, or one PROOF, which needs only --key and no database. The exit
    code is 3 if a check fails.
    """
    if proof:
        if checkpoints:
            raise click.UsageError("A PROOF has its own checkpoint: leave --checkpoint out.")
        if not keys:
            raise click.UsageError("A PROOF needs --key VKEY, the verifier key of its log.")
        _verify_proof(proof, keys, as_json)
    else:
        _verify_database(database, checkpoints, keys, as_json)


def _verify_proof(file: Path, keys: tuple[VerifierKey, ...], as_json: bool) -> None:
    try:
        proof = Proof.parse(file_text(file))
        checkpoint = proof.verify(keys)
    except ProofError as error:
        if as_json:
            output.dump({"holds": False, "problem": str(error)})
        else:
            output.echo(output.one_line(f"Does not hold: {file} {error}"), err=True)
        sys.exit(DOES_NOT_HOLD)
    entry = proof.entry
    payload = decode_payload(entry.payload) if entry.payload is not None else None
    if as_json:
        output.dump(
            {
                "holds": True,
                "origin": checkpoint.origin,
                "size": checkpoint.size,
                "root": base64.b64encode(checkpoint.root).decode(),
                "signed_by": [str(key) for key in keys],
                "not_checked": [signature.key for signature in proof.note.unchecked(keys)],
                "seq": entry.seq,
                "id": entry.id,
                "kind": entry.kind,
                "subject": entry.subject,
                "version": entry.version,
                "recorded_at": entry.recorded_at,
                "reported_at": entry.reported_at,
                "payload": payload,
            }
        )
        return
    output.echo(
        output.wrapped(
            f"Holds: entry {entry.seq} of {checkpoint.origin}, "
            f"under its signed checkpoint of {checkpoint.size:,} entries."
        )
    )
    say_unchecked(proof.note.unchecked(keys))
    rows = [
        ["says", f"{entry.kind} {entry.subject}, version {entry.version}"],
        ["recorded", prose.instant(entry.recorded_at)],
        ["reported", prose.date(entry.reported_at)],
    ]
    output.echo(output.table([row for row in rows if row[1]], 2))
    output.echo()
    if payload is None:
        output.echo(output.wrapped("What it said was erased from the log."))
    else:
        output.dump(payload)


def _verify_database(
    database: str, checkpoints: tuple[Path, ...], keys: tuple[VerifierKey, ...], as_json: bool
) -> None:
    given = {str(file): file_text(file) for file in checkpoints}
    with output.Progress("entries") as progress:
        report = verify.verify(
            database,
            checkpoints=given,
            keys=keys,
            progress=lambda part, count: progress(count, f"of the {part}"),
        )
    if as_json:
        _dump_report(report)
    else:
        _print_report(database, report)
    if report.findings:
        sys.exit(DOES_NOT_HOLD)


def _dump_report(report: Report) -> None:
    output.dump(
        {
            "holds": not report.findings,
            "origin": report.origin,
            "size": report.size,
            "root": base64.b64encode(report.root).decode(),
            "erased": report.erased,
            "checkpoints": report.checkpoints,
            "signed": report.signed,
            "texts": report.texts,
            "texts_absent": report.texts_absent,
            "media": report.media,
            "media_absent": report.media_absent,
            "findings": [finding._asdict() for finding in report.findings],
            "unlisted": report.unlisted,
            "unnoticed": report.unnoticed,
        }
    )


def _print_report(database: str, report: Report) -> None:
    if report.findings:
        count = len(report.findings) + report.unlisted
        head = f"{database} does not hold: {count:,} finding{'s' if count > 1 else ''}."
    else:
        head = f"{database} holds."
    output.echo(output.bold(output.wrapped(head)))
    for finding in report.findings:
        expected, found = (
            textwrap.shorten(side, 160, placeholder=" ...")
            for side in (finding.expected, finding.found)
        )
        line = f"- {finding.what}, {finding.where}: expected {expected}; found {found}"
        output.echo(output.hanging(line, 2))
    if report.unlisted:
        output.echo(f"  and {report.unlisted:,} more of these kinds")
    rows = [
        ["log", f"{report.size:,} entries of {report.origin}, {report.erased:,} erased"],
        ["root", base64.b64encode(report.root).decode()],
        ["signed", f"{report.signed:,} entries, by {report.checkpoints:,} stored checkpoints"],
        ["texts", f"{report.texts:,} held, {report.texts_absent:,} not in this file"],
    ]
    if report.media or report.media_absent:
        rows.append(["files", f"{report.media:,} held, {report.media_absent:,} not in this file"])
    output.echo(output.table(rows, 2))
    for sentence in report.unnoticed:
        output.echo(output.hanging(f"Not checked: {sentence}", 0))
