"""Know which sites may show parts of a timeline in a frame.

Guarantees: pages under /embed may stand in a frame of any site, unless the configuration of the
plugin names the sites that may: ``{"plugins": {"timeline": {"embed": ["https://news.example"]}}}``.
With ``"embed": false`` there are no such pages. No other page of a timeline may stand in a frame.

Knows Datasette only by the object that it is given, and never imports it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from timeline.errors import TimelineError
from timeline.site import guard

Embed = bool | Sequence[str]
"""Who may embed: everybody (True), nobody (False), or these sites."""

_SITE = re.compile(
    r"https?://(?:\*\.)?[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
    r"(?::(?:[0-9]{1,5}|\*))?"
)
_CLOSED = "frame-ancestors 'none'"


def sites(given: object) -> Embed:
    """Read who may embed; raise TimelineError for a site that is none."""
    if isinstance(given, bool):
        return given
    found = []
    for site in [given] if isinstance(given, str) else given if isinstance(given, list) else [""]:
        plain = str(site).lower().removesuffix("/")
        if not _SITE.fullmatch(plain):
            raise TimelineError(
                f"{json.dumps(site, ensure_ascii=False)} is no site that may embed: give a scheme"
                " and a host, such as https://news.example or https://*.news.example"
            )
        found.append(plain)
    return found


def configured(datasette: Any) -> Embed:
    """Return who may embed. Raises TimelineError for a configuration that names no sites."""
    return sites((datasette.plugin_config("timeline") or {}).get("embed", True))


def policy(datasette: Any) -> str:
    """Return the Content-Security-Policy of pages that other sites may show in a frame.

    A page of the timeline itself may always do so, for a preview.
    """
    match configured(datasette):
        case True:
            return guard.PAGE_POLICY.removesuffix(f"; {_CLOSED}")
        case False:
            return guard.PAGE_POLICY
        case named:
            return guard.PAGE_POLICY.replace(_CLOSED, f"frame-ancestors 'self' {' '.join(named)}")
