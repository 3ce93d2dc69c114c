"""The words of this project, each explained in one sentence, for pages that use them.

Guarantees: a page says each word where its template marks it, `<dfn class="entry">entry</dfn>`, so
a translation may inflect it. Knows no database and no request.
"""

from __future__ import annotations

import itertools
import re
from html import escape

from timeline.languages.translation import gettext

_MARKED = re.compile(r'<dfn class="([a-z]+)">(.*?)</dfn>', re.DOTALL)


def words() -> dict[str, tuple[str, str]]:
    """Return each word with the sentence that explains it, in the current language."""
    return {
        "entry": (
            gettext("Entry"),
            gettext("An entry is one statement in the log: it is added once and never changed."),
        ),
        "version": (
            gettext("Version"),
            gettext(
                "A version is what this timeline said of an event until the next entry about it:"
                " every version keeps its address."
            ),
        ),
        "occurred": (
            gettext("Occurred"),
            gettext("Occurred is when an event happened, as exactly as its sources tell."),
        ),
        "reported": (
            gettext("Reported"),
            gettext("Reported is when a source told the public about an event."),
        ),
        "recorded": (
            gettext("Recorded"),
            gettext("Recorded is when this timeline wrote a statement into its log."),
        ),
        "checkpoint": (
            gettext("Checkpoint"),
            gettext(
                "A checkpoint is a signed note about all entries so far: whoever keeps it can tell"
                " if one of them is altered later."
            ),
        ),
        "witness": (
            gettext("Witness"),
            gettext(
                "A witness is somebody else who signs a checkpoint, with the time, only if it goes"
                " on from the last one that they saw."
            ),
        ),
    }


def explained(page: str) -> str:
    """Return the HTML of a page whose marked words explain themselves.

    An explanation is shown while the pointer is over its word, or while the word has the focus.
    """
    numbers = itertools.count(1)

    def word(match: re.Match[str]) -> str:
        name, shown = match.groups()
        tip = f"tip-{next(numbers)}"
        return (
            f'<span class="word"><button type="button" aria-describedby="{tip}">{shown}</button>'
            f'<span role="tooltip" id="{tip}">{escape(words()[name][1])}</span></span>'
        )

    return _MARKED.sub(word, page)
