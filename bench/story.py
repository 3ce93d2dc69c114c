"""Make a story of any size, equal on every run: Zipf actors and tags, vague dates, changes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from timeline import Timeline
from timeline.model.countries import countries
from timeline.model.vocabulary import plover

ACTORS = 3_000
TAGS = 200
SOURCES = 500
TOWNS = 5_000
FIRST = date(2015, 1, 1)
DAYS = 10 * 365


def events(count: int, seed: int = 1) -> Iterator[dict[str, Any]]:
    """Yield statements for `Timeline.record`, with realistic shares of frequent and rare values."""
    maker = random.Random(seed)  # noqa: S311 - the same story every time
    types = [term.code for term in plover().event_types]
    places = [country.alpha3 for country in countries()]
    for number in range(count):
        yield {
            "event_id": f"e-{number:08d}",
            "title": f"Event {number} about {_word(maker)} and {_word(maker)}",
            "summary": " ".join(_word(maker) for _ in range(20)),
            "occurred": _date(maker),
            "event_type": types[_zipf(maker, len(types))],
            "place": _town(_zipf(maker, TOWNS), places),
            "participants": [
                {"name": f"Actor {actor}"}
                for actor in {_zipf(maker, ACTORS) for _ in range(maker.randint(1, 4))}
            ],
            "tags": sorted({f"tag-{_zipf(maker, TAGS)}" for _ in range(maker.randint(0, 3))}),
            "quantities": [
                {"measure": "killed", "value": maker.randint(1, 50)}
                for _ in range(maker.choice((0, 0, 0, 1, 2)))
            ],
            "citations": [{"source": {"url": f"https://example.org/{_zipf(maker, SOURCES)}"}}],
            "verification": maker.choice(("reported", "reported", "corroborated", "disputed")),
        }


def build(path: Path, count: int, batch: int = 10_000) -> None:
    """Make a timeline of `count` events; 15 % of the events are updated or corrected.

    The reports come in the order of the events, over ten years; each is up to 60 days late.
    """
    with Timeline.create(path, title="A made-up story") as timeline:
        story = events(count)
        maker = random.Random(2)  # noqa: S311 - the same story every time
        for start in range(0, count, batch):
            size = min(batch, count - start)
            timeline.record(
                {**next(story), "reported_at": _reported(number / count, maker)}
                for number in range(start, start + size)
            )
            chosen = sorted(maker.sample(range(start, start + size), size * 15 // 100))
            changes = {
                f"e-{number:08d}": {
                    "quantities.-": {"measure": "injured", "value": number % 90 + 1}
                }
                for number in chosen
            }
            half = dict(list(changes.items())[::2])
            later = _reported((start + size) / count, maker)
            others = {key: changes[key] for key in changes.keys() - half.keys()}
            timeline.update(others, reported_at=later)
            timeline.correct(half, reason="a later count", reported_at=later)


def built(folder: Path, count: int) -> Path:
    """Return the timeline of `count` events in a folder; make it if it is not there."""
    path = folder / f"{count}.db"
    if not path.exists():
        build(path, count)
    return path


def _reported(part: float, maker: random.Random) -> str:
    """Return the day of a report at a place in the story: 0 is its beginning, 1 its end."""
    return (FIRST + timedelta(days=int(part * DAYS) + maker.randrange(60))).isoformat()


def _town(number: int, countries: list[str]) -> dict[str, Any]:
    maker = random.Random(number)  # noqa: S311 - a town has the same place every time
    return {
        "name": f"Town {number}",
        "country": countries[_zipf(maker, len(countries))],
        "lat": f"{maker.uniform(-60, 70):.2f}",
        "lon": f"{maker.uniform(-180, 180):.2f}",
    }


def _zipf(maker: random.Random, size: int) -> int:
    """Return a random rank below `size`; rank n is about 1/n times as frequent as rank 1."""
    return min(int(size ** maker.random()) - 1, size - 1)


def _word(maker: random.Random) -> str:
    return f"word{_zipf(maker, 20_000)}"


def _date(maker: random.Random) -> str:
    day = FIRST + timedelta(days=maker.randrange(DAYS))
    kind = maker.random()
    if kind < 0.8:
        return day.isoformat()
    if kind < 0.9:
        return day.isoformat()[:7]
    if kind < 0.95:
        return f"{day.year}-{33 + (day.month - 1) // 3}"
    return f"{day.isoformat()}/{(day + timedelta(days=maker.randrange(30))).isoformat()}"
