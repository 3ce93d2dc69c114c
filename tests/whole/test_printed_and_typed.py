"""What a page prints can be typed: a date, a figure or a name gives the same thing back, whether
it is typed into the command, into the form or into a sheet."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from edtf_strategies import canonical
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running import done
from site_in_process import Site, open_site

from timeline import Timeline
from timeline.cli import form
from timeline.cli.appending import language_of
from timeline.model import field_paths

SAID = ("occurred", "modality", "place", "participants", "tags", "quantities")
"""The fields that are printed and typed."""


class Log(NamedTuple):
    timeline: Timeline
    site: Site


@pytest.fixture(scope="module", params=["en", "uk"])
def opened(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Log]:
    path = tmp_path_factory.mktemp("printed") / "log.db"
    with (
        Timeline.create(
            path, title="T", language=request.param, time_zone="Europe/Kyiv"
        ) as timeline,
        open_site(path) as site,
    ):
        yield Log(timeline, site)


names = st.lists(
    st.text(st.sampled_from("abcXYZ'.éßіївЖ北京محمد"), min_size=1, max_size=6).filter(
        lambda word: word.strip("'.")
    ),
    min_size=1,
    max_size=3,
).map(" ".join)
whole = st.integers(0, 10**13).map(str)
decimal = st.decimals(-(10**9), 10**9, places=3, allow_nan=False).map(str) | whole
units = st.sampled_from(
    ["EUR", "km", "F-16", "tonne of CO2", "service member", "percent", "person", "city"]
)
days = st.dates().map(str) | st.sampled_from(["2025-33", "2025-04", "2025", "2025-24~"])


@st.composite
def quantities(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a figure that people could have given."""
    measure = draw(st.sampled_from(["killed", "injured"]))
    unit = draw(st.sampled_from(["person", "service member"]) | units)
    number = whole if unit != "EUR" else decimal
    fields = draw(st.sampled_from([("value",), ("low",), ("low", "high"), ("value", "high")]))
    found = {"measure": measure, "unit": unit} | {field: draw(number) for field in fields}
    if fields == ("value",):
        found["qualifier"] = draw(st.sampled_from(["exact", "more_than", "at_least", "about"]))
    return found | draw(st.fixed_dictionaries({}, optional={"reported_by": names, "dated": days}))


events = st.fixed_dictionaries(
    {
        "title": st.just("T"),
        "occurred": canonical,
        "modality": st.sampled_from(["actual", "ongoing"]),
    },
    optional={
        "place": st.fixed_dictionaries(
            {"name": names}, optional={"country": st.sampled_from(["UKR", "COD", "PRK", "TUR"])}
        ),
        "participants": st.lists(
            st.builds(dict, name=names), min_size=1, max_size=2, unique_by=lambda each: each["name"]
        ),
        "tags": st.lists(names.map(str.lower), min_size=1, max_size=2, unique=True),
        "quantities": st.lists(quantities(), min_size=1, max_size=1),
    },
)


class Printed(NamedTuple):
    """What the page of an event shows, as text."""

    occurred: str
    place: str
    names: list[str]
    figures: list[list[str]]


def printed(page: str) -> Printed:
    def texts(markup: str, tag: str) -> list[str]:
        found = re.findall(rf"<{tag}[ >].*?</{tag}>", markup, re.DOTALL)
        return [html.unescape(re.sub("<[^>]*>", "", each)) for each in found]

    def of_class(markup: str, name: str) -> str:
        found = re.search(rf'<bdi class="{name}"[^>]*>(.*?)</bdi>', markup, re.DOTALL)
        return html.unescape(found[1]) if found else ""

    facts = re.search(r'<p class="facts">(.*?)</p>', page, re.DOTALL)
    assert facts
    date, *others = texts(facts[1], "bdi")
    figures = re.findall(r'<li class="given" data-measure="([^"]*)">(.*?)</li>', page, re.DOTALL)
    who = re.search("<h2>Who</h2>(.*?)</section>", page, re.DOTALL)
    return Printed(
        date,
        next((each for each in others if each not in ("ongoing",)), ""),
        [texts(each, "a")[0] for each in re.findall("<li>.*?</li>", who[1], re.DOTALL)]
        if who
        else [],
        [
            [html.unescape(measure), *(of_class(row, name) for name in ("amount", "by", "dated"))]
            for measure, row in figures
        ],
    )


def by_command(log: Log, event: dict[str, Any], shown: Printed) -> str:
    """Type what is shown as options of append; return the id of the new event."""
    options = ["--title", "T", "--occurred", shown.occurred]
    for option, value in place_of(event, shown).items():
        options += [f"--{option}", value]
    for name in shown.names:
        options += ["--actor", name]
    for tag in event.get("tags", ()):
        options += ["--tag", tag]
    for measure, amount, by, dated in shown.figures:
        options += ["--figure", f"{measure}={amount}"]
        options += ["--said-by", by] if by else []
        options += ["--dated", dated] if dated else []
    receipts = json.loads(done("-d", log.timeline.path, "append", *options, "--json"))
    return str(receipts[0]["event_id"])


def by_form(log: Log, event: dict[str, Any], shown: Printed) -> str:
    lines = ["title: T", f"occurred: {shown.occurred}", f"modality: {event['modality']}"]
    lines += [f"{key}: {value}" for key, value in place_of(event, shown).items()]
    lines += [f"actors: {name}" for name in shown.names]
    lines += [f"tags: {tag}" for tag in event.get("tags", ())]
    for measure, amount, by, dated in shown.figures:
        said = (f" said by {by}" if by else "") + (f" dated {dated}" if dated else "")
        lines.append(f"figure: {measure} = {amount}{said}")
    pieces = form.pieces("\n".join(lines))
    changes = form.changes(pieces, str, language=language_of(log.timeline))
    with log.timeline.append() as append:
        return append.record(field_paths.changed({}, changes)).id


def by_sheet(log: Log, event: dict[str, Any], shown: Printed) -> str:
    cells = {"title": "T", "occurred": shown.occurred, "modality": event["modality"]}
    cells |= place_of(event, shown)
    cells["actors"] = "; ".join(shown.names)
    cells["tags"] = "; ".join(event.get("tags", ()))
    for measure, amount, by, dated in shown.figures:
        cells |= {measure: amount, "quantities.0.measure": measure}
        cells |= {"quantities.0.reported_by": by, "quantities.0.dated": dated}
    sheet = io.StringIO()
    csv.writer(sheet).writerows([cells.keys(), cells.values()])
    answer = done("-d", log.timeline.path, "append", "--csv", "-", "--json", input=sheet.getvalue())
    return str(json.loads(answer)[0]["event_id"])


def place_of(event: dict[str, Any], shown: Printed) -> dict[str, str]:
    """Return name and country of the place as they are shown: "Odesa, Ukraine"."""
    name, _, country = shown.place.partition(", ")
    return {key: value for key, value in (("place", name), ("country", country)) if value}


def fields(event: Any) -> dict[str, Any]:
    return {name: event[name] for name in SAID if name in event}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(event=events)
def test_what_a_page_prints_gives_the_same_thing_back_wherever_it_is_typed(
    event: dict[str, Any], opened: Log
) -> None:
    event_id = opened.timeline.record(event).id
    stored = fields(opened.timeline.get(event_id))
    shown = printed(opened.site.page(f"/events/{event_id}?lang=en"))
    for typed in (by_command, by_form, by_sheet):
        again = fields(opened.timeline.get(typed(opened, event, shown)))
        wanted = {**stored, "modality": again["modality"]} if typed is by_command else stored
        assert again == wanted, (typed.__name__, shown)
