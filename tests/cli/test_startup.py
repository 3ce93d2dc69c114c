"""What a command loads before it can begin: a short one should not wait for what it never uses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from running import environment

from timeline import Timeline

LOADED = """
import json, sys
from timeline.cli import cli
try:
    cli.main(sys.argv[1:], prog_name="timeline")
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})), file=sys.stderr)
"""

APPEND = ["append", "--title", "T", "--occurred", "2025-04-15"]


def loaded(*arguments: object, cwd: Path) -> set[str]:
    """The top-level packages that a command has imported when it ends."""
    result = subprocess.run(
        [sys.executable, "-c", LOADED, *map(str, arguments)],
        cwd=cwd,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return set(json.loads(result.stderr.splitlines()[-1]))


@pytest.fixture
def path(timeline: Timeline) -> Path:
    timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025-04-15"})
    timeline.record({"event_id": "visit", "title": "Visit", "occurred": "15 April 2025"})
    return timeline.path


@pytest.mark.parametrize(
    "arguments",
    [
        APPEND,
        ["show", "talks"],
        ["history", "talks"],
        ["list"],
        ["list", "--as-of", "#1"],
        ["search", "talks"],
        ["facets"],
        ["export", "csv"],
        ["export", "ics"],
        ["log"],
        ["update", "talks", "--set", "title=T"],
        ["correct", "talks", "--set", "title=T", "--reason", "r"],
        ["retract", "talks", "--reason", "r"],
        ["merge", "talks", "--into", "visit"],
        ["schema"],
        ["about"],
        ["about", "--notice", "N"],
        ["rebuild"],
        ["doctor"],
        ["--help"],
        ["serve", "--help"],
    ],
    ids=" ".join,
)
def test_what_does_not_serve_loads_no_server_and_no_date_grammar(
    arguments: list[str], path: Path
) -> None:
    here = loaded("-d", path, *arguments, cwd=path.parent)
    assert not here & {
        "datasette",
        "uvicorn",
        "jinja2",
        "httpx",
        "sqlite_utils",
        "edtf",
        "pyparsing",
    }
    assert {"timeline", "click"} <= here


@pytest.mark.parametrize(
    "arguments",
    [
        ["show", "talks"],
        ["history", "talks"],
        ["list", "--type", "CONSULT", "--as-of", "#2"],
        ["search", "talks"],
        ["facets"],
        ["changes", "--from", "#1"],
        ["log"],
        ["verify"],
    ],
    ids=" ".join,
)
def test_what_only_reads_loads_no_models(arguments: list[str], path: Path) -> None:
    """The models take as long to load as all that `list` does."""
    here = loaded("-d", path, *arguments, cwd=path.parent)
    assert not here & {"pydantic", "pydantic_core"}


def test_help_loads_no_command_and_no_model(tmp_path: Path) -> None:
    assert not loaded("--help", cwd=tmp_path) & {"pydantic", "zoneinfo"}


def test_append_reads_no_metadata_of_packages(path: Path) -> None:
    """`importlib.metadata`, which imports `email`, takes a tenth of the time of an append."""
    assert "email" not in loaded("-d", path, *APPEND, cwd=path.parent)


def test_plugins_of_models_are_found_if_somebody_wants_them(tmp_path: Path) -> None:
    code = (
        "import os, sys\n"
        "from timeline.cli.no_plugins import find_no_plugins\n"
        "find_no_plugins()\n"
        "assert 'importlib.metadata' not in sys.modules\n"
        "del os.environ['PYDANTIC_DISABLE_PLUGINS']\n"
        "from timeline import Event\n"
        "Event(title='T', occurred='2025')\n"
        "assert sys.modules['importlib.metadata'].version('pydantic')\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=tmp_path)


def test_init_loads_no_server_and_no_date_grammar(tmp_path: Path) -> None:
    here = loaded("-d", tmp_path / "new.db", "init", "--title", "T", cwd=tmp_path)
    assert not here & {"datasette", "uvicorn", "jinja2", "httpx", "edtf", "pyparsing"}


@pytest.mark.parametrize(
    "occurred", ["2025", "15 April 2025", "around April 2025", "2025-04-15T10:00Z", "../2025"]
)
def test_the_dates_of_every_day_load_no_grammar(occurred: str, path: Path) -> None:
    arguments = ["append", "--title", "T", "--occurred", occurred]
    here = loaded("-d", path, *arguments, cwd=path.parent)
    assert not here & {"sqlite_utils", "edtf", "pyparsing"}


def test_the_test_would_notice_what_is_loaded(path: Path) -> None:
    arguments = ["append", "--title", "T", "--occurred", "2025-~04-15"]
    assert "edtf" in loaded("-d", path, *arguments, cwd=path.parent)


def test_what_few_commands_need_is_made_when_it_is_needed(path: Path) -> None:
    """The pattern of figures takes 20 ms, and unusual dates have many patterns."""
    code = (
        "import sys\n"
        "from timeline.cli import cli\n"
        f"cli.main(['-d', {str(path)!r}, 'append', '--title', 'T', '--occurred', '15 April 2025'],"
        " standalone_mode=False)\n"
        f"cli.main(['-d', {str(path)!r}, 'list'], standalone_mode=False)\n"
        "from timeline.model import figures\n"
        "assert figures._figure.cache_info().currsize == 0\n"
        "assert 'timeline.model.edtf_variants' not in sys.modules\n"
        "figures.read('35')\n"
        "assert figures._figure.cache_info().currsize == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=path.parent)
