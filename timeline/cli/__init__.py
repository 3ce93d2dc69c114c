"""The command `timeline` parses its arguments, calls the package and prints the answer.

Guarantees: an error is one line on stderr, "Error: ...", and exit code 1, or 3 if the command
would go back behind what others have seen; wrong usage is exit code 2. Nothing that a user does
leads to a traceback. A command is imported when it is called: `append` does not load the code of
readers, and only `serve` loads Datasette.
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import io
import os
import sqlite3
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

import click

from timeline.cli.options import CommandGroup
from timeline.errors import InvalidSheet, TimelineError, WouldGoBack

_DAILY = {
    "append": "record",
    "show": "event",
    "list": "lists",
    "search": "lists",
    "update": "revise",
    "correct": "revise",
    "history": "event",
    "serve": "serving",
}
_OTHERS = {
    "init": "file",
    "about": "about",
    "retract": "revise",
    "reinstate": "revise",
    "merge": "revise",
    "diff": "compare",
    "changes": "compare",
    "facets": "lists",
    "actor": "actors",
    "log": "lists",
    "desk": "desk",
    "propose": "propose",
    "review": "review",
    "draft": "draft",
    "mcp": "mcp",
    "capture": "capture",
    "coverage": "sources",
    "annotate": "sources",
    "withdraw": "sources",
    "template": "sheets",
    "sync": "sheets",
    "import sheet": "import_sheet",
    "import": "importing",
    "export": "export",
    "verify": "verify",
    "checkpoint": "checkpoint",
    "keygen": "proof",
    "prove": "proof",
    "follow": "follow",
    "compare": "compare_checkpoints",
    "witness": "witness",
    "attach": "attach",
    "erase": "erase",
    "schema": "file",
    "rebuild": "file",
    "watch": "watch",
    "publish": "publishing",
    "migrate": "file",
    "restore": "restore",
    "cluster": "cluster",
    "demo": "serving",
    "doctor": "file",
}
_MODULES = {**_DAILY, **_OTHERS}
_PAGED = frozenset(
    ("show", "list", "search", "history", "diff", "changes", "facets", "log", "coverage")
)


_MOST_PROBLEMS = 20
"""The most problems of a sheet that are printed, a line each: they fit on a screen."""


class Refusal(click.ClickException):
    """An error that click prints as one line, with exit code 1.

    On a terminal the line of the input may follow (`input_excerpts`).
    """

    def __init__(self, message: str, excerpts: Sequence[str] = ()) -> None:
        super().__init__(message)
        self._excerpts = excerpts

    def show(self, file: IO[Any] | None = None) -> None:
        super().show(file)
        for excerpt in self._excerpts:
            click.echo(excerpt, file=file, err=True)

    def format_message(self) -> str:
        from timeline.cli.output import refusal

        return refusal(self.message)


class _Alarm(Refusal):
    """A refusal to go back behind what others have seen, with exit code 3."""

    exit_code = 3


class _SheetRefusal(click.ClickException):
    """The errors of a sheet, of which each is printed as one line, with exit code 1."""

    def __init__(self, error: InvalidSheet) -> None:
        super().__init__(str(error))
        self._problems = error.problems

    def show(self, file: IO[Any] | None = None) -> None:
        for problem in self._problems[:_MOST_PROBLEMS]:
            Refusal(str(problem), getattr(problem, "__notes__", ())).show(file)
        more = len(self._problems) - _MOST_PROBLEMS
        if more > 0:
            Refusal(f"{more:,} more problems like these").show(file)


class Commands(CommandGroup):
    """A group that imports a command when it is called, and prints a TimelineError as one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MODULES:
            return None
        module = importlib.import_module(f"timeline.cli.commands.{_MODULES[cmd_name]}")
        if "pydantic" in sys.modules:
            from timeline.cli.no_plugins import find_no_plugins

            find_no_plugins()
        command: click.Command = getattr(module, _function_of(cmd_name))
        if ctx.resilient_parsing:
            from timeline.cli import completion

            completion.offer(command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if (two := " ".join(args[:2])) in _MODULES:
            args = [two, *args[2:]]
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for heading, names in (("Daily", _DAILY), ("Also", _OTHERS)):
            margin = max(map(len, names)) + 4
            with formatter.section(heading):
                formatter.write_dl(
                    [(name, _summary(name, formatter.width - margin)) for name in names]
                )

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _printable_usage():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with _printable_usage():
                return super().invoke(ctx)
        except InvalidSheet as error:
            raise _SheetRefusal(error) from error
        except WouldGoBack as error:
            raise _Alarm(str(error)) from error
        except TimelineError as error:
            raise Refusal(str(error), getattr(error, "__notes__", ())) from error
        except KeyboardInterrupt:
            raise Refusal("interrupted") from None
        except sqlite3.DatabaseError as error:
            raise Refusal(_database_problem(str(ctx.obj), error)) from error
        except UnicodeEncodeError as error:
            raise Refusal(f'"{error.object}" is not UTF-8') from error
        except BrokenPipeError:
            # The reader of our output has gone: what Python flushes at exit must go nowhere.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(0) from None


def _function_of(name: str) -> str:
    return f"{name.replace(' ', '_')}_command"


def _summary(name: str, longest: int) -> str:
    """Return the first line of a command's help, read from its source: it is not imported."""
    text = ast.get_docstring(_functions(_MODULES[name])[_function_of(name)])
    return click.Command(name, help=text).get_short_help_str(longest)


@cache
def _functions(module: str) -> Mapping[str, ast.FunctionDef]:
    """Return the functions of a module of commands, by name."""
    text = (Path(__file__).parent / "commands" / f"{module}.py").read_text(encoding="utf-8")
    return {each.name: each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef)}


