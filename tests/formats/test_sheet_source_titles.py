"""One address is one source, whatever titles a sheet and a log give it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from timeline.formats.sheet.cells import SheetRow
from timeline.formats.sheet.events import Lookup, normal
from timeline.formats.sheet.source_titles import notes, settled, titles_in

URL = "https://example.org/quay"


@pytest.mark.parametrize(
    ("known", "given", "is_news", "cited", "left_out"),
    [
        ([], ["One", "", "One"], True, ["One", "One", "One"], []),
        ([], ["", "One", "Two"], True, ["One", "One", "One"], ["Two"]),
        (["Log"], ["One", ""], True, ["One", "One"], []),
        (["Log"], ["One", ""], False, ["Log", "Log"], ["One"]),
        (["Log"], ["One", "Log", "Two"], True, ["Log", "Log", "Log"], ["One", "Two"]),
        (["", "Log"], ["Log", ""], False, ["Log", "Log"], []),
        (["Log", "Book"], ["Book", "Log"], True, ["Book", "Log"], []),
        ([""], ["One", "Two"], True, ["", ""], ["One", "Two"]),
        ([""], ["One"], False, [""], ["One"]),
    ],
)
def test_the_title_by_which_an_address_is_cited(
    known: Sequence[str],
    given: Sequence[str],
    is_news: bool,
    cited: list[str],
    left_out: list[str],
) -> None:
    rows = [
        SheetRow(line, line, {"source_url": URL, "source_title": title})
        for line, title in enumerate(given, 2)
    ]
    said = titles_in(rows)
    log: Mapping[str, Sequence[str]] = {URL: known} if known else {}
    titles, accepted = settled(said, log, is_news=is_news)
    lookup = Lookup(titles=titles, accepted=accepted, said=said)
    assert [normal(row, lookup).cells["source_title"] for row in rows] == cited
    named = [next(t for t in given if f'title "{t}" left' in note) for note in notes(lookup)]
    assert named == left_out
