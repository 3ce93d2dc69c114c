"""Previews, receipts and events at the desk, through its application."""

from __future__ import annotations

import contextlib
import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from site_in_process import open_site

from timeline import Timeline
from timeline.desk import forms
from timeline.desk.app import _drawn, _environment
from timeline.desk.guard import Secrets
from timeline.desk.screens import events, preview
from timeline.desk.visit import Desk, DeskReply, Redirect, Session, Shown, Visit
from timeline.intake.proposals.inbox import Inbox
from timeline.reading import actors, query
from timeline.store import storage

_HOSTILE = '<script>alert("1")</script> Strike on Sumy'


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    path = tmp_path / "story.db"
    Timeline.create(path, title="A story", origin="example.org").close()
    with (
        Timeline.open(path, patience=0.1) as timeline,
        Inbox.of(path) as inbox,
        contextlib.closing(storage.connect(path)) as log,
    ):
        citations = [{"source": {"source_id": "report", "title": "A report"}}]
        for event_id, title in (("strike", _HOSTILE), ("strike-2", "Ballistic strike on Sumy")):
            event = {"event_id": event_id, "title": title, "occurred": "2025-04-13"}
            place = {"name": "Sumy", "country": "UKR"}
            people = [{"name": "Volodymyr Zelenskyy"}]
            more = {"place": place, "participants": people, "citations": citations}
            timeline.record({**event, **more}, author="anna")
        yield Desk(path, timeline, log, inbox, author="anna")


def _visit(desk: Desk, path: str, fields: dict[str, str] | None = None, **parts: str) -> Visit:
    sent = [*(fields or {}).items()]
    return Visit(desk, Session("s"), path, parts, [], sent, {}, "/k", is_form=fields is not None)


def _text(visit: Visit, reply: DeskReply) -> str:
    assert isinstance(reply, Shown)
    return _drawn(visit, Secrets("s", "r"), _environment(), reply.template, reply.context)


def _new_draft(desk: Desk, **texts: str) -> str:
    fields = forms.for_new_event(desk.log)
    values = [each for each in fields["values"] if each[0] not in texts]
    values += [[name, text] for name, text in texts.items()]
    return desk.inbox.new_draft({**fields, "values": values}).draft_id


def _previewed(desk: Desk, draft_id: str) -> str:
    visit = _visit(desk, "", draft_id=draft_id)
    return _text(visit, preview.show(visit))


def _act(desk: Desk, draft_id: str, **fields: str) -> DeskReply:
    return preview.act(_visit(desk, "", fields, draft_id=draft_id))


def _main(page: str) -> str:
    return page.partition("<main")[2].partition("<h2>Not signed yet")[0]


def test_a_preview_is_the_page_that_the_site_shows_then(desk: Desk) -> None:
    draft_id = _new_draft(desk, title=_HOSTILE, occurred="15 April 2025")
    page = _previewed(desk, draft_id)
    assert "<script>alert" not in page
    shown = html.unescape(page.partition('srcdoc="')[2].partition('">')[0])
    assert _act(desk, draft_id, do="record") == Redirect(f"/recorded/{draft_id}")
    assert _act(desk, draft_id, do="record") == Redirect(f"/recorded/{draft_id}")
    visit = _visit(desk, "", entry_id=draft_id)
    receipt = preview.recorded(visit)
    assert isinstance(receipt, Shown)
    event_id = receipt.context["event"]["event_id"]
    assert f"/events/{event_id}/1" in _text(visit, receipt)
    with open_site(desk.path, url="https://example.org/") as site:
        served = site.page(f"/events/{event_id}")
    assert "Sumy" in _main(shown)
    assert _until_cited(shown) == _until_cited(served)


def _until_cited(page: str) -> str:
    """The main part of a page before its address, without times of day: a minute may go by."""
    return re.sub(r"\b\d\d:\d\d\b", "", _main(page).partition("Cite this version")[0])


