"""Run a program for each entry, without a shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

from timeline.errors import InvalidInput
from timeline.watching.delivery import TAKEN, Delivery, Reception


def command_of(text: str) -> list[str]:
    """Return the words of a command whose program can be run. Raises InvalidInput."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InvalidInput("--exec", f"cannot be read: {str(error).lower()}") from None
    if not words or shutil.which(words[0]) is None:
        name = words[0] if words else ""
        raise InvalidInput("--exec", f'names no program that can be run: "{name}"')
    return words


class Program:
    """A program gets each entry on its standard input, and takes it by ending with 0."""

    def __init__(self, command: list[str], database: str) -> None:
        self._command = command
        self._database = os.path.realpath(database)

    def __call__(self, delivery: Delivery) -> Reception:
        """Run the program for an entry, to its end.

        It is in a session of its own, so that Ctrl-C stops the watch and not the program.
        """
        environment = {
            **os.environ,
            "TIMELINE_DB": self._database,
            "TIMELINE_ENTRY": str(delivery.entry),
            "TIMELINE_EVENT": delivery.event_id,
            "TIMELINE_VERSION": str(delivery.version),
            "TIMELINE_KIND": delivery.kind,
            "TIMELINE_DELIVERY": delivery.id,
        }
        name = self._command[0]
        try:
            done = subprocess.run(  # noqa: S603 - the command is the user's own
                self._command,
                input=delivery.body + b"\n",
                env=environment,
                start_new_session=True,
                check=False,
            )
        except OSError as error:
            return Reception("failed", f"{name} cannot be run: {error.strerror}")
        if done.returncode == 0:
            return TAKEN
        ended = f"ended with {done.returncode}" if done.returncode > 0 else "was killed"
        return Reception("failed", f"{name} {ended}")
