"""The format of GDELT events, of which 2.0 has files of 15 minutes and 1.0 files of a day.

A file has no header. It has 61 columns, separated by tabs, which are those of the GDELT Event
Codebook 2.0; in a file of 1.0 there are 58, and 57 before April 2013. Its event codes are those of
CAMEO. They become PLOVER's types by the correspondence in PLOVER's codebook, in which a plain
statement (01) has no type. The country of a place is read from the last part of the place's name,
because GDELT's own country codes of places are FIPS 10-4. The country codes of its actors are
ISO's, except for a few regions.

Knows nothing of the log.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from timeline.errors import InvalidInput
from timeline.formats.importers.decoding import lines, web_page_or_xml
from timeline.formats.imports import Cells, Format, LeftOut, Reading, Row, Tally, Unreadable
from timeline.formats.spelling import NUMBER
from timeline.model import countries, hints

_ACTOR = (
    "Code Name CountryCode KnownGroupCode EthnicCode Religion1Code Religion2Code"
    " Type1Code Type2Code Type3Code"
).split()
_GEO = "Type FullName CountryCode ADM1Code ADM2Code Lat Long FeatureID".split()

COLUMNS = (
    *("GLOBALEVENTID", "SQLDATE", "MonthYear", "Year", "FractionDate"),
    *(f"Actor{number}{name}" for number in (1, 2) for name in _ACTOR),
    *("IsRootEvent", "EventCode", "EventBaseCode", "EventRootCode", "QuadClass"),
    *("GoldsteinScale", "NumMentions", "NumSources", "NumArticles", "AvgTone"),
    *(f"{who}Geo_{name}" for who in ("Actor1", "Actor2", "Action") for name in _GEO),
    *("DATEADDED", "SOURCEURL"),
)
"""The names of the 61 columns, in the order of the file."""

_DAILY = tuple(name for name in COLUMNS if not name.endswith("ADM2Code"))
"""The names of the 58 columns of GDELT 1.0."""
LAYOUTS = {len(names): names for names in (COLUMNS, _DAILY, _DAILY[:-1])}
"""The names of the columns by their number; the oldest files of GDELT 1.0 have no SOURCEURL."""

_NUMBERS = (
    *("FractionDate", "QuadClass", "GoldsteinScale", "NumMentions", "NumSources", "NumArticles"),
    "AvgTone",
    *(f"{who}Geo_{name}" for who in ("Actor1", "Actor2", "Action") for name in ("Lat", "Long")),
)

# PLOVER's event type and mode, by the beginning of a CAMEO code; the longest one that fits counts.
_PLOVER = {
    "02": ("REQUEST", None),
    "03": ("AGREE", None),
    "04": ("CONSULT", None),
    "041": ("CONSULT", "phone"),
    "042": ("CONSULT", "visit"),
    "043": ("CONSULT", "visit"),
    "044": ("CONSULT", "third-party"),
    "045": ("CONSULT", "third-party"),
    "05": ("SUPPORT", None),
    "06": ("COOPERATE", None),
    "07": ("AID", None),
    "08": ("CONCEDE", None),
    "084": ("RETREAT", "return"),
    "0841": ("RETREAT", "release"),
    "085": ("RETREAT", None),
    "086": ("RETREAT", "access"),
    "087": ("RETREAT", None),
    "0871": ("RETREAT", "ceasefire"),
    "0873": ("RETREAT", "disarm"),
    "0874": ("RETREAT", "withdraw"),
    "09": ("ACCUSE", "investigate"),
    "10": ("REQUEST", None),
    "11": ("ACCUSE", None),
    "111": ("ACCUSE", "disapprove"),
    "112": ("ACCUSE", "allege"),
    "115": ("ACCUSE", "allege"),
    "116": ("ACCUSE", "allege"),
    "12": ("REJECT", None),
    "13": ("THREATEN", None),
    "14": ("PROTEST", None),
    "141": ("PROTEST", "demo"),
    "142": ("PROTEST", "hunger"),
    "143": ("PROTEST", "strike"),
    "144": ("PROTEST", "obstruct"),
    "145": ("PROTEST", "riot"),
    "15": ("MOBILIZE", None),
    "151": ("MOBILIZE", "police"),
    "152": ("MOBILIZE", "troops"),
    "153": ("MOBILIZE", "police"),
    "154": ("MOBILIZE", "troops"),
    "16": ("SANCTION", None),
    "17": ("COERCE", None),
    "171": ("COERCE", "seize"),
    "173": ("COERCE", "arrest"),
    "174": ("COERCE", "deport"),
    "18": ("ASSAULT", None),
    "181": ("ASSAULT", "abduct"),
    "1821": ("ASSAULT", "sexual"),
    "1822": ("ASSAULT", "torture"),
    "183": ("ASSAULT", "explosives"),
    "1831": ("ASSAULT", "suicide-attack"),
    "185": ("ASSAULT", "assassinate"),
    "186": ("ASSAULT", "assassinate"),
    "19": ("ASSAULT", None),
    "193": ("ASSAULT", "firearms"),
    "194": ("ASSAULT", "heavy-weapons"),
    "195": ("ASSAULT", "aerial"),
    "20": ("ASSAULT", None),
    "202": ("ASSAULT", "massacre"),
    "203": ("ASSAULT", "cleansing"),
    "204": ("ASSAULT", "unconventional"),
}
_LABELS = {
    "CONSULT": "Consultation", "REQUEST": "Request", "AGREE": "Agreement", "SUPPORT": "Support",
    "COOPERATE": "Cooperation", "AID": "Aid", "CONCEDE": "Concession", "RETREAT": "Retreat",
    "ACCUSE": "Accusation", "REJECT": "Rejection", "THREATEN": "Threat", "PROTEST": "Protest",
    "MOBILIZE": "Mobilization", "SANCTION": "Sanction", "COERCE": "Coercion", "ASSAULT": "Assault",
}  # fmt: skip

# ISO codes by FIPS code, where the last part of a place's name is no country or fits several.
_BY_FIPS = {
    "CF": "COG",
    "CG": "COD",
    "GZ": "PSE",
    "KN": "PRK",
    "KS": "KOR",
    "VI": "VGB",
    "VM": "VNM",
    "VQ": "VIR",
    "WE": "PSE",
}

_COLUMN_OF = {
    "occurred": "SQLDATE",
    "place.lat": "ActionGeo_Lat",
    "place.lon": "ActionGeo_Long",
    "place.name": "ActionGeo_FullName",
    "participants.0.sector": "Actor1Type1Code",
    "participants.1.sector": "Actor2Type1Code",
    "citations.0.source.url": "SOURCEURL",
    "citations.0.source.title": "SOURCEURL",
}

# UCDP's where_prec by ActionGeo_Type (country, US state, US city, world city, world state).
_PRECISION = {"1": 6, "2": 4, "3": 1, "4": 1, "5": 4}


def importer(mapping: Path | None) -> Format:
    """Return the format of GDELT's events. Raises InvalidInput for a mapping: it needs none."""
    if mapping:
        raise InvalidInput("map", "goes with mapped: the columns of gdelt are known")
    return Format(
        scheme="gdelt",
        read=_event_rows,
        identify=_identify,
        event=_event,
        tally=_tally,
        identifying=frozenset(("GLOBALEVENTID",)),
        spellings=dict.fromkeys(_NUMBERS, NUMBER),
        column_of=lambda path: _COLUMN_OF.get(path, path),
    )


