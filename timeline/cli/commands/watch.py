"""Define the command that delivers new entries to a program or a server."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from timeline.cli import output
from timeline.cli.options import Command, filter_options
from timeline.errors import InvalidInput, NotDelivered, Replaced, TimelineError

if TYPE_CHECKING:
    from timeline.watching.delivery import Deliver
    from timeline.watching.watch import Watch

_SECRET = "TIMELINE_WEBHOOK_SECRET"  # noqa: S105 - the name of a variable
_ENDED = 3
"""The exit code of a watch that cannot go on: nobody takes entries, or the log is another one."""


@click.command("watch", cls=Command)
@click.option("--exec", "program", metavar="CMD", help="Run CMD for each entry, without a shell.")
@click.option("--webhook", metavar="URL", help="Send each entry to URL, signed.")
@click.option(
    "--secret-file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help=f"The secret that signs: whsec_ and base64. Default: ${_SECRET}.",
)
@click.option(
    "--from",
    "first",
    metavar="ENTRY",
    help='At the first start, begin with this entry. Default: "now", with the next one.',
)
@click.option("--once", is_flag=True, help="Deliver what is there, and end.")
@click.option("--again", is_flag=True, help="First deliver again what is in doubt.")
@click.option(
    "--cursor",
    "cursor_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Where it keeps how far it is. Default: DB.watch. Each watch needs its own.",
)
@click.option("--url", metavar="URL", help="The address of the site, to name the page of an event.")
@filter_options
@click.pass_obj
def watch_command(
    database: str,
    /,
    program: str | None,
    webhook: str | None,
    secret_file: Path | None,
    first: str | None,
    once: bool,
    again: bool,
    cursor_file: Path | None,
    url: str | None,
    **filters: Any,
) -> None:
    """Tell a program or a server of each new entry, once.

    It delivers entries about events until it is stopped. CMD gets the entry as a line of JSON, and
    takes it by ending with 0. What is not taken is tried again, after ever longer waits. A watch
    that is started again goes on where it was. Events in every state are chosen, unless --state
    names one.
    """
    from timeline.site.public_url import site_url
    from timeline.watching.cursor import locked
    from timeline.watching.watch import Stopped, Watch, cursor_file_of

    if (program is None) == (webhook is None):
        raise click.UsageError("give --exec or --webhook")
    deliver = _program(program, database) if program else _webhook(str(webhook), secret_file)
    beginning = _entry(first)
    stop = threading.Event()
    with locked(cursor_file or cursor_file_of(database)) as cursor, _stopping(stop):
        watch = Watch(
            database,
            filters,
            deliver,
            cursor,
            site=str(site_url(url)) if url else "",
            pause=stop.wait,
            note=output.echo_note,
        )
        try:
            watch.begin(beginning)
            with _summed_up(watch), contextlib.suppress(Stopped):
                if again:
                    watch.again()
                elif doubtful := watch.doubtful:
                    output.echo_note(_in_doubt(doubtful))
                watch.run(once=once)
        except (NotDelivered, Replaced) as error:
            raise _ended(error) from error


def _program(text: str, database: str) -> Deliver:
    from timeline.watching.program import Program, command_of

    return Program(command_of(text), database)


def _webhook(text: str, secret_file: Path | None) -> Deliver:
    from timeline.watching.webhook import Webhook, secret_of, url_of

    url = url_of(text)
    try:
        secret = secret_file.read_text() if secret_file else os.environ.get(_SECRET, "")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise InvalidInput("--secret-file", f"{secret_file} cannot be read: {why}") from None
    if not secret.strip():
        raise InvalidInput(
            "--webhook",
            f"needs a secret, which signs what is sent: put one into ${_SECRET}, or give"
            ' --secret-file; make one by: echo "whsec_$(openssl rand -base64 32)"',
        )
    return Webhook(url, secret_of(secret))


def _entry(text: str | None) -> int | None:
    """Read where a watch begins: the number of an entry, or None for after the newest one."""
    number = (text or "now").removeprefix("#")
    if number == "now":
        return None
    if not number.isascii() or not number.isdigit() or len(number) > 15:
        raise InvalidInput("--from", f'"{text}" is no entry: write a number such as 41, or now')
    return int(number)


@contextlib.contextmanager
def _stopping(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM and Ctrl-C stop a watch after what it delivers; a second time, at once."""

    def stopped(*_: object) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {number: signal.signal(number, stopped) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _in_doubt(doubtful: tuple[int, ...]) -> str:
    named = ", ".join(str(entry) for entry in doubtful)
    which = f"entry {named}" if len(doubtful) == 1 else f"entries {named}"
    return (
        f"{which} may not have arrived when a watch was killed: --again delivers what is in doubt"
    )


@contextlib.contextmanager
def _summed_up(watch: Watch) -> Iterator[None]:
    """Say at the end of a watch, however it ends, what it did."""
    try:
        yield
    finally:
        counts = watch.counts
        said = [f"{counts['taken']:,} delivered"]
        said += [f"{counts['refused']:,} refused"] if counts["refused"] else []
        said += [f"{counts['erased']:,} erased and left out"] if counts["erased"] else []
        output.echo(f"{', '.join(said)}.", err=True)


def _ended(error: TimelineError) -> click.ClickException:
    from timeline.cli import Refusal

    class Ended(Refusal):
        """A refusal has the exit code of a watch that cannot go on."""

        exit_code = _ENDED

    return Ended(str(error))
