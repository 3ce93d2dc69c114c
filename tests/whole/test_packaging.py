"""The wheel: everything that the package needs, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from running import CHECKOUT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(CHECKOUT)],
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return built


def _in_the_checkout() -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "timeline", "db"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\n")
    names = {name for name in listed if name and (CHECKOUT / name).is_file()}
    return {f"timeline/{name}" if name.startswith("db/") else name for name in names}


def test_the_wheel_holds_the_package_the_db_folder_and_the_metadata(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert packed == _in_the_checkout() | {"timeline/metadata.json"}
    assert "timeline/py.typed" in packed


def test_the_wheel_has_the_command_the_plugin_and_the_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        (entry_points,) = (n for n in names if n.endswith("entry_points.txt"))
        text = archive.read(entry_points).decode()
    assert "timeline = timeline.cli:main" in text
    assert "[datasette]\ntimeline = timeline.site" in text
    assert any(name.endswith("licenses/LICENSE") for name in names)
