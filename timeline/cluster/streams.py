"""Define how the streams of a cluster are kept, and judge those that are there."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

FORMAT = "timeline-format"
ORIGIN = "timeline-origin"
NEXT = "timeline-next"

_SECOND = 1_000_000_000
"""Servers count durations in nanoseconds."""
_SILENCE = 4
"""Seconds after which a replica counts as lost; each one answers its leader every second."""
_TIME = re.compile(r"(.{19})(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d:\d\d)")
_UNLIMITED = {"max_msgs": -1, "max_bytes": -1, "max_msgs_per_subject": -1, "max_msg_size": -1}
_EVERYWHERE = {
    "retention": "limits",
    "storage": "file",
    "num_replicas": 3,
    "discard": "new",
    "max_consumers": -1,
    "max_age": 0,
    "allow_direct": True,
}
_LOG = {
    **_EVERYWHERE,
    **_UNLIMITED,
    "deny_delete": True,
    "deny_purge": True,
    "allow_atomic": True,
    "duplicate_window": 120 * _SECOND,
}
_ABSENT = ("allow_rollup_hdrs", "allow_msg_ttl", "no_ack", "mirror", "sources", "subject_transform")
_LIMITS = (*_UNLIMITED, "max_age")


class StreamState(NamedTuple):
    """A stream's state is what its leader says about it."""

    name: str
    created: str
    """The time at which the stream was made, as the server writes it."""
    first: int
    last: int
    """The sequence of the newest message; 0: none was ever stored."""
    messages: int
    timestamp: datetime
    """The clock of the leader when it answered."""
    sealed: bool
    next_generation: int | None
    """The generation that follows, named by a stream that was sealed for it."""
    origin: str | None
    format: str | None
    leader: str | None
    """The server that leads; None: the one that answered knows of none."""
    quorum: bool
    """False if the leader has lost touch with so many servers that nothing can be stored."""
    problems: Sequence[str]
    """What makes the stream unsafe for a log: limits, a TTL, rights to delete."""


def time_of(text: str) -> datetime:
    """Read a time as the servers write it; they give nanoseconds, of which six digits are kept."""
    match = _TIME.fullmatch(text)
    if not match:
        raise ValueError(f"no time of a server: {text}")
    zone = "+00:00" if match[3] == "Z" else match[3]
    return datetime.fromisoformat(f"{match[1]}.{match[2] or '0':0<6}{zone}").astimezone(UTC)


def log_config(name: str, subject: str, origin: str) -> dict[str, Any]:
    """Make the configuration of the stream of a log."""
    metadata = {FORMAT: "1", ORIGIN: origin}
    return {"name": name, "subjects": [subject], **_LOG, "metadata": metadata}


def turn_config(name: str, subject: str) -> dict[str, Any]:
    """Make the configuration of the stream that says whose turn it is; it lives in memory."""
    changes = {"storage": "memory", "discard": "old", "max_msgs_per_subject": 1}
    return {"name": name, "subjects": [subject], **_EVERYWHERE, **changes}


def values_config(bucket: str) -> dict[str, Any]:
    """Make the configuration of a bucket of values, as any NATS client knows it."""
    return {
        "name": f"KV_{bucket}",
        "subjects": [f"$KV.{bucket}.>"],
        **_EVERYWHERE,
        "max_msgs_per_subject": 1,
        "deny_delete": True,
        "allow_rollup_hdrs": True,
    }


def objects_config(bucket: str) -> dict[str, Any]:
    """Make the configuration of an object store, as any NATS client knows it."""
    return {
        "name": f"OBJ_{bucket}",
        "subjects": [f"$O.{bucket}.C.>", f"$O.{bucket}.M.>"],
        **_EVERYWHERE,
        "allow_rollup_hdrs": True,
    }


def state_of(info: Mapping[str, Any]) -> StreamState:
    """Read the state of a stream from what its leader says."""
    config, state = info["config"], info["state"]
    metadata = config.get("metadata") or {}
    following = str(metadata.get(NEXT, ""))
    return StreamState(
        name=config["name"],
        created=info["created"],
        first=state["first_seq"],
        last=state["last_seq"],
        messages=state["messages"],
        timestamp=time_of(info["ts"]),
        sealed=bool(config.get("sealed")),
        next_generation=int(following) if following.isascii() and following.isdigit() else None,
        origin=metadata.get(ORIGIN),
        format=metadata.get(FORMAT),
        leader=_leader(info),
        quorum=_quorum(info.get("cluster") or {}),
        problems=_problems(config),
    )


def _leader(info: Mapping[str, Any]) -> str | None:
    # A server that is alone has no cluster, and leads.
    return info["cluster"].get("leader") or None if "cluster" in info else ""


def _quorum(cluster: Mapping[str, Any]) -> bool:
    others = cluster.get("replicas") or []
    near = [other for other in others if other["active"] < _SILENCE * _SECOND]
    return 2 * (len(near) + 1) > len(others) + 1


def _problems(config: Mapping[str, Any]) -> list[str]:
    found = []
    for name, wanted in _LOG.items():
        has = config.get(name, False)
        if name in ("duplicate_window", "num_replicas") and has >= wanted:
            continue
        if name in _LIMITS and has in (wanted, 0):
            continue
        if has != wanted:
            found.append(f"{name} is {_written(has)}, not {_written(wanted)}")
    found += [f"{name} is set" for name in _ABSENT if config.get(name)]
    return found


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
