"""Name countries, languages, and the values that the model itself defines, in the current language.

Guarantees: a label of a log's own vocabulary stays as its owner wrote it; an event type is
translated only if it has the code and the label of the default vocabulary. A value that has no
label is its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from timeline.formats.local_dates import locale_of
from timeline.languages.translation import current, gettext, ngettext, number, pgettext
from timeline.model import countries

if TYPE_CHECKING:
    from timeline.texts.coverage import Sentence


def label(field: str, value: str) -> str:
    """Return the label of a value of a field: "same as" for ("relation", "same_as")."""
    return _labels(current())[field].get(value, value)


def event_type_label(code: str, label: str) -> str:
    """Return the label of an event type, which a log has by this code."""
    if current() == "en" or _defaults().get(code) != label:
        return label
    return _labels(current())["event_type"].get(code, label)


def country_name(alpha3: str) -> str:
    """Return the name of a country. Raises InvalidValue for a code that is none."""
    english = countries.country_name(alpha3)
    if (language := current()) == "en":
        return english
    return str(locale_of(language).territories.get(_alpha2()[alpha3], english))


def language_name(tag: str) -> str:
    """Return the name of a language by its tag; in English, and without a name, the tag."""
    if (language := current()) == "en":
        return tag
    return str(locale_of(language).languages.get(tag.replace("-", "_"), tag))


def coverage_words(sentences: Sequence[Sentence]) -> str:
    """Return how many sentences have each state: "13 of 16 covered, 3 commentary, none missing"."""
    counts = Counter(sentence.state for sentence in sentences)
    covered, commentary, missing = (counts[state] for state in ("covered", "commentary", "missing"))
    parts = (
        ngettext("{number} of {all} covered", "{number} of {all} covered", covered).format(
            number=number(covered), all=number(len(sentences))
        ),
        ngettext("{number} commentary", "{number} commentary", commentary).format(
            number=number(commentary)
        ),
        ngettext("{number} missing", "{number} missing", missing).format(number=number(missing))
        if missing
        else gettext("none missing"),
    )
    return ", ".join(parts)


@cache
def _defaults() -> dict[str, str]:
    from timeline.model.vocabulary import plover  # English needs it not, nor its models

    return {term.code: term.label for term in plover().event_types}


@cache
def _alpha2() -> dict[str, str]:
    return {each.alpha3: each.alpha2 for each in countries.countries()}


@cache
def _labels(language: str) -> dict[str, dict[str, str]]:
    """Return labels by field and value in a language, which is the current one."""
    return {
        "modality": {
            "actual": pgettext("event", "actual"),
            "ongoing": pgettext("event", "ongoing"),
            "planned": pgettext("event", "planned"),
            "hypothetical": pgettext("event", "hypothetical"),
            "negated": pgettext("event", "negated"),
        },
        "verification": {
            "reported": pgettext("event", "reported"),
            "corroborated": pgettext("event", "corroborated"),
            "disputed": pgettext("event", "disputed"),
            "refuted": pgettext("event", "refuted"),
        },
        "state": {
            "current": pgettext("event", "current"),
            "retracted": pgettext("event", "retracted"),
            "merged": pgettext("event", "merged"),
            "erased": pgettext("event", "erased"),
        },
        "verb": {
            "recorded": pgettext("version", "recorded"),
            "updated": pgettext("version", "updated"),
            "corrected": pgettext("version", "corrected"),
            "retracted": pgettext("version", "retracted"),
            "reinstated": pgettext("version", "reinstated"),
            "merged": pgettext("version", "merged"),
            "erased": pgettext("version", "erased"),
            "withdrawn": pgettext("version", "withdrawn"),
        },
        "role": {
            "actor": pgettext("role", "actor"),
            "recipient": pgettext("role", "recipient"),
            "host": pgettext("role", "host"),
            "mediator": pgettext("role", "mediator"),
            "participant": pgettext("role", "participant"),
            "speaker": pgettext("role", "speaker"),
        },
        "stance": {
            "asserts": pgettext("stance", "asserts"),
            "denies": pgettext("stance", "denies"),
            "disputes": pgettext("stance", "disputes"),
        },
        "claim": {
            "asserts": gettext("claim"),
            "denies": gettext("denial"),
            "disputes": gettext("dispute"),
        },
        "relation": {
            "part_of": pgettext("relation", "part of"),
            "follows": pgettext("relation", "follows"),
            "responds_to": pgettext("relation", "responds to"),
            "condition_of": pgettext("relation", "condition of"),
            "fulfils": pgettext("relation", "fulfils"),
            "contradicts": pgettext("relation", "contradicts"),
            "same_as": pgettext("relation", "same as"),
            "about": pgettext("relation", "about"),
        },
        "precision": {
            "second": pgettext("precision", "second"),
            "minute": pgettext("precision", "minute"),
            "hour": pgettext("precision", "hour"),
            "day": pgettext("precision", "day"),
            "month": pgettext("precision", "month"),
            "quarter": pgettext("precision", "quarter"),
            "season": pgettext("precision", "season"),
            "half_year": pgettext("precision", "half year"),
            "year": pgettext("precision", "year"),
            "decade": pgettext("precision", "decade"),
            "century": pgettext("precision", "century"),
            "interval": pgettext("precision", "interval"),
            "open": pgettext("precision", "open"),
        },
        "basis": {
            "stated": pgettext("basis of a date", "stated"),
            "resolved": pgettext("basis of a date", "resolved"),
            "inferred": pgettext("basis of a date", "inferred"),
        },
        "medium": {
            "image": gettext("picture"),
            "document": gettext("document"),
            "video": gettext("film"),
            "audio": pgettext("medium", "recording"),
        },
        "measure": {"killed": gettext("killed"), "injured": gettext("injured")},
        "unit": {
            "person": pgettext("unit", "person"),
            "service member": pgettext("unit", "service member"),
            "soldier": pgettext("unit", "soldier"),
            "civilian": pgettext("unit", "civilian"),
            "item": pgettext("unit", "item"),
            "percent": pgettext("unit", "percent"),
        },
        "sentence": {
            "covered": pgettext("sentence", "covered"),
            "commentary": pgettext("sentence", "commentary"),
            "missing": pgettext("sentence", "missing"),
        },
        "event_type": {
            "AGREE": gettext("Agreement"),
            "CONSULT": gettext("Consultation"),
            "SUPPORT": gettext("Support"),
            "CONCEDE": gettext("Concession"),
            "COOPERATE": gettext("Cooperation"),
            "AID": gettext("Aid"),
            "RETREAT": gettext("Retreat"),
            "REQUEST": gettext("Request"),
            "ACCUSE": gettext("Accusation"),
            "REJECT": gettext("Rejection"),
            "THREATEN": gettext("Threat"),
            "PROTEST": gettext("Protest"),
            "SANCTION": gettext("Sanction"),
            "MOBILIZE": gettext("Mobilization"),
            "COERCE": gettext("Coercion"),
            "ASSAULT": gettext("Assault"),
        },
    }
