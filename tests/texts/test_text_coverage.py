"""What of a text events rest on: sentence by sentence, with marks, origins and withdrawals."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import done, one_line, run, widest

from timeline import Timeline
from timeline.errors import InvalidInput, NoText, NothingChanged, Refused
from timeline.formats.labels import coverage_words
from timeline.model.content import Annotation, Said
from timeline.texts.coverage import MarkedSpan, coverage_of
from timeline.texts.reprints import fingerprint, same_words
from timeline.texts.sentences import sentences

TEXT = (
    "Mark Rutte in Odesa\n\n"
    "NATO’s secretary general met the president. Allies have pledged “more than €20 billion”.\n"
    "They saw a hospital. Much is at stake.\n"
)
WHY = Said(reason="It was made up")


def event(event_id: str, *quotes: str, source_id: str = "paper", **fields: Any) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "title": event_id.title(),
        "occurred": "2025-04-15",
        "citations": [{"source_id": source_id, "quote": quote} for quote in quotes],
        **fields,
    }


@pytest.fixture
def timeline(path: Path) -> Iterator[Timeline]:
    """On the clock of this machine, as the commands are."""
    with Timeline.create(path, title="A story", origin="example.org/story") as opened:
        yield opened


DATELINE = "KESSEL POINT, La. (EW) — "


def test_the_place_of_a_dateline_counts_for_no_sentence() -> None:
    text = f"{DATELINE}The levee gave way. They left."
    place = MarkedSpan(0, text.index(" (EW)"), "visit")
    whole = MarkedSpan(0, text.index(" gave"), "visit")
    states = [
        [each.state for each in coverage_of(text, quoted, marked)]
        for quoted, marked in (([place], []), ([], [place]), ([whole], []), ([], [whole]))
    ]
    assert states == [
        ["missing", "missing"],
        ["missing", "missing"],
        ["covered", "missing"],
        ["commentary", "missing"],
    ]
    assert fingerprint(text) == fingerprint(text.replace(DATELINE, "BATON ROUGE, La. (EW) — "))


@pytest.fixture
def paper(timeline: Timeline) -> Timeline:
    """A source with a text of five sentences, of which events quote three."""
    timeline.capture(TEXT, {"source_id": "paper", "title": "A paper", "url": "https://e.org/a"})
    timeline.record(
        [
            event("visit", "NATO's secretary general met the president"),
            event("pledge", 'more than €20 billion". They saw a hospital'),
        ]
    )
    return timeline


def states(timeline: Timeline, source_id: str = "paper") -> list[tuple[str, list[str]]]:
    found = timeline.coverage(source_id)["sentences"]
    return [(sentence["state"], [*sentence["events"]]) for sentence in found]


def marked(timeline: Timeline, *numbers: int, why: str | None = "Says nothing new") -> None:
    found = timeline.coverage("paper")["sentences"]
    spans = [(found[number - 1]["start"], found[number - 1]["end"]) for number in numbers]
    with timeline.append() as append:
        append.mark_source("paper", spans, why)


MISSING: tuple[str, list[str]] = ("missing", [])
COMMENTARY: tuple[str, list[str]] = ("commentary", [])


# --- Sentences ----------------------------------------------------------------------------


def test_a_sentence_is_covered_by_the_events_that_quote_it(paper: Timeline) -> None:
    covered = [("covered", ["visit"]), ("covered", ["pledge"]), ("covered", ["pledge"])]
    assert states(paper) == [MISSING, *covered, MISSING]


@given(st.text(alphabet="aB1 .\n\u0301é中。", max_size=60), st.data())
def test_every_sentence_is_there_once_and_covered_by_what_shares_two_letters_with_it(
    text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    found = coverage_of(text, [MarkedSpan(start, end, "it")], [])
    assert [(sentence.start, sentence.end) for sentence in found] == sentences(text)
    for sentence in found:
        shared = text[max(start, sentence.start) : min(end, sentence.end)]
        letters = sum(map(str.isalnum, shared))
        assert sentence.state == ("covered" if letters > 1 else "missing")
        assert sentence.text == text[sentence.start : sentence.end]


def test_a_quote_up_to_the_next_sentence_does_not_cover_that(paper: Timeline) -> None:
    paper.record(event("short", "met the president. A"))
    paper.record(event("longer", "Odesa NATO"))
    assert states(paper)[:3] == [
        ("covered", ["longer"]),
        ("covered", ["longer", "short", "visit"]),
        ("covered", ["pledge"]),
    ]


def test_an_event_that_does_not_stand_covers_nothing(paper: Timeline) -> None:
    paper.retract("visit", reason="Nobody saw it")
    assert states(paper)[1] == MISSING
    paper.merge("pledge", "visit")
    assert {state for state, _ in states(paper)} == {"missing"}
    paper.reinstate("visit")
    assert states(paper)[1] == ("covered", ["visit"])


def test_a_citation_of_before_the_text_was_captured_covers_where_its_quote_stands(
    timeline: Timeline,
) -> None:
    source = {"source_id": "paper", "title": "A paper"}
    citations = [{"source": source, "quote": 'Allies have  pledged "more'}]
    timeline.record({**event("early"), "citations": citations})
    timeline.capture(TEXT, source)
    assert states(timeline)[2] == ("covered", ["early"])


def test_deleting_a_citation_uncovers_its_sentence(paper: Timeline) -> None:
    paper.update("visit", {"citations.0": None})
    assert states(paper)[1] == MISSING


def test_a_quote_that_a_changed_text_lacks_is_lost_and_covers_nothing(
    paper: Timeline, path: Path
) -> None:
    paper.capture(
        TEXT.replace("€20", "€21").replace("in Odesa", "in Kyiv and Odesa"),
        {"url": "https://e.org/a"},
    )
    assert states(paper)[1:4] == [("covered", ["visit"]), MISSING, MISSING]
    shown = done("-d", path, "coverage", "paper")
    assert "Quotes that are not in it\n  pledge: " in shown


# --- Marks --------------------------------------------------------------------------------


def test_a_marked_sentence_is_commentary_unless_it_is_quoted(paper: Timeline) -> None:
    marked(paper, 1, 5)
    marked(paper, 2)
    assert [state for state, _ in states(paper)] == [
        *("commentary", "covered", "covered", "covered", "commentary")
    ]
    paper.retract("visit", reason="Nobody saw it")
    assert states(paper)[1] == COMMENTARY


def test_marks_are_added_replaced_and_taken_away(paper: Timeline) -> None:
    marked(paper, 1)
    marked(paper, 5)
    marked(paper, 1, why=None)
    assert [states(paper)[0], states(paper)[4]] == [MISSING, COMMENTARY]
    with pytest.raises(NothingChanged):
        marked(paper, 5)
    marked(paper, 5, why="An opinion")
    marked(paper, 5, why=None)
    with pytest.raises(NothingChanged):
        marked(paper, 5, why=None)


def test_marks_of_another_text_do_not_count_and_come_back_with_it(paper: Timeline) -> None:
    marked(paper, 1, 5)
    paper.capture(f"{TEXT}More.\n", {"source_id": "paper"})
    assert states(paper)[0] == MISSING
    paper.capture(TEXT, {"source_id": "paper"})
    assert states(paper)[0] == COMMENTARY


def test_a_mark_must_be_of_the_text_as_it_is_now_and_lie_in_it(paper: Timeline) -> None:
    mark = {"start": 0, "end": 4, "state": "commentary"}
    other = Annotation.model_validate({"text_sha256": f"sha256:{'0' * 64}", "marks": [mark]})
    with paper.append() as append, pytest.raises(Refused, match="not the text of source paper"):
        append.annotate_source("paper", other)
    with paper.append() as append, pytest.raises(InvalidInput, match="behind the end"):
        append.mark_source("paper", [(0, len(TEXT) + 1)], "x")


# --- Commands -----------------------------------------------------------------------------


def test_coverage_as_json_is_what_the_contract_says(paper: Timeline, path: Path) -> None:
    found = json.loads(done("-d", path, "coverage", "pap", "--json"))
    assert found == json.loads(json.dumps(paper.coverage("https://e.org/a")))
    assert [*found] == ["source_id", "sentences"]
    assert found["source_id"] == "paper"
    assert [[*sentence] for sentence in found["sentences"]] == [
        ["start", "end", "text", "state", "events"]
    ] * 5
    for sentence in found["sentences"]:
        assert TEXT[sentence["start"] : sentence["end"]] == sentence["text"]


def test_coverage_shows_what_is_missing_first_and_fits_the_terminal(
    paper: Timeline, path: Path
) -> None:
    done("-d", path, "annotate", "paper", "--sentence", "1", "--why", "A headline")
    shown = done("-d", path, "coverage", "paper")
    assert "3 of 5 covered, 1 commentary, 1 missing" in shown
    assert shown.index("Missing") < shown.index("5  Much is") < shown.index("Commentary")
    assert shown.index("-> A headline") < shown.index("Covered") < shown.index("-> visit")
    assert widest(done("-d", path, "coverage", "paper", columns=40)) <= 40


def test_annotate_takes_sentences_by_number_or_a_span_and_takes_marks_away(
    paper: Timeline, path: Path
) -> None:
    shown = done("-d", path, "annotate", "pap", "--sentence", "1, 4-5", "--why", "Known")
    assert "3 of 5 covered, 2 commentary, none missing" in shown
    shown = done("-d", path, "annotate", "paper", "--start", "0", "--end", "4", "--remove")
    assert "3 of 5 covered, 1 commentary, 1 missing" in shown


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--sentence", "6", "--why", "x"], '"6" is none of the sentences 1 to 5'),
        (["--sentence", "0", "--why", "x"], '"0" is none of the sentences 1 to 5'),
        (["--sentence", "3-2", "--why", "x"], '"3-2" is none of the sentences 1 to 5'),
        (["--sentence", "1,", "--why", "x"], '"" is none of the sentences 1 to 5'),
        (["--start", "3", "--end", "3", "--why", "x"], "end must lie after start"),
        (["--start", "3", "--end", "999", "--why", "x"], "lies behind the end of the text"),
        (["--sentence", "1", "--remove"], "nothing would change"),
    ],
)
def test_what_annotate_cannot_mean_is_refused(
    paper: Timeline, path: Path, arguments: list[str], problem: str
) -> None:
    assert problem in one_line(run("-d", path, "annotate", "paper", *arguments))


@pytest.mark.parametrize(
    "arguments",
    [
        ["annotate", "paper", "--why", "x"],
        ["annotate", "paper", "--sentence", "1"],
        ["annotate", "paper", "--sentence", "1", "--start", "2", "--end", "3", "--why", "x"],
        ["annotate", "paper", "--start", "2", "--why", "x"],
        ["annotate", "paper", "--sentence", "1", "--why", "x", "--remove"],
        ["withdraw", "paper"],
    ],
)
def test_what_is_left_open_is_wrong_usage(
    paper: Timeline, path: Path, arguments: list[str]
) -> None:
    assert run("-d", path, *arguments).exit_code == 2


def test_a_source_is_found_by_id_beginning_or_address(paper: Timeline, path: Path) -> None:
    with paper.append() as append:
        append.record_source({"source_id": "paper-2", "url": "https://e.org/a"})
        append.record_source({"source_id": "report", "title": "A report"})
    assert "paper, version 1" in done("-d", path, "coverage", "paper")
    assert "beginning of several sources: paper, paper-2" in one_line(
        run("-d", path, "coverage", "pa")
    )
    assert "several sources" in one_line(run("-d", path, "coverage", "https://e.org/a"))
    assert 'no source "papr": did you mean paper?' in one_line(run("-d", path, "coverage", "papr"))
    assert one_line(run("-d", path, "coverage", "")).startswith('no source ""')
    assert one_line(run("-d", path, "coverage", "rep")) == "the text of report was not captured"


def test_a_text_that_is_not_here_is_said_to_be(paper: Timeline, path: Path) -> None:
    done("-d", path, "erase", "#1", "--reason", "A court order")
    with pytest.raises(NoText, match="the text of paper was erased"):
        paper.coverage("paper")


# --- Origins ------------------------------------------------------------------------------

OTHER = "Another report of the visit. It has words of its own. Nobody copied them."


def corroborated(timeline: Timeline, *source_ids: str) -> tuple[str, ...]:
    citations = [{"source_id": source_id} for source_id in source_ids]
    fields = {**event("both"), "citations": citations, "verification": "corroborated"}
    return timeline.record(fields).notes


def test_a_reprint_is_of_one_origin_with_its_text(paper: Timeline) -> None:
    paper.capture(f"By our own staff\n\n{TEXT}", {"source_id": "reprint", "title": "A reprint"})
    paper.capture(TEXT, {"source_id": "same", "title": "The same"})
    assert corroborated(paper, "paper", "reprint", "same") == (
        "corroborated, but its 3 sources have one text: that is one origin",
    )


def test_two_texts_or_a_source_without_one_are_two_origins(paper: Timeline) -> None:
    paper.capture(OTHER, {"source_id": "other", "title": "Another"})
    assert corroborated(paper, "paper", "other") == ()
    with paper.append() as append:
        append.record_source({"source_id": "radio", "title": "Radio"})
    assert paper.update("both", {"citations.1": {"source_id": "radio"}}).notes == ()


def test_one_source_or_none_that_stands_corroborates_nothing(paper: Timeline, path: Path) -> None:
    fields = json.dumps({**event("alone", "They saw"), "verification": "corroborated"})
    result = run("-d", path, "append", "-", input=fields)
    note = "corroborated, but it rests on one source alone"
    assert result.stderr.replace("\n  ", " ") == f"Note: alone: {note}\n"
    assert note in done("-d", path, "show", "alone")
    assert corroborated(paper) == ("corroborated, but it cites no source that stands",)
    with paper.append() as append:
        append.record_source({"source_id": "radio", "title": "Radio"})
    added = {"citations.-": {"source_id": "radio"}}
    assert paper.update("alone", added).notes == ()
    assert note not in done("-d", path, "show", "alone")
    with paper.append() as append:
        append.withdraw_source("radio", WHY)
    assert note in done("-d", path, "show", "alone")


def test_a_reprint_has_nine_in_ten_sentences_of_the_other() -> None:
    ten = " ".join(f"This is the sentence {number}." for number in range(10))
    nine = ten.replace("sentence 3", "phrase 3")
    eight = nine.replace("sentence 4", "phrase 4")
    same = fingerprint(ten.replace(" ", "\n").replace("\n", " ").upper())
    assert same_words(fingerprint(ten), same)
    assert same_words(fingerprint(ten), fingerprint(nine))
    assert same_words(fingerprint(f"{ten} And much more, by others."), fingerprint(nine))
    assert not same_words(fingerprint(ten), fingerprint(eight))
    assert not same_words(fingerprint(ten), fingerprint("?! ..."))


# --- Withdrawal ---------------------------------------------------------------------------

RISK = "at risk: all that it rests on was withdrawn: A paper (It was made up)"


def test_withdrawing_a_source_is_said_wherever_an_event_rests_on_it_alone(
    paper: Timeline, path: Path
) -> None:
    with paper.append() as append:
        append.record_source({"source_id": "radio", "title": "Radio"})
    shown = done("-d", path, "withdraw", "https://e.org/a", "--reason", "It was made up")
    assert shown.startswith("withdrawn  paper  entry ")
    assert "\n  at risk: pledge\n" in shown
    for command in (["show", "visit"], ["list"], ["search", "visit"], ["list", "--at-risk"]):
        assert RISK in " ".join(done("-d", path, *command).split()), command
    assert "withdrawn: It was made up" in done("-d", path, "coverage", "paper")
    expected = [{"source_id": "paper", "title": "A paper", "reason": "It was made up"}]
    assert json.loads(done("-d", path, "show", "visit", "--json"))["at_risk"] == expected
    paper.update("visit", {"citations.-": {"source_id": "radio"}})
    assert RISK not in " ".join(done("-d", path, "show", "visit").split())
    assert [row["event_id"] for row in paper.list(at_risk=True)] == ["pledge"]
    assert [row["event_id"] for row in paper.list(at_risk=False)] == ["visit"]
    assert paper.facets()["at_risk"] == [{"value": 1, "label": "at risk", "count": 1}]
    assert "at risk" not in done("-d", path, "withdraw", "paper", "--undo")
    assert paper.list(at_risk=True) == []
    assert "at_risk" not in paper.get("pledge")
    assert "nothing would change" in one_line(run("-d", path, "withdraw", "paper", "--undo"))


def test_what_was_at_risk_follows_both_clocks(paper: Timeline, path: Path) -> None:
    withdrawing = ["withdraw", "paper", "--reason", "It was made up", "--reported-at", "2030-05-02"]
    withdrawn = json.loads(done("-d", path, *withdrawing, "--json"))["entry_id"]
    undone = json.loads(done("-d", path, "withdraw", "paper", "--undo", "--json"))
    first, last = undone["seq"] - 1, undone["seq"]
    for point, risky in (
        (["--as-of", f"#{first - 1}"], False),
        (["--as-of", f"#{first}"], True),
        (["--as-of", f"#{last}"], False),
        (["--as-of", f"#{first}", "--as-reported", "2030-05-01"], False),
        (["--as-of", f"#{first}", "--as-reported", "2030-05-02"], True),
        (["--as-reported", "2030-05-01"], False),
        ([], False),
    ):
        shown = " ".join(done("-d", path, "show", "pledge", *point).split())
        assert (RISK in shown, "WITHDRAWN" in shown) == (risky, risky), point
        listed = done("-d", path, "list", "--at-risk", "--json", *point)
        assert bool(json.loads(listed)) == risky, point
    done("-d", path, "erase", withdrawn, "--reason", "It named a person")
    (source,) = paper.get("pledge", as_of=first)["at_risk"]
    assert source == {"source_id": "paper", "title": "A paper", "reason": None}


@pytest.mark.parametrize("format", ["json", "geojson", "ics", "atom", "timelinejs"])
def test_every_format_says_that_an_event_is_at_risk_and_why(
    paper: Timeline, path: Path, format: str
) -> None:
    assert "It was made up" not in done("-d", path, "export", format)
    with paper.append() as append:
        append.withdraw_source("paper", WHY)
    text = done("-d", path, "export", format).replace("\r\n ", "").replace("\n ", "")
    assert text.count("It was made up") == 2
    assert "at risk: all that it rests on was withdrawn" in text.lower() or format == "json"


def test_a_filter_that_is_neither_yes_nor_no_is_refused(paper: Timeline) -> None:
    with pytest.raises(InvalidInput, match='at_risk: "perhaps" is none of yes, no'):
        paper.list(at_risk="perhaps")


# --- Tampering ----------------------------------------------------------------------------


def test_a_text_that_was_changed_behind_the_log_shows_in_verify_and_in_coverage(
    paper: Timeline, path: Path
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TRIGGER source_texts_never_change")
        connection.execute("UPDATE source_texts SET body = replace(body, '€20', '€21')")
    connection.close()
    result = run("-d", path, "verify")
    assert result.exit_code == 3
    assert "text" in result.stdout + result.stderr
    assert states(paper)[2] == MISSING


def test_a_citation_that_was_deleted_behind_the_log_shows_in_verify_and_in_coverage(
    paper: Timeline, path: Path
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM citations WHERE event_id = 'visit'")
    connection.close()
    assert states(paper)[1] == MISSING
    result = run("-d", path, "verify")
    assert result.exit_code == 3
    assert "citations" in result.stdout + result.stderr


def test_a_summary_counts_in_words() -> None:
    assert coverage_words(coverage_of(TEXT, [], [])) == "0 of 5 covered, 0 commentary, 5 missing"
    assert coverage_words([]) == "0 of 0 covered, 0 commentary, none missing"
