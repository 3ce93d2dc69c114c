"""Keep values and objects on a cluster, in the form that every NATS client reads."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any

from timeline.cluster import streams
from timeline.cluster.answers import Missing
from timeline.cluster.asking import Asking
from timeline.cluster.message import Part
from timeline.errors import StoreError

_CHUNK = 256 << 10
"""Bytes of one message of an object."""
_DELETED = "KV-Operation"


class Buckets(Asking):
    """Buckets have values, such as notes, by key, and objects, such as texts, by name."""

    # --- Values -----------------------------------------------------------------------------

    def create_values(self, bucket: str) -> None:
        """Make a bucket of values."""
        self.create(streams.values_config(bucket))

    def put_value(self, bucket: str, key: str, value: bytes, revision: int | None = None) -> int:
        """Put a value, if the one that is there has this revision, and give the new revision.

        0: if there is none yet; None: whatever is there.
        """
        return self._put_value(bucket, key, value, {}, revision)

    def delete_value(self, bucket: str, key: str) -> None:
        """Take a value out of its bucket."""
        self._put_value(bucket, key, b"", {_DELETED: "DEL"}, None)

    def value(self, bucket: str, key: str) -> tuple[bytes, int] | None:
        """Give a value and its revision, as the leader has it."""
        found = self.newest(f"KV_{bucket}", f"$KV.{bucket}.{key}")
        if found is None or _DELETED in found.headers:
            return None
        return found.body, found.sequence

    def revision(self, bucket: str, key: str) -> int:
        """Give the revision of a key, whose value may be deleted; 0: there never was one."""
        found = self.newest(f"KV_{bucket}", f"$KV.{bucket}.{key}")
        return found.sequence if found else 0

    def values(self, bucket: str) -> dict[str, bytes]:
        """Give all values of a bucket, by key."""
        found, _ = self.changed_values(bucket, 0)
        return {key: value for key, value in found.items() if value is not None}

    def changed_values(self, bucket: str, after: int) -> tuple[dict[str, bytes | None], int]:
        """Give the values that changed after a revision, by key, and the newest revision.

        None stands for a value that was taken out.
        """
        name, prefix = f"KV_{bucket}", f"$KV.{bucket}."
        state = self.stream(name)
        if state is None:
            raise Missing(f"no bucket {bucket}")
        found: dict[str, bytes | None] = {}
        following = max(state.first, after + 1)
        until = time.monotonic() + self.patience
        while following <= state.last and state.messages:
            read = self.select(name, {"seq": following, "batch": 512, "max_bytes": 8 << 20})
            for subject, stored in read:
                is_there = _DELETED not in stored.headers
                found[subject.removeprefix(prefix)] = stored.body if is_there else None
                following = stored.sequence + 1
            if not read and time.monotonic() > until:
                raise self._behind(bucket)
        return found, state.last

    def _put_value(
        self, bucket: str, key: str, value: bytes, headers: dict[str, str], revision: int | None
    ) -> int:
        if revision is not None:
            headers = {**headers, "Nats-Expected-Last-Subject-Sequence": str(revision)}
        return self.keep(f"KV_{bucket}", f"$KV.{bucket}.{key}", Part(headers, value))

    # --- Objects ----------------------------------------------------------------------------

    def create_objects(self, bucket: str) -> None:
        """Make an object store."""
        self.create(streams.objects_config(bucket))

    def delete_objects(self, bucket: str) -> None:
        """Delete an object store with all that is in it."""
        self.delete_stream(f"OBJ_{bucket}")

    def put_object(self, bucket: str, name: str, body: bytes, headers: Mapping[str, str]) -> None:
        """Put an object with its headers; one of this name that is there already is left."""
        if self._object(bucket, name) is not None:
            return
        number = secrets.token_hex(11)
        chunks = [body[start : start + _CHUNK] for start in range(0, len(body), _CHUNK)]
        for chunk in chunks:
            self._put(bucket, f"C.{number}", chunk, {})
        self._describe(
            bucket,
            {
                "name": name,
                "headers": {key: [value] for key, value in headers.items()},
                "options": {"max_chunk_size": _CHUNK},
                "bucket": bucket,
                "nuid": number,
                "size": len(body),
                "chunks": len(chunks),
                "digest": _digest(body),
            },
        )

    def object(self, bucket: str, name: str) -> tuple[bytes, dict[str, str]] | None:
        """Give an object and its headers; None: there is none."""
        about = self._object(bucket, name)
        if about is None:
            return None
        subject, chunks = f"$O.{bucket}.C.{about['nuid']}", list[bytes]()
        following = 1
        until = time.monotonic() + self.patience
        while len(chunks) < about["chunks"]:
            request = {"seq": following, "next_by_subj": subject, "batch": 64}
            read = self.select(f"OBJ_{bucket}", {**request, "max_bytes": 8 << 20})
            for _, stored in read:
                chunks.append(stored.body)
                following = stored.sequence + 1
            if not read and time.monotonic() > until:
                raise self._behind(bucket)
        body = b"".join(chunks)
        if _digest(body) != about.get("digest"):
            raise StoreError(str(self.address), f"the object {name} of {bucket} was changed")
        return body, {key: many[0] for key, many in (about.get("headers") or {}).items()}

    def object_names(self, bucket: str) -> set[str]:
        """List the names of all objects; some may be deleted."""
        prefix = f"$O.{bucket}.M."
        names: set[str] = set()
        seen = 0
        while True:
            request = {"subjects_filter": f"{prefix}>", "offset": seen}
            found = self.call(f"STREAM.INFO.OBJ_{bucket}", request)["state"].get("subjects") or {}
            names |= {
                base64.urlsafe_b64decode(subject.removeprefix(prefix)).decode() for subject in found
            }
            seen += len(found)
            if not found:
                return names

    def delete_object(self, bucket: str, name: str) -> None:
        """Delete an object; nothing happens if there is none."""
        about = self._object(bucket, name)
        if about is None:
            return
        self._describe(
            bucket, {**about, "deleted": True, "size": 0, "chunks": 0, "digest": "", "headers": {}}
        )
        filtered = {"filter": f"$O.{bucket}.C.{about['nuid']}"}
        self.call(f"STREAM.PURGE.OBJ_{bucket}", filtered)

    def _object(self, bucket: str, name: str) -> dict[str, Any] | None:
        found = self.newest(f"OBJ_{bucket}", f"$O.{bucket}.{_described(name)}")
        about: dict[str, Any] = json.loads(found.body) if found else {"deleted": True}
        return None if about.get("deleted") else about

    def _describe(self, bucket: str, about: Mapping[str, Any]) -> None:
        body = json.dumps(about).encode()
        self._put(bucket, _described(about["name"]), body, {"Nats-Rollup": "sub"})

    def _put(self, bucket: str, subject: str, body: bytes, headers: dict[str, str]) -> None:
        self.keep(f"OBJ_{bucket}", f"$O.{bucket}.{subject}", Part(headers, body))

    def _behind(self, bucket: str) -> StoreError:
        return StoreError(
            str(self.address), f"no server has all of {bucket}: look at timeline cluster doctor"
        )


def _described(name: str) -> str:
    return f"M.{base64.urlsafe_b64encode(name.encode()).decode()}"


def _digest(body: bytes) -> str:
    return f"SHA-256={base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode()}"
