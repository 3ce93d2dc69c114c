"""This module defines the options that several commands have."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def all_of(*options: Callable[[F], F]) -> Callable[[F], F]:
    """Return one decorator for several, given in the order in which they would be written."""

    def decorate(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


as_of_options = all_of(
    click.option(
        "--as-of",
        metavar="WHEN",
        help="The state at a time, at the end of a day, or after an entry such as #41.",
    ),
    click.option(
        "--as-reported",
        metavar="WHEN",
        help="Only what had been reported by a time, a day (its end), or an entry.",
    ),
)

author_option = click.option(
    "--author", metavar="HANDLE", envvar="TIMELINE_AUTHOR", help="Who adds this; published."
)

said_options = all_of(
    click.option("--reported-at", metavar="DAY", help="When the source reported it."), author_option
)


def keep_in_meta(context: click.Context, option: click.Parameter, value: Any) -> Any:
    """Keep the value of an option for `appending.settle_clock`, and return it."""
    context.meta[f"timeline.{option.name}"] = value
    return value


yes_option = click.option(
    "--yes",
    is_flag=True,
    expose_value=False,
    callback=keep_in_meta,
    help="The clock is right, though over a day ahead of the log.",
)

ahead_option = click.option(
    "--ahead",
    metavar="REASON",
    expose_value=False,
    callback=keep_in_meta,
    help="Why to write though the log is ahead of the clock.",
)

clock_options = all_of(yes_option, ahead_option)

figure_options = all_of(
    click.option(
        "--figure",
        "figures",
        metavar="MEASURE=NUMBER",
        multiple=True,
        help='Such as killed=35, "killed=>20" or "pledged=2e9 EUR". May be repeated.',
    ),
    click.option("--said-by", metavar="NAME", help="Who gives the figures."),
    click.option("--dated", metavar="DATE", help="The day for which the figures are given."),
    click.option(
        "--source",
        "sources",
        metavar="URL",
        multiple=True,
        help="Address or id of a source that reports it. May be repeated.",
    ),
)

edit_option = click.option(
    "--edit",
    is_flag=True,
    help="Fill in a form in $VISUAL, $EDITOR or vi; it begins with the options.",
)

expect_option = click.option(
    "--expect",
    metavar="VERSION",
    type=click.IntRange(1),
    help="Refuse if the event is at another version.",
)

filter_options = all_of(
    click.option("--type", "event_type", metavar="TYPE", help="Code or label of an event type."),
    click.option("--actor", metavar="NAME", help="Somebody who takes part, by name or id."),
    click.option("--country", metavar="COUNTRY", help="Code or English name."),
    click.option("--place", metavar="NAME", help="Name of the place."),
    click.option("--tag", metavar="TAG", help="A tag, in any case."),
    click.option("--source", metavar="SOURCE", help="Id, address or publisher of a source."),
    click.option("--since", metavar="DATE", help="Could have happened then or later."),
    click.option("--until", metavar="DATE", help="Could have happened then or earlier."),
    click.option("--year", metavar="YEAR", type=int, help="Wholly within this year."),
    click.option(
        "--month", metavar="MONTH", help='Wholly within this month, such as "April 2025".'
    ),
    click.option("--precision", metavar="PRECISION", help="Such as day, month or interval."),
    click.option(
        "--modality",
        type=click.Choice(["actual", "ongoing", "planned", "hypothetical", "negated"]),
        help="Whether it happened.",
    ),
    click.option(
        "--verification",
        type=click.Choice(["reported", "corroborated", "disputed", "refuted"]),
        help="How well it is established.",
    ),
    click.option(
        "--state",
        type=click.Choice(["current", "retracted", "merged", "erased", "all"]),
        help="Default: current.",
    ),
    click.option("--at-risk", flag_value="yes", help="All of its sources are withdrawn."),
)
