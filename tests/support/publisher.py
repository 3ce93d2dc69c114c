"""A made-up publisher, whose files follow one another: what is in them, and how it is written."""

from __future__ import annotations

import csv
import io
import json
import random
from typing import Any

MAPPING = """
scheme = "casualties"
id = "Ref"
numbers = ["Confidence"]

[source]
title = "Casualty list"
publisher = "A publisher"
url = "https://example.org/casualties"

[fields]
title = { text = "{Kind} in {Town}" }
occurred = { column = "Day", date = ["%d %B %Y", "%d.%m.%Y"] }
event_type = { column = "Kind", words = { Strike = "ASSAULT", Talks = "CONSULT" } }
"place.name" = "Town"
"place.country" = "Country"
"quantities.0.measure" = { value = "killed" }
"quantities.0.value" = "Dead"
summary = "Notes"
tags = { column = "Topics", split = ";" }
"""
COLUMNS = ("Ref", "Kind", "Town", "Country", "Day", "Dead", "Notes", "Topics", "Confidence", "Desk")
"""`Confidence` and `Desk` are in no field of an event."""

Row = dict[str, str]
State = dict[str, Row]
"""What a file says, by Ref, each cell in one spelling: days ISO, numbers plain."""

_DAYS = ("{0}-{1}-{2}", "{2}.{1}.{0}", "{3} {4} {0}")
_MONTHS = "January February March April May June July August September October November December"


def made_up_row(maker: random.Random, ref: str) -> Row:
    """A row of all that there can be."""
    dead = maker.choice(("", str(maker.randint(0, 3000))))
    return {
        "Ref": ref,
        "Kind": maker.choice(("Strike", "Talks")),
        "Town": maker.choice(("Sumy", "Odesa", "Kharkiv", "Łódź")),
        "Country": maker.choice(("Ukraine", "Poland", "")),
        "Day": f"2025-{maker.randint(1, 12):02d}-{maker.randint(1, 28):02d}",
        "Dead": dead,
        "Notes": maker.choice(("", "As told by two people.", "«Quoted», with; marks")),
        "Topics": maker.choice(("", "port", "port;talks")),
        "Confidence": f"{maker.randint(0, 99)}.5",
        "Desk": maker.choice(("", "night desk")),
    }


def changed_row(maker: random.Random, row: Row) -> tuple[Row, set[str]]:
    """The row with one cell or several that say something else, and their columns."""
    new = dict(row)
    for column in maker.sample(("Town", "Day", "Dead", "Notes", "Confidence", "Desk"), 2):
        while new[column] == row[column]:
            new[column] = made_up_row(maker, row["Ref"])[column]
    return new, {column for column in COLUMNS if new[column] != row[column]}


def written(state: State, maker: random.Random | None = None, *, as_json: bool = False) -> bytes:
    """The file: plainly or, with a `maker`, in whatever form comes to its mind."""
    columns = list(COLUMNS)
    rows = [dict(row) for row in state.values()]
    if maker:
        maker.shuffle(columns)
        maker.shuffle(rows)
        day = maker.choice(_DAYS)
        for row in rows:
            row["Day"] = _day(row["Day"], day)
            row["Dead"] = _number(maker, row["Dead"])
            row["Confidence"] = maker.choice((row["Confidence"], row["Confidence"] + "0"))
            row["Town"] = maker.choice((row["Town"], f" {row['Town']}  "))
            row["Notes"] = row["Notes"].replace(" ", maker.choice((" ", "  ")))
    if as_json:
        objects: list[dict[str, Any]] = [
            {column: row[column] for column in columns if row[column] or maker is None}
            for row in rows
        ]
        return json.dumps(objects, ensure_ascii=False, indent=maker and 2).encode()
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, columns)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue().encode()


def _day(day: str, form: str) -> str:
    year, month, number = day.split("-")
    name = _MONTHS.split()[int(month) - 1]
    return form.format(year, month, number, int(number), name)


def _number(maker: random.Random, text: str) -> str:
    if not text:
        return text
    return maker.choice((text, f"{text}.0", f"{int(text):,}", f"+{text}"))
