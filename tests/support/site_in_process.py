"""A Datasette in this process, asked for pages without a network."""

from __future__ import annotations

import asyncio
import contextlib
import html
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from datasette.app import Datasette

from timeline.site.public_url import site_url
from timeline.site.serve import metadata_for

FILES = (
    *("events.csv", "figures.csv", "events.json", "events.ics", "events.atom", "events.geojson"),
    *("events.timelinejs.json", "events.jsonl", "events.md", "events.html"),
)
"""The files of a selection that the site offers."""


class Site:
    """A Datasette in this process, asked without a network."""

    def __init__(
        self,
        *files: Path,
        immutables: Sequence[Path] = (),
        url: str | None = None,
        metadata: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        if metadata is None:
            metadata = metadata_for([*files, *immutables][0], site_url(url) if url else None)
        self.datasette = Datasette(
            [str(file) for file in files],
            immutables=[str(file) for file in immutables],
            metadata=metadata,
            **settings,
        )
        self.runner = asyncio.Runner()
        self.runner.run(self.datasette.invoke_startup())

    def ask(self, path: str, **headers: str) -> Any:
        return self.runner.run(self.datasette.client.get(path, headers=headers))

    def page(self, path: str) -> str:
        answer = self.ask(path)
        assert answer.status_code == 200, (path, answer.text)
        text: str = answer.text
        return text

    def titles(self, path: str) -> list[str]:
        return [
            html.unescape(title)
            for title in re.findall(r'<a class="title"[^>]*>(.*?)</a>', self.page(path), re.DOTALL)
        ]

    def links(self, path: str) -> list[str]:
        """The links of a page, without those to the same page in other languages."""
        found = re.findall(r'href="([^"]*)"', self.page(path))
        return [link for link in map(html.unescape, found) if "lang=" not in link]


@contextlib.contextmanager
def open_site(*files: Path, **settings: Any) -> Iterator[Site]:
    site = Site(*files, **settings)
    with site.runner:
        yield site
        for database in site.datasette.databases.values():
            database.close()