def test_a_misspelled_name_becomes_the_known_one_or_stays(desk: Desk) -> None:
    texts = {"title": "Talks", "occurred": "2025-04-20", "people.0.name": "Volodymyr Zelensky"}
    draft_id = _new_draft(desk, **texts)
    name = {"what": "actor", "name": "Volodymyr Zelensky", "known": "Volodymyr Zelenskyy"}
    assert "Use Volodymyr Zelenskyy" in _previewed(desk, draft_id)
    _act(desk, draft_id, do="use", **name)
    assert "Use Volodymyr Zelenskyy" not in _previewed(desk, draft_id)
    assert ["people.0.name", "Volodymyr Zelenskyy"] in desk.inbox.draft(draft_id).fields["values"]
    other = _new_draft(desk, **texts)
    _act(desk, other, do="keep", **name)
    assert "Use Volodymyr Zelenskyy" not in _previewed(desk, other)


def test_another_spelling_is_recorded_and_means_the_same_actor(desk: Desk) -> None:
    texts = {"title": "Talks", "occurred": "2025-04-20", "people.0.name": "Volodymyr Zelensky"}
    draft_id = _new_draft(desk, **texts)
    name = {"what": "actor", "name": "Volodymyr Zelensky", "known": "Volodymyr Zelenskyy"}
    assert "Another spelling of Volodymyr Zelenskyy" in _previewed(desk, draft_id)
    for _ in range(2):
        _act(desk, draft_id, do="same-actor", **name)
    shown = _previewed(desk, draft_id)
    assert "Another spelling of" not in shown
    assert "Actor: Volodymyr Zelensky" not in shown
    assert actors.named(desk.log, name["name"]) == actors.named(desk.log, name["known"])


def test_a_busy_timeline_keeps_the_form(desk: Desk) -> None:
    draft_id = _new_draft(desk, title="Talks", occurred="2025-04-20")
    with Timeline.open(desk.path) as other, other.append(dry_run=True):
        reply = _act(desk, draft_id, do="record")
        assert isinstance(reply, Shown)
        assert reply.status == 400
        assert "Another program is writing to this timeline. Try again." in _text(
            _visit(desk, ""), reply
        )
    assert isinstance(_act(desk, draft_id, do="record"), Redirect)


def test_a_conflict_leads_back_to_the_form(desk: Desk) -> None:
    reply = events.begin(_visit(desk, "", {"do": "retract", "reason": "No"}, event_id="strike"))
    assert isinstance(reply, Redirect)
    draft_id = reply.path.rpartition("/")[2]
    desk.timeline.correct("strike", {"title": "Strike"}, author="ben", reason="A slip")
    assert _act(desk, draft_id, do="record") == Redirect(f"/drafts/{draft_id}")
    assert desk.inbox.draft(draft_id).version == 2
    assert query.get(desk.log, "strike")["state"] == "current"


@pytest.mark.parametrize(
    ("kind", "more", "state"),
    [("retract", {}, "retracted"), ("merge", {"into": "strike-2"}, "merged")],
)
def test_an_event_is_retracted_or_merged(
    desk: Desk, kind: str, more: dict[str, str], state: str
) -> None:
    fields = {"do": kind, "reason": "Twice", **more}
    reply = events.begin(_visit(desk, "", fields, event_id="strike"))
    assert isinstance(reply, Redirect)
    draft_id = reply.path.rpartition("/")[2]
    assert "as-readers-see" in _previewed(desk, draft_id)
    assert _act(desk, draft_id, do="record") == Redirect(f"/recorded/{draft_id}")
    assert query.get(desk.log, "strike")["state"] == state
    visit = _visit(desk, "", event_id="strike")
    assert "Reinstate" in _text(visit, events.show(visit))


def test_events_are_found_and_cited_for(desk: Desk) -> None:
    visit = _visit(desk, "/events")._replace(query=[("q", "ballistic"), ("cite", "report")])
    page = _text(visit, events.find(visit))
    assert "Ballistic strike on Sumy" in page
    assert "alert" not in page
    reply = events.begin(_visit(desk, "", {"do": "update", "cite": "report"}, event_id="strike-2"))
    assert isinstance(reply, Redirect)
    visit = _visit(desk, "", event_id="strike")
    page = _text(visit, events.show(visit))
    assert "<script>alert" not in page
    assert "Ballistic strike on Sumy" in page
