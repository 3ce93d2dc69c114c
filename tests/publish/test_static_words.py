"""Texts and questions are words in the browser as they are in the tables."""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from contextlib import closing
from pathlib import Path

import pytest
from browsers import launched

from timeline.model import search_words
from timeline.projection import tables
from timeline.reading.filters import fts_query

VECTORS = json.loads((Path(__file__).parents[1] / "support/search_vectors.json").read_text())
SCRIPT = Path(__file__).parents[2] / "timeline/site/static/static_words.js"

CHEROKEE = ("\u13a0", "\u13fd"), ("\uab70", "\uabbf")
"""Letters that Unicode folds to upper case; in the browser they are of lower case on both sides."""


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["text"][:12])
def test_the_tables_find_what_the_vectors_say(vector: dict[str, object]) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        tables.create_search(connection)
        row = (1, search_words.words(str(vector["text"])))
        connection.execute("INSERT INTO event_search (rowid, title) VALUES (?, ?)", row)
        found = "SELECT count(*) FROM event_search WHERE event_search MATCH ?"
        for name, number in (("finds", 1), ("misses", 0)):
            for question in vector[name]:  # type: ignore[attr-defined]
                answer = connection.execute(found, (fts_query(question),)).fetchone()
                assert (question, answer) == (question, (number,))


def test_the_browser_finds_what_the_vectors_say_and_folds_every_letter_alike() -> None:
    with launched() as browser:
        page = browser.new_page()
        page.add_script_tag(path=SCRIPT)
        found = page.evaluate(
            """(vectors) => vectors.map(({ text, finds, misses }) => {
              const words = timelineWords.words(text);
              const isFound = (question) =>
                timelineWords.phrases(question).every((each) => words.includes(each));
              const isMissed = (question) => !isFound(question);
              return { text, finds: finds.filter(isFound), misses: misses.filter(isMissed) };
            })""",
            VECTORS,
        )
        assert found == VECTORS
        letters = [
            chr(code)
            for code in range(0x20000)
            if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Cc")
            and not any(first <= chr(code) <= last for first, last in CHEROKEE)
        ]
        said = page.evaluate("(all) => all.map((each) => timelineWords.letters(each))", letters)
        assert {
            letter: folded
            for letter, folded in zip(letters, said, strict=True)
            if folded != search_words._letters(letter)
        } == {}
        page.close()
