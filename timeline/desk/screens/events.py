"""Find events, show one with its versions, and begin a change of it."""

from __future__ import annotations

from timeline.desk.visit import ScreenRoute

ROUTES: tuple[ScreenRoute, ...] = ()
