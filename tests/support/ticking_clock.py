"""A clock for tests, which moves on at each look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class TickingClock:
    """A clock that starts on a known day and moves on by one second at each look."""

    step = timedelta(seconds=1)

    def __init__(self, start: str = "2025-04-13T12:00:00") -> None:
        self.time = datetime.fromisoformat(start).replace(tzinfo=UTC)

    def __call__(self) -> datetime:
        self.time += self.step
        return self.time

    def set(self, text: str) -> None:
        """Move to a UTC time such as 2025-04-14T18:00."""
        self.time = datetime.fromisoformat(text).replace(tzinfo=UTC)
