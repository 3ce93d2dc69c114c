"""Show a proposal beside its quotes, and decide it."""

from __future__ import annotations

from timeline.desk.visit import ScreenRoute

ROUTES: tuple[ScreenRoute, ...] = ()
