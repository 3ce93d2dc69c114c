"""Show what this desk recorded, the keys, and the settings."""

from __future__ import annotations

from timeline.desk.visit import ScreenRoute

ROUTES: tuple[ScreenRoute, ...] = ()
