"""A desk in a process of its own, without the guard that `timeline desk` puts before it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from pathlib import Path

from running import environment
from serving import _listens, free_port

from timeline.desk import forms
from timeline.intake.proposals.inbox import Inbox
from timeline.store import storage

_SERVE = """
import sqlite3, sys
import uvicorn
from pathlib import Path
from timeline import Timeline
from timeline.desk.app import application
from timeline.desk.visit import Desk
from timeline.intake.proposals.inbox import Inbox
from timeline.intake.proposals.proposal import parse

path, port = Path(sys.argv[1]), int(sys.argv[2])
log = sqlite3.connect(f"file:{path}?mode=ro", uri=True, check_same_thread=False)
desk = Desk(path, Timeline.open(path), log, Inbox.of(path), model=sys.argv[3] or None)
desk.author = sys.argv[4] or None
uvicorn.run(application(desk, "/k"), port=port, log_level="warning")
"""


class ServedDesk:
    """A desk in a process of its own."""

    def __init__(self, path: Path, model: str = "", author: str = "") -> None:
        self.path = path
        self._chosen = (model, author)
        self._port = free_port()
        self.start()

    def start(self) -> None:
        """Start it, again at the same port, and wait until it listens."""
        command = [sys.executable, "-c", _SERVE, str(self.path), str(self._port), *self._chosen]
        self._process = subprocess.Popen(command, env=environment())
        while not _listens(self._port):
            assert self._process.poll() is None
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as kill -9 does."""
        self._process.kill()
        self._process.wait()

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}/k{path}"

    def new_draft(self, event_id: str | None = None) -> str:
        """The address of a form."""
        version = None
        with (
            Inbox.of(self.path) as inbox,
            contextlib.closing(storage.connect(self.path)) as log,
        ):
            fields = forms.for_new_event(log)
            if event_id:
                fields, version = forms.for_event(log, event_id, "update")
            draft = inbox.new_draft(fields, event_id=event_id, version=version)
        return self.at(f"/drafts/{draft.draft_id}")
