"""Serve a timeline from this machine with Datasette, and make the metadata for it.

Guarantees: only a timeline whose tables are up to date is served, otherwise a TimelineError says
why not in one line; nothing is written to the file; an append by another process shows at the
next reload. Datasette is not imported before it serves.

Knows Datasette only by its command line.
"""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

import click

from timeline.errors import Refused
from timeline.model.resources import packaged_metadata
from timeline.projection import tables
from timeline.site.frames import Embed
from timeline.site.public_url import SiteUrl
from timeline.store import log, storage
from timeline.store.follows import Follows

SETTINGS = {
    # The file may change at any time: no page may come from a cache, and a download could lack
    # entries that are still in the write-ahead log.
    "default_cache_ttl": 0,
    "allow_download": "off",
    # Milliseconds: there are one or few readers, who would rather wait than miss a facet.
    "sql_time_limit_ms": 5_000,
    "facet_time_limit_ms": 1_000,
    # The metadata names the useful facets; to try every column would be slow.
    "suggest_facets": "off",
    "default_page_size": 50,
    "max_returned_rows": 2_000,
    # Megabytes of a table as CSV, which Datasette reads in parts of 2,000 rows; 100,000 events
    # have 45.
    "max_csv_mb": 50,
}


PAGES = (
    *("about", "actors", "changes", "embed", "events", "map", "sources", "timelines", "verify"),
    *("checkpoint", "entries", "tile", "tlog-policy"),
)
"""The names of our pages at the root, which hide Datasette's pages of a file with that name."""


def metadata_for(
    path: str | os.PathLike[str],
    url: SiteUrl | None = None,
    embed: Embed = True,
    follows: Follows | None = None,
) -> dict[str, Any]:
    """Return Datasette's metadata for a timeline, with the title and the licence of its log.

    It is under the name that Datasette gives to the file. `url` is the public address of the site,
    if it is known; `embed` says who may show parts of it in frames. `follows` is for a published
    copy: whom the file follows of which it is a copy. Raises StoreError for a file that is no
    timeline.
    """
    with contextlib.closing(storage.connect(path)) as connection:
        info = log.info(connection)
    metadata = packaged_metadata()
    database = metadata["databases"].pop("timeline")
    metadata["databases"][Path(path).stem] = database
    for described in (metadata, database):
        described["title"] = info.get("title", described["title"])
        described.pop("license", None)
        if "licence" in info:
            described["license"] = info["licence"]
    if follows:
        _plugin(metadata)["copies"] = {Path(path).stem: follows.told()}
    return _configured(metadata, url, embed)


def _configured(metadata: dict[str, Any], url: SiteUrl | None, embed: Embed) -> dict[str, Any]:
    chosen: dict[str, Any] = {} if url is None else {"url": str(url)}
    if embed is not True:
        chosen["embed"] = embed
    if chosen:
        _plugin(metadata).update(chosen)
    return metadata


def _plugin(metadata: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = metadata.setdefault("plugins", {}).setdefault("timeline", {})
    return found


def serve(
    path: str | os.PathLike[str],
    *,
    host: str = "127.0.0.1",
    port: int = 8001,
    url: SiteUrl | None = None,
    embed: Embed = True,
    beside: Sequence[str | os.PathLike[str]] = (),
    options: Sequence[str] = (),
    tell: Callable[[str], object] = lambda line: click.echo(line, err=True),
) -> None:
    """Serve a timeline until Ctrl-C; `options` go to `datasette serve` as they are.

    Those in the files `beside` it have their pages at /timelines/NAME, by the names of the files.
    `tell` is called with each line for the person who serves; a line has the title of the log.
    Port 0 stands for any free port. `url` is the address at which readers find the site, `embed`
    says who may show parts of it in frames. Raises StoreError for a file that cannot be served,
    Refused if nothing can listen at the address, and click.UsageError for an option unknown to
    Datasette.
    """
    metadata = metadata_for(path, url, embed)
    arguments, notes = _files((path, *beside))
    for other in beside:
        metadata["databases"] |= metadata_for(other)["databases"]
    port = free_port(host, port)

    from datasette.cli import serve as command

    arguments += ["--host", host, "--port", str(port)]
    for name, value in SETTINGS.items():
        arguments += ["--setting", name, str(value)]
    if url and url.path != "/":
        arguments += ["--setting", "base_url", url.path]
    shown_host = f"[{host}]" if ":" in host else host
    with command.make_context("datasette serve", [*arguments, *options]) as context:
        own = context.params["metadata"]
        if own and (url or embed is not True):
            context.params["metadata"] = _as_file(_configured(_metadata_in(own), url, embed))
        elif not own:
            context.params["metadata"] = _as_file(metadata)
        known = f", for readers at {url}" if url else ""
        tell(f'Serving "{metadata["title"]}" at http://{shown_host}:{port}/{known}  (Ctrl-C stops)')
        for other in beside:
            tell(f"Beside it: {other}, at /timelines/{Path(other).stem}")
        for note in notes:
            tell(f"Note: {note}")
        if Path(path).stem in PAGES:
            tell(
                f"Note: /{Path(path).stem} is a page of the timeline, so Datasette's own pages of "
                f"this file cannot be seen: rename {Path(path).name} to see them"
            )
        with contextlib.suppress(KeyboardInterrupt):
            command.invoke(context)


def _files(paths: Sequence[str | os.PathLike[str]]) -> tuple[list[str], list[str]]:
    """Return the arguments that open these files, and the notes about them. Raises StoreError."""
    arguments, notes = list[str](), list[str]()
    for path in paths:
        with contextlib.closing(storage.connect(path)) as connection:
            tables.check(connection, os.fspath(path))
            notes += [connection.note] if connection.note else []
            arguments += ["--immutable"] if connection.is_immutable else []
            arguments.append(str(Path(path).absolute()))
    return arguments, notes


def _as_file(metadata: dict[str, Any]) -> io.StringIO:
    return io.StringIO(json.dumps(metadata))


def _metadata_in(file: IO[str]) -> dict[str, Any]:
    """Read a file of metadata, JSON or YAML, as Datasette reads it."""
    from datasette.utils import BadMetadataError, parse_metadata

    try:
        found: dict[str, Any] = parse_metadata(file.read())
    except BadMetadataError as error:
        raise click.UsageError(f"{file.name}: {error}") from None
    return found


def free_port(host: str, port: int) -> int:
    """Return the port, or any free one for 0. Raises Refused if nothing can listen there."""
    try:
        (family, kind, protocol, _, address), *_ = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        with socket.socket(family, kind, protocol) as probe:
            if os.name == "posix":
                # The server does this too: connections of an earlier server may still be closing.
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            bound: int = probe.getsockname()[1]
            return bound
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            problem = f"port {port} is in use: give another with --port"
        else:
            problem = f"cannot listen at {host}, port {port}: {error.strerror}"
        raise Refused(problem) from None
