"""Define the commands about actors: actor add, alias, merge, list, suggest."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from timeline.cli import output
from timeline.cli.appending import appending
from timeline.cli.opening import opened, opened_to_append
from timeline.cli.options import (
    Command,
    CommandGroup,
    author_option,
    dry_run_option,
    json_option,
    writing_options,
)
from timeline.errors import Refused
from timeline.formats import prose
from timeline.model import countries
from timeline.model.content import Said
from timeline.model.names import actor_id_of
from timeline.model.validation import validate
from timeline.reading import actors, references
from timeline.store.rows import RowDict
from timeline.writing.actor_aliases import id_and_name, record_aliases, record_named
from timeline.writing.receipt import Receipt

if TYPE_CHECKING:
    from timeline.reading.twins.actors import ActorTwins
    from timeline.reading.twins.events import EventTwins


@click.group("actor", cls=CommandGroup)
@click.pass_context
def actor_command(ctx: click.Context) -> None:
    """Record, merge and list actors: persons, states and bodies.

    An ACTOR is an id, any unique beginning of one, or a name.
    """
    is_long = ctx.invoked_subcommand in ("list", "suggest")
    if is_long and not ctx.find_root().params["no_pager"] and sys.stdout.isatty():
        from timeline.cli.pager import paged

        ctx.with_resource(paged())


@actor_command.command("add", cls=Command)
@click.argument("name")
@click.option("--id", "actor_id", metavar="ID", help="Its id; made from the name if not given.")
@click.option(
    "--alias", "aliases", metavar="NAME", multiple=True, help="Another name; may be repeated."
)
@click.option("--country", metavar="COUNTRY", help="Code or English name.")
@click.option("--wikidata", metavar="ITEM", help="Such as Q57792.")
@author_option
@writing_options
@dry_run_option
@click.pass_obj
def add_command(
    database: str, /, name: str, actor_id: str | None, author: str | None, **fields: Any
) -> None:
    """Record an actor by NAME.

    From now on, participants with this name or an alias are this actor. An actor that is
    recorded already with the same content stays as it is. If another actor has the name, give
    an --id.
    """
    said = validate(Said, {"author": author})
    with opened_to_append(database) as timeline:
        with opened(database) as (connection, _):
            known = actor_id or _id_of(actors.named(connection, name), name)
            actor = {"actor_id": known, "name": name}
            is_known = actors.find(connection, actor["actor_id"])
            namesake = actors.namesake(connection, actor) if is_known else None
        with appending(timeline) as append:
            receipts = record_named(append, {**actor, **fields}, namesake, said)
    _echo(receipts)


def _id_of(known: list[str], name: str) -> str:
    """Return the id of the actor that has a name, or else the id of participants with the name."""
    if len(known) > 1:
        raise Refused(f'"{name}" is the name of {", ".join(known)}: give --id')
    return known[0] if known else actor_id_of(name)


@actor_command.command("alias", cls=Command)
@click.argument("actor")
@click.argument("aliases", metavar="NAME...", nargs=-1, required=True)
@author_option
@writing_options
@dry_run_option
@click.pass_obj
def alias_command(
    database: str, /, actor: str, aliases: tuple[str, ...], author: str | None
) -> None:
    """Let other names mean ACTOR, too.

    Entries keep the names that they were written with.
    """
    said = validate(Said, {"author": author})
    with opened_to_append(database) as timeline, opened(database) as (connection, _):
        known = actors.get(connection, references.resolve_actor(connection, actor))
        others = {name: actors.holder(connection, name) for name in aliases}
        with appending(timeline) as append:
            receipts = record_aliases(append, connection, known["actor_id"], aliases, said)
    _echo(receipts)
    for name, other in others.items():
        if other and _was_first(other, known):
            called = f"{other['name']} ({other['actor_id']})"
            text = f'Note: participants named "{name}" without an id stay {called}, recorded first'
            output.echo(output.hanging(output.one_line(text), 0), err=True)


def _was_first(one: RowDict, other: RowDict) -> bool:
    """Tell whether `one` was recorded, and `other` later or not at all."""
    if one["seq"] is None or one["actor_id"] == other["actor_id"]:
        return False
    return other["seq"] is None or bool(one["seq"] < other["seq"])


@actor_command.command("merge", cls=Command)
@click.argument("actor")
@click.option("--into", "into_actor", metavar="ACTOR", required=True, help="The actor that stays.")
@click.option("--reason", metavar="TEXT", help="Why, in a few words.")
@author_option
@writing_options
@dry_run_option
@click.pass_obj
def merge_command(
    database: str, /, actor: str, into_actor: str, reason: str | None, author: str | None
) -> None:
    """Merge ACTOR into another one.

    An actor that is not recorded yet, only named in events, is recorded first. To give an actor
    another main name, add an actor with the new name, and merge the old actor into it.
    """
    said = validate(Said, {"author": author, "reason": reason})
    receipts: list[Receipt] = []
    with opened_to_append(database) as timeline:
        with opened(database) as (connection, _):
            merged, kept = (
                actors.get(connection, references.resolve_actor(connection, each))
                for each in (actor, into_actor)
            )
            namesakes = [actors.namesake(connection, each) for each in (kept, merged)]
        with appending(timeline) as append:
            for each, namesake in zip((kept, merged), namesakes, strict=True):
                if each["seq"] is None:
                    who = Said(author=said.author)
                    receipts += record_named(append, id_and_name(each), namesake, who)
            receipts.append(append.merge_actor(merged["actor_id"], kept["actor_id"], said))
    _echo([receipt for receipt in receipts if not receipt.unchanged], into=kept["actor_id"])


def _echo(receipts: list[Receipt], into: str = "") -> None:
    for receipt in receipts:
        output.echo_receipt(receipt, into=into if receipt.kind == "actor.merged" else "")


@actor_command.command("list", cls=Command)
@json_option
@click.pass_obj
def list_command(database: str, /, as_json: bool) -> None:
    """List every actor, those with the most events first."""
    with opened(database) as (connection, _):
        rows = actors.listed(connection)
        if as_json:
            output.dump_each(rows)
            return
        found = False
        for row in rows:
            found = True
            output.echo(output.bold(output.wrapped(row["name"])))
            output.echo(output.wrapped(_facts(row), 2))
            if row["aliases"]:
                output.echo(output.wrapped(f"also {', '.join(row['aliases'])}", 2))
            output.echo(output.dim(output.wrapped(row["actor_id"], 2)))
        if not found:
            output.echo("No actors.", err=True)


def _facts(row: Mapping[str, Any]) -> str:
    if row["merged_into"]:
        return f"merged into {row['merged_into']}"
    country = countries.country_name(row["country"]) if row["country"] else ""
    facts = [_counted(row["events"], "event"), country, row["wikidata"]]
    return " - ".join(fact for fact in facts if fact)


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}" if count else f"no {what}"


@actor_command.command("suggest", cls=Command)
@json_option
@click.pass_obj
def suggest_command(database: str, /, as_json: bool) -> None:
    """Suggest pairs of actors, and of events, that may be the same.

    Each pair has the reason, and the command that merges the two. Nothing is written.
    """
    from timeline.reading.twins.actors import actor_twins
    from timeline.reading.twins.events import event_twins

    with opened(database) as (connection, _):
        alike, events = actor_twins(connection), event_twins(connection)
    if as_json:
        output.dump(_suggested(alike, events))
        return
    blocks = [*map(_actor_block, alike), *map(_event_block, events)]
    if blocks:
        output.echo("\n\n".join(blocks))
    else:
        output.echo("No likely twins.", err=True)


def _suggested(alike: Iterable[ActorTwins], events: Iterable[EventTwins]) -> dict[str, Any]:
    """Return the pairs as JSON."""
    return {
        "actors": [
            {
                "actor_id": actor["actor_id"],
                "into": into["actor_id"],
                "why": why,
                "shared_events": shared,
            }
            for actor, into, why, shared in alike
        ],
        "events": [
            {"event_id": event["event_id"], "into": into["event_id"], "why": why}
            for event, into, why in events
        ],
    }


def _actor_block(pair: ActorTwins) -> str:
    actor, into, why, shared = pair
    return _twins(
        [(row["name"], _facts(row)) for row in (into, actor)],
        f"{why}; {_counted(shared, 'event')} in common",
        _command("actor merge", actor["actor_id"], into["actor_id"]),
    )


def _event_block(pair: EventTwins) -> str:
    event, into, why = pair
    return _twins(
        [(prose.title(row), _when_and_where(row)) for row in (into, event)],
        why,
        _command("merge", event["event_id"], into["event_id"]),
    )


def _twins(two: list[tuple[str, str]], why: str, command: str) -> str:
    lines = [
        line
        for title, facts in two
        for line in (output.bold(output.wrapped(title)), output.wrapped(facts, 2))
    ]
    return "\n".join((*lines, output.wrapped(why, 2), command))


def _when_and_where(row: Mapping[str, Any]) -> str:
    facts = [prose.when(row), prose.place_name(row["place"], row["country"])]
    return " - ".join(fact for fact in facts if fact)


def _command(command: str, merged: str, kept: str) -> str:
    """Write a command as it can be typed, on two lines if it is too long for one."""
    line = f"  timeline {command} {merged} --into {kept}"
    return line if len(line) <= output.width() else line.replace(" --into", " \\\n    --into")
