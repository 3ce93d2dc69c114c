"""Print the cells of one sheet of a workbook as lines of JSON: a program for a process of its own.

`timeline.formats.importers.workbooks` runs it, with the workbook as stdin and the wish as its
argument: JSON with the name of a sheet or null, and the columns that are wanted. A small workbook
may ask for more memory than any machine has (two cells, far from each other), and a process can be
given limits. The first line has the name of the sheet, those of the others and the number of cells
with an error; each further one is a row, and the last one says how it ended. It imports nothing of
this package, so that it starts in a tenth of a second.
"""

import contextlib
import datetime
import io
import json
import resource
import sys
import zipfile
from collections.abc import Sequence, Set
from itertools import islice

import python_calamine as calamine

_MEMORY = 2**30
"""Bytes that the process may take."""
_SECONDS = 120
"""Seconds of the processor that the process may take."""
_FIRST_ROWS = 60
"""Rows in which the header of a sheet is looked for."""
_ERROR = b' t="e"'
"""The mark of a cell with an error in XLSX."""
_CHUNK = 2**20


def main(sheet: str | None, columns: Sequence[str]) -> None:
    """Print a sheet: the wanted one, or the first one that has the columns, or else a table."""
    for limit, most in ((resource.RLIMIT_AS, _MEMORY), (resource.RLIMIT_CPU, _SECONDS)):
        with contextlib.suppress(ValueError, OSError):  # the system has a lower limit, or none
            resource.setrlimit(limit, (most, most))
    try:
        content = io.BytesIO(sys.stdin.buffer.read())
        errors = _errors(content)
        book = calamine.CalamineWorkbook.from_filelike(content)
        metadata = [
            each for each in book.sheets_metadata if each.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        # Hidden sheets are read only if no other one fits.
        metadata.sort(key=lambda each: each.visible != calamine.SheetVisibleEnum.Visible)
        names = [each.name for each in metadata]
        if sheet is not None and sheet not in names:
            _tell({"lacks": sheet, "sheets": names})
            return
        name = sheet if sheet is not None else _chosen(book, names, {*columns})
        _tell({"sheet": name, "others": [each for each in names if each != name], "errors": errors})
        if name is not None:
            for row in book.get_sheet_by_name(name).iter_rows():
                _tell([_text(cell) for cell in row])
    except calamine.PasswordError:
        _tell({"error": "is locked with a password: save it without one"})
    except (calamine.CalamineError, OSError, MemoryError, zipfile.BadZipFile) as error:
        _tell({"error": f"cannot be read as a workbook: {error}"})
    else:
        _tell({"end": True})


def _chosen(book: calamine.CalamineWorkbook, names: Sequence[str], columns: Set[str]) -> str | None:
    """Return the first sheet with the columns; else with two rows of two cells; else of one."""
    filled: dict[str, list[int]] = {}
    for name in names:
        rows = [*islice(book.get_sheet_by_name(name).iter_rows(), _FIRST_ROWS)]
        if columns and any(columns <= {_text(cell).strip() for cell in row} for row in rows):
            return name
        filled[name] = [sum(cell != "" for cell in row) for row in rows]
    for least in (2, 1):
        for name, counts in filled.items():
            if sum(count >= least for count in counts) > 1:
                return name
    return None


def _errors(content: io.BytesIO) -> int:
    """Count the cells with an error in the sheets of XLSX."""
    count = 0
    if zipfile.is_zipfile(content):
        with zipfile.ZipFile(content) as archive:
            for name in archive.namelist():
                if name.startswith("xl/worksheets/sheet"):
                    with archive.open(name) as part:
                        before = b""
                        while piece := part.read(_CHUNK):
                            count += (before + piece).count(_ERROR)
                            before = piece[1 - len(_ERROR) :]
    content.seek(0)
    return count


def _tell(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")


def _text(cell: object) -> str:
    """Return a cell as a publisher would write it in CSV, with dates in ISO 8601."""
    match cell:
        case str():
            return cell
        case bool():
            return "true" if cell else "false"
        case float():
            return _number(cell)
        case datetime.datetime():
            if cell.microsecond:  # a spreadsheet counts in days, which never are whole seconds
                cell = (cell + datetime.timedelta(milliseconds=500)).replace(microsecond=0)
            is_midnight = cell.time() == datetime.time()
            return cell.date().isoformat() if is_midnight else cell.isoformat()
        case datetime.time():
            return cell.isoformat("seconds" if cell.second else "minutes")
        case datetime.timedelta():
            minutes, seconds = divmod(round(cell.total_seconds()), 60)
            hours, minutes = divmod(minutes, 60)
            return f"{hours:02}:{minutes:02}" + (f":{seconds:02}" if seconds else "")
        case _:
            return str(cell)


def _number(value: float) -> str:
    """Return a number with the 15 digits that a spreadsheet shows, and without an exponent."""
    if value.is_integer():
        return f"{value:.0f}"
    short = f"{value:.15g}"
    return f"{float(short):.20f}".rstrip("0") if "e" in short else short


if __name__ == "__main__":
    main(*json.loads(sys.argv[1]))
