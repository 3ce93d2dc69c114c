"""Readers of a site: they ask all the time, and hold each answer to what may be true."""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import threading
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlsplit

_PATIENCE = 60.0
_SQL = (
    "select (select count(*) from events) as events,"
    " (select count(*) from log where kind = 'event.recorded') as entries"
)
_COUNT = re.compile(r"(?:Search |Show |<strong>)([\d,]+)(?:</strong>)? events")


class Readers:
    """Readers who ask at once; `answers` counts what they got, `problems` what cannot be true.

    The log grows by whole batches of events.
    """

    def __init__(self, url: str, database: str, batch: int) -> None:
        self._host = urlsplit(url).netloc
        self._batch = batch
        self._asks: tuple[tuple[str, Callable[[str], list[int]]], ...] = (
            (f"/{database}.json?_shape=array&sql={quote(_SQL)}", _by_sql),
            (f"/{database}/events.json?_size=1&_extra=count", _by_table),
            ("/", _by_page),
        )
        self.answers = 0
        self.sizes: set[int] = set()
        """The numbers of events that were seen."""
        self.problems: list[str] = []
        self._lock = threading.Lock()
        self._ended = threading.Event()

    @contextlib.contextmanager
    def reading(self, count: int) -> Iterator[None]:
        """Let so many readers ask while the block runs."""
        threads = [threading.Thread(target=self._read, args=(number,)) for number in range(count)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join()

    def _read(self, number: int) -> None:
        connection = http.client.HTTPConnection(self._host, timeout=_PATIENCE)
        with contextlib.closing(connection):
            while not self._ended.is_set():
                path, read = self._asks[number % len(self._asks)]
                number += 1
                connection.request("GET", path)
                answer = connection.getresponse()
                body = answer.read().decode()
                self._judge(path, answer.status, body, read)

    def _judge(self, path: str, status: int, body: str, read: Callable[[str], list[int]]) -> None:
        with self._lock:
            self.answers += 1
            if status != 200:
                self.problems.append(f"{path}: {status}: {body[:200]}")
                return
            counts = read(body)
            self.sizes.update(counts)
            if not counts or any(each % self._batch for each in counts) or len({*counts}) > 1:
                self.problems.append(f"{path}: {counts} events, of batches of {self._batch}")


def _by_sql(body: str) -> list[int]:
    (row,) = json.loads(body)
    return [row["events"], row["entries"]]


def _by_table(body: str) -> list[int]:
    said = json.loads(body)
    return [said.get("filtered_table_rows_count", said.get("count"))]


def _by_page(body: str) -> list[int]:
    """Return the number of events in each place of the first page that gives it; 0 if none does."""
    return [int(number.replace(",", "")) for number in _COUNT.findall(body)] or [0]
