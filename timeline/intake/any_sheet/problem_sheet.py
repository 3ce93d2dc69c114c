"""Write the rows of a sheet that cannot be read as a sheet of their own, with what is wrong.

Guarantees: the sheet has all columns of the first one, as they were written, and a column `problem`
at the end; once mended, it can be imported in place of the first one.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterable, Sequence
from typing import IO

from timeline.formats.imports import Cells
from timeline.intake.any_sheet.first_look import PROBLEM

ENDING = ".problems.csv"
"""What stands behind the name of a sheet in the name of its sheet of problems."""


def write(rows: Iterable[tuple[Cells, str]], columns: Sequence[str], into: IO[bytes]) -> None:
    """Write rows, each with what is wrong with it, under the columns of their sheet.

    Spreadsheets know by a byte order mark that the file is UTF-8.
    """
    into.write(codecs.BOM_UTF8)
    writer = csv.writer(codecs.getwriter("utf-8")(into))
    kept = [name for name in columns if name != PROBLEM]
    writer.writerow([*kept, PROBLEM])
    for cells, problem in rows:
        writer.writerow([*(cells.get(name, "") for name in kept), problem])
