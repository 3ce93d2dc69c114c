"""Define the command that imports a sheet that nobody described: import sheet."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO
from urllib.parse import urlsplit

import click

from timeline.api import Timeline
from timeline.cli import output, sheet_report
from timeline.cli.appending import language_of, naming, settle_clock
from timeline.cli.opening import opened_to_append, writing
from timeline.cli.options import Command, ahead_option, author_option, fork_option, json_option
from timeline.errors import TimelineError
from timeline.formats import prose
from timeline.formats.guessing.mapping_file import with_date_rule
from timeline.formats.mapped.mapping import read_settings
from timeline.intake.any_sheet import problem_sheet
from timeline.intake.any_sheet.first_look import DateHabit
from timeline.intake.any_sheet.reading import OpenSheet, opened_sheet
from timeline.intake.any_sheet.survey import Survey
from timeline.intake.dataset.outcome import DatasetOutcome, DatasetStep, Import
from timeline.intake.dataset.run import run
from timeline.intake.dataset.staging import Reject
from timeline.model import vocabulary
from timeline.model.content import Said, Statement
from timeline.model.log_info import Term
from timeline.model.validation import validate
from timeline.store import atomic, storage

_MAP = ".map.toml"


@click.command("import sheet", cls=Command)
@click.argument("path", metavar="FILE|URL")
@click.option(
    "--map",
    "mapping",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="A file that says which column is which field (TOML). Default: FILE.map.toml.",
)
@click.option("--day-first", is_flag=True, help="4/12/25 is 4 December.")
@click.option("--month-first", is_flag=True, help="4/12/25 is 12 April.")
@click.option(
    "--year", metavar="YEAR", type=click.IntRange(1, 9999), help="The year of dates without one."
)
@click.option("--encoding", metavar="NAME", help="The encoding of the file, such as cp1252.")
@click.option("--skip-bad", is_flag=True, help="Record the rows that can be read; keep the others.")
@click.option("--reported-at", metavar="DAY", help="The day of the sheet.")
@click.option("--dry-run", is_flag=True, help="Print what would be done; write nothing.")
@click.option("--yes", is_flag=True, help="Take the columns and years as they were guessed.")
@ahead_option
@fork_option
@author_option
@json_option
@click.pass_obj
def import_sheet_command(
    database: str,
    /,
    path: str,
    mapping: Path | None,
    day_first: bool,
    month_first: bool,
    year: int | None,
    encoding: str | None,
    skip_bad: bool,
    reported_at: str | None,
    dry_run: bool,
    yes: bool,
    author: str | None,
    as_json: bool,
) -> None:
    """Record the rows of any sheet as events.

    The columns are guessed by their names and their cells, and shown before anything is recorded.
    The guess is kept in FILE.map.toml, which you may change. Columns about your work (Status,
    Notes) and unknown ones are left out: what a log holds is public for ever. Rows that cannot be
    read come back in FILE.problems.csv: mend them there, and import that file. The same sheet
    again records only what is new or changed. - is stdin.
    """
    if day_first and month_first:
        raise click.UsageError("--day-first and --month-first exclude each other")
    said = validate(Said, {"author": author, "reported_at": reported_at})
    habit = DateHabit(day_first if day_first or month_first else None, year)
    where = _map_of(path, mapping)
    with (
        _opened(path) as file,
        opened_to_append(database) as timeline,
        naming(path),
        output.Progress("rows", is_brief=True) as progress,
    ):
        terms = _event_types(timeline)
        settings = read_settings(where) if where.is_file() or mapping else None
        sheet = opened_sheet(file, _name_of(path), settings, terms, language_of(timeline), encoding)
        is_asking = not (yes or dry_run or as_json) and _is_terminal()
        habit = _settle(sheet, habit, is_asking=is_asking)
        dates = _Dates(most=10_000 if dry_run else 0)
        found = sheet.survey(dates.tell, lambda count: progress(count, "read"))
        progress.end()
        if not as_json:
            mended = str(where) if settings is not None else None
            sheet_report.echo_sheet(sheet, found, mended, timeline.info.get("time_zone", "UTC"))
        if not dry_run:
            _decide(sheet, found, where, habit, yes=yes, skip_bad=skip_bad, is_asking=is_asking)
        outcome = DatasetOutcome()
        steps: list[DatasetStep] = []
        if found.good:
            if not dry_run:
                with writing(database):
                    pass  # an erasure that was pending is finished now
                settle_clock(timeline)
            tell = _told(steps, dates, dry_run=dry_run, as_json=as_json)
            with contextlib.closing(storage.connect(database)) as connection:
                staging, outcome = run(
                    connection,
                    functools.partial(timeline.append, dry_run=dry_run),
                    sheet.good_rows(found),
                    file,
                    Import(said, dry_run=dry_run),
                    tell=tell,
                    progress=lambda part, count, total: progress(count, part, total),
                )
                progress.end()
                found.refuse((each.number, _reason(each)) for each in staging.rejects())
        kept = None if dry_run or not sheet.is_changed else _keep(sheet, where)
        problems = None if dry_run or not found.bad else _write_problems(sheet, path, found)
    _print(sheet, found, outcome, steps, kept, problems, dry_run=dry_run, as_json=as_json)
    for option in _settling(sheet) if dry_run and not as_json else ():
        output.echo_note(option)
    if not found.good:
        raise TimelineError("no row can be read: nothing was recorded")


# --- Files --------------------------------------------------------------------------------


@contextlib.contextmanager
def _opened(path: str) -> Iterator[IO[bytes]]:
    """Open a file, an address or stdin so that it can be read more than once."""
    try:
        if path.startswith(("http://", "https://")):
            from timeline.intake.shared_sheets import fetch_sheet

            with tempfile.TemporaryFile() as held:
                held.write(fetch_sheet(path))
                yield held
        elif path == "-":
            with tempfile.TemporaryFile() as held:
                shutil.copyfileobj(sys.stdin.buffer, held)
                yield held
        else:
            with Path(path).open("rb") as file:
                yield file
    except BrokenPipeError:
        raise  # It is the output that nobody reads any more.
    except OSError as error:
        raise TimelineError(f"{path}: cannot be read: {error.strerror or error}") from None


def _name_of(path: str) -> str:
    """Return the name of a sheet, by which its mapping and its sheet of problems are called."""
    if path == "-":
        return "sheet"
    if path.startswith(("http://", "https://")):
        parts = urlsplit(path)
        if parts.hostname == "docs.google.com":
            long = [part for part in parts.path.split("/") if len(part) > 20]
            return f"google-{long[0][:12]}" if long else "google"
        return PurePosixPath(parts.path).name or str(parts.hostname)
    return Path(path).name


def _folder(path: str) -> Path:
    """Return the folder for what belongs to a sheet: its own, or else this one."""
    beside = Path(path).parent if Path(path).is_file() else Path()
    return beside if os.access(beside, os.W_OK) else Path()


def _map_of(path: str, mapping: Path | None) -> Path:
    """Return the mapping file of a sheet; a sheet of problems has that of its first sheet."""
    if mapping is not None:
        return mapping
    name = f"{_name_of(path).removesuffix(problem_sheet.ENDING)}{_MAP}"
    beside = Path(path).parent / name
    return beside if beside.is_file() else _folder(path) / name


def _keep(sheet: OpenSheet, where: Path) -> str:
    """Keep the mapping of a sheet in a file, and return its name.

    Of a file that is there only the rule for the date is changed: a person may have mended it.
    """
    try:
        text = sheet.toml
        if not sheet.is_guessed:
            text = with_date_rule(where.read_text(encoding="utf-8-sig"), sheet.said)
        with atomic.replacing(str(where)) as file:
            file.write(text.encode())
    except OSError as error:
        raise TimelineError(f"{where}: cannot be written: {error.strerror}") from None
    return str(where)


def _write_problems(sheet: OpenSheet, path: str, found: Survey) -> str:
    """Write the rows that cannot be read into a sheet of their own, and return its name."""
    name = _name_of(path).removesuffix(problem_sheet.ENDING)
    where = str(_folder(path) / f"{name}{problem_sheet.ENDING}")
    try:
        with atomic.replacing(where) as into:
            sheet.write_bad_rows(found, into)
    except OSError as error:
        raise TimelineError(f"{where}: cannot be written: {error.strerror}") from None
    return where


# --- Questions ----------------------------------------------------------------------------


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _settle(sheet: OpenSheet, habit: DateHabit, *, is_asking: bool) -> DateHabit:
    """Settle the dates of a sheet; ask for the order of day and month if nothing settles it.

    Returns what a person said of the dates.
    """
    sheet.settle(habit)
    if is_asking and sheet.dates and sheet.dates.in_doubt and habit.day_first is None:
        doubt = sheet.dates.in_doubt[0]
        first, second = (prose.date(reading) for reading in doubt.readings[:2])
        question = f'No date settles "{doubt.cell}": is it {first}, and not {second}?'
        is_first = click.confirm(output.hanging(question, 0), err=True)
        habit = habit._replace(day_first=is_first)
        sheet.settle(habit)
    if is_asking and sheet.dates and any(not each.readings for each in sheet.dates.without_year):
        example = sheet.dates.without_year[0].cell
        question = f'No row says the year of "{example}": which year is it?'
        year = click.prompt(output.hanging(question, 0), type=click.IntRange(1, 9999), err=True)
        habit = habit._replace(year=year)
        sheet.settle(habit)
    return habit


def _decide(
    sheet: OpenSheet,
    found: Survey,
    where: Path,
    habit: DateHabit,
    *,
    yes: bool,
    skip_bad: bool,
    is_asking: bool,
) -> None:
    """Raise TimelineError unless a person takes the guess, and that bad rows stay behind."""
    taken = "these columns" if sheet.is_guessed else ""
    if sheet.dates and sheet.dates.without_year and habit.year is None and sheet.is_guessed:
        year = sheet.dates.year
        of = f" of {year}" if year else ""
        taken += f", and the year{of} for {_row_count(len(sheet.dates.without_year))} without one"
    if taken and not yes and is_asking:
        output.echo(err=True)
        if not click.confirm(output.hanging(f"Take {taken}?", 0), default=True, err=True):
            kept = _keep(sheet, where)
            raise TimelineError(f"nothing was recorded: change {kept}, and import the sheet again")
        taken = ""
    bad = found.bad
    if bad and found.good and not skip_bad and is_asking:
        output.echo(err=True)
        question = f"Record the {_row_count(found.good)} that can be read?"
        skip_bad = click.confirm(output.hanging(question, 0), default=True, err=True)
        if not skip_bad:
            raise TimelineError("nothing was recorded")
    needed = [f"--yes takes {taken}"] if taken and not yes else []
    needed += _settling(sheet)
    if bad and found.good and not skip_bad:
        needed.append(f"--skip-bad records the {_row_count(found.good)} that can be read")
    if needed:
        raise TimelineError(f"nothing was recorded: {'; '.join(needed)}")


def _settling(sheet: OpenSheet) -> Iterator[str]:
    """Yield the options that settle the dates that are in doubt."""
    if sheet.dates is None:
        return
    if count := len(sheet.dates.in_doubt):
        yield f"--day-first or --month-first settles {_count(count)} in doubt"
    if count := sum(not each.readings for each in sheet.dates.without_year):
        yield f"--year YEAR gives the year of {_count(count)} without one"


def _count(dates: int) -> str:
    return "1 date" if dates == 1 else f"{dates:,} dates"


# --- The result ---------------------------------------------------------------------------


class _Dates:
    """Keeps the dates of the first rows in words, by the id of the row, for a dry run."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: dict[str, str] = {}

    def tell(self, statement: Statement) -> None:
        if len(self._of) < self._most:
            when = prose.occurred(statement.content())
            self._of.update(dict.fromkeys(statement.external_ids, when))

    def of(self, external_id: str) -> str:
        return self._of.get(external_id, "")


