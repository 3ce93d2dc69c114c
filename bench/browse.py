"""The browse page against Datasette's own table page with the same facets and filters.

Both in one process, asked in turn, without a network; Datasette's time limits are off, so
that its facets are exact too. Medians of several rounds, and the first request by itself: it
makes the facet index. Run: python bench/browse.py [EVENTS]
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import urlencode

import story
from datasette.app import Datasette

from timeline.facets import SMALLEST
from timeline.site.serve import metadata_for

ROUNDS = 5
FACETS = ("event_type", "country", "modality", "verification", "occurred_precision")
MANY_TO_MANY = ("actors", "tags", "sources")
CASES = {
    "everything": ({}, {}),
    "one type": ({"type": "CONSULT"}, {"event_type": "CONSULT"}),
    "one country": ({"country": "ALB"}, {"country": "ALB"}),
    "one actor": ({"actor": "Actor 3"}, {"_actor": "{actor}"}),
    "type and country": (
        {"type": "AGREE", "country": "AFG"},
        {"event_type": "AGREE", "country": "AFG"},
    ),
    "type, country and actor": (
        {"type": "AGREE", "country": "AFG", "actor": "Actor 1"},
        {"event_type": "AGREE", "country": "AFG", "_actor": "{first}"},
    ),
    "a quarter": ({"since": "2020-04", "until": "2020-06"}, {"_period": "2020-34"}),
    "a frequent word": ({"q": "word12"}, {"_search": "word12"}),
    "a rare word": ({"q": "word15000"}, {"_search": "word15000"}),
}


async def main(count: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "timeline.db"
        story.build(path, count)
        datasette = Datasette(
            [str(path)],
            metadata=metadata_for(path),
            settings={
                "sql_time_limit_ms": 600_000,
                "facet_time_limit_ms": 600_000,
                "suggest_facets": False,
                "default_page_size": 50,
            },
        )
        await datasette.invoke_startup()
        actors = await names(datasette)
        first = await asked(datasette, "/events")
        print(
            f"{count:,} events; the first request, which makes the index: {first * 1000:,.0f} ms\n"
        )
        print(f"{'':26}{'/events':>10}{'Datasette':>12}{'ratio':>8}")
        for name, (ours, theirs) in CASES.items():
            filled = {key: value.format(**actors) for key, value in theirs.items()}
            facets = [("_facet", facet) for facet in FACETS]
            facets += [("_facet_m2m", facet) for facet in MANY_TO_MANY]
            pages = (
                f"/events?{urlencode(ours)}",
                "/timeline/events?"
                + urlencode(
                    [("state", "current"), *filled.items(), *facets, ("_sort", "occurred_from")]
                ),
            )
            seconds: list[list[float]] = [[], []]
            for _ in range(ROUNDS):
                for page, times in zip(pages, seconds, strict=True):
                    times.append(await asked(datasette, page))
            mine, other = (statistics.median(times) for times in seconds)
            print(f"{name:26}{mine * 1000:>7,.0f} ms{other * 1000:>9,.0f} ms{mine / other:>8.2f}")
        if count < SMALLEST:
            print(f"\nBelow {SMALLEST:,} events the index is not used.")


async def names(datasette: Datasette) -> dict[str, str]:
    """The ids of the actors that the cases name."""
    rows = await datasette.get_database("timeline").execute(
        "SELECT name, actor_id FROM actors WHERE name IN ('Actor 1', 'Actor 3')"
    )
    ids = {row["name"]: row["actor_id"] for row in rows.rows}
    return {"first": ids["Actor 1"], "actor": ids["Actor 3"]}


async def asked(datasette: Datasette, path: str) -> float:
    start = time.perf_counter()
    answer = await datasette.client.get(path)
    assert answer.status_code == 200, (path, answer.text[:500])
    return time.perf_counter() - start


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
