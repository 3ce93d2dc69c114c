"""Name what can be wrong with a log that is followed.

Guarantees: a fork is only called one with the file that proves it.
"""

from __future__ import annotations

from typing import Literal

from timeline.errors import TimelineError
from timeline.proof.fork import Fork

FollowState = Literal["new", "same", "older", "withheld", "fork", "unsigned", "damaged"]
"""What was found of a log: `new` entries, or the `same` as before, or what is wrong with it."""


class Trouble(TimelineError):
    """Something is wrong with a log that is followed; `state` says what kind of thing.

    `is_alarm` is true for what no delay and no fault of a host explains. `fork` is the proof of a
    fork, and None for any other state.
    """

    def __init__(
        self, state: FollowState, problem: str, *, is_alarm: bool = False, fork: Fork | None = None
    ) -> None:
        super().__init__(problem)
        self.state = state
        self.problem = problem
        self.is_alarm = is_alarm
        self.fork = fork
