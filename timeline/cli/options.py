"""This module defines the options that several commands have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
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


class CiteWords(NamedTuple):
    """A source to cite as the options of a command give it, with what it says."""

    source: str
    """An id, a beginning of one, or an address."""
    quotes: tuple[str, ...] = ()


class CommandGroup(click.Group):
    """A group that answers an unknown command with the nearest one that it has."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from timeline.model.hints import nearest

            if near := nearest(args[0], self.list_commands(ctx)):
                ctx.fail(f'no command "{args[0]}": did you mean {near}?')
            raise


class Command(click.Command):
    """A command that refuses an option given twice, and gives each figure its own options.

    In `figures` of a command with `figure_options` stand FigureWords. --said-by, --dated and
    --source describe the --figure before them; before the first figure they describe all figures.
    In `cites` of a command with `cite_options` stand CiteWords, each with the quotes after it.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the arguments. Raises UsageError for an option that is given twice."""
        try:
            _, _, order = self.make_parser(ctx).parse_args(args=[*args])
        except click.NoSuchOption as error:
            raise click.UsageError(self._unknown(error.option_name), ctx) from None
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
        if "cites" in ctx.params:
            ctx.params["cites"] = _cites(ctx, [str(each.name) for each in given], ctx.params)
        return rest

    def _unknown(self, option: str) -> str:
        """Say that the command has no such option, and which one may have been meant."""
        from timeline.model.hints import nearest

        names = [name for each in self.params for name in each.opts if name.startswith("--")]
        near = nearest(option, [*names, "--help"])
        return f'no option "{option}"' + (f": did you mean {near}?" if near else "")


def _cites(
    ctx: click.Context, order: Iterable[str], given: dict[str, Any]
) -> tuple[CiteWords, ...]:
    """Return the sources to cite, each with its quotes; take the quotes out of `given`.

    A quote belongs to the --cite before it; the only --cite may also stand after its quotes.
    """
    said = {"cites": iter(given["cites"]), "quotes": iter(given.pop("quotes"))}
    early: list[str] = []
    found: list[CiteWords] = []
    for name in order:
        if name == "cites":
            found.append(CiteWords(next(said[name])))
        elif name == "quotes":
            quote = next(said[name])
            if found:
                found[-1] = found[-1]._replace(quotes=(*found[-1].quotes, quote))
            else:
                early.append(quote)
    if early and len(found) != 1:
        raise click.UsageError("--quote goes after the --cite of its source", ctx)
    return tuple(each._replace(quotes=(*early, *each.quotes)) for each in found)


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


def _point(_ctx: click.Context, _: click.Parameter, given: str | None) -> dict[str, str] | None:
    """Return the coordinates of --at by the name of their field, or None if it is not given."""
    if given is None:
        return None
    from timeline.errors import InvalidValue
    from timeline.model import coordinates

    try:
        return coordinates.read(given)._asdict()
    except InvalidValue as error:
        raise click.BadParameter(error.problem) from None


at_option = click.option(
    "--at",
    "point",
    metavar="LAT,LON",
    callback=_point,
    help='Coordinates of the place, such as "50.45, 30.52" or "50°27\'N 30°31\'E".',
)

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

dry_run_option = click.option(
    "--dry-run",
    is_flag=True,
    expose_value=False,
    callback=keep_in_meta,
    help="Check everything, say what would be written, and write nothing.",
)


