"""Find and read the data files of the package: db/ and metadata.json.

Guarantees: the files are found inside an installed package and beside it in a checkout; nothing
is read on import. This module imports no other module of timeline.
"""

import csv
import io
import json
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[1]
"""The folder timeline/ of the package."""


def db_folder() -> Path:
    """Find the folder db/ of SQL and data: inside the installed package, or beside it.

    It is beside the package in a checkout. Raises RuntimeError if it is in neither place: the
    package is broken, not the input.
    """
    inside = _PACKAGE / "db"
    beside = _PACKAGE.parent / "db"
    # A folder db/ without vocabulary/ beside the package belongs to somebody else.
    for folder in (inside, beside):
        if folder.joinpath("vocabulary").is_dir():
            return folder
    raise RuntimeError(f"the data files are missing: no vocabulary in {inside} or {beside}")


def data(name: str) -> str:
    """Read the text of a file in db/vocabulary/."""
    return db_folder().joinpath("vocabulary", name).read_text(encoding="utf-8")


@cache
def table(name: str) -> list[dict[str, str]]:
    """Read the rows of a CSV file in db/vocabulary/, by the names of its columns."""
    return list(csv.DictReader(io.StringIO(data(name))))


def packaged_metadata() -> dict[str, Any]:
    """Read metadata.json: it lies inside the installed package, or beside it in a checkout."""
    inside = _PACKAGE / "metadata.json"
    beside = _PACKAGE.parent / "metadata.json"
    text = (inside if inside.is_file() else beside).read_text(encoding="utf-8")
    metadata: dict[str, Any] = json.loads(text)
    return metadata
