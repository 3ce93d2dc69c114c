"""Define the command that checks a database, a proof or a fork file: verify."""

from __future__ import annotations

import base64
import contextlib
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

import click

from timeline.cli import output
from timeline.cli.fork_report import report_fork, size_and_root
from timeline.cli.given_keys import existing_file, file_text, key_option, policy_in, policy_option
from timeline.cli.options import Command, json_option
from timeline.cli.witness_report import say_unchecked
from timeline.errors import ProofError
from timeline.formats import prose
from timeline.proof import fork, verify
from timeline.proof.checks.report import Report
from timeline.proof.policy import Policy
from timeline.proof.signed_note import VerifierKey
from timeline.proof.tlog import Proof
from timeline.store.codec import decode_payload

_DOES_NOT_HOLD = 3
"""The exit code of a log or a proof that does not verify, and of a fork that does."""


@click.command("verify", cls=Command)
@click.argument("file", metavar="[PROOF]", required=False, type=existing_file)
@click.option(
    "--checkpoint",
    "checkpoints",
    metavar="FILE",
    type=existing_file,
    multiple=True,
    help="A checkpoint that was kept elsewhere; the log must continue it. May be repeated.",
)
@key_option(
    "A key whose signatures count: the log's verifier key, or a witness's. May be repeated."
)
@policy_option("In place of --key: a tlog-policy, which says how many witnesses must have signed.")
@json_option
@click.pass_obj
def verify_command(
    database: str,
    /,
    file: Path | None,
    checkpoints: tuple[Path, ...],
    keys: tuple[VerifierKey, ...],
    policy_file: Path | None,
    as_json: bool,
) -> None:
    """Check that nothing was altered.

    Checks the whole database, or one PROOF, which needs only --key and no database. The exit
    code is 3 if a check fails.

    PROOF may also be a fork file: two checkpoints that show two histories under one key. The exit
    code is 3 if it proves that, and 1 if it proves nothing.
    """
    policy = policy_in(policy_file, keys)
    if file is None:
        _verify_database(database, checkpoints, keys, policy, as_json)
        return
    if checkpoints:
        raise click.UsageError("A PROOF has its own checkpoint: leave --checkpoint out.")
    if not keys and not policy:
        raise click.UsageError("A PROOF needs --key VKEY, the verifier key of its log.")
    if _is_fork_file(file):
        report_fork(str(file), file_text(file), policy.logs if policy else keys, as_json=as_json)
    else:
        _verify_proof(file, keys, policy, as_json)


def _is_fork_file(file: Path) -> bool:
    with contextlib.suppress(ProofError):
        return file_text(file).startswith(fork.HEADER)
    return False


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()


def _verify_proof(
    file: Path, keys: Sequence[VerifierKey], policy: Policy | None, as_json: bool
) -> None:
    try:
        proof = Proof.parse(file_text(file))
        checkpoint = proof.verify_policy(policy) if policy else proof.verify(keys)
    except ProofError as error:
        if as_json:
            output.dump({"holds": False, "problem": str(error)})
        else:
            output.echo(output.one_line(f"Does not hold: {file} {error}"), err=True)
        sys.exit(_DOES_NOT_HOLD)
    known = policy.keys if policy else keys
    entry = proof.entry
    payload = decode_payload(entry.payload) if entry.payload is not None else None
    if as_json:
        output.dump(
            {
                "holds": True,
                "origin": checkpoint.origin,
                **size_and_root(checkpoint),
                "signed_by": [str(key) for key in proof.note.signers(known)],
                "not_checked": [signature.key for signature in proof.note.unchecked(known)],
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
    say_unchecked(proof.note.unchecked(known))
    rows = [
        ["witnesses", _witnesses(policy, proof) if policy else ""],
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


def _witnesses(policy: Policy, proof: Proof) -> str:
    count = len(policy.verify(proof.note))
    return f"{count} of {len(policy.witnesses)} have signed, {policy.wanted} are wanted"


def _verify_database(
    database: str,
    checkpoints: tuple[Path, ...],
    keys: tuple[VerifierKey, ...],
    policy: Policy | None,
    as_json: bool,
) -> None:
    given = {str(file): file_text(file) for file in checkpoints}
    with output.Progress("entries") as progress:
        report = verify.verify(
            database,
            checkpoints=given,
            keys=keys,
            policy=policy,
            progress=lambda part, count: progress(count, f"of the {part}"),
        )
    if as_json:
        _dump_report(report)
    else:
        _print_report(database, report)
    if report.findings:
        sys.exit(_DOES_NOT_HOLD)


def _dump_report(report: Report) -> None:
    output.dump(
        {
            "holds": not report.findings,
            "origin": report.origin,
            "size": report.size,
            "root": _base64(report.root),
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
        ["root", _base64(report.root)],
        ["signed", f"{report.signed:,} entries, by {report.checkpoints:,} stored checkpoints"],
        ["texts", f"{report.texts:,} held, {report.texts_absent:,} not in this file"],
    ]
    if report.media or report.media_absent:
        rows.append(["files", f"{report.media:,} held, {report.media_absent:,} not in this file"])
    output.echo(output.table(rows, 2))
    for sentence in report.unnoticed:
        output.echo(output.hanging(f"Not checked: {sentence}", 0))
