"""Say on each page of a checked copy whose log it is, how far it was checked, and what is wrong.

Guarantees: a file that follows a log says so itself. A published copy follows none, so it says what
its metadata tells: what was so when it was published.

Knows table `follows` and the configuration of the plugin, and no request.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from timeline.formats import prose
from timeline.languages import translation
from timeline.languages.translation import gettext
from timeline.store import log
from timeline.store.follows import Follows, follows_of


def copy_notice(
    connection: sqlite3.Connection, metadata: Mapping[str, Any] | None = None
) -> Markup | None:
    """Return the sentences for a copy of somebody else's log; None for a log of one's own.

    `metadata` is what `Follows.told` returned, if the file is a published copy.
    """
    kept = follows_of(connection)
    if kept is None and metadata:
        kept = Follows.of_told(metadata)
    if kept is None:
        return None
    zone = log.time_zone(connection)

    def day(instant: str) -> str:
        return prose.date(prose.local_day(instant, zone))

    said = Markup(  # noqa: S704 - a message of ours; `format` escapes
        gettext(
            "A copy of {origin}, kept by us since {since}, checked up to entry {number} on {day}. "
            "Not our words."
        )
    ).format(
        origin=_apart(kept.origin),
        since=day(kept.since),
        number=translation.number(log.size(connection) - 1),
        day=day(kept.seen_at),
    )
    if kept.problem is None or kept.problem_since is None:
        return said
    wrong = Markup(  # noqa: S704
        gettext("Since {day}, something is wrong with what they publish: {problem}.")
    ).format(day=day(kept.problem_since), problem=_apart(kept.problem))
    return said + " " + wrong


def _apart(text: str) -> Markup:
    """Return a text in English, apart from the direction of the words around it."""
    return Markup('<bdi lang="en">{}</bdi>').format(text)
