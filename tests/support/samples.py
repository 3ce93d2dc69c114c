"""An object with every field of a model, and the paths to its texts."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

from timeline.model.base import Content

PLAIN = "a plain text"


SAMPLES: dict[str, Any] = {
    **dict.fromkeys(("event_id", "source_id", "actor_id", "source_ids"), "an-id"),
    **dict.fromkeys(("url", "archive_url", "homepage"), "https://example.org/a"),
    **dict.fromkeys(("occurred", "dated", "published", "accessed", "reported_at"), "2025-04-15"),
    **dict.fromkeys(("value", "low", "high", "lat", "lon"), "35"),
    "relations": {"type": "part_of", "event_id": "another", "origin": "elsewhere.example"},
    "country": "UKR",
    "wikidata": "Q1",
    "language": "en",
    "text_sha256": "sha256:" + "0" * 64,
    "media_type": "image/jpeg",
    "external_ids": "a:1",
    "unit": "person",
    "origin": "example.org",
    "time_zone": "UTC",
    **dict.fromkeys(("quote_end", "end"), 9),
}
"""Values of fields that are more than a text, or than the smallest number."""


EITHER = {("citations", 0, "source_id"), ("media", 0, "sha256")}
"""Given in place of another that is there."""


Way = tuple[str | int, ...]


@cache
def sample(model: type[Content]) -> Any:
    """An object with every field of a model."""
    return _sample(model.model_json_schema(mode="validation"), (), "")


def _sample(schema: Any, way: Way, name: str, root: Any = None) -> Any:
    root = root or schema
    if name in SAMPLES and schema.get("type") != "array":
        return SAMPLES[name]
    if "$ref" in schema:
        return _sample(root["$defs"][schema["$ref"].rpartition("/")[2]], way, name, root)
    if "anyOf" in schema:
        return _sample(schema["anyOf"][0], way, name, root)
    if "properties" in schema:
        return {
            field: _sample(each, (*way, field), field, root)
            for field, each in schema["properties"].items()
            if (*way, field) not in EITHER
        }
    match schema.get("type"):
        case "object":
            (item,) = schema["patternProperties"].values()
            return {PLAIN: _sample(item, (*way, PLAIN), name, root)}
        case "array":
            return [_sample(schema["items"], (*way, 0), name, root)]
    if "enum" in schema or "const" in schema:
        return schema.get("const") or schema["enum"][0]
    if schema.get("type") == "boolean":
        return True
    if schema.get("type") == "integer":
        return schema.get("minimum", 0)
    return PLAIN


def ways(value: Any, way: Way = ()) -> Iterator[Way]:
    """The ways to every text of an object; a way to a key ends in the key and "key"."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == PLAIN:
                yield (*way, key, "key")
            yield from ways(item, (*way, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from ways(item, (*way, number))
    else:
        yield way


def with_text(value: Any, way: Way, text: str) -> Any:
    """A copy of an object with a text at a way, or as the key to which the way leads."""
    if not way:
        return text
    changed = copy.copy(value)
    if way[1:] == ("key",):
        changed[text] = changed.pop(way[0])
    else:
        changed[way[0]] = with_text(changed[way[0]], way[1:], text)
    return changed
