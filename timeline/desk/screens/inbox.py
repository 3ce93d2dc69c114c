"""Show the inbox: the drafts of a person, and the proposals that wait."""

from __future__ import annotations

from timeline.desk.visit import ScreenRoute

ROUTES: tuple[ScreenRoute, ...] = ()
