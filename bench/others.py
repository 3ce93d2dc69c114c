"""Store the same events with the SQLite recorder of `eventsourcing`, our rows with sqlite-utils.

This code validates nothing, hashes nothing and does not read the log; it finds actors by name.
"""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

from eventsourcing.application import Application
from eventsourcing.domain import Aggregate
from sqlite_utils import Database

from timeline.model.names import actor_id_of
from timeline.projection import fold

BATCH = 1_000
TABLES = ("event_actors", *fold.CHILD_TABLES)


class Happening(Aggregate):
    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content


def keep(lines: Path, log: Path, tables: Path) -> None:
    """Record the events of an NDJSON file in batches; insert the rows of each batch after it."""
    app: Application[Any] = Application(
        env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(log)}
    )
    database = Database(tables)
    position = 0
    with lines.open() as file:
        while batch := [json.loads(each) for each in itertools.islice(file, BATCH)]:
            app.save(*(Happening(content) for content in batch))
            notices = app.recorder.select_notifications(position + 1, limit=BATCH)
            events = [app.mapper.to_domain_event(notice) for notice in notices]
            with database.conn:
                project(database, [(position + n, e.content) for n, e in enumerate(events)])
            position += len(batch)
    app.close()
    database.close()


def project(database: Database, events: list[tuple[int, dict[str, Any]]]) -> None:
    """Insert the rows of our tables, made from contents, with sqlite-utils."""
    rows: dict[str, list[dict[str, Any]]] = {}
    columns = {table: [column.name for column in database[table].columns] for table in TABLES}
    for key, content in events:
        event_id = content["event_id"]
        cited = [{"source_id": each["source"]["url"][20:]} for each in content["citations"]]
        figures = [
            {"measure": each["measure"], "value": str(each["value"]), "unit": "person"}
            for each in content["quantities"]
        ]
        content = {**content, "citations": cited, "quantities": figures}
        names = [who["name"] for who in content["participants"]]
        now = "2025-01-01T00:00:00.000000Z"
        rows.setdefault("events", []).append(
            {
                "event_id": event_id,
                **fold.content_row(content, "UTC"),
                "sources_count": len({each["source_id"] for each in cited}),
                "actors": fold.joined_names(names),
                "at_risk": 0,
                "state": "current",
                "version": 1,
                "corrections_count": 0,
                "seq": key,
                "recorded_at": now,
                "first_recorded_at": now,
                "event_key": key,
            }
        )
        made = {
            table: [*rows_of(event_id, content)] for table, rows_of in fold.CHILD_TABLES.items()
        }
        made["event_actors"] = [
            (event_id, n, actor_id_of(name), name, "actor") for n, name in enumerate(names, 1)
        ]
        rows.setdefault("event_versions", []).append(
            {
                "event_id": event_id,
                "version": 1,
                "seq": key,
                "kind": "event.recorded",
                "state": "current",
                "recorded_at": now,
                "reported_from": now,
                "content_seq": key,
            }
        )
        for table, found in made.items():
            rows.setdefault(table, []).extend(
                dict(zip(columns[table], row, strict=False)) for row in found
            )
        search = ("title", "summary", "quotes", "actors", "places")
        texts = dict(zip(search, fold.search_row(content, fold.joined_names(names)), strict=True))
        rows.setdefault("event_search", []).append({"rowid": key, **texts})
    names_of = {row["actor_id"]: row["name"] for row in rows["event_actors"]}
    actors = [{"actor_id": actor_id, "name": name} for actor_id, name in names_of.items()]
    for table, found in rows.items():
        database[table].insert_all(found, batch_size=1_000)
    database["actors"].insert_all(actors, ignore=True)
