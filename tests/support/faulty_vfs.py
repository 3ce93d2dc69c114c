"""A disk that fails on purpose, below SQLite.

`install` puts a copy of SQLite's own VFS in place of the default one of this process: every
file that `sqlite3` opens after that behaves as always, but each call that changes a file is
counted, and one of them goes wrong. It is the very copy of SQLite that Python runs: found
among the libraries that are mapped, and driven through ctypes.

It stays for the life of the process, so a process of its own is where it belongs.
"""

from __future__ import annotations

import ctypes
import enum
import os
import random
import signal
import sqlite3
import traceback
from collections.abc import Callable
from ctypes import c_char_p, c_int, c_int64, c_void_p
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

_FULL = sqlite3.SQLITE_FULL
_SECTOR = 512


class Form(enum.StrEnum):
    """How a call goes wrong."""

    KILLED = "killed before"
    TORN = "killed in the middle"
    POWER_CUT = "power cut"
    """The machine stops: of what was not synced some sectors are on the disk, some are not."""
    FULL = "disk full"
    """Nothing is stored, by this write and all that follow."""
    SHORT = "short write"
    """Half of it is stored, then the disk is full."""
    FAILED = "I/O error, not stored"
    STORED = "I/O error, but stored"


@dataclass(frozen=True)
class Fault:
    """A form, and the number of the call that it befalls, counted from 1."""

    form: Form
    at: int


@dataclass
class _Image:
    """What of a file would survive a power cut, and what might."""

    synced: bytearray
    unsynced: list[tuple[int, bytes | None]] = field(default_factory=list)
    """Writes (offset, data) and truncations (size, None), in their order."""

    def sync(self) -> None:
        for offset, data in self.unsynced:
            self.change(offset, data)
        self.unsynced.clear()

    def change(self, offset: int, data: bytes | None) -> None:
        self.synced.extend(bytes(max(0, offset - len(self.synced))))
        if data is None:
            del self.synced[offset:]
        else:
            self.synced[offset : offset + len(data)] = data


class Disk:
    """The calls so far, and the fault that is to come; None for a disk that is sound."""

    def __init__(self, fault: Fault | None) -> None:
        self.fault = fault
        self.calls: list[str] = []
        """Such as "write timeline.db-wal"."""
        self._images: dict[str, _Image] = {}

    def opened(self, name: str) -> None:
        """A file is about to be opened."""
        is_watched = self.fault and self.fault.form is Form.POWER_CUT
        if is_watched and name and name not in self._images:
            path = Path(name)
            self._images[name] = _Image(bytearray(path.read_bytes() if path.exists() else b""))

    def changed(self, name: str, offset: int, data: bytes | None) -> None:
        """A file was written to at an offset, or cut to a size."""
        if name in self._images:
            self._images[name].unsynced.append((offset, data))

    def synced(self, name: str) -> None:
        """All of a file is on the disk."""
        if name in self._images:
            self._images[name].sync()

    def call(
        self,
        what: str,
        name: str,
        error: int,
        do: Callable[[], int],
        half: Callable[[], int] | None = None,
    ) -> int:
        """Make a call, or let it go wrong. `half` is what a write does that is cut short."""
        self.calls.append(f"{what} {Path(name).name}")
        match self.fault:
            case Fault(Form.FULL, at) if len(self.calls) >= at and half:
                return _FULL
            case Fault(form, at) if len(self.calls) == at:
                return self._go_wrong(form, error, do, half)
        return do()

    def _go_wrong(
        self, form: Form, error: int, do: Callable[[], int], half: Callable[[], int] | None
    ) -> int:
        match form:
            case Form.KILLED:
                die()
            case Form.TORN:
                (half or do)()
                die()
            case Form.POWER_CUT:
                self._cut_power()
            case Form.SHORT if half:
                half()
                return _FULL
            case Form.FAILED:
                return error
            case Form.STORED:
                do()
                return error
        return do()

    def _cut_power(self) -> NoReturn:
        """Leave every file as a disk might that forgets what it was not told to keep."""
        chance = random.Random(len(self.calls))
        for name, image in self._images.items():
            existed = bool(image.synced)
            for offset, data in image.unsynced:
                if data is None and chance.random() < 0.5:
                    image.change(offset, None)
                for start in range(0, len(data or b""), _SECTOR):
                    if data and chance.random() < 0.5:
                        image.change(offset + start, data[start : start + _SECTOR])
            path = Path(name)
            if path.exists() or (existed and chance.random() < 0.5):  # a deletion is forgotten too
                path.write_bytes(image.synced)
        die()


