"""Say in words which events were asked for.

Guarantees: the same selection is said in the same words, however its filters are ordered or spelt.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from timeline.errors import InvalidValue
from timeline.formats.log_names import Names
from timeline.model import countries, edtf

_BY_VALUE = (
    *("event_type", "actor", "country", "tag", "source", "place", "area"),
    *("modality", "verification", "state", "precision", "at_risk", "highlight"),
)
"""The filters by value, in the order in which they are said."""


class Condition(NamedTuple):
    """A condition is one thing that was asked for."""

    words: str
    """The condition for people, such as "country: Moldova or Ukraine"."""
    in_name: str
    """The words for it in the name of a file, such as "Moldova Ukraine"."""


def conditions(
    filters: Mapping[str, Any], names: Names, text: str | None = None
) -> list[Condition]:
    """Return what filters and the words of a search ask for, in a fixed order."""
    given = {name: _several(value) for name, value in filters.items() if value is not None}
    found = [*_by_value(given, names), *_by_time(given), *_by_figures(given)]
    return [*found, *([Condition(f"\u201c{text}\u201d", text)] if text else [])]


def sentence(found: Sequence[Condition]) -> str:
    """Return conditions as one text; "" if there are none."""
    return "; ".join(each.words for each in found)


def _several(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list | tuple) else [str(value)]


def _by_value(given: Mapping[str, list[str]], names: Names) -> Iterator[Condition]:
    for field in _BY_VALUE:
        for name in (field, f"not_{field}"):
            said = sorted({_in_words(field, value, names) for value in given.get(name, ())})
            if not said:
                continue
            no = "not " if name != field else ""
            about = "type" if field == "event_type" else field.replace("_", " ")
            if field in ("at_risk", "highlight"):
                is_no = (said == ["no"]) != bool(no)
                yield Condition(*[f"{'not ' if is_no else ''}{about}"] * 2)
            else:
                joint = " and " if given.get(f"{name}_match") == ["all"] else " or "
                yield Condition(f"{no}{about}: {joint.join(said)}", f"{no}{' '.join(said)}")


def _in_words(field: str, value: str, names: Names) -> str:
    with suppress(InvalidValue):
        match field:
            case "country":
                return countries.country_name(countries.country(value))
            case "event_type":
                labels = {label.casefold(): label for label in names.labels.values()}
                return labels.get(value.casefold()) or names.event_type(value)
            case "actor":
                return names.actor(value)
            case "source":
                return names.source(value)
            case "tag":
                return value.lower()
            case "at_risk" | "highlight":
                return "no" if value.lower() in ("no", "false", "0") else "yes"
    return value.replace("_", " ")


def _by_time(given: Mapping[str, list[str]]) -> Iterator[Condition]:
    for name in ("year", "month"):
        for written, words in map(_date, given.get(name, ())):
            yield Condition(f"in {words}", written)
    (since, since_words), (until, until_words) = (
        _date(given.get(name, [""])[0]) for name in ("since", "until")
    )
    if since and since == until:
        yield Condition(since_words, since)
    elif since and until:
        yield Condition(f"{since_words} to {until_words}", f"{since} to {until}")
    elif since:
        yield Condition(f"from {since_words}", f"from {since}")
    elif until:
        yield Condition(f"to {until_words}", f"to {until}")


def _date(text: str) -> tuple[str, str]:
    """Return a date in EDTF and in words; as it is if only the log can read it."""
    try:
        written = edtf.parse(text).edtf if text else ""
    except InvalidValue:
        return text, text
    return written, edtf.phrase(written) if written else ""


def _by_figures(given: Mapping[str, list[str]]) -> Iterator[Condition]:
    for measure in given.get("measure", ()):
        bounds = [
            f"{words} {number}"
            for name, words in (("at_least", "at least"), ("at_most", "at most"))
            for number in given.get(name, ())
        ]
        said = " ".join([*bounds, *given.get("unit", ())])
        yield Condition(f"{measure}: {said or 'any number'}", f"{measure} {said}")
