"""Wait for a hint that something was published."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Self


class Signal:
    """A signal wakes who waits for it; what it hints at may not be stored yet.

    It is a context manager that ends the listening.
    """

    def __init__(self, subject: str, end: Callable[[Signal], None]) -> None:
        self.subject = subject
        self._end = end
        self._heard = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def wait(self, timeout: float) -> bool:
        """Wait for a hint, for some seconds; one since the last call counts, too."""
        heard = self._heard.wait(timeout)
        self._heard.clear()
        return heard

    def wake(self) -> None:
        """End the wait: there is, or may be, something new."""
        self._heard.set()

    def close(self) -> None:
        """End the listening."""
        self._end(self)