def install(fault: Fault | None = None) -> Disk:
    """Put the faulty disk under every database that this process opens from now on."""
    disk = Disk(fault)
    library = shared_sqlite()
    library.sqlite3_vfs_find.restype = c_void_p
    original = ctypes.cast(library.sqlite3_vfs_find(None), ctypes.POINTER(_Vfs)).contents
    vfs = _Vfs.from_buffer_copy(original)
    tables: dict[int, _Methods] = {}
    names: dict[int, str] = {}

    def open_file(_: int, name: int, file: int, flags: int, flags_out: int) -> int:
        path = os.fsdecode(ctypes.string_at(name)) if name else ""
        disk.opened(path)
        result = int(original.xOpen(ctypes.addressof(original), name, file, flags, flags_out))
        methods = c_void_p.from_address(file)
        if result == 0 and methods.value:
            if methods.value not in tables:
                tables[methods.value] = _faulty(methods.value, disk, names)
            names[file] = path
            methods.value = ctypes.addressof(tables[methods.value])
        return result

    def delete(_: int, name: int, sync_folder: int) -> int:
        path = os.fsdecode(ctypes.string_at(name))

        def do() -> int:
            disk.changed(path, 0, None)
            if sync_folder:
                disk.synced(path)
            return int(original.xDelete(ctypes.addressof(original), name, sync_folder))

        return disk.call("delete", path, sqlite3.SQLITE_IOERR_DELETE, do)

    vfs.zName = b"faulty"
    vfs.xOpen = _OPEN(_or_die(open_file))
    vfs.xDelete = _DELETE(_or_die(delete))
    assert library.sqlite3_vfs_register(ctypes.byref(vfs), 1) == 0
    _kept.append((library, vfs, tables))
    return disk


def _faulty(address: int, disk: Disk, names: dict[int, str]) -> _Methods:
    """The table of methods at an address, with those that change a file made to fail."""
    original = _Methods.from_address(address)
    methods = _Methods.from_buffer_copy(original)

    def write(file: int, data: int, size: int, offset: int) -> int:
        def store(size: int) -> int:
            result = int(original.xWrite(file, data, size, offset))
            disk.changed(names[file], offset, ctypes.string_at(data, size))
            return result

        return disk.call(
            "write",
            names[file],
            sqlite3.SQLITE_IOERR_WRITE,
            lambda: store(size),
            lambda: store(size // 2),
        )

    def truncate(file: int, size: int) -> int:
        def do() -> int:
            disk.changed(names[file], size, None)
            return int(original.xTruncate(file, size))

        return disk.call("truncate", names[file], sqlite3.SQLITE_IOERR_TRUNCATE, do)

    def sync(file: int, flags: int) -> int:
        def do() -> int:
            disk.synced(names[file])
            return int(original.xSync(file, flags))

        return disk.call("sync", names[file], sqlite3.SQLITE_IOERR_FSYNC, do)

    methods.xWrite = _WRITE(_or_die(write))
    methods.xTruncate = _TRUNCATE(_or_die(truncate))
    methods.xSync = _SYNC(_or_die(sync))
    return methods


def shared_sqlite() -> ctypes.CDLL:
    """The copy of SQLite that `sqlite3` runs. Raises RuntimeError if it is built into Python."""
    mapped = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
    libraries = {line.split()[-1] for line in mapped if "/libsqlite3." in line}
    if not libraries:
        raise RuntimeError(
            "these tests need a Python whose sqlite3 uses a shared libsqlite3;"
            " this one has SQLite built in"
        )
    (library,) = libraries
    return ctypes.CDLL(library)


def _or_die(call: Callable[..., int]) -> Callable[..., int]:
    """A callback that ends the process when it is wrong itself: ctypes would go on."""

    def checked(*arguments: Any) -> int:
        try:
            return call(*arguments)
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
            os._exit(70)

    return checked


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    signal.pause()
    raise AssertionError


_kept: list[object] = []
"""What SQLite points to."""

_OPEN = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_void_p)
_DELETE = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
_WRITE = ctypes.CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_TRUNCATE = ctypes.CFUNCTYPE(c_int, c_void_p, c_int64)
_SYNC = ctypes.CFUNCTYPE(c_int, c_void_p, c_int)


class _Vfs(ctypes.Structure):
    """`sqlite3_vfs`, version 3."""

    _fields_ = (
        ("iVersion", c_int),
        ("szOsFile", c_int),
        ("mxPathname", c_int),
        ("pNext", c_void_p),
        ("zName", c_char_p),
        ("pAppData", c_void_p),
        ("xOpen", _OPEN),
        ("xDelete", _DELETE),
        ("others", c_void_p * 14),
    )


class _Methods(ctypes.Structure):
    """`sqlite3_io_methods`, version 3."""

    _fields_ = (
        ("iVersion", c_int),
        ("xClose", c_void_p),
        ("xRead", c_void_p),
        ("xWrite", _WRITE),
        ("xTruncate", _TRUNCATE),
        ("xSync", _SYNC),
        ("others", c_void_p * 13),
    )
