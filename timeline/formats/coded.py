"""A function that gives the codes of an event and their words, by the names of every format.

Guarantees: a name has the same value in CSV, JSON and GeoJSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from timeline.model import countries

REPEATS = {
    "event_type": "type",
    "event_type_label": "type",
    "country_code": "country",
    "country_name": "country",
}
"""The names, each with the column of a sheet whose cell it repeats as a code or in words."""


def codes_and_words(event: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, str | None]:
    """Return the codes of an event and their words, by name; `labels` are those of event types."""
    code, country = event.get("event_type"), event.get("place", {}).get("country")
    return {
        "event_type": code,
        "event_type_label": labels.get(code, code) if code else None,
        "country_code": country,
        "country_name": countries.country_name(country) if country else None,
    }
