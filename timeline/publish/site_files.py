"""Put the files of a static site into a folder, beside files that are not of the site.

Guarantees: files are made in a scratch folder, and moved when all of them are made, in the order
in which they were put; so a run that is killed leaves old and new files, and each is whole. A file
that no earlier run wrote is never replaced or removed, and no symbolic link is followed. The
manifest lists a file before the file is moved into its place, so that the next run knows every file
of a run that was killed.
"""

from __future__ import annotations

import contextlib
import json
import stat
from collections.abc import Callable, Iterable
from pathlib import Path, PurePath
from typing import NamedTuple

from timeline.errors import Refused
from timeline.store import atomic

_MANIFEST = ".timeline-files.json"
"""The name of the manifest, which lists the files that earlier runs wrote."""


class Written(NamedTuple):
    """The result of `SiteFiles.finish`, which counts the files, those written and those removed."""

    files: int
    written: int
    removed: int
    outdated: tuple[str, ...]
    """The files of earlier runs that were replaced or removed."""


class SiteFiles:
    """The files of a site, which are put one by one, and take their places at the end."""

    def __init__(
        self,
        folder: Path,
        new: Path,
        progress: Callable[[int], object] = lambda count: None,
        *,
        make_all: bool = False,
    ) -> None:
        """Read which files earlier runs wrote into `folder`; `new` is the scratch folder.

        `progress` is called with the number of files so far. With `make_all`, no file of an earlier
        run is offered to be kept.
        """
        self._folder, self._new = folder, new
        self._progress, self._make_all = progress, make_all
        self._names: dict[str, None] = {}
        self._changed: dict[str, Path] = {}
        try:
            earlier = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            earlier = []
        names = earlier if isinstance(earlier, list) else []
        self._earlier = {name: None for name in names if isinstance(name, str)}
        self._no_links: set[str] = set()
        """The folders that are no symbolic links, nor lie below one."""

    def put(self, name: str, content: bytes) -> None:
        """Make a file, unless one with this content is in its place already.

        Raises Refused if a file that no earlier run wrote is in the way, or a symbolic link.
        """
        self._names[name] = None
        self._progress(len(self._names))
        path = self._folder / name
        if link := self._link_on_the_way_to(name):
            raise Refused(f"{link} is a symbolic link, which publish does not follow: move it away")
        if path.is_file() and path.read_bytes() == content:
            self._changed.pop(name, None)
            return
        if name not in self._earlier:
            above = (self._folder / each for each in PurePath(name).parents)
            for taken in (*(each for each in above if each.is_file()), path):
                if taken.exists():
                    raise Refused(
                        f"{taken} is in the way, and no earlier publish wrote it: move it away"
                    )
        self._changed[name] = made = self._new / name
        made.parent.mkdir(parents=True, exist_ok=True)
        made.write_bytes(content)

    def earlier(self, name: str) -> Path | None:
        """Return the file of this name that an earlier run wrote, which `keep` may leave as it is.

        Returns None if there is none, or if all files are to be made.
        """
        if self._make_all or name not in self._earlier or self._link_above(name):
            return None
        path = self._folder / name
        with contextlib.suppress(OSError):
            if stat.S_ISREG(path.lstat().st_mode):
                return path
        return None

    def keep(self, name: str) -> None:
        """Leave a file of an earlier run as it is."""
        self._names[name] = None
        self._progress(len(self._names))

    def finish(self) -> Written:
        """Move changed files into their places, and remove those that only earlier runs wrote."""
        self._list({**self._earlier, **self._names})
        gone = [name for name in self._earlier if name not in self._names]
        outdated = tuple(
            name for name in (*self._changed, *gone) if (self._folder / name).is_file()
        )
        for name, made in self._changed.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            made.replace(path)
        for name in gone:
            self._remove(name)
        self._list(self._names)
        return Written(len(self._names), len(self._changed), len(gone), outdated)

    def _link_on_the_way_to(self, name: str) -> Path | None:
        """Return the file of this name, or a folder above it in the site, if it is a link."""
        path = self._folder / name
        return self._link_above(name) or (path if path.is_symlink() else None)

    def _link_above(self, name: str) -> Path | None:
        above, _, _ = name.rpartition("/")
        if not above or above in self._no_links:
            return None
        link = self._link_on_the_way_to(above)
        if link is None:
            self._no_links.add(above)
        return link

    def _remove(self, name: str) -> None:
        """Remove a file that an earlier run wrote, and the folders above it that are then empty."""
        is_inside = not PurePath(name).is_absolute() and ".." not in PurePath(name).parts
        if not is_inside or self._link_on_the_way_to(name):
            return
        (self._folder / name).unlink(missing_ok=True)
        for parent in PurePath(name).parents[:-1]:
            with contextlib.suppress(OSError):  # folders with other files stay
                (self._folder / parent).rmdir()

    def _list(self, names: Iterable[str]) -> None:
        """Write these names into the manifest, unless it has exactly them."""
        content = json.dumps(sorted(names), indent=0)
        path = self._folder / _MANIFEST
        if not path.is_file() or path.read_text(encoding="utf-8") != content:
            atomic.write(path, content.encode(), self._new / _MANIFEST)
