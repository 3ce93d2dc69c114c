"""Filters: this turns what a person asks for into a condition on table `events`.

Guarantees: a filter means the same in `list`, `search`, `facets`, exports and on the site. A
value that cannot be read is refused with the name of the filter and what would be right.

An event matches a filter if it has any of the values that the filter names. Two kinds of filters
change that: `actor_match="all"` asks for all of them, and `not_actor` for none of them.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, get_args

from timeline.errors import InvalidInput, InvalidValue
from timeline.languages.translation import current
from timeline.model import countries, edtf, invisible, names, search_words, units
from timeline.model.choices import Modality, Verification
from timeline.model.figures import is_english
from timeline.model.limits import MAX_NUMBER
from timeline.model.log_clock import occurred_in
from timeline.model.terms import KnownTerm, term
from timeline.projection import tables
from timeline.reading import areas
from timeline.store import log

_VALUES = {
    "event_type": "e.event_type = ?",
    "country": "e.country = ?",
    "actor": "e.event_id IN (SELECT event_id FROM event_actors WHERE actor_id IN"
    " (SELECT value FROM json_each(?)))",
    "tag": "e.event_id IN (SELECT event_id FROM event_tags WHERE tag = ?)",
    "source": "e.event_id IN (SELECT c.event_id FROM citations AS c JOIN sources AS s"
    " USING (source_id) WHERE ? COLLATE NOCASE IN (s.source_id, s.url, s.publisher))",
    "modality": "e.modality = ?",
    "verification": "e.verification = ?",
    "precision": "e.occurred_precision = ?",
    "state": "e.state = ?",
    "at_risk": "e.at_risk = ?",
    "highlight": "e.highlight = ?",
}
"""The filters whose values can be excluded."""

MATCHED = ("actor", "tag", "source")
"""The filters by what an event may have several of; a match asks for any or all of the values."""

_FIGURES = ("measure", "unit", "at_least", "at_most")
"""The filters that choose one figure together."""

_FIGURE = (
    "e.event_id IN (SELECT q.event_id FROM (SELECT ? AS figure) AS asked JOIN event_quantities AS q"
    " ON q.measure = json_extract(figure, '$.measure')"
    " AND q.unit = coalesce(json_extract(figure, '$.unit'), q.unit)"
    " WHERE (json_extract(figure, '$.at_least') IS NULL"
    "   OR max(ifnull(CAST(q.value AS REAL), -1e99), ifnull(CAST(q.low AS REAL), -1e99),"
    "     ifnull(CAST(q.high AS REAL), -1e99)) >= json_extract(figure, '$.at_least')"
    "   OR q.high IS NULL AND (q.value IS NULL OR q.qualifier IN ('more_than', 'at_least')))"
    " AND (json_extract(figure, '$.at_most') IS NULL OR q.value IS NULL AND q.low IS NULL"
    "   OR min(ifnull(CAST(q.value AS REAL), 1e99), ifnull(CAST(q.low AS REAL), 1e99),"
    "     ifnull(CAST(q.high AS REAL), 1e99)) < json_extract(figure, '$.at_most')"
    "   OR (q.qualifier <> 'more_than' OR q.high IS NOT NULL)"
    "     AND json_extract(figure, '$.at_most') IN (CAST(q.value AS REAL), CAST(q.low AS REAL),"
    "       CAST(q.high AS REAL))))"
)
"""SQL for the events with a figure that may be in a range, as `facet_segments.extent_of` says."""

FILTERS = {
    **_VALUES,
    "place": "e.place = ? COLLATE NOCASE",
    "area": areas.SQL,
    "year": "e.year = ?",
    "month": "e.month = ?",
    "since": "(e.occurred_to IS NULL OR e.occurred_to || '~' >= ?)",
    "until": "(e.occurred_from IS NULL OR e.occurred_from <= ? || '~')",
    **dict.fromkeys(_FIGURES, _FIGURE),
    **{f"{name}_match": _VALUES[name] for name in MATCHED},
    **{f"not_{name}": f"({sql}) IS NOT TRUE" for name, sql in _VALUES.items()},
}
"""The filters of `list`, `search`, `facets` and exports, as SQL on events AS e.

