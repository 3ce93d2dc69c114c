"""Define the command that keeps a checked copy of somebody else's log: follow."""

from __future__ import annotations

import base64
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from timeline.cli import output
from timeline.cli.given_keys import existing_file, key_option, policy_in, policy_option, signing_key
from timeline.cli.opening import opened
from timeline.cli.options import Command, json_option
from timeline.errors import InvalidInput, NotFetched, ProofError, TimelineError
from timeline.formats import prose
from timeline.mirror import follow
from timeline.mirror.follow import Followed
from timeline.mirror.prefix import LIMIT, Prefix, open_prefix, read
from timeline.mirror.served import Served
from timeline.model import clock
from timeline.model.plurals import counted
from timeline.proof.policy import Policy
from timeline.proof.signed_note import VerifierKey
from timeline.store import log
from timeline.store.follows import Follows, Sighting

ALARM = 3
"""The exit code when somebody has to look at the log that is followed."""
_NOT_FINISHED = 1
_LONGEST_POLICY = 100_000


@click.command("follow", cls=Command)
@click.argument("source", required=False)
@key_option("The verifier key of the log. May be repeated: either key is believed.")
@policy_option("The keys that are believed, and the witnesses that are wanted, as a tlog-policy.")
@click.option("--replace", is_flag=True, help="Believe these keys from now on, not those before.")
@click.option(
    "--limit",
    "gibibytes",
    metavar="GIB",
    type=click.FloatRange(min=0, min_open=True),
    default=LIMIT / 2**30,
    show_default=True,
    help="Take at most so many gibibytes in this run.",
)
@click.option(
    "--cosign",
    "key_file",
    metavar="FILE",
    type=existing_file,
    help="If all is well, sign what was checked as a witness, with the key in FILE.",
)
@click.option(
    "--into",
    "folder",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder that gets what was signed: publish it.",
)
@click.option("--stop", is_flag=True, help="Follow no more: FILE becomes a log of its own.")
@json_option
@click.pass_obj
def follow_command(
    database: str,
    /,
    source: str | None,
    keys: tuple[VerifierKey, ...],
    policy_file: Path | None,
    replace: bool,
    gibibytes: float,
    key_file: Path | None,
    folder: Path | None,
    stop: bool,
    as_json: bool,
) -> None:
    """Keep a checked copy of a log that somebody else publishes.

    SOURCE is the address of their site, or a folder with its files. The file of -d becomes the
    copy, or is brought up to date: run the command every hour, then without SOURCE. Exit code 3
    means that somebody has to look: two histories were signed, or something has been wrong for a
    day. docs/mirror.md says what to do then.
    """
    if stop:
        _stop(database, has_more=bool(source or keys or policy_file))
        return
    given = policy_in(policy_file, keys) or (Policy.of_keys(keys) if keys else None)
    if (key_file is None) != (folder is None):
        raise click.UsageError("--cosign and --into go together.")
    before = follow.known(database)
    place = source or (before.url if before else None)
    if place is None:
        raise click.UsageError("Give SOURCE, the address or the folder that is to be followed.")
    with open_prefix(place, limit=int(gibibytes * 2**30)) as prefix:
        policy = _policy(database, prefix, before, given, replace=replace)
        with output.Progress("entries", is_brief=True) as progress:
            try:
                done = follow.follow(database, prefix, policy, progress=progress)
            except KeyboardInterrupt:
                raise TimelineError("interrupted: run it again to go on") from None
    if as_json:
        _dump(done)
    else:
        _print(database, place, before, policy, done)
    if key_file and folder and done.served and not done.problem:
        _cosign(database, done.served, key_file, folder)
    if done.problem:
        sys.exit(ALARM if done.is_alarm else _NOT_FINISHED)


def _stop(database: str, *, has_more: bool) -> None:
    if has_more:
        raise click.UsageError("--stop goes alone: nothing is fetched.")
    row = follow.stop(database)
    output.echo(f"{database} follows {row.origin} no more, and is a log of its own.")


# --- Whom to believe ----------------------------------------------------------------------


def _policy(
    database: str, prefix: Prefix, before: Follows | None, given: Policy | None, *, replace: bool
) -> Policy:
    """Return whom to believe: as given, as kept in the file, or as a person says when asked."""
    kept = Policy.parse(before.policy) if before else None
    if given is None:
        return kept or _asked(database, prefix)
    if kept and set(kept.logs) != set(given.logs) and not replace:
        raise click.UsageError(
            f"{database} believes another key, {kept.logs[0]}. If they announced a new one, in a "
            "place that you trust, add --replace."
        )
    return given


