"""List the routes of all screens, in the order in which they are tried."""

from __future__ import annotations

from timeline.desk.screens import articles, captures, drafts, events, inbox, own, preview, proposals
from timeline.desk.visit import ScreenRoute

ROUTES: tuple[ScreenRoute, ...] = (
    *inbox.ROUTES,
    *proposals.ROUTES,
    *captures.ROUTES,
    *articles.ROUTES,
    *preview.ROUTES,
    *drafts.ROUTES,
    *events.ROUTES,
    *own.ROUTES,
)