def _event_rows(file: IO[bytes]) -> Generator[Row | Unreadable, None, None]:
    """Yield the rows of a file, without the header that some people add.

    Raises InvalidInput if the first line has another number of columns than GDELT's.
    """
    is_first = True
    for line, text in enumerate(lines(file), 1):
        cells = text.rstrip("\r\n").split("\t")
        names = LAYOUTS.get(len(cells))
        if names is None:
            if text.strip():
                if is_first:
                    raise InvalidInput("", _other_file(cells)).at(line=line)
                yield Unreadable(line, "", _wrong_count(cells))
            continue
        if not is_first or cells[0].upper() != COLUMNS[0]:
            yield Row(line, dict(zip(names, cells, strict=True)))
        is_first = False


def _wrong_count(cells: Sequence[str]) -> str:
    count = "1 column" if len(cells) == 1 else f"{len(cells)} columns"
    return f"has {count}, tab-separated; GDELT 2.0 has 61, and GDELT 1.0 has 58"


def _other_file(cells: Sequence[str]) -> str:
    if cells[0].lstrip().startswith("<"):
        return web_page_or_xml(cells[0])
    return f"{_wrong_count(cells)}: `timeline import mapped` reads other tables"


def _identify(cells: Cells) -> str:
    event_id = cells["GLOBALEVENTID"].strip()
    if not event_id.isdecimal():
        raise InvalidInput("GLOBALEVENTID", "must be a number")
    return event_id


