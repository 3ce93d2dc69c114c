"""What changed, in words: nobody should have to read JSON to see that a figure rose."""

from __future__ import annotations

import contextlib
import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from operations import Operation, begin, erase, stories, tell
from running import done, entries, widest
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.formats import prose, prose_changes
from timeline.formats.log_names import Names
from timeline.model.content import Event
from timeline.reading import comparison
from timeline.store import storage

TALKS: dict[str, Any] = {
    "event_id": "talks",
    "title": "Talks",
    "summary": "They talked.",
    "event_type": "CONSULT",
    "occurred": "../2025-04-15",
    "place": {"name": "Odesa", "country": "UKR", "lat": "46.48", "lon": "30.73"},
    "participants": [
        {"name": "Mark Rutte", "office": "Prime Minister", "country": "NLD"},
        {"name": "Kyiv", "role": "host"},
    ],
    "quantities": [
        {"measure": "killed", "value": 34, "reported_by": "Mayor", "dated": "2025-04-13"},
        {"measure": "pledged", "value": "20000000000", "unit": "EUR"},
    ],
    "claims": [{"speaker": "Moscow", "statement": "a failure"}],
    "relations": [{"type": "follows", "event_id": "strike"}],
    "citations": [{"source_id": "visit", "quote": "They met"}],
    "tags": ["nato"],
    "extra": {"gdelt": {"goldstein": "3"}},
}


@pytest.fixture
def told(timeline: Timeline) -> Timeline:
    timeline.record({"event_id": "strike", "title": "Strike", "occurred": "2025-04-13"})
    with timeline.append() as append:
        for source_id, title in (("visit", "A visit"), ("toll", "The toll")):
            append.record_source({"source_id": source_id, "title": title, "publisher": "AP"})
    timeline.record(TALKS)
    return timeline


