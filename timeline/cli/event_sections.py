"""Print what an event says, in sections: who, figures, claims, sources, pictures, tags."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from timeline.cli import output
from timeline.formats import prose
from timeline.formats.log_names import Names
from timeline.store.files import FILE, name_of

Sections = dict[str, list[list[str]]]
"""The rows of a table by the heading above it."""


def sections(names: Names, event: Mapping[str, Any], ties: Sequence[list[str]] = ()) -> Sections:
    """Return the sections of an event; `ties` are its relations in words."""
    return {
        "Who": [
            [prose.role(participant), prose.participant(participant)]
            for participant in event.get("participants", ())
        ],
        "Figures": prose.figures(event.get("quantities", ()), names.language),
        "Claims": [[prose.stance(claim), prose.claim(claim)] for claim in event.get("claims", ())],
        "Related": [*ties],
        "Sources": [
            [str(number), names.citation(citation)]
            for number, citation in enumerate(event.get("citations", ()), 1)
        ],
        "Pictures and files": [
            [prose.medium_kind(medium), _about_medium(medium)] for medium in event.get("media", ())
        ],
        "Tags": [[", ".join(event["tags"])]] if "tags" in event else [],
        "Also": [*_details(event)],
        **{
            f"As {dataset} has it": [[name, text] for name, text in fields.items()]
            for dataset, fields in event.get("extra", {}).items()
        },
    }


def print_sections(found: Sections) -> None:
    """Print the sections that have rows."""
    for heading, rows in found.items():
        if rows:
            output.echo()
            output.echo(output.bold(heading))
            output.echo(output.table(rows, 2))


def _about_medium(medium: Mapping[str, Any]) -> str:
    """Return what a medium shows, who made it, and the name of the attached file."""
    name = f"({name_of(medium['sha256'])[: len(FILE) + 8]})" if "sha256" in medium else ""
    return " ".join(
        filter(
            None, [" - ".join([prose.medium(medium), *filter(None, [medium.get("credit")])]), name]
        )
    )


def _details(event: Mapping[str, Any]) -> Iterator[list[str]]:
    """Yield the other fields of an event, each with its name."""
    if where := prose.coordinates(event.get("place", {})):
        yield ["coordinates", where]
    if "about_place" in event:
        yield ["about", prose.place(event["about_place"])]
    if "occurred_text" in event:
        yield ["date as given", f'"{event["occurred_text"]}"']
    if "mode" in event:
        yield ["mode", event["mode"]]
    if "contexts" in event:
        yield ["contexts", ", ".join(event["contexts"])]
    if "external_ids" in event:
        yield ["other ids", ", ".join(event["external_ids"])]
