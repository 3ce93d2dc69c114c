#!/usr/bin/env python3
"""Compare the installed packages with an index of known vulnerabilities.

Exits with 1 if one is known.
Asks PyPI, then OSV, by pip-audit. If neither can be reached, or none knows the packages (a mirror
of PyPI has no vulnerabilities), it says so in one line and exits with 0: the network of a machine
is no fault of this package. Options, if any, go to pip-audit in place of those that choose PyPI
and OSV.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

INDEXES = (["-s", "pypi"], ["-s", "osv"])
SECONDS = 300
"""Seconds that one index may take; it answers 100 packages in about ten."""


def main(options: list[str]) -> int:
    """Print what is known of the installed packages, and return the exit code."""
    installed = subprocess.run(
        [sys.executable, "-m", "pip", "freeze", "--exclude-editable"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    pinned = "".join(line for line in installed.splitlines(keepends=True) if "==" in line)
    for index in [options] if options else INDEXES:
        if known := answer(pinned, index):
            return report(known)
    print("Not checked for known vulnerabilities: no index of them can be reached.")
    return 0


def answer(pinned: str, index: list[str]) -> list[dict[str, Any]]:
    """Return the packages that an index knows, as pip-audit writes them; [] without an answer."""
    with tempfile.TemporaryDirectory() as folder:
        requirements, found = Path(folder, "requirements.txt"), Path(folder, "found.json")
        requirements.write_text(pinned, encoding="utf-8")
        command = [
            *(sys.executable, "-m", "pip_audit", "--disable-pip", "--no-deps", *index),
            *("--progress-spinner", "off", "-r", str(requirements), "-f", "json", "-o", str(found)),
        ]
        with contextlib.suppress(subprocess.TimeoutExpired):
            subprocess.run(command, check=False, capture_output=True, timeout=SECONDS)
        if not found.exists():  # after any error, pip-audit writes nothing
            return []
        packages = json.loads(found.read_text(encoding="utf-8"))["dependencies"]
        return [package for package in packages if "vulns" in package]


def report(known: list[dict[str, Any]]) -> int:
    """Print each vulnerability in one line, and return 1 if there is any."""
    count = 0
    for package in known:
        for vulnerability in package["vulns"]:
            count += 1
            fixed = ", ".join(vulnerability["fix_versions"]) or "no version yet"
            said = f"{package['name']} {package['version']}: {vulnerability['id']}"
            print(f"{said}, fixed in {fixed}")
    many = "1 known vulnerability" if count == 1 else f"{count or 'no'} known vulnerabilities"
    print(f"{len(known)} packages checked: {many}.")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
