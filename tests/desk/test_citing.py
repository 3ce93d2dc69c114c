"""Places of an article come from one screen to the next as they are, and become quotes."""

from __future__ import annotations

from pathlib import Path

import pytest
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.desk import citing
from timeline.desk.citing import CitedSpans
from timeline.errors import InvalidInput, NoText, NotFound
from timeline.reading import captured_texts
from timeline.store import storage

TEXT = (
    "A headline\n\nRutte came. He left at night. He said little.\n\fPage two. \U0001f600 The end."
)


@pytest.fixture
def path(path: Path, clock: TickingClock) -> Path:
    with Timeline.create(path, title="A story", now=clock) as timeline:
        timeline.capture(TEXT, {"source_id": "report", "title": "A report"})
        timeline.record(
            {
                "title": "Rutte comes",
                "occurred": "2025-04-15",
                "citations": [
                    {"source_id": "report", "quote": "Rutte came"},
                    {"source": {"source_id": "bare", "title": "No text"}},
                ],
            }
        )
    return path


def test_an_address_carries_places_there_and_back() -> None:
    cited = CitedSpans("report", [(0, 10), (12, 23)])
    assert cited.query == [("cite", "report"), ("span", "0-10"), ("span", "12-23")]
    assert citing.cited_spans([("q", "x"), *cited.query]) == cited
    assert citing.cited_spans([("span", "0-10")]) is None
    for wrong in ("10-0", "5-5", "x", "-1-5", "1-", "1-9999999999"):
        with pytest.raises(InvalidInput, match="is no place in a text"):
            citing.cited_spans([("cite", "report"), ("span", wrong)])


def test_places_are_quotes_in_the_words_of_the_text(path: Path) -> None:
    log = storage.connect(path)
    found = citing.citations(log, CitedSpans("report", [(12, 23)]))
    quote = {"quote": "Rutte came.", "quote_start": 12, "quote_end": 23}
    assert found == [{"source_id": "report", **quote}]
    assert citing.citations(log, CitedSpans("bare", [])) == [{"source_id": "bare"}]
    with pytest.raises(InvalidInput, match="no words are at 10 to 12 of report"):
        citing.citations(log, CitedSpans("report", [(10, 12)]))
    with pytest.raises(InvalidInput, match="no words are at 50 to 500"):
        citing.citations(log, CitedSpans("report", [(50, 500)]))
    with pytest.raises(NoText, match="the text of bare was not captured"):
        citing.citations(log, CitedSpans("bare", [(0, 5)]))
    with pytest.raises(NotFound):
        citing.citations(log, CitedSpans("unknown", []))


def test_chosen_sentences_of_a_paragraph_are_one_quote(path: Path) -> None:
    log = storage.connect(path)
    sentences = captured_texts.coverage(log, "report").sentences

    def quotes(*numbers: int) -> list[str]:
        spans = citing.quoted_spans(TEXT, sentences, numbers)
        return [TEXT[start:end] for start, end in spans]

    assert quotes(3, 2) == ["Rutte came. He left at night."]
    assert quotes(2, 4) == ["Rutte came.", "He said little."]
    assert quotes(1, 2) == ["A headline", "Rutte came."]
    assert quotes(4, 5, 6) == ["He said little.", "Page two. \U0001f600 The end."]
    for wrong in (0, 7):
        with pytest.raises(InvalidInput, match=f"{wrong} is none of 1 to 6"):
            quotes(wrong)


def test_the_next_missing_sentence_follows_and_begins_again(path: Path) -> None:
    log = storage.connect(path)
    assert citing.next_missing(log, "report") == 1
    assert citing.next_missing(log, "report", TEXT.index("Rutte")) == 3
    assert citing.next_missing(log, "report", len(TEXT)) == 1
    assert citing.next_missing(log, "bare") is None
    assert citing.sentence_path("report", 3) == "/articles/report?at=3#sentence-3"
