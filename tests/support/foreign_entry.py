"""Entries that another writer made, whatever they say; their hashes hold."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from timeline.store import codec
from timeline.store.codec import Entry


def made(after: Entry, **changes: Any) -> Entry:
    """An event of a message after this one, whose hashes hold, whatever it says."""
    payload = changes.pop("payload", {"title": "Made", "occurred": "2025"})
    moment = datetime.fromisoformat(after.recorded_at) + timedelta(seconds=1)
    return codec.encode(
        **{
            "seq": after.seq + 1,
            "id": f"made-{after.seq + 1}",
            "kind": "event.recorded",
            "subject": f"event/made-{after.seq + 1}",
            "version": 1,
            "recorded_at": f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z",
            "reported_at": "2025-04-15",
            "payload": json.dumps(payload, separators=(",", ":")),
            **changes,
        }
    )
