"""The rules of time zones, and that they come from the package tzdata alone."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from other_zones import with_other_rules
from running import process

from timeline.errors import InvalidValue
from timeline.model import time_zones

PACKAGE = Path(time_zones.__file__).parents[1]


@pytest.mark.parametrize(
    "name",
    ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "a\x00b", "Europe", "leapseconds"],
)
def test_a_zone_that_nobody_knows_is_refused(name: str) -> None:
    with pytest.raises(InvalidValue, match="is not a time zone: write one such as Europe/Kyiv"):
        time_zones.zone(name)
    assert time_zones.known(name) == "UTC"


def test_a_zone_that_is_known_has_the_hash_of_its_file() -> None:
    summer = datetime(2025, 4, 15, tzinfo=time_zones.zone("Europe/Kyiv"))
    assert summer.utcoffset() == timedelta(hours=3)
    assert time_zones.known("Europe/Kyiv") == "Europe/Kyiv"
    file = time_zones.rules_file("Europe/Kyiv")
    assert "tzdata" in file.parts
    hashed = hashlib.sha256(file.read_bytes()).hexdigest()
    assert time_zones.rules_sha256("Europe/Kyiv") == hashed
    assert time_zones.rules_sha256("UTC") == ""


def test_the_zones_of_the_system_are_never_read(tmp_path: Path) -> None:
    env = with_other_rules(tmp_path / "new", Europe__Kyiv="Asia/Tokyo")
    file = tmp_path / "a.db"
    for zone, code in ("Europe/Kyiv", 0), ("Europe/Berlin", 1):
        made = process(
            "-d", file, "init", "--title", "T", "--time-zone", zone, cwd=tmp_path, env=env
        )
        assert made.returncode == code, made.stderr
    assert 'time_zone: "Europe/Berlin" is not a time zone' in made.stderr


def test_no_other_module_reads_zones() -> None:
    for file in PACKAGE.rglob("*.py"):
        if file.name != "time_zones.py":
            assert not re.search(r"zoneinfo|ZoneInfo|\btzdata\.|pytz", file.read_text()), file
