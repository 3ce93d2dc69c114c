"""A Datasette in which everybody may do everything."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from datasette.app import Datasette

from timeline.model.resources import packaged_metadata

IS_STABLE = not hasattr(Datasette, "add_query")


ACTIONS = [
    "alter-table",
    "create-table",
    "create-view",
    "debug-menu",
    "delete-query",
    "delete-row",
    "drop-table",
    "drop-view",
    "execute-sql",
    "execute-write-sql",
    "insert-row",
    "permissions-debug",
    "set-column-type",
    "store-query",
    "update-query",
    "update-row",
    "view-database",
    "view-database-download",
    "view-instance",
    "view-query",
    "view-table",
]


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


class Site(NamedTuple):
    datasette: Datasette
    runner: asyncio.Runner

    def ask(
        self, path: str, method: str = "GET", body: Any = None, *, as_root: bool = False
    ) -> Answer:
        headers = {}
        if isinstance(body, dict):
            headers["content-type"] = "application/json"
            body = json.dumps(body)
        elif body is not None:
            headers["content-type"] = "application/x-www-form-urlencoded"
        cookies = {}
        if as_root:
            cookies["ds_actor"] = self.datasette.sign({"a": {"id": "root"}}, "actor")
        response = self.runner.run(
            self.datasette.client.request(
                method, path, content=body, headers=headers, cookies=cookies
            )
        )
        return Answer(response.status_code, dict(response.headers), response.content)

    def run(self, awaitable: Any) -> Any:
        return self.runner.run(awaitable)


@contextlib.contextmanager
def serving(*files: Path, config: dict[str, Any] | None = None, **more: Any) -> Iterator[Site]:
    """A Datasette in which everyone may do everything, and root is root."""
    everything = {"permissions": dict.fromkeys(ACTIONS, True), **(config or {})}
    with asyncio.Runner() as runner:
        datasette = Datasette(
            [str(file) for file in files],
            metadata={**packaged_metadata(), **everything},
            **({} if IS_STABLE else {"config": everything}),
            **more,
        )
        datasette.root_enabled = True
        runner.run(datasette.invoke_startup())
        try:
            yield Site(datasette, runner)
        finally:
            for closing in datasette.databases.values() if IS_STABLE else [datasette]:
                closing.close()
