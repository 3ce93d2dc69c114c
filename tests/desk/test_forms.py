"""Forms of the desk: an event becomes fields of a form, and fields become an operation."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from strategies import EVENT_IDS, SOURCE_IDS, events

from timeline import Timeline
from timeline.desk import form_filling, form_rows, forms, known_names
from timeline.desk.date_echo import DateEcho, echo
from timeline.desk.form_filling import Pressed
from timeline.desk.form_rows import KINDS
from timeline.desk.forms import FormFields, InvalidForm
from timeline.errors import InvalidValue
from timeline.intake.proposals.inbox import Draft, Inbox
from timeline.intake.proposals.proposal import parse
from timeline.model import figures
from timeline.model.content import Event, Said
from timeline.model.validation import validate
from timeline.store import storage

_ANNA = Said(author="anna")
_numbers = count(1)


class _Desk:
    """A log with two sources and some events, and what forms do with it."""

    def __init__(self, timeline: Timeline, log: sqlite3.Connection) -> None:
        self.timeline = timeline
        self.log = log

    def record(self, content: dict[str, Any]) -> str:
        with self.timeline.append() as append:
            return append.record(content, _ANNA).id

    def change(self, kind: str, event_id: str, changes: Any, **said: str) -> None:
        with self.timeline.append() as append:
            getattr(append, kind)(event_id, changes, Said(author="ben", **said))

    def draft(self, fields: FormFields, event_id: str | None = None, version: int = 1) -> Draft:
        at = version if event_id else None
        return Draft("d-1", None, event_id, at, fields, None, "2025-04-16T00:00:00Z")

    def form(self, event_id: str, kind: Any = "update", **typed: str) -> Draft:
        fields, version = forms.for_event(self.log, event_id, kind)
        return self.draft(_typed(fields, **typed), event_id, version)


def _typed(fields: FormFields, **texts: str) -> FormFields:
    """Return a form after a person typed; a name such as figures__1__measure is that of a row."""
    named = {name.replace("__", "."): text for name, text in texts.items()}
    kept = [pair for pair in fields["values"] if pair[0] not in named]
    return {**fields, "values": [*kept, *([name, text] for name, text in named.items())]}


def _opened(fields: FormFields) -> FormFields:
    """Return a form after a person opened all rows, with the line ends of a browser."""
    values = [pair for pair in fields["values"] if pair[0].count(".") < 2]
    values += [pair for row in form_rows.all_rows(fields["values"]) for pair in row.opened().values]
    values = [
        [name, text if name.endswith(".kept") else form_rows.plain(text).replace("\n", "\r\n")]
        for name, text in values
    ]
    return {**fields, "values": values}


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[_Desk]:
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story", origin="example.org/story") as timeline:
        with timeline.append() as append:
            for key in SOURCE_IDS:
                source = {"source_id": key, "title": key, "published": "2025-04-15"}
                append.record_source(source, _ANNA)
            for key in EVENT_IDS:
                append.record({"event_id": key, "title": key, "occurred": "2025"}, _ANNA)
        with contextlib.closing(storage.connect(path)) as log:
            yield _Desk(timeline, log)


_ODESA = {
    "title": "Rutte comes to Odesa",
    "occurred": "2025-04-15",
    "tags": ["nato"],
    "participants": [{"name": "Mark Rutte", "country": "NLD"}],
    "quantities": [{"measure": "killed", "value": "35", "source_ids": ["nato-release"]}],
    "citations": [{"source_id": "nato-release", "quote": "came to Odesa"}],
    "extra": {"gdelt": {"GoldsteinScale": "1"}},
}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(event=events())
def test_an_event_in_a_form_and_back_is_unchanged(desk: _Desk, event: dict[str, Any]) -> None:
    event = {k: v for k, v in event.items() if k not in ("event_id", "external_ids")}
    event_id = desk.record({**event, "external_ids": [f"x:{next(_numbers)}"]})
    fields, version = forms.for_event(desk.log, event_id, "update")
    for each in (fields, _opened(fields)):
        draft = desk.draft(each, event_id, version)
        assert not forms.is_edited(desk.log, draft)
        with pytest.raises(InvalidForm, match="Nothing is changed yet"):
            forms.operation(desk.log, draft)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)
@given(event=events())
def test_a_new_event_from_a_form_is_what_append_makes_of_it(
    desk: _Desk, event: dict[str, Any]
) -> None:
    with desk.timeline.append(dry_run=True) as append:
        content = append.worded(validate(Event, event))
        content = {name: content[name] for name in content if name in _IN_FORM}
        content["quantities"] = [*filter(_can_be_typed, content.get("quantities", ()))]
        content["citations"] = [
            {name: each[name] for name in each if name in ("source_id", "quote")}
            for each in content.get("citations", ())
            if each["source_id"] in SOURCE_IDS
        ]
        content["participants"] = [
            {name: who[name] for name in who if name in ("name", "role", "office", "as_named")}
            for who in content.get("participants", ())
        ]
        content["relations"] = [r for r in content.get("relations", ()) if "origin" not in r]
        content["place"] = {
            name: text
            for name, text in content.get("place", {}).items()
            if name in ("name", "country", "lat", "lon")
        }
        content = _without_blanks_around(content)
        typed = forms.scalar_texts(content)
        for kind in KINDS:
            for number, item in enumerate(content.get(kind.field, ()), 5):
                for column, text in kind.texts(item).items():
                    typed[f"{kind.name}.{number}.{column}"] = text
        draft = desk.draft(_typed(forms.for_new_event(desk.log), **typed))
        made = forms.operation(desk.log, draft).record
        expected = append.worded(validate(Event, content))
        assert append.worded(validate(Event, made)) == expected


_IN_FORM = {
    *("title", "occurred", "occurred_text", "occurred_basis", "event_type", "modality"),
    *("verification", "summary", "note", "place", *(kind.field for kind in KINDS)),
}


def _without_blanks_around(value: Any) -> Any:
    """Return a content whose texts are as a browser and a form leave them."""
    if isinstance(value, str):
        return form_rows.plain(value).strip()
    if isinstance(value, dict):
        return {name: _without_blanks_around(each) for name, each in value.items()}
    return [_without_blanks_around(each) for each in value] if isinstance(value, list) else value


def _can_be_typed(figure: dict[str, Any]) -> bool:
    """Tell whether there are words for a figure: there are none for low above high, or a Tonne."""
    try:
        read = figures.quantity(figure["measure"], figures.written(figure))
    except InvalidValue:
        return False
    amounts = ("value", "low", "high", "unit", "qualifier")
    stored = {"qualifier": "exact", **figure}
    return all(read[name] == stored.get(name) for name in amounts if read[name] or name in figure)


def test_a_row_that_is_changed_keeps_what_the_form_does_not_show(desk: _Desk) -> None:
    event_id = desk.record(_ODESA)
    draft = desk.form(event_id)
    fields = _typed(_opened(draft.fields), people__0__office="Secretary General")
    made = forms.operation(desk.log, draft._replace(fields=fields))
    person = {"name": "Mark Rutte", "country": "NLD", "office": "Secretary General"}
    assert made.changes == [("participants", [person])]
    assert (made.kind, made.event_id, made.expect) == ("update", event_id, 1)
    assert forms.is_edited(desk.log, draft._replace(fields=fields))


def test_a_row_that_is_removed_is_gone_and_the_others_stay(desk: _Desk) -> None:
    event_id = desk.record({**_ODESA, "tags": ["nato", "talks"]})
    draft = desk.form(event_id, tags__0__removed="yes")
    assert forms.operation(desk.log, draft).changes == [("tags", ["talks"])]


def test_a_form_reads_dates_figures_and_points_as_the_commands_do(desk: _Desk) -> None:
    fields = _typed(
        forms.for_new_event(desk.log, [{"source_id": "nato-release"}]),
        title="Strike",
        occurred="mid-April 2025",
        place__name="Sumy",
        place__country="ukraine",
        place__point="50.9N 34.8E",
        figures__0__measure="killed",
        figures__0__figure="20 to 40",
        figures__0__dated="15 April 2025",
        figures__0__source="cited",
        tags__0__name="war",
    )
    made = forms.operation(desk.log, desk.draft(fields))
    assert made.reported_at == "2025-04-15"
    assert dict(made.record) == {
        "citations": [{"source_id": "nato-release"}],
        "title": "Strike",
        "occurred": "2025-04-11/2025-04-20",
        "occurred_text": "mid-April 2025",
        "occurred_basis": "resolved",
        "place": {"name": "Sumy", "country": "UKR", "lat": "50.9", "lon": "34.8"},
        "quantities": [
            {
                "measure": "killed",
                "low": "20",
                "high": "40",
                "dated": "2025-04-15",
                "source_ids": ["nato-release"],
            }
        ],
        "tags": ["war"],
    }


def test_all_problems_of_a_form_are_told_at_once_with_their_fields(desk: _Desk) -> None:
    event_id = desk.record(_ODESA)
    draft = desk.form(
        event_id,
        "correct",
        title="",
        occurred="04/05/2025",
        place__country="Atlantis",
        place__point="a hill",
        figures__4__measure="pledged",
        figures__4__figure="many",
        people__3__office="Mayor",
        relations__0__event_id="no-such-event",
        citations__2__source_id="no-such-source",
        reported_at="yesterday",
    )
    with pytest.raises(InvalidForm) as caught:
        forms.operation(desk.log, draft)
    assert [field for field, _ in caught.value.problems] == [
        "occurred",
        "place.country",
        "place.point",
        "citations.2.source_id",
        "figures.4.figure",
        "relations.0.event_id",
        "reason",
        "reported_at",
        "title",
        "people.3.name",
    ]
    told = dict(caught.value.problems)
    assert told["title"] == "Title is required"
    assert told["people.3.name"].endswith("is required")
    assert "4 May 2025" in told["occurred"]
    assert told["reason"] == "Say in a few words why it was wrong"


def test_a_new_address_becomes_a_source_that_figures_can_name(desk: _Desk) -> None:
    fields = _typed(
        forms.for_new_event(desk.log),
        title="Strike",
        occurred="2025",
        citations__0__source_id="https://example.org/new",
        figures__0__measure="killed",
        figures__0__figure="35",
    )
    made = forms.operation(desk.log, desk.draft(fields)).record
    source = {"source_id": "d-1-1", "url": "https://example.org/new"}
    assert made["citations"] == [{"source": source}]
    assert made["quantities"][0]["source_ids"] == ["d-1-1"]
    with desk.timeline.append(dry_run=True) as append:
        append.record(made, _ANNA)


def test_a_form_on_top_of_a_newer_version_keeps_what_was_typed(desk: _Desk) -> None:
    event_id = desk.record(_ODESA)
    draft = desk.form(event_id, title="Rutte visits Odesa", tags__1__name="visit")
    changes = [("title", "Talks"), ("summary", "They met."), ("tags", ["talks"])]
    desk.change("correct", event_id, changes, reason="A slip")
    fields, version, sentences = forms.rebased(desk.log, draft)
    assert version == 2
    assert sentences == fields["meanwhile"]
    assert sentences[0].startswith("Version 2, corrected by ben: A slip. ")
    assert dict(fields["values"])["summary"] == "They met."
    made = forms.operation(desk.log, desk.draft(fields, event_id, version))
    assert made.expect == 2
    assert made.changes == [("title", "Rutte visits Odesa"), ("tags", ["visit", "talks"])]


def test_a_form_of_an_event_that_was_retracted_meanwhile_says_so(desk: _Desk) -> None:
    event_id = desk.record(_ODESA)
    draft = desk.form(event_id, title="Rutte visits Odesa")
    with desk.timeline.append() as append:
        append.retract(event_id, Said(author="ben", reason="It was made up"))
    fields, version, sentences = forms.rebased(desk.log, draft)
    assert (version, sentences) == (2, ["Version 2, retracted by ben: It was made up"])
    made = forms.operation(desk.log, desk.draft(fields, event_id, version))
    assert made.changes == [("title", "Rutte visits Odesa")]


def test_a_form_of_an_event_that_was_erased_meanwhile_keeps_what_was_typed(desk: _Desk) -> None:
    event_id = desk.record(_ODESA)
    draft = desk.form(event_id, title="Rutte visits Odesa")
    desk.change("update", event_id, [("note", "A secret")])
    entries = desk.log.execute("SELECT id FROM log WHERE subject = ?", (f"event/{event_id}",))
    desk.timeline.erase([entry for (entry,) in entries], reason="By court order")
    fields, _, sentences = forms.rebased(desk.log, draft)
    assert dict(fields["values"])["title"] == "Rutte visits Odesa"
    assert sentences


def test_figures_claims_and_citations_of_one_event_are_added_to_another(desk: _Desk) -> None:
    event_id = desk.record(_ODESA)
    more = {
        **_ODESA,
        "quantities": [{"measure": "killed", "value": "34", "unit": "person"}],
        "claims": [{"speaker": "Moscow", "stance": "denies"}],
        "citations": [{"source_id": "suspilne-0415"}],
    }
    fields, version = forms.added_to(desk.log, event_id, more)
    made = forms.operation(desk.log, desk.draft(fields, event_id, version))
    assert [path for path, _ in made.changes] == ["quantities", "claims", "citations"]
    assert [figure["value"] for figure in dict(made.changes)["quantities"]] == ["35", "34"]
    assert made.reported_at == "2025-04-15"


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ({"title": "Talks", "occurred": "mid-April 2025", "media": []}, "record"),
        ({"update": "odesa-visit", "expect": 1, "set": {"tags.-": "nato"}}, "update"),
        (
            {"correct": "odesa-visit", "expect": 1, "set": {"mode": "visit"}, "reason": "A"},
            "correct",
        ),
        ({"retract": "odesa-visit", "expect": 1, "reason": "A"}, "retract"),
        ({"merge": "odesa-visit", "expect": 1, "into": "minsk_2", "reason": "A"}, "merge"),
        ({"comment": "nato-release", "sentences": [1, 5], "reason": "A headline"}, "comment"),
    ],
)
def test_a_proposal_in_a_form_and_back_is_the_same_proposal(
    desk: _Desk, tmp_path: Path, body: dict[str, Any], kind: str
) -> None:
    with Inbox(tmp_path / "an.inbox") as inbox:
        added = inbox.add(parse(body), way="propose", proposer="scraper", log=desk.log)
        waiting = inbox.get(added.proposal_id, desk.log)
    proposal = waiting.proposal
    fields, version = forms.for_proposal(desk.log, waiting)
    draft = desk.draft(fields, proposal.subject, 1)
    made = forms.operation(desk.log, draft)
    assert (made.kind, version) == (kind, proposal.expect)
    assert (made.reason, made.into) == (proposal.reason, proposal.into)
    assert [*made.sentences] == [*proposal.sentences]
    assert [path.partition(".")[0] for path in proposal.changes] == [p for p, _ in made.changes]
    assert not forms.is_edited(desk.log, draft)
    assert forms.is_edited(desk.log, draft._replace(fields=_typed(fields, reason="B", title="C")))


def _new(desk: _Desk, **typed: str) -> FormFields:
    fields = forms.for_new_event(desk.log)
    return form_filling.sent(fields, [(name.replace("__", "."), t) for name, t in typed.items()])


def _pressed(fields: FormFields, button: str) -> Pressed:
    found = form_filling.pressed(fields, button)
    assert found
    return found


def test_what_a_browser_sends_is_kept_and_nothing_else_is_lost(desk: _Desk) -> None:
    fields = _new(desk, title="Talks", do="save", x="y", figures__7__measure="killed")
    again = form_filling.sent(fields, [("summary", "One.\r\nTwo.")])
    texts = dict(again["values"])
    assert (texts["title"], texts["summary"]) == ("Talks", "One.\nTwo.")
    assert texts["figures.7.measure"] == "killed"
    assert not {"do", "x"} & texts.keys()


def test_a_button_adds_a_row_and_gives_it_the_focus(desk: _Desk) -> None:
    fields, focus = _pressed(_new(desk, figures__0__measure="killed"), "add-figure")
    assert focus == "figures.1.measure"
    fields, focus = _pressed(fields, "remove-figure-1")
    assert focus == "add-figure"
    assert "figures.1.measure" not in dict(fields["values"])
    assert dict(fields["values"])["figures.0.measure"] == "killed"
    assert form_filling.pressed(fields, "save") is None


def test_a_figure_of_the_event_is_replaced_removed_or_kept(desk: _Desk) -> None:
    draft = desk.form(desk.record(_ODESA))
    fields, focus = _pressed(draft.fields, "change-figure-0")
    assert focus == "figures.0.measure"
    fields = form_filling.sent(fields, [("figures.0.figure", "36")])
    made = dict(forms.operation(desk.log, draft._replace(fields=fields)).changes)
    assert [each["value"] for each in made["quantities"]] == ["36"]
    fields, focus = _pressed(fields, "remove-figure-0")
    assert focus == "keep-figure-0"
    assert forms.operation(desk.log, draft._replace(fields=fields)).changes == [
        ("quantities", None)
    ]
    fields, focus = _pressed(fields, "keep-figure-0")
    assert focus == "change-figure-0"
    assert not forms.is_edited(desk.log, draft._replace(fields=fields))


def test_a_date_is_said_back_with_its_weekday_and_its_bounds() -> None:
    said = echo("mid-April 2025", language="en", time_zone="UTC")
    assert (said.edtf, said.earliest, said.latest) == (
        "2025-04-11/2025-04-20",
        "11 April 2025",
        "20 April 2025",
    )
    assert echo("2025-04-15", language="en", time_zone="UTC").words == "Tuesday 15 April 2025"
    assert echo(" ", language="en", time_zone="UTC") == DateEcho()


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("04/05/2025", ["2025-05-04", "2025-04-05"]),
        ("2023-24", ["winter 2023", "2023/2024"]),
        ("yesterday", []),
    ],
)
def test_a_date_with_two_readings_offers_both(text: str, readings: list[str]) -> None:
    said = echo(text, language="en", time_zone="UTC")
    assert said.problem
    assert [each.text for each in said.readings] == readings


def test_a_reading_of_a_date_is_a_button(desk: _Desk) -> None:
    fields, focus = _pressed(_new(desk, occurred="04/05/2025"), "date-2025-05-04")
    assert (dict(fields["values"])["occurred"], focus) == ("2025-05-04", "occurred")


def test_names_are_completed_from_the_log(desk: _Desk) -> None:
    desk.record({**_ODESA, "place": {"name": "Odesa"}})
    assert known_names.actors(desk.log) == ["Mark Rutte"]
    assert known_names.places(desk.log) == ["Odesa"]
    assert known_names.tags(desk.log) == ["nato"]
    assert known_names.measures(desk.log)[0] == "killed"
    assert known_names.events(desk.log)[0][1] == "Rutte comes to Odesa"
    assert {key for key, _ in known_names.sources(desk.log)} == set(SOURCE_IDS)
