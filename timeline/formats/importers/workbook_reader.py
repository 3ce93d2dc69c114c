"""Print the cells of one sheet of a workbook as lines of JSON: a program for a process of its own.

`timeline.formats.importers.workbooks` runs it, with the workbook as stdin and the name of the
sheet, if one is wanted, as the first argument. A small workbook may ask for more memory than any
machine has (two cells, far from each other), and a process can be given limits. The first line has
the name of the sheet and those of the others, each further one a row; the last one says how it
ended. It imports nothing of this package, so that it starts in a tenth of a second.
"""

import datetime
import io
import json
import resource
import sys
from itertools import islice

import python_calamine as calamine

_MEMORY = 2**30
"""Bytes that the process may take."""
_SECONDS = 120
"""Seconds of the processor that the process may take."""
_ROWS_OF_A_TABLE = 2
"""Rows of the smallest table: a header and a row."""


def main(wanted: str | None) -> None:
    """Print a sheet: the wanted one, or the first one that has a header and a row."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    try:
        book = calamine.CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
        metadata = [
            sheet for sheet in book.sheets_metadata if sheet.typ == calamine.SheetTypeEnum.WorkSheet
        ]
        # Hidden sheets are read only if no other one has rows.
        metadata.sort(key=lambda sheet: sheet.visible != calamine.SheetVisibleEnum.Visible)
        names = [sheet.name for sheet in metadata]
        if wanted is not None and wanted not in names:
            _tell({"lacks": wanted, "sheets": names})
            return
        for name in [wanted] if wanted is not None else names:
            sheet = book.get_sheet_by_name(name)
            filled = (row for row in sheet.iter_rows() if any(cell != "" for cell in row))
            if wanted is not None or len([*islice(filled, _ROWS_OF_A_TABLE)]) == _ROWS_OF_A_TABLE:
                _tell({"sheet": name, "others": [other for other in names if other != name]})
                for row in sheet.iter_rows():
                    _tell([_text(cell) for cell in row])
                break
        else:
            _tell({"sheet": None, "others": names})
    except calamine.PasswordError:
        _tell({"error": "is locked with a password: save it without one"})
    except (calamine.CalamineError, OSError, MemoryError) as error:
        _tell({"error": f"cannot be read as a workbook: {error}"})
    else:
        _tell({"end": True})


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
    main(sys.argv[1] if len(sys.argv) > 1 else None)