A period matches every event that may have occurred in it, and a range every event with a figure
that may be in it. Without `state` only current events match; with state "all" every event does.
"""

_MATCHES = "e.event_key IN (SELECT rowid FROM event_search WHERE event_search MATCH ?)"


FilterValues = dict[str, list[Any]]
"""The values that filters ask for, by name of the filter, as the tables store them."""


def parse_filters(
    parse: Callable[[str, object], object], filters: Mapping[str, Any] | None
) -> FilterValues:
    """Parse the filters a person gave into stored values, by name; leave out those for everything.

    `parse` is `parse_filter` for the tables that are asked. The values of which an event must have
    all are under the name of the match, such as "actor_match", and all that is asked of one figure
    is under "measure". Raises InvalidInput.
    """
    found: FilterValues = {}
    given = {name: _several(value) for name, value in (filters or {}).items()}
    given = {name: values for name, values in given.items() if values}
    for name, several in given.items():
        if name not in FILTERS:
            raise InvalidInput(name, f"is not a filter: known are {', '.join(FILTERS)}")
        try:
            values = [parse(name.removeprefix("not_"), each) for each in several]
        except InvalidValue as error:
            raise InvalidInput(name, error.problem) from None
        if None not in values:
            found[name] = values
        elif name.startswith("not_"):
            raise InvalidInput(name, "leaves no event: write the states to leave out")
    if given.keys().isdisjoint(("state", "not_state")):
        found["state"] = ["current"]
    for name in MATCHED:
        if found.pop(f"{name}_match", None) == ["all"] and name in found:
            found[f"{name}_match"] = found.pop(name)
    if figures := _figures({name: found.pop(name) for name in _FIGURES if name in found}):
        found["measure"] = figures
    return found


def _several(value: object) -> list[object]:
    if isinstance(value, list | tuple):
        return [*value]
    return [] if value is None else [value]


def _figures(asked: FilterValues) -> list[str]:
    """Return what is asked of one figure as JSON, once for each measure and unit."""
    if not asked:
        return []
    if "measure" not in asked:
        raise InvalidInput(next(iter(asked)), "needs a measure beside it, such as killed")
    least, most = min(asked.get("at_least", [None])), max(asked.get("at_most", [None]))
    if least is not None and most is not None and least > most:
        raise InvalidInput("at_most", "is less than at_least: write the larger number here")
    return [
        json.dumps({"measure": measure, "unit": unit, "at_least": least, "at_most": most})
        for measure in asked["measure"]
        for unit in asked.get("unit", [None])
    ]


def condition(
    filters: FilterValues, text: str | None = None, *, leave_out: str | None = None
) -> tuple[str, list[Any]]:
    """Return the condition on events AS e, and its values, without the filter `leave_out`."""
    clauses: list[str] = []
    values: list[Any] = []
    for name, several in filters.items():
        if name != leave_out:
            joined = " OR " if is_any_of(name) else " AND "
            clauses.append(f"({joined.join([FILTERS[name]] * len(several))})")
            values += several
    if text is not None:
        clauses.append(_MATCHES)
        values.append(fts_query(text))
    return " AND ".join(clauses) or "1", values


def is_any_of(name: str) -> bool:
    """Tell whether one of the values of a parsed filter is enough for an event to match."""
    return not name.startswith("not_") and not name.endswith("_match")


_YES_OR_NO = {"yes": 1, "true": 1, "1": 1, "no": 0, "false": 0, "0": 0}
_STATES = ("current", "retracted", "merged", "erased")
_CHOICES: dict[str, tuple[str, ...]] = {
    "modality": get_args(Modality),
    "verification": get_args(Verification),
    "precision": get_args(edtf.Precision),
    "state": (*_STATES, "all"),
    **dict.fromkeys((f"{name}_match" for name in MATCHED), ("any", "all")),
}


def parse_filter(connection: sqlite3.Connection, name: str, value: object) -> object:
    """Parse the value of a filter into the value that the tables store; None matches everything.

    Raises InvalidValue.
    """
    text = str(value).strip()
    if _is_broken(text):
        raise InvalidValue(text, "holds half a character (a lone surrogate)")
    match name:
        case "actor":
            return json.dumps(_actors_called(connection, text))
        case "event_type":
            return _event_type(connection, text)
        case "country":
            return countries.country(text)
        case "area":
            return areas.parse(text).stored
        case "tag":
            return _as_used(connection, _TAGGED, text.lower())
        case "measure":
            return _as_used(connection, _MEASURED, text.lower())
        case "unit":
            return units.unit(text)
        case "at_least" | "at_most":
            return _number(text)
        case "since":
            return date_of(connection, text).occurred_from
        case "until":
            return date_of(connection, text).occurred_to
        case "month":
            month = date_of(connection, text).month
            if month is None:
                raise InvalidValue(text, f'"{text}" is not a month: write one such as 2025-04')
            return month
        case "year":
            if not re.fullmatch(r"-?[0-9]{1,12}", text, re.ASCII):
                raise InvalidValue(text, f'"{text}" is not a year: write one such as 2025')
            return int(text)
        case "at_risk" | "highlight":
            if text.lower() not in _YES_OR_NO:
                raise InvalidValue(text, f'"{text}" is none of yes, no')
            return _YES_OR_NO[text.lower()]
        case _ if name in _CHOICES:
            word = re.sub(r"[\s-]", "_", text.lower())
            if word not in _CHOICES[name]:
                raise InvalidValue(text, f'"{text}" is none of {", ".join(_CHOICES[name])}')
            return None if (name, word) == ("state", "all") else word
        case _:
            return text


def date_of(connection: sqlite3.Connection, text: str) -> edtf.Occurred:
    """Read a date with its bounds; its month may be named as the log or the page names it.

    Raises InvalidValue.
    """
    zone = tables.time_zone(connection)
    try:
        return occurred_in(text, zone)
    except InvalidValue as error:
        problem = error
    of_log = str(log.info(connection).get("language", "en"))
    for language in dict.fromkeys((of_log, current())):
        if is_english(language):
            continue
        from timeline.model import month_names

        if (translated := month_names.in_english(text, language)) is not None:
            try:
                return occurred_in(translated, zone)
            except InvalidValue as error:
                problem = error
    raise problem


_TAGGED = "SELECT 1 FROM event_tags WHERE tag = ? LIMIT 1"
_MEASURED = "SELECT 1 FROM event_quantities WHERE measure = ? LIMIT 1"


def _as_used(connection: sqlite3.Connection, using: str, text: str) -> str:
    """Return a word as events have it: as it was typed, or else in the one form of names.

    `using` is the SQL that finds an event with the word.
    """
    is_used = text.isascii() or connection.execute(using, (text,)).fetchone()
    return text if is_used else invisible.one_form(text)


def _number(text: str) -> float:
    """Read a bound of a range. The figures of events are compared with it as floats."""
    digits = text.replace(",", "") if re.fullmatch(r"-?[0-9]{1,3}(,[0-9]{3})+", text) else text
    if not re.fullmatch(r"-?[0-9]{1,50}(\.[0-9]{1,50})?", digits, re.ASCII):
        raise InvalidValue(text, f'"{text}" is not a number: write one such as 1200 or 0.5')
    if abs(Decimal(digits)) > MAX_NUMBER:
        raise InvalidValue(text, "is too large: at most 1e38")
    return float(digits)


def _actors_called(connection: sqlite3.Connection, text: str) -> list[str]:
    """Return the actors with this id, or else this name, and those that they were merged into."""
    called = connection.execute("SELECT actor_id FROM actors WHERE actor_id = ?", (text,))
    actor_ids = [actor_id for (actor_id,) in called]
    if not actor_ids:
        named = connection.execute(
            "SELECT actor_id FROM actor_names WHERE name_key = ?"
            " UNION SELECT actor_id FROM actors WHERE name = ? COLLATE NOCASE",
            (names.fold(text), text),
        )
        actor_ids = [names.actor_id_of(text), *(actor_id for (actor_id,) in named)]
    chain = connection.execute(
        "WITH RECURSIVE chain (step) AS (SELECT value FROM json_each(?) UNION"
        " SELECT a.merged_into FROM chain JOIN actors AS a ON a.actor_id = chain.step"
        " WHERE a.merged_into IS NOT NULL) SELECT step FROM chain",
        (json.dumps(actor_ids),),
    )
    return [step for (step,) in chain]


def _event_type(connection: sqlite3.Connection, text: str) -> str:
    """Return the code of an event type, from its code or its label."""
    terms = [*map(KnownTerm._make, connection.execute("SELECT code, label FROM event_types"))]
    try:
        return term(text, terms, "event type")
    except InvalidValue:
        # A log without a vocabulary allows any word, and old events may have former codes.
        used = connection.execute("SELECT 1 FROM events WHERE event_type = ? LIMIT 1", (text,))
        if not terms or used.fetchone():
            return text
        raise


def fts_query(text: str) -> str:
    """Return an FTS5 query for what a person typed: all words, of which the last may go on."""
    return " ".join(fts_phrases(text))


def fts_phrases(text: str) -> list[str]:
    """Return the words and phrases of a query as FTS5 takes them, the last word as a prefix.

    Raises InvalidInput for a text without a word, or with half a surrogate pair.
    """
    if _is_broken(text):
        raise InvalidInput("text", "holds half a character (a lone surrogate)")
    phrases = search_words.phrases(text, goes_on=True)
    if not phrases:
        raise InvalidInput("text", "must hold a word to look for")
    return phrases


def _is_broken(text: str) -> bool:
    """Tell whether a text has half of a surrogate pair, which UTF-8 cannot encode."""
    return any("\ud800" <= character <= "\udfff" for character in text)