@contextlib.contextmanager
def _printable_usage() -> Iterator[None]:
    """Escape what a terminal would obey in the errors that click raises for wrong usage."""
    try:
        yield
    except click.UsageError as error:
        from timeline.cli.output import printable

        message = error.format_message()
        if printable(message) == message:
            raise
        raise click.UsageError(printable(message), error.ctx) from None


def _database_problem(path: str, error: sqlite3.DatabaseError) -> str:
    from timeline.store.storage import storage_errors

    try:
        with storage_errors(path):
            raise error
    except TimelineError as refusal:
        return str(refusal)
    except sqlite3.DatabaseError:
        return f"{path}: {error}"


def _not_joined(address: str) -> str:
    """Say how to write to a cluster, whose log is in the file of each node."""
    from importlib.util import find_spec

    if not find_spec("nats"):
        return "a cluster needs an extra: pip install 'timeline-store[cluster]'"
    return f"a cluster is written through a file: timeline cluster join {address} FILE"


def default_database() -> str:
    return "db/timeline.db" if Path("db").is_dir() else "timeline.db"


def _show_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"timeline {version('timeline-store')}")
        except PackageNotFoundError:
            click.echo("timeline, not installed")
        ctx.exit()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "-d",
    "--database",
    metavar="DB",
    envvar="TIMELINE_DB",
    type=click.Path(readable=False),
    help="The timeline's file: $TIMELINE_DB, else db/timeline.db where there is a db/, "
    "else timeline.db.",
)
@click.option("--no-pager", is_flag=True, help="Print long output as it is, on a terminal too.")
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.pass_context
def cli(ctx: click.Context, database: str | None, no_pager: bool) -> None:
    """Keep the timeline of a developing story: who said what, when, and what was believed.

    \b
      timeline init --title "My story"
      timeline append --title "Talks in Odesa" --occurred "15 April 2025"
      timeline serve
    """
    if not gc.isenabled():
        gc.freeze()  # the modules stay until the end: do not search them for garbage
        gc.enable()
    ctx.obj = database or default_database()
    if ctx.obj.startswith(("nats://", "tls://")):
        raise TimelineError(_not_joined(ctx.obj))
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        ctx.color = False
    if ctx.invoked_subcommand in _PAGED and not no_pager and sys.stdout.isatty():
        from timeline.cli.pager import paged

        ctx.with_resource(paged())


def main() -> None:
    """Run the command `timeline`."""
    gc.disable()  # `cli` ends this: modules have no garbage, and to look for it takes a tenth
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that cannot show a character gets its escape, not a traceback.
            stream.reconfigure(errors="backslashreplace")
    if "_TIMELINE_COMPLETE" in os.environ:
        importlib.import_module("timeline.cli.completion")
    cli.main(prog_name="timeline")
