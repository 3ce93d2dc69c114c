"""A package `tzdata` with other rules, for a process that meets another year's."""

from __future__ import annotations

from pathlib import Path

from running import environment

from timeline.model import time_zones


def with_other_rules(folder: Path, **rules: str) -> dict[str, str]:
    """The environment of a process whose `tzdata` has these zones alone, each with the rules of
    another: `Europe__Kyiv="Europe/Berlin"`."""
    package = folder / "tzdata"
    (package / "zoneinfo").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    for name, other in rules.items():
        file = package / "zoneinfo" / name.replace("__", "/")
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(time_zones.rules_file(other).read_bytes())
    known = environment()
    return {**known, "PYTHONPATH": f"{folder}:{known['PYTHONPATH']}"}
