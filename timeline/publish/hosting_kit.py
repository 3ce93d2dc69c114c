"""A hosting kit is what a host needs beside a copy to serve it: metadata, a wheel, a Dockerfile.

Guarantees: the wheel is this package, packed again from where it is installed; with it,
`pip install -r requirements.txt` in that folder installs the package that made the copy, with
what every download of the site needs, and its version of Datasette. A Dockerfile that is there
already is not overwritten, because somebody may have changed it. Every user may read the files of
the kit, as well as the copy.

Knows a timeline only by the name of its file and by its metadata.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution, version
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from timeline.errors import Refused
from timeline.model.resources import db_folder, packaged_metadata
from timeline.site.frames import Embed
from timeline.site.public_url import SiteUrl
from timeline.site.serve import SETTINGS, metadata_for
from timeline.store import atomic
from timeline.store.follows import Follows
from timeline.store.scratch_folder import scratch_folder

_DISTRIBUTION = "timeline-store"
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The time of every file in the wheel: the earliest that a zip archive can have."""
_OURS = (
    ".py",
    ".typed",
    ".html",
    ".css",
    ".js",
    ".svg",
    ".LICENSE",
    ".sql",
    ".csv",
    ".json",
    ".txt",
)
"""Endings of the names of files that belong to the package."""

_ONLY_HERE = ("default_cache_ttl", "sql_time_limit_ms")
"""Settings of `timeline serve` that a copy does not need: it never changes, so its pages may be
cached, and strangers read it, so their SQL has Datasette's own limit of one second."""

_DOCKERFILE = """\
FROM python:3.12-slim-bookworm
RUN useradd --create-home --uid 10001 reader
WORKDIR /srv/timeline
COPY requirements.txt timeline_store-*.whl ./
RUN pip install --no-cache-dir --requirement requirements.txt
COPY metadata.json {pattern} ./
USER reader
EXPOSE 8001
CMD ["datasette", "serve", "--immutable", {database}, "--metadata", "metadata.json", \
"--host", "0.0.0.0", "--port", "8001"{settings}]
"""


_EXTRAS = "cards,timelinejs"
"""The extras that a server of a copy uses: the others are for writing."""
_TAKEN = re.compile(r"metadata\.json|requirements\.txt|Dockerfile|timeline_store-.*\.whl")
_NOT_FOR_DATASETTE = re.compile(r"[?#]|%[0-9A-Fa-f]{2}")
"""Parts of a file name that Datasette would misread: it puts the name into a URI without quoting
it (`Database.connect`)."""


def check_name(name: str) -> None:
    """Raise Refused for a name that a file of the kit has, or that Datasette cannot open."""
    if _TAKEN.fullmatch(name):
        raise Refused(f"{name} is the name of a file that stands beside the copy: rename it")
    if wrong := _NOT_FOR_DATASETTE.search(name):
        raise Refused(f"Datasette opens no file with {wrong[0]} in its name: rename {name}")


def write_kit(
    copy: Path,
    url: SiteUrl | None = None,
    embed: Embed = True,
    follows: Follows | None = None,
) -> None:
    """Write metadata.json, requirements.txt, the wheel and a Dockerfile beside a copy.

    `url` is the address at which readers will find the site, `embed` says who may show parts of it
    in frames, and `follows` whose log it is, if it is not ours. A Dockerfile that is there already
    stays as it is; wheels of other versions are removed.
    """
    wheel = f"timeline_store-{version(_DISTRIBUTION)}-py3-none-any.whl"
    metadata = metadata_for(copy, url, embed, follows)
    contents = {
        "metadata.json": json.dumps(metadata, indent=2).encode() + b"\n",
        wheel: _wheel(),
        "requirements.txt": f"./{wheel}[{_EXTRAS}]\ndatasette=={version('datasette')}\n".encode(),
    }
    if not (copy.parent / "Dockerfile").exists():
        contents["Dockerfile"] = _dockerfile(copy.name, url)
    with scratch_folder(copy.parent) as new:
        for name, content in contents.items():
            atomic.write(copy.parent / name, content, new / name, mode=0o644)
        for old in copy.parent.glob("timeline_store-*.whl"):
            if old.name != wheel:
                old.unlink()


def _dockerfile(database: str, url: SiteUrl | None) -> bytes:
    """Return a Dockerfile that names no version of this package.

    It has to work after upgrades too, because it is written only once.
    """
    chosen = {name: value for name, value in SETTINGS.items() if name not in _ONLY_HERE}
    if url and url.path != "/":
        chosen["base_url"] = url.path
    settings = "".join(
        f', "--setting", "{name}", {json.dumps(str(value))}' for name, value in chosen.items()
    )
    # COPY takes patterns. A character that could have a meaning in one, or that separates words,
    # is written as "?", which matches any character.
    pattern = re.sub(r"[^\w.-]", "?", database)
    quoted = json.dumps(database, ensure_ascii=False)
    return _DOCKERFILE.format(pattern=pattern, database=quoted, settings=settings).encode()


def _wheel() -> bytes:
    """Pack this package as a wheel (PyPA binary distribution format 1.0), the same every time."""
    info = f"timeline_store-{version(_DISTRIBUTION)}.dist-info"
    installed = distribution(_DISTRIBUTION)
    contents = dict(sorted(_package()))
    for name in ("METADATA", "entry_points.txt", "licenses/LICENSE"):
        contents[f"{info}/{name}"] = (installed.read_text(name) or "").encode()
    contents[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: timeline\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    record = f"{info}/RECORD"
    lines = [
        f"{name},sha256={_digest(content)},{len(content)}" for name, content in contents.items()
    ]
    contents[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _package() -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every file of the package, with db/ and metadata.json inside it."""
    for name, content in _below(files("timeline"), "timeline"):
        if not name.startswith("timeline/db/"):
            yield name, content
    yield from _below(db_folder(), "timeline/db")
    yield "timeline/metadata.json", json.dumps(packaged_metadata(), indent=2).encode()


def _below(folder: Traversable, name: str) -> Iterator[tuple[str, bytes]]:
    for each in folder.iterdir():
        here = f"{name}/{each.name}"
        if each.is_dir():
            if each.name != "__pycache__":
                yield from _below(each, here)
        elif each.name.endswith(_OURS):
            yield here, each.read_bytes()


def _digest(content: bytes) -> str:
    hashed = hashlib.sha256(content).digest()
    return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()
