"""The check of known vulnerabilities: one fails it, and an index that is not there does not."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from running import CHECKOUT, environment
from serving import free_port

UNBOUNDED = {"cryptography", "tzdata"}
"""The packages without an upper bound, for the reasons that CONTRIBUTING.md gives."""


def audit(*options: str, env: Mapping[str, str] | None = None) -> tuple[int, str]:
    """The exit code of the check, and what it prints."""
    result = subprocess.run(
        [sys.executable, CHECKOUT / ".ci" / "audit.py", *options],
        env=env or environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.stderr == ""
    return result.returncode, result.stdout


@pytest.fixture
def known() -> dict[str, list[dict[str, Any]]]:
    """The vulnerabilities that the index knows, by package."""
    return {}


@pytest.fixture
def index(known: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """The address of an index that speaks as OSV does."""

    class Index(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found = known.get(asked["package"]["name"])
            body = json.dumps({"vulns": found} if found else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Index)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_nothing_that_is_known_is_said_in_a_line(index: str) -> None:
    code, said = audit("-s", "osv", "--osv-url", index)
    assert code == 0
    assert said.endswith(" packages checked: no known vulnerabilities.\n")
    assert int(said.split()[0]) > 20
    assert said.count("\n") == 1


def test_a_vulnerability_of_a_package_fails(
    index: str, known: dict[str, list[dict[str, Any]]]
) -> None:
    ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "99.1"}]}]
    affected = [{"package": {"name": "click", "ecosystem": "PyPI"}, "ranges": ranges}]
    known["click"] = [{"id": "PYSEC-0000-1", "summary": "A made-up one", "affected": affected}]
    code, said = audit("-s", "osv", "--osv-url", index)
    assert code == 1
    first, last = said.splitlines()
    assert first.startswith("click 8.")
    assert first.endswith(": PYSEC-0000-1, fixed in 99.1")
    assert last.endswith(" packages checked: 1 known vulnerability.")


def test_an_index_that_cannot_be_reached_is_said_in_a_line_and_fails_nothing() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    said = "Not checked for known vulnerabilities: no index of them can be reached.\n"
    assert audit("-s", "osv", "--osv-url", nobody) == (0, said)
    assert audit(env=environment(https_proxy=nobody, HTTPS_PROXY=nobody)) == (0, said)


def test_every_dependency_has_an_upper_bound_but_those_with_a_reason() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    named = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    for extra in project["project"]["optional-dependencies"].values():
        named += [each for each in extra if not each.startswith("timeline-store")]
    unbounded = {each.partition(">=")[0] for each in named if "," not in each or "<" not in each}
    assert unbounded == UNBOUNDED
