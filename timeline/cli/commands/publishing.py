"""Define the command that publishes a timeline for readers: publish."""

from __future__ import annotations

import base64
import contextlib
import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from timeline.cli import output
from timeline.cli.opening import opened, share_notes, zone_of
from timeline.cli.options import Command, embed_of, embed_options
from timeline.errors import NotWritable
from timeline.formats import prose
from timeline.publish import publication
from timeline.publish.publication import Publication
from timeline.site.public_url import SiteUrl, site_url, url_of_origin
from timeline.store import log, storage
from timeline.store.follows import Follows, follows_of
from timeline.store.scratch_folder import scratch_folder

_MOST_NAMES = 20
"""The most names of files that are printed."""


@click.command("publish", cls=Command)
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--static", "as_files", is_flag=True, help="Write the whole site as files, for any host."
)
@click.option(
    "--url", metavar="URL", help="Where readers will find it; default https:// and the origin."
)
@embed_options
@click.option("--no-cards", is_flag=True, help="With --static: no pictures for chats.")
@click.option(
    "--all", "make_all", is_flag=True, help="With --static: make every file, and compare it."
)
@click.option(
    "--as-new",
    is_flag=True,
    help="With --static: even if the folder shows newer or other entries than this log has.",
)
@click.option("--with-texts", is_flag=True, help="Include the captured texts of sources.")
@click.option("--without-media", is_flag=True, help="Leave attached pictures and documents out.")
@click.pass_obj
def publish_command(
    database: str,
    /,
    folder: Path,
    as_files: bool,
    url: str | None,
    embed_from: tuple[str, ...],
    no_embed: bool,
    no_cards: bool,
    make_all: bool,
    as_new: bool,
    with_texts: bool,
    without_media: bool,
) -> None:
    """Publish a checked copy for readers, or the site as files.

    The copy is for `datasette -i`. Next to it are its metadata, a requirements.txt, this
    package as a wheel, and a Dockerfile that you may change. Publish again into the same
    folder: readers see either the old state or the new one. The log records what was published
    when, and the page /verify lists it.
    """
    public = None if url is None else site_url(url)
    embed = embed_of(embed_from, no_embed=no_embed)
    if as_files:
        if embed_from:
            raise click.UsageError(
                "--embed-from does nothing for --static: set the header Content-Security-Policy at "
                "your host"
            )
        _make(folder)
        _publish_files(
            database,
            folder,
            public,
            with_embeds=not no_embed,
            with_cards=not no_cards,
            make_all=make_all,
            as_new=as_new,
            with_texts=with_texts,
            without_media=without_media,
        )
        return
    if no_cards:
        raise click.UsageError("--no-cards is about --static: a server draws pictures when asked")
    if make_all or as_new:
        raise click.UsageError("--all and --as-new are about --static.")
    from timeline.publish.hosting_kit import check_name, write_kit

    check_name(Path(database).name)
    _make(folder)
    copy = folder / Path(database).name
    with output.Progress("entries") as progress:
        made = publication.publish(
            database,
            copy,
            with_texts=with_texts,
            with_media=not without_media,
            progress=lambda part, count: progress(count, f"of the {part}"),
        )
    try:
        write_kit(copy, public, embed, _followed_by(database))
    except OSError as error:
        raise NotWritable(str(folder), f"cannot be written: {error.strerror}") from None
    output.echo(f"Published {copy}: {_said(made, database)}")
    share_notes(database)
    output.echo(_NEXT.format(**_names(folder, copy, public)))
    if public is None:
        with opened(str(copy)) as (connection, _):
            address = url_of_origin(log.info(connection)["origin"])
        output.echo_note(
            f"citations and feeds will name {address}: if readers find the site elsewhere, "
            "publish with --url"
        )


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWritable(str(folder), f"cannot be made: {error.strerror}") from None


def _publish_files(
    database: str,
    folder: Path,
    url: SiteUrl | None,
    *,
    with_embeds: bool,
    with_cards: bool,
    make_all: bool,
    as_new: bool,
    with_texts: bool,
    without_media: bool,
) -> None:
    from timeline.publish.static_site import freeze
    from timeline.site.cards import letters

    with scratch_folder(folder) as new, output.Progress("files") as progress:
        for name in ("copy", "site"):
            (new / name).mkdir(mode=0o700)
        copy = new / "copy" / "timeline.db"  # a name that Datasette can open
        made = publication.make_copy(
            database, copy, with_texts=with_texts, with_media=not without_media
        )
        frozen = freeze(
            copy,
            folder,
            new / "site",
            url=url,
            with_embeds=with_embeds,
            with_cards=with_cards,
            make_all=make_all,
            as_new=as_new,
            follows=_followed_by(database),
            progress=progress,
        )
        publication.record(database, made)
    output.echo(
        f"Published {folder}: {frozen.files:,} files, {frozen.written:,} of them new or changed,"
        f" {frozen.removed:,} removed; {_said(made, database)}"
    )
    if frozen.with_erased_words:
        output.echo(output.wrapped(_to_purge(frozen.with_erased_words)))
    share_notes(database)
    if not made.checkpoint_size:
        output.echo_note(
            "nothing is signed, so nobody can mirror this: timeline checkpoint --key FILE"
        )
    elif unsigned := made.size - made.checkpoint_size:
        are = "entry is" if unsigned == 1 else "entries are"
        output.echo_note(f"{unsigned:,} {are} not signed yet, and so not in the tiles")
    if with_cards and not letters.are_here():
        output.echo_note(
            "there are no pictures for chats, which need Pillow: pip install"
            " 'timeline-store[cards]', or say --no-cards"
        )
    output.echo(f"Try it: python -m http.server --directory {shlex.quote(str(folder))}")


def _to_purge(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMES
    listed = ", ".join(names[:_MOST_NAMES]) + (f" and {more:,} more" if more > 0 else "")
    return (
        f"Erased words stood in these files: {listed}. Purge them from every cache, and from the "
        "history of a git that holds this folder."
    )


def _followed_by(database: str) -> Follows | None:
    """Return whose log a file follows: its published copy follows none, and has to say so."""
    with contextlib.closing(storage.connect(database)) as connection:
        return follows_of(connection)


def _said(made: Publication, database: str) -> str:
    root = base64.b64encode(made.root).decode()
    when = prose.instant(made.published_at, zone_of(database))
    return f"{made.size:,} entries, root {root}, on {when}."


_NEXT = """\
Next, one of:
  datasette serve -i {copy} -m {metadata}{settings}
  docker build -t {name} {folder} && docker run -p 8001:8001 {name}
  cd {folder} && fly launch --internal-port 8001
  gcloud run deploy {name} --source {folder} --port 8001
  datasette publish cloudrun {copy} -m {metadata} --service {name} --install timeline-store"""


def _names(folder: Path, copy: Path, url: SiteUrl | None) -> dict[str, str]:
    path = url.path if url else "/"
    name = "".join(c if c.isascii() and c.isalnum() else "-" for c in copy.stem.lower()).strip("-")
    if not name[:1].isalpha():  # Cloud Run wants a letter
        name = f"timeline-{name}".strip("-")
    return {
        "folder": shlex.quote(str(folder)),
        "copy": shlex.quote(str(copy)),
        "metadata": shlex.quote(str(folder / "metadata.json")),
        "name": name,
        "settings": f" --setting base_url {shlex.quote(path)}" if path != "/" else "",
    }
