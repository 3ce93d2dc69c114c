"""Fill in the form of an event, which is a draft until it is recorded."""

from __future__ import annotations

from timeline.desk.visit import ScreenRoute

ROUTES: tuple[ScreenRoute, ...] = ()