def is_dry_run() -> bool:
    """Return whether the command of this moment has `dry_run_option`, and it is given."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get("timeline.dry_run"))


yes_to_all_option = click.option(
    "--yes",
    is_flag=True,
    callback=keep_in_meta,
    help="Retract even a tenth of the events or more; trust a clock over a day ahead.",
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

encoding_option = click.option(
    "--encoding", metavar="NAME", help="The encoding of FILE if not UTF-8: cp1252."
)

ignore_column_option = click.option(
    "--ignore-column",
    "ignored",
    metavar="NAME",
    multiple=True,
    help="Leave out a column of the sheet, though its name is like a known one. May be repeated.",
)

cite_options = all_of(
    click.option(
        "--cite",
        "cites",
        metavar="SOURCE",
        multiple=True,
        help="A source that says so: its id, a beginning of it, or its address. May be repeated.",
    ),
    click.option(
        "--quote",
        "quotes",
        metavar="WORDS",
        multiple=True,
        help="What the source of the --cite before it says, word for word. May be repeated.",
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

_LEFT_OUT = {
    "type": "event_type",
    **dict.fromkeys(("actor", "country", "tag", "source", "modality")),
    **dict.fromkeys(("verification", "precision", "state", "highlight")),
    "at-risk": "at_risk",
}
"""The words of --not, each with the name of its filter if that is another one."""


def _leave_out(ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> None:
    """Put what --not leaves out into the parameters, under the names of the filters."""
    for text in given:
        word, equals, value = text.partition("=")
        if word not in _LEFT_OUT or not equals:
            known = ", ".join(_LEFT_OUT)
            raise click.BadParameter(f'write tag=war, or another of {known}, before the "="')
        name = f"not_{_LEFT_OUT[word] or word}"
        ctx.params[name] = [*ctx.params.get(name, ()), value]


def _match_all(ctx: click.Context, _: click.Parameter, given: tuple[str, ...]) -> None:
    ctx.params.update({f"{name}_match": "all" for name in given})


def _once_or_several(
    _ctx: click.Context, _: click.Parameter, given: tuple[str, ...]
) -> str | tuple[str, ...] | None:
    """Return None for an option that is not given, and a value itself if it is the only one."""
    return given if len(given) > 1 else next(iter(given), None)


def _several(*names: str, **about: Any) -> Callable[[F], F]:
    """Make the option of a filter that may be given several times."""
    return click.option(*names, multiple=True, callback=_once_or_several, **about)


filter_options = all_of(
    _several(
        *("--type", "event_type"),
        metavar="TYPE",
        help="Code or label of an event type. This option and those down to --state may be"
        " repeated: then any of the values is enough.",
    ),
    _several("--actor", metavar="NAME", help="Who takes part, by name or id."),
    _several("--country", metavar="COUNTRY", help="Code or English name."),
    _several("--place", metavar="NAME", help="Name of the place."),
    _several("--tag", metavar="TAG", help="A tag, in any case."),
    _several("--source", metavar="SOURCE", help="Id, address or publisher of a source."),
    _several("--precision", metavar="PRECISION", help="Such as day, month or interval."),
    _several(
        "--modality",
        type=click.Choice(["actual", "ongoing", "planned", "hypothetical", "negated"]),
        help="Whether it happened.",
    ),
    _several(
        "--verification",
        type=click.Choice(["reported", "corroborated", "disputed", "refuted"]),
        help="How well it is established.",
    ),
    _several(
        "--state",
        type=click.Choice(["current", "retracted", "merged", "erased", "all"]),
        help="Default: current.",
    ),
    click.option(
        "--all-of",
        type=click.Choice(["actor", "tag", "source"]),
        multiple=True,
        callback=_match_all,
        expose_value=False,
        help="Of what events must have all values given, not just any of them.",
    ),
    click.option(
        "--not",
        metavar="FIELD=VALUE",
        multiple=True,
        callback=_leave_out,
        expose_value=False,
        help="Leave out events with this value, such as tag=war or type=Assault. May be repeated.",
    ),
    click.option("--since", metavar="DATE", help="Could have happened then or later."),
    click.option("--until", metavar="DATE", help="Could have happened then or earlier."),
    click.option("--year", metavar="YEAR", type=int, help="Wholly within this year."),
    click.option(
        "--month", metavar="MONTH", help='Wholly within this month, such as "April 2025".'
    ),
    click.option(
        "--measure",
        metavar="MEASURE",
        help="Has a figure of this measure, such as killed, that may be in the range of the three"
        " options below.",
    ),
    click.option("--at-least", metavar="NUMBER", help='"More than 20" may be any number above.'),
    click.option("--at-most", metavar="NUMBER", help="The highest number of the range."),
    click.option("--unit", metavar="UNIT", help="The unit of the figure, such as EUR or person."),
    click.option("--at-risk", flag_value="yes", help="All of its sources are withdrawn."),
    click.option("--highlight", flag_value="yes", help="Only the highlights of the story."),
)


embed_options = all_of(
    click.option(
        "--embed-from",
        metavar="SITE",
        multiple=True,
        help="Only this site may show /embed in its pages, such as https://news.example. May be"
        " repeated.",
    ),
    click.option("--no-embed", is_flag=True, help="No site may: there are no pages /embed."),
)


def embed_of(embed_from: tuple[str, ...], *, no_embed: bool) -> bool | Sequence[str]:
    """Return who may show pages in frames, from the values of `embed_options`.

    Raises TimelineError for a site that is none, and UsageError for both options together.
    """
    from timeline.site import frames

    if embed_from and no_embed:
        raise click.UsageError("give --embed-from or --no-embed, not both")
    return frames.sites([*embed_from]) if embed_from else not no_embed