def _event(cells: Cells) -> dict[str, Any] | Reading:
    left_out: list[LeftOut] = []
    event_type = mode = reported_at = None
    what = "Event"
    try:
        event_type, mode = _plover(cells["EventCode"].strip())
        what = _LABELS[event_type] if event_type else "Statement"
    except InvalidInput as error:
        left_out.append(LeftOut(error.field, error.problem, cells["EventCode"]))
    try:
        reported_at = _time("DATEADDED", cells["DATEADDED"])
    except InvalidInput as error:
        left_out.append(LeftOut(error.field, error.problem, cells["DATEADDED"]))
    participants = [*_participants(cells)]
    place = _place(cells)
    who = [participant["name"] for participant in participants]
    where = [place[key] for key in ("name", "admin1") if key in place][:1]
    address = cells.get("SOURCEURL", "").strip()
    source = {"url": address} if "://" in address else {"title": address}
    fields = {
        "title": ": ".join(filter(None, (what, ", ".join(who or where)))),
        "event_type": event_type,
        "mode": mode,
        "occurred": _day("SQLDATE", cells["SQLDATE"]),
        "place": place,
        "participants": participants,
        "citations": [{"source": source}] if address else [],
        "reported_at": reported_at,
    }
    return Reading(fields, tuple(left_out)) if left_out else fields


def _plover(code: str) -> tuple[str | None, str | None]:
    for length in (4, 3, 2):
        if len(code) >= length and code[:length] in _PLOVER:
            return _PLOVER[code[:length]]
    if code[:2] == "01":
        return None, None
    raise InvalidInput("EventCode", f"{hints.quoted(code)} is no code of CAMEO")


def _participants(cells: Cells) -> Iterator[dict[str, Any]]:
    for number, role in ((1, "actor"), (2, "recipient")):
        named, code = (cells[f"Actor{number}{part}"].strip() for part in ("Name", "Code"))
        if named or code:
            country = cells[f"Actor{number}CountryCode"].strip()
            yield {
                "name": named.title() or code,
                "role": role,
                "country": countries.known_country(country) if country else None,
                "sector": cells[f"Actor{number}Type1Code"].strip(),
            }


def _place(cells: Cells) -> dict[str, Any]:
    kind, name, fips, lat, lon = (
        cells[f"ActionGeo_{part}"].strip()
        for part in ("Type", "FullName", "CountryCode", "Lat", "Long")
    )
    parts = [part.strip() for part in name.split(",") if part.strip()]
    if not parts:
        return {}
    country = _BY_FIPS.get(fips) or countries.known_country(parts[-1])
    place: dict[str, Any] = {"country": country} if country else {"name": name}
    if country and kind in ("2", "5"):
        place["admin1"] = parts[0]
    elif country and kind in ("3", "4"):
        place["name"] = parts[0]
        if len(parts) > 2:
            place["admin1"] = parts[1]
    if lat and lon:
        place |= {"lat": lat, "lon": lon}
    if country and kind in _PRECISION:
        place["geo_precision"] = _PRECISION[kind]
    return place


def _day(column: str, text: str) -> str:
    digits = text.strip()
    if len(digits) != 8 or not digits.isdecimal():
        raise InvalidInput(column, f"{hints.quoted(text)} is no day: write YYYYMMDD")
    return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}"


def _time(column: str, text: str) -> str:
    digits = text.strip()
    if len(digits) == 8:
        return _day(column, digits)
    if len(digits) != 14 or not digits.isdecimal():
        raise InvalidInput(column, f"{hints.quoted(text)} is no time: write YYYYMMDDHHMMSS")
    day = _day(column, digits[:8])
    return f"{day}T{digits[8:10]}:{digits[10:12]}:{digits[12:]}Z"


def _tally(cells: Cells) -> Tally:
    fips, name = cells["ActionGeo_CountryCode"], cells["ActionGeo_FullName"].rpartition(",")[2]
    country = f"{name.strip()} ({fips})" if fips else ""
    return Tally({}, country, f"{len(cells['SQLDATE'].strip())} digits")