def lines(shown: str) -> list[str]:
    return [line.removeprefix("  - ") for line in shown.splitlines() if line.startswith("  - ")]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"title": "Talks in Odesa"}, ["title: Talks -> Talks in Odesa"]),
        ({"occurred": "2025-04"}, ["date: by 15 April 2025 -> April 2025"]),
        ({"occurred_text": "Tuesday"}, ["date as given added: Tuesday"]),
        ({"event_type": "Aid"}, ["type: Consultation -> Aid"]),
        ({"event_type": ""}, ["type removed: Consultation"]),
        ({"modality": "planned"}, ["modality: actual -> planned"]),
        ({"verification": "disputed"}, ["verification: reported -> disputed"]),
        ({"summary": ""}, ["summary removed: They talked."]),
        ({"note": "N"}, ["note added: N"]),
        ({"place.name": "Kyiv"}, ["place: Odesa, Ukraine -> Kyiv, Ukraine"]),
        ({"place.country": "MD"}, ["place: Odesa, Ukraine -> Odesa, Moldova"]),
        ({"place": ""}, ["place removed: Odesa, Ukraine", "coordinates removed: 46.48, 30.73"]),
        ({"place.lat": "46.5"}, ["coordinates: 46.48, 30.73 -> 46.5, 30.73"]),
        ({"place.admin1": "Odesa Oblast"}, ["region added: Odesa Oblast"]),
        ({"place.geo_precision": 3}, ["precision of the place added: 3"]),
        ({"about_place.name": "Black Sea"}, ["about added: Black Sea"]),
        ({"tags.-": "x"}, ["tag added: x"]),
        ({"tags.0": "x"}, ["tag: nato -> x"]),
        ({"contexts.-": "military"}, ["context added: military"]),
        ({"external_ids.-": "a:1"}, ["other id added: a:1"]),
        ({"extra.gdelt.goldstein": "4"}, ["gdelt: goldstein: 3 -> 4"]),
        ({"quantities.0.value": 35}, ["killed: 34 -> 35, Mayor, 13 April 2025"]),
        (
            {"quantities.0.qualifier": "more_than", "quantities.0.high": 40},
            ["killed: 34 -> more than 34 (? to 40), Mayor, 13 April 2025"],
        ),
        (
            {"quantities.0.dated": "2025-04-14"},
            ["killed 34, Mayor, date: 13 April 2025 -> 14 April 2025"],
        ),
        (
            {"quantities.0.value": 35, "quantities.0.reported_by": "Prosecutor"},
            ["figure: killed 34, Mayor, 13 April 2025 -> killed 35, Prosecutor, 13 April 2025"],
        ),
        (
            {"quantities.0.measure": "injured", "quantities.0.value": 119},
            ["figure: killed 34, Mayor, 13 April 2025 -> injured 119, Mayor, 13 April 2025"],
        ),
        ({"quantities.0.source_ids.-": "toll"}, ["killed 34, Mayor, source added: The toll"]),
        ({"quantities.1.value": 9999}, ["pledged: 20,000,000,000 EUR -> 9999 EUR"]),
        ({"quantities.1": ""}, ["figure removed: pledged 20,000,000,000 EUR"]),
        (
            {"quantities.-": {"measure": "killed", "value": 60, "qualifier": "more_than"}},
            ["figure added: killed more than 60"],
        ),
        ({"participants.0.office": "Envoy"}, ["Mark Rutte, office: Prime Minister -> Envoy"]),
        ({"participants.0.country": "BEL"}, ["Mark Rutte, country: Netherlands -> Belgium"]),
        ({"participants.1.role": "mediator"}, ["Kyiv, role: host -> mediator"]),
        ({"participants.0.role": "speaker"}, ["Mark Rutte, role: actor -> speaker"]),
        ({"participants.1.name": "Kiev"}, ["host: Kyiv -> Kiev"]),
        ({"participants.1": ""}, ["host removed: Kyiv"]),
        (
            {"participants.-": {"name": "A", "office": "B", "as_named": "C"}},
            ['actor added: A - B, named "C"'],
        ),
        ({"claims.0.stance": "denies"}, ["Moscow, stance: asserts -> denies"]),
        ({"claims.0.statement": "a lie"}, ["Moscow, statement: a failure -> a lie"]),
        ({"claims.0.speaker": "Minsk"}, ["claim: Moscow: a failure -> Minsk: a failure"]),
        (
            {"claims.-": {"speaker": "Kyiv", "stance": "denies", "statement": "that"}},
            ["denial added: Kyiv: that"],
        ),
        (
            {"relations.0.type": "part_of"},
            ["relation: follows Strike (strike) -> part of Strike (strike)"],
        ),
        ({"relations": ""}, ["relation removed: follows Strike (strike)"]),
        ({"citations.0.quote": "We met"}, ["A visit, quote: They met -> We met"]),
        ({"citations.0.credibility": 2}, ["A visit, credibility added: 2"]),
        (
            {"citations.0": {"source_id": "toll"}},
            ['source: A visit, AP, "They met" -> The toll, AP'],
        ),
        ({"citations.-": {"source_id": "toll"}}, ["source added: The toll, AP"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_a_change_is_told_in_words(
    changes: dict[str, Any], said: list[str], told: Timeline
) -> None:
    told.update("talks", changes)
    for command in (["history", "talks"], ["diff", "talks"], ["changes", "--from", "#4"]):
        assert lines(done("-d", told.path, *command, columns=120)) == said, command


def test_changes_come_in_the_order_in_which_people_read(told: Timeline) -> None:
    told.update("talks", {"tags.-": "x", "note": "N", "quantities.0.value": 35, "title": "T"})
    assert [line[:5] for line in lines(done("-d", told.path, "diff", "talks"))] == [
        "title",
        "note ",
        "kille",
        "tag a",
    ]


def test_every_field_of_an_event_has_its_place_in_that_order() -> None:
    assert {*prose_changes._ORDER} == {*Event.model_fields} - {"event_id"}


def test_what_does_not_fit_beside_each_other_stands_below_each_other(told: Timeline) -> None:
    told.update("talks", {"summary": "They talked about support for Ukraine, and for how long."})
    assert done("-d", told.path, "diff", "talks", columns=40).endswith(
        "  - summary\n"
        "      was  They talked.\n"
        "      now  They talked about support for\n"
        "           Ukraine, and for how long.\n"
    )


def test_of_long_texts_only_what_differs_is_shown(told: Timeline) -> None:
    before, after = "Before that it was quiet. " * 20, " Then it was quiet again." * 20
    for number in (34, 35):
        told.update("talks", {"summary": f"{before}At night {number} people died.{after}"})
    assert done("-d", told.path, "diff", "talks", columns=120).endswith(
        "  - summary\n"
        "      was  ... quiet. Before that it was quiet. At night 34 people died. Then it was"
        " quiet again. Then ...\n"
        "      now  ... quiet. Before that it was quiet. At night 35 people died. Then it was"
        " quiet again. Then ...\n"
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("", "x" * 300),
        ("x" * 300, "x" * 301),
        ("a b " * 100, "a b " * 99),
        ("x " * 200, "y " * 200),
    ],
    ids=["from nothing", "one word", "less", "all"],
)
def test_however_long_texts_differ_it_is_seen(old: str, new: str) -> None:
    one, other = prose_changes._apart(old, new)
    assert one != other
    assert one.strip(" .") in old
    assert other.strip(" .") in new


def test_an_item_that_went_is_not_taken_for_the_one_that_has_its_number(told: Timeline) -> None:
    """Of three figures the second changes and the third goes, while one comes in before them."""
    before = [{"measure": "killed", "value": n, "reported_by": by} for n, by in enumerate("KPQ")]
    after = [{**before[0], "reported_by": "X"}, before[0], {**before[1], "value": 9}]
    told.update("talks", {"quantities": before})
    told.update("talks", {"quantities": after})
    assert lines(done("-d", told.path, "diff", "talks")) == [
        "figure added: killed 0, X",
        "killed: 1 -> 9, P",
        "figure removed: killed 2, Q",
    ]


def test_competing_figures_are_shown_as_they_stood_whenever_they_changed(told: Timeline) -> None:
    told.update("talks", {"note": "N"})
    told.update("talks", {"quantities.1": "", "quantities.-": {"measure": "killed", "value": 60}})
    told.update("talks", {"quantities.1": ""})
    told.correct("talks", {"quantities.0.value": 36}, reason="r")
    told.update("talks", {"quantities.0": ""})
    shown = done("-d", told.path, "history", "talks").split("\nversion ")[1:]
    assert [version.partition("  figures then\n")[2] for version in shown] == [
        "    1  killed   34                  Mayor, 13 April 2025\n"
        "    2  pledged  20,000,000,000 EUR\n",
        "",
        "    1  killed  34  Mayor, 13 April 2025\n    2  killed  60\n",
        "",  # one is left: that the other went says it all
        "",
        "",
    ]


def test_history_ends_with_what_became_of_an_event(told: Timeline) -> None:
    told.retract("talks", reason="a hoax")
    told.reinstate("talks")
    told.merge("talks", "strike")
    heads = [
        line
        for line in done("-d", told.path, "history", "talks").splitlines()
        if line.startswith(("version", "  reason"))
    ]
    assert heads == [
        "version 1: recorded  entry 4",
        "version 2: retracted  entry 5",
        "  reason: a hoax",
        "version 3: reinstated  entry 6",
        "version 4: merged into Strike (strike)  entry 7",
    ]
    shown = done("-d", told.path, "diff", "talks")
    assert shown == "Talks\n  talks: version 3 -> version 4, merged\n"


def test_show_gives_the_reason_of_the_retraction_that_counts(told: Timeline) -> None:
    told.retract("talks", reason="a hoax")
    told.reinstate("talks")
    told.retract("talks", reason="a hoax after all")
    assert "\nretracted: a hoax after all\n" in done("-d", told.path, "show", "talks")
    assert "\nretracted: a hoax\n" in done("-d", told.path, "show", "talks@2")
    assert "retracted" not in done("-d", told.path, "show", "talks@3")


def test_a_place_is_told_by_what_its_name_hides(timeline: Timeline) -> None:
    timeline.record(
        {"event_id": "one", "title": "T", "occurred": "2025", "place": {"name": "Ukraine"}}
    )
    timeline.update("one", {"place.country": "UA"})
    assert lines(done("-d", timeline.path, "diff", "one")) == ["country added: Ukraine"]
    timeline.update("one", {"place.name": "", "place.admin1": "Odesa Oblast"})
    assert lines(done("-d", timeline.path, "diff", "one")) == [
        "place: Ukraine -> Odesa Oblast, Ukraine"
    ]


def test_what_was_erased_is_said_to_be(told: Timeline) -> None:
    told.update("talks", {"title": "Secret"})
    told.update("talks", {"title": "Open"})
    erase(told.path, 5)
    done("-d", told.path, "rebuild")
    when = prose.instant(entries(told.path)[-1][5])
    why = f"was erased from the log (entry 7, {when}): A court said so"
    shown = done("-d", told.path, "history", "talks", columns=200)
    assert "\nversion 2: updated  entry 5\n" in shown
    assert shown.count(f"  what it said {why}\n") == 1
    assert done("-d", told.path, "diff", "talks", columns=200) == (
        f"Open\n  talks: version 2, erased -> version 3\n  - what version 2 said {why}\n"
    )
    assert done("-d", told.path, "show", "talks@2", columns=200).startswith(
        f"(erased)\nERASED\nwhat it said {why}\n"
    )
    assert f"version 2\n    what it said {why}\n" in done("-d", told.path, "log", columns=200)
    assert lines(done("-d", told.path, "diff", "talks", "1", "3")) == ["title: Talks -> Open"]


def test_an_erasure_is_told_without_its_reason_when_that_is_gone_too(told: Timeline) -> None:
    told.retract("talks", reason="Secret")
    erase(told.path, 5)
    erase(told.path, 6)
    done("-d", told.path, "rebuild")
    gone = "was erased from the log (entry 6,"
    for command in (["show"], ["history"]):
        shown = done("-d", told.path, *command, "talks", columns=200)
        assert gone in shown
        assert "UTC), and then the reason too\n" in shown
    assert "\nretracted: the reason was erased" in done("-d", told.path, "show", "talks")
    assert "None" not in done("-d", told.path, "log")


def test_a_state_that_follows_erased_words_says_why_they_are_gone(told: Timeline) -> None:
    told.retract("talks", reason="a hoax")
    erase(told.path, 4)
    done("-d", told.path, "rebuild")
    shown = done("-d", told.path, "history", "talks", columns=200)
    assert shown.count("what it said was erased from the log (entry 6") == 2
    assert "A court said so" in done("-d", told.path, "show", "talks", columns=200)


def test_a_diff_back_in_time_takes_everything_back(told: Timeline) -> None:
    told.update("talks", {"quantities.0.value": 35, "note": "N"})
    assert done("-d", told.path, "diff", "talks", "2", "1") == (
        "Talks\n"
        "  talks: version 2 -> version 1\n"
        "  - note removed: N\n"
        "  - killed: 35 -> 34, Mayor, 13 April 2025\n"
    )


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(story=stories)
def test_whatever_changed_there_are_words_for_it_and_no_json(
    story: list[list[Operation]],
) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        Timeline.create(Path(folder) / "timeline.db", title="T", now=TickingClock()) as timeline,
    ):
        begin(timeline)
        for append_of in story:
            tell(timeline, append_of)
        with contextlib.closing(storage.connect(timeline.path)) as connection:
            names = Names(connection)
            for row in timeline.list(state="all"):
                event_id, versions = row["event_id"], range(1, row["version"] + 1)
                for before, after in itertools.product(versions, versions):
                    found = comparison.compare(connection, event_id, before, after)["changes"]
                    stood = timeline.get(event_id, version=after)
                    told = [*prose_changes.in_words(names, found, stood)]
                    assert bool(told) == bool(found)
                    assert not [change for change in told if '{"' in f"{change}"]


