"""Functions that put the parts of an event into words, in the current language.

Guarantees: the terminal and the site use the same wording; the terminal always speaks English.
Everything returned is plain text; whoever shows it must escape it. Nothing here writes or prints.

Knows no log: `log_names` reads what an id or a code of a log means.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from timeline.formats.labels import country_name, label
from timeline.formats.local_dates import city_of, clock_words, date_words, weekday_name
from timeline.formats.local_figures import local_amount
from timeline.languages import translation
from timeline.languages.translation import current, gettext, ngettext, pgettext
from timeline.model import edtf as dates
from timeline.model import log_clock
from timeline.model.figures import is_english, plain_number, written
from timeline.model.plurals import plural

Fields = Mapping[str, Any]
"""The fields of an event, or of one of its parts, by name."""

DEFAULTS = {
    "modality": "actual",
    "verification": "reported",
    "role": "actor",
    "stance": "asserts",
}
"""The values that hold for fields that a content leaves out, by field."""


def date(edtf: str | None) -> str:
    """Return a date in words, "15 April 2025" for 2025-04-15; "" for None or ""."""
    return date_words(edtf) if edtf else ""


def date_with_weekday(edtf: str | None) -> str:
    """Return a date in English words, a day with its weekday: "Tuesday 15 April 2025"."""
    words = date(edtf)
    when = dates.parse(edtf) if edtf else None
    if when is None or not when.occurred_from or when.precision not in _WITHIN_A_DAY:
        return words
    year, month, day, *_ = dates.numbers(when.occurred_from)
    if not 1 <= year <= 9999:
        return words
    return f"{weekday_name(datetime.date(year, month, day).weekday())} {words}"


_WITHIN_A_DAY = ("day", "hour", "minute", "second")
"""The precisions of a date that has one weekday."""


def occurred(event: Fields) -> str:
    """Return when an event happened, in words; "" if it was erased.

    What is ongoing goes on "since 15 April 2025"; anything else was "15 April 2025 or later".
    """
    edtf = event.get("occurred")
    return date_words(edtf, ongoing=event.get("modality") == "ongoing") if edtf else ""


def when(event: Fields) -> str:
    """Return when an event happened, by the clock of its log, and as written if that differs.

    For example "15 April 2025, 03:00 (14 April 2025, 20:00 -04:00)". Without the bounds of the
    event it is as written.
    """
    written = occurred(event)
    here = written and log_clock.local(
        event["occurred"], event.get("occurred_from"), event.get("occurred_to")
    )
    return f"{occurred({**event, 'occurred': here})} ({written})" if here else written


def place_name(name: str | None, country: str | None) -> str:
    """Return the name and the country, "Odesa, Ukraine"; either may be missing."""
    names = [name, country_name(country) if country else None]
    return listed(*dict.fromkeys(names))


def local_instant(text: str, time_zone: str) -> str:
    """Return a recording time in words, by the clock of a time zone: "15 April 2025, 13:15"."""
    return date(_by_clock(text, time_zone)) if text else ""


def local_time(text: str, time_zone: str) -> str:
    """Return the time of day of a recording time by the clock of a time zone: "13:15"."""
    return clock_words(_by_clock(text, time_zone).partition("T")[2])


def local_day(text: str, time_zone: str) -> str:
    """Return the day of a recording time by the clock of a time zone: "2025-04-15"."""
    return _by_clock(text, time_zone).partition("T")[0]


def _by_clock(text: str, time_zone: str) -> str:
    return str(log_clock.occurred_in(f"{text[:16]}Z", time_zone).occurred_from)[:-3]


def clock_name(time_zone: str) -> str:
    """Return what people call the clock of a time zone: "Kyiv time" for Europe/Kyiv, "UTC"."""
    if time_zone.rpartition("/")[0] in ("", "Etc"):
        return time_zone
    return gettext("{city} time").format(city=city_of(time_zone))


def instant(text: str, time_zone: str = "UTC") -> str:
    """Return a recording time in words, with its clock: "15 April 2025, 10:15 UTC"."""
    if not text:
        return ""
    time, clock = local_instant(text, time_zone), clock_name(time_zone)
    return gettext("{time} {clock}").format(time=time, clock=clock)


def listed(*parts: str | None) -> str:
    """Return the parts that there are, one after the other: "Odesa, Ukraine"."""
    return pgettext("between the parts of a list", ", ").join(part for part in parts if part)


def title(event: Fields) -> str:
    """Return the title of an event, or "(erased)" if it was erased from the log."""
    return event.get("title") or gettext("(erased)")


def erased(erasure: Fields | None, what: str = "") -> str:
    """Return the sentence that tells when and why an entry was erased.

    For example "what it said was erased from the log (entry 7, 15 April 2025, 10:15 UTC): A court
    order". `erasure` is the row that `reading.entries.erasure_of` returned; with None the sentence
    tells neither when nor why. `what` is the subject of the sentence, "what it said" without it.
    """
    what = what or gettext("what it said")
    if erasure is None:
        return gettext("{what} was erased from the log").format(what=what)
    when, reason = instant(erasure["recorded_at"]), erasure["reason"]
    text = gettext("{what} was erased from the log (entry {entry}, {when}): {reason}")
    if not reason:
        text = gettext(
            "{what} was erased from the log (entry {entry}, {when}), and then the reason too"
        )
    return text.format(what=what, entry=erasure["seq"], when=when, reason=reason)


def facts(event: Fields, labels: Mapping[str, str]) -> str:
    """Return the main facts: "15 April 2025 - Consultation - Odesa, Ukraine - corroborated"."""
    return " - ".join(main_facts(event, labels))


def main_facts(event: Fields, labels: Mapping[str, str]) -> list[str]:
    """Return the main facts: date, type, place, modality, verification, state.

    Modality and verification are left out if they have the default value. A state other than
    current comes last, in capitals. `labels` are those of event types, by code.
    """
    known = [
        when(event),
        labels.get(event.get("event_type", ""), event.get("event_type", "")),
        place(event.get("place", {})),
        *(
            label(field, event[field])
            for field in ("modality", "verification")
            if event.get(field, DEFAULTS[field]) != DEFAULTS[field]
        ),
        label("state", event["state"]).upper() if event["state"] != "current" else "",
    ]
    return [fact for fact in known if fact]


def at_risk(withdrawn: Sequence[Fields]) -> str:
    """Return the warning that every source of an event was withdrawn; "" without sources.

    `withdrawn` are those sources, with title and reason. For example "at risk: all that it rests
    on was withdrawn: A report (made up)".
    """
    named = [
        f"{source['title']} ({source['reason'] or gettext('the reason was erased')})"
        for source in withdrawn[:_FEW]
    ]
    if left := len(withdrawn[_FEW:]):
        more = ngettext("{number} more", "{number} more", left)
        named.append(more.format(number=translation.number(left)))
    text = gettext("at risk: all that it rests on was withdrawn: {sources}")
    return text.format(sources="; ".join(named)) if named else ""


_FEW = 5
"""The number of withdrawn sources that are named; the others are counted."""


def place(place: Fields) -> str:
    """Return the name of a place, else its region, and its country: "Odesa, Ukraine"."""
    return place_name(place.get("name") or place.get("admin1"), place.get("country"))


def coordinates(place: Fields) -> str:
    """Return latitude and longitude, "46.48, 30.73"; "" without coordinates."""
    return ", ".join(filter(None, (place.get("lat"), place.get("lon"))))


def participant(participant: Fields) -> str:
    """Return name and capacity, without the role: "Mark Rutte - Secretary General, NATO"."""
    return " - ".join(filter(None, (participant["name"], capacity(participant))))


def office_of(office: str | None, organisation: str | None) -> str | None:
    """Return the office and its organisation, which an office may name already.

    For example "Secretary General, NATO", or "Secretary General of NATO" without "NATO" again.
    """
    if (
        office
        and organisation
        and re.search(rf"(?<!\w){re.escape(organisation)}(?!\w)", office, re.I)
    ):
        return office
    return ", ".join(filter(None, (office, organisation))) or None


def capacity(participant: Fields) -> str:
    """Return the office held then, the organisation, and the name used in the source.

    For example 'Secretary General, NATO, named "Rutte"'.
    """
    as_named = participant.get("as_named")
    return listed(
        office_of(participant.get("office"), participant.get("organisation")),
        gettext('named "{name}"').format(name=as_named) if as_named else None,
    )


def role(participant: Fields) -> str:
    """Return the role of a participant, such as "host"."""
    return label("role", participant.get("role", DEFAULTS["role"]))


def stance(claim: Fields) -> str:
    """Return the stance of a claim, such as "disputes"."""
    return label("stance", claim.get("stance", DEFAULTS["stance"]))


def figures(quantities: Sequence[Fields], language: str) -> list[list[str]]:
    """Return a table of figures, one row each: number, measure, amount, and who says so.

    The number counts from 1; it is the one that `--replace` takes. `language` is that of the log.
    """
    return [
        [str(number), figure["measure"], amount(figure, language), said(figure)]
        for number, figure in enumerate(quantities, 1)
    ]


def amount(figure: Fields, language: str = "en") -> str:
    """Return the amount with its unit: "more than 20,000,000,000 EUR", "12 service members".

    The killed and the injured are people, so they have no unit. `language` is that of the log.
    """
    if current() != "en":
        return local_amount(figure)
    in_plural = plural if is_english(language) else str
    return written(figure, _SIGNS, lambda text: number(text, language), in_plural)


_NARROW_BLANK = "\N{NARROW NO-BREAK SPACE}"


_SIGNS = {"exact": "", "more_than": "more than ", "at_least": "at least ", "about": "about "}
"""The words before a number, by the qualifier of its figure."""


def number(text: str, language: str = "en") -> str:
    """Return a stored number with commas between its thousands, from 10,000 on.

    In a log of another language, a comma may stand before decimals: there it is a narrow blank.
    Pages that are not in English have the number as their language writes it.
    """
    if current() != "en":
        return translation.number(Decimal(text))
    text = plain_number(text)
    whole, point, rest = text.partition(".")
    digits = whole.lstrip("-")
    if len(digits) <= 4 or not digits.isdecimal():
        return text
    grouped = f"{int(whole):,}"
    comma = "," if is_english(language) else _NARROW_BLANK
    return f"{grouped.replace(',', comma)}{point}{rest}"


def said(figure: Fields) -> str:
    """Return who gives a figure, and for which day: "Mayor of Sumy, 13 April 2025"."""
    return listed(figure.get("reported_by"), date(figure.get("dated")))


def figure_said_back(figure: Fields, language: str = "en") -> str:
    """Return a figure as a receipt says it: "killed: 20 to 40, said by CNN, 15 April 2025"."""
    speaker = f"said by {figure['reported_by']}" if "reported_by" in figure else None
    return listed(
        f"{figure['measure']}: {amount(figure, language)}", speaker, date(figure.get("dated"))
    )


def figure_of_row(row: Fields) -> dict[str, Any]:
    """Return a figure as events have it, from its row of `event_quantities`."""
    numbers = {key: str(row[key]) for key in ("value", "low", "high") if row[key] is not None}
    return {**numbers, **{key: row[key] for key in ("measure", "unit", "qualifier")}}


def figure(figure: Fields, language: str = "en") -> str:
    """Return measure, amount and origin of a figure: "killed 34, Mayor of Sumy, 13 April 2025"."""
    measure = label("measure", figure["measure"])
    return listed(f"{measure} {amount(figure, language)}", said(figure))


def claim(claim: Fields) -> str:
    """Return speaker and statement, without the stance: "Moscow: no progress"."""
    return ": ".join(claim[field] for field in ("speaker", "statement") if field in claim)


def medium_kind(medium: Fields) -> str:
    """Return what a medium is in plain words: "picture"."""
    return label("medium", medium["kind"])


def medium(medium: Fields) -> str:
    """Return what a medium shows: its description, else its caption, else where it is."""
    return next(str(medium[each]) for each in ("alt", "caption", "url", "sha256") if each in medium)