def _asked(database: str, prefix: Prefix) -> Policy:
    """Show the key that the prefix names, and ask whether it is theirs."""
    key = _named_key(prefix)
    if not sys.stdin.isatty():
        which = shlex.quote(str(key)) if key else "VKEY"
        raise click.UsageError(
            "Nobody is here to ask whose key to believe. Compare it with where they announce it, "
            f"then: timeline -d {shlex.quote(database)} follow {shlex.quote(prefix.place)} "
            f"--key {which}"
        )
    if key is None:
        raise click.UsageError(f"{prefix.place} names no key: give --key VKEY.")
    output.echo(f"{prefix.place} names this key:\n  {key}")
    click.confirm("Compare it with where they announce it. Is this their key?", abort=True)
    return Policy.of_keys([key])


def _named_key(prefix: Prefix) -> VerifierKey | None:
    """Return the key that a site itself names; None if it names none."""
    try:
        text = read(prefix, "tlog-policy", _LONGEST_POLICY).decode()
        return Policy.parse(text).logs[0]
    except (NotFetched, InvalidInput, UnicodeDecodeError):
        return None


def _cosign(database: str, found: Served, key_file: Path, folder: Path) -> None:
    """Sign a checkpoint as a witness, unless what this key signed before is not its beginning."""
    from timeline.mirror.cosigning import cosign_into

    key = signing_key(key_file)
    log_keys = [key for key in found.keys if not key.is_of_witness]
    with opened(database) as (connection, _):
        try:
            signed = cosign_into(
                folder,
                found.note,
                key,
                log_keys=log_keys,
                read_hash=log.read_hash(connection),
                now=clock.now(),
            )
        except ProofError as error:
            _echo_wrong(found.checkpoint.origin, str(error), is_alarm=True)
            sys.exit(ALARM)
    size = counted(found.checkpoint.size, "entry", "entries")
    output.echo(output.wrapped(f"Signed {size} as {key.name}." if signed else "Signed before."))


# --- What to say --------------------------------------------------------------------------


def _dump(done: Followed) -> None:
    output.dump(
        {
            "state": done.state,
            "origin": done.origin,
            "seen": done.seen,
            "held": done.held,
            "added": done.added,
            "erased": done.erased,
            "since": done.since,
            "problem": done.problem,
            "evidence": done.evidence,
            "witnesses": [witness._asdict() for witness in done.witnesses],
        }
    )


def _print(
    database: str, place: str, before: Follows | None, policy: Policy, done: Followed
) -> None:
    for line in _taken(database, before, done):
        output.echo(output.wrapped(line))
    if done.witnesses:
        output.echo(output.wrapped(_witnesses(policy, done)))
    for note in done.notes:
        output.echo_note(note)
    if done.sides:
        _echo_fork(database, done, done.sides)
    elif done.problem:
        _echo_wrong(place, done.problem, is_alarm=done.is_alarm)


def _taken(database: str, before: Follows | None, done: Followed) -> Iterator[str]:
    """Yield what was taken: the copy is new, has grown, or is as it was; nothing without a copy."""
    entries = counted(done.held, "entry", "entries")
    erased = ""
    if done.erased:
        named = ", ".join(f"#{seq}" for seq in done.erased)
        erased = f" {len(done.erased):,} erased: {named}."
    if not done.held:
        return
    if before is None:
        yield f"Following {done.origin} in {database}: {entries}.{erased}"
    elif done.added:
        old = done.held - done.added
        yield f"Grew from {old:,} to {entries}; goes on from all that was seen before.{erased}"
    elif done.problem is None:
        yield f"Nothing new: {entries}, signed and seen again.{erased}"


def _witnesses(policy: Policy, done: Followed) -> str:
    missing = [each.name for each in done.witnesses if each.signed_at is None]
    signed = len(done.witnesses) - len(missing)
    wanted = policy.wanted
    are = f"{wanted} {'is' if wanted == 1 else 'are'} wanted"
    line = f"Witnesses: {signed} of {len(done.witnesses)} ({are})"
    if not missing:
        return f"{line}."
    have = "has" if len(missing) == 1 else "have"
    return f"{line}; {', '.join(missing)} {have} not signed this one."


def _echo_wrong(place: str, problem: str, *, is_alarm: bool) -> None:
    head = "ALARM" if is_alarm else "Error"
    output.echo(output.one_line(f"{head}: {place}: {problem}"), err=True)


def _echo_fork(database: str, done: Followed, sides: tuple[Sighting, Sighting]) -> None:
    output.echo(f"ALARM: {done.origin} has signed two histories.", err=True)
    rows = [
        [
            counted(side.size, "entry", "entries"),
            f"{base64.b64encode(side.root).decode()[:8]}...",
            _where(done, side),
        ]
        for side in sides
    ]
    rows[1][-1] += f"; its first {sides[0].size:,} are others"
    output.echo(output.table(rows, 2), err=True)
    evidence = str(done.evidence)
    check = f'timeline verify {shlex.quote(evidence)} --key "..."'
    output.echo(f"Proof, for anybody: {evidence} ({check})", err=True)
    output.echo(f"{database} stays as it was.", err=True)


def _where(done: Followed, side: Sighting) -> str:
    if done.served and side.note == str(done.served.note):
        return f"served by {side.place} now"
    return f"seen here on {prose.instant(side.seen_at)}"