def _told(
    steps: list[DatasetStep], dates: _Dates, *, dry_run: bool, as_json: bool
) -> Callable[[DatasetStep], object]:
    """Return what to do with each step: a dry run prints it, or keeps it for JSON."""
    if not dry_run:
        return lambda step: None
    if as_json:
        return steps.append

    def echo(step: DatasetStep) -> None:
        if not steps:
            output.echo()
            steps.append(step)
        date = dates.of(step.external_id)
        when = f", {date}" if date else ""
        changed = f" ({', '.join(step.columns)})" if step.columns else ""
        output.echo(output.hanging(f'Would {step.verb} "{step.title}"{when}{changed}.', 0))

    return echo


def _reason(reject: Reject) -> str:
    """Say why the log refused a row."""
    return f"{reject.field}: {reject.reason}" if reject.field else reject.reason


def _print(
    sheet: OpenSheet,
    found: Survey,
    outcome: DatasetOutcome,
    steps: list[DatasetStep],
    kept: str | None,
    problems: str | None,
    *,
    dry_run: bool,
    as_json: bool,
) -> None:
    counts = {name: outcome.counts[name] for name in ("recorded", "updated", "unchanged")}
    counts["repeated"] = found.good - sum(counts.values())
    if as_json:
        files = {"mapping_file": kept, "problems_file": problems}
        said = [{**step._asdict(), "columns": [*step.columns]} for step in steps]
        output.dump({**sheet_report.fields(sheet, found), **counts, **files, "steps": said})
        return
    sheet_report.echo_refused(found)
    output.echo()
    listed = ", ".join(f"{count:,} {name}" for name, count in counts.items() if count)
    bad = f", {found.bad:,} put aside" if found.bad else ""
    end = " Nothing was recorded: a dry run." if dry_run else ""
    output.echo(f"{_row_count(found.rows)}: {listed or 'none recorded'}{bad}.{end}")
    if kept:
        output.echo(output.hanging(f"{kept} keeps how the columns are read.", 0))
    if problems:
        output.echo(
            output.hanging(
                f"{problems} has the {_row_count(found.bad)} put aside: mend them there, then"
                f" timeline import sheet {problems}",
                0,
            )
        )
    for note in outcome.notes:
        output.echo_note(note)
    if outcome.more_notes:
        output.echo_note(f"and {outcome.more_notes:,} more such notes")


def _row_count(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _event_types(timeline: Timeline) -> tuple[Term, ...]:
    return vocabulary.stored_terms(timeline.info.get("vocabulary", {}).get("event_types", ()))
