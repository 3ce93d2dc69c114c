"""This module defines the options that several commands have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar

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


class FigureWords(NamedTuple):
    """A figure as the options of a command give it, with what the options after it say."""

    text: str
    """The figure, such as "killed=20 to 40"."""
    said_by: str | None = None
    dated: str | None = None
    sources: tuple[str, ...] = ()
    """Addresses and ids of the sources that carry the figure."""


class Command(click.Command):
    """A command that refuses an option given twice, and gives each figure its own options.

    In `figures` of a command with `figure_options` stand FigureWords. --said-by, --dated and
    --source describe the --figure before them; before the first figure they describe all figures.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments. Raises UsageError for an option that is given twice."""
        _, _, order = self.make_parser(ctx).parse_args(args=[*args])
        given = [each for each in order if isinstance(each, click.Option)]
        for option, count in Counter(given).items():
            if count > 1 and not (option.multiple or option.is_flag or option.count):
                raise click.UsageError(
                    f"{option.opts[-1]} is given {count} times: once is enough", ctx
                )
        rest = super().parse_args(ctx, args)
        if "figures" in ctx.params:
            order_of_names = [str(each.name) for each in given]
            ctx.params["figures"] = _figures(ctx, order_of_names, ctx.params)
        return rest


def _figures(
    ctx: click.Context, order: Iterable[str], given: dict[str, Any]
) -> tuple[FigureWords, ...]:
    """Return the figures, each with its options; take those options out of `given`.

    `order` are the names of all options in the order in which they were written.
    """
    said = {name: iter(given.pop(name)) for name in ("said_by", "dated")}
    said |= {name: iter(given[name]) for name in ("figures", "sources")}
    groups: list[dict[str, list[str]]] = [{}]
    for name in order:
        if name == "figures":
            groups.append({})
        if name in said:
            groups[-1].setdefault(name, []).append(next(said[name]))
    everywhere, *each = groups
    for group in groups:
        for name in ("said_by", "dated"):
            if len(group.get(name, ())) > 1:
                figure = f"for {group['figures'][0]}" if "figures" in group else "for all figures"
                option = f"--{name.replace('_', '-')}"
                raise click.UsageError(f"{option} is given twice {figure}: once is enough", ctx)
    if not each and everywhere.keys() & {"said_by", "dated"}:
        raise click.UsageError("--said-by and --dated go with a --figure", ctx)
    figures = []
    for group in each:
        words = {
            name: said[0] for name, said in {**everywhere, **group}.items() if name != "sources"
        }
        sources = (*everywhere.get("sources", ()), *group.get("sources", ()))
        figures.append(
            FigureWords(words["figures"], words.get("said_by"), words.get("dated"), sources)
        )
    return tuple(figures)


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

fork_option = click.option(
    "--fork",
    is_flag=True,
    expose_value=False,
    callback=keep_in_meta,
    help="Make a mirror of another log a log of its own.",
)

yes_to_all_option = click.option(
    "--yes",
    is_flag=True,
    callback=keep_in_meta,
    help="Retract even more than a tenth of the events; trust a clock over a day ahead.",
)

writing_options = all_of(yes_option, ahead_option, fork_option)

figure_options = all_of(
    click.option(
        "--figure",
        "figures",
        metavar="MEASURE=NUMBER",
        multiple=True,
        help='Such as killed=35, "killed=20 to 40" or "pledged=EUR 20bn". May be repeated; the '
        "three options below describe the figure before them, or all if they come first.",
    ),
    click.option("--said-by", metavar="NAME", multiple=True, help="Who gives the figure."),
    click.option(
        "--dated", metavar="DATE", multiple=True, help="The day for which the figure is given."
    ),
    click.option(
        "--source",
        "sources",
        metavar="URL",
        multiple=True,
        help="Address or id of a source that reports it. May be repeated.",
    ),
)

spans_option = click.option(
    "--spans",
    is_flag=True,
    help="Dates of a sheet such as 2011-12 and 2023-24 are spans of years.",
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
    click.option("--highlight", flag_value="yes", help="Only the highlights of the story."),
)
