"""Each figure of an event is known since the first version that had it, however it came."""

from __future__ import annotations

import contextlib
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from ticking_clock import TickingClock

from timeline import Timeline
from timeline.reading import query
from timeline.reading.known_since import known_since
from timeline.store import storage

_figures = st.lists(
    st.fixed_dictionaries(
        {"measure": st.just("killed"), "value": st.sampled_from(("20", "34", "36"))},
        optional={
            "reported_by": st.sampled_from(("mayor", "ministry")),
            "dated": st.sampled_from(("2025-04-13", "2025-04-14")),
            "qualifier": st.just("more_than"),
        },
    ),
    max_size=4,
)
_SAME = ("dated", "source_ids")
"""What may change about a figure without making it another one."""


def identity(figure: dict[str, Any]) -> str:
    return json.dumps(
        {key: value for key, value in figure.items() if key not in _SAME}, sort_keys=True
    )


@settings(max_examples=40, deadline=None)
@given(st.lists(_figures, min_size=1, max_size=6))
def test_a_figure_is_known_since_the_first_version_that_had_it(
    versions: list[list[dict[str, Any]]],
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "story.db"
        with Timeline.create(path, title="A story", now=TickingClock()) as timeline:
            event = {"event_id": "strike", "title": "A strike", "occurred": "2025-04-13"}
            timeline.record({**event, "quantities": versions[0]})
            for number, figures in enumerate(versions[1:], 1):
                said = {**event, "quantities": figures, "note": f"{number}"}
                timeline.update("strike", said, expect=number)
        with contextlib.closing(storage.connect(path)) as connection:
            every = [
                query.get(connection, "strike", version=version)
                for version in range(1, len(versions) + 1)
            ]
            for shown in every:
                expected = [
                    next(
                        (each["version"], each["recorded_at"])
                        for each in every
                        if identity(figure) in map(identity, each.get("quantities", ()))
                    )
                    for figure in shown.get("quantities", ())
                ]
                assert known_since(connection, shown) == expected