@pytest.mark.parametrize("columns", [40, 80])
def test_a_history_of_every_change_fits_the_terminal(columns: int, told: Timeline) -> None:
    told.correct(
        "talks",
        {
            "title": "Переговоры " * 30,
            "participants.0.office": "東京都知事" * 30,
            "quantities.0.reported_by": "محادثات " * 20,
            "note": "🔥" * 200,
        },
        reason="r " * 200,
    )
    for command in ("history", "diff"):
        shown = done("-d", told.path, command, "talks", columns=columns)
        assert widest(shown) <= columns
        assert "  - Mark Rutte, office\n" in shown


def test_words_leave_the_json_as_it_is(told: Timeline) -> None:
    told.update("talks", {"quantities.0.value": 35})
    found = json.loads(done("-d", told.path, "diff", "talks", "--json"))
    assert found["changes"] == [
        {"path": "/quantities/0/value", "old_value": "34", "new_value": "35"}
    ]
    assert [*found] == ["event_id", "title", "before", "after", "changes", "entries"]


# --- Offices ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("office", "organisation", "said"),
    [
        ("Secretary General", "NATO", "Secretary General, NATO"),
        ("Secretary General of NATO", "NATO", "Secretary General of NATO"),
        ("Mayor of the city of Sumy", "City of Sumy", "Mayor of the city of Sumy"),
        ("Unit head", "UN", "Unit head, UN"),
        ("Envoy", None, "Envoy"),
        (None, "NATO", "NATO"),
        (None, None, None),
    ],
)
def test_an_office_that_names_its_organisation_is_not_followed_by_it(
    office: str | None, organisation: str | None, said: str | None
) -> None:
    assert prose.office_of(office, organisation) == said
