"""Say what other programs show of a page: search engines, chats, and readers of feeds.

Guarantees: the canonical address is that of the living page, whatever version or moment a page
shows. What is of one version or one moment says so in its title. Selections and the past are not
for search engines. Knows no request and no template.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from markupsafe import Markup

from timeline.formats.prose import Fields
from timeline.languages.translation import gettext, ngettext, number
from timeline.media.attached import ENDINGS
from timeline.site.views import linked_data
from timeline.site.views.address import Address
from timeline.site.views.card import HEIGHT, WIDTH
from timeline.site.views.share import Parameters, query_of, shared

_LONGEST = 300
"""Characters of a description. Chats show 200, search engines 160."""
_LARGE = 600
"""Pixels: the least width of a picture that a chat shows above the text, not beside it."""


class PreviewPicture(NamedTuple):
    """A picture has its absolute address, its size in pixels, and the words for who cannot see."""

    address: str
    width: int
    height: int
    alt: str
    media_type: str

    @property
    def is_large(self) -> bool:
        """Return whether the picture is wide enough to be shown above the text."""
        return self.width >= _LARGE


class Feed(NamedTuple):
    """A feed has the words for it and its address, without scheme and host."""

    title: str
    address: str


class Preview(NamedTuple):
    """A preview has what the head of a page says to other programs; "" is left out."""

    title: str
    description: str
    canonical: str
    kind: str
    """The type of Open Graph: "website" or "article"."""
    site_name: str
    locale: str
    """The language of the log with its country, such as "uk_UA"."""
    published: str
    """When an event was first recorded, in ISO 8601."""
    modified: str
    picture: PreviewPicture | None
    feeds: list[Feed]
    is_indexed: bool
    """Whether search engines may list the page."""
    data: Markup
    """JSON-LD, safe within an element `script`."""


class _Said(NamedTuple):
    """A page says its title, its description, and the path of its living page."""

    title: str
    description: str
    path: str


def preview_of(
    page: str,
    path: str,
    given: Parameters,
    found: Fields,
    absolute: Callable[[str], str],
    link: Callable[[str], str],
    *,
    is_frozen: bool,
    newest: int | None,
    can_draw: Callable[[str], bool] | None,
) -> Preview:
    """Return the preview of a page, by the name of its template.

    `found` is what the page shows, with the `info` of the log, whose newest entry is `newest`.
    `absolute` makes the public address of a path, `link` one without scheme and host. A site of
    files has no selections. `can_draw` returns whether a title can be drawn on a card; without it
    there are no cards.
    """
    info, event = found["info"], found.get("event", {})
    said = _SAID.get(page, _of_another)(found, path)
    asked = shared(given)
    moments = [pair for pair in asked if pair[0] in ("as_of", "as_reported")]
    is_living = not moments and not _is_old(found) and not found.get("wrong")
    canonical = absolute(said.path)
    attached, card = _attached(found, absolute), None
    if can_draw and (event or not moments):
        is_own = bool(event) and event["state"] != "erased" and can_draw(found["title"])
        if is_own or not attached:
            path = _card_path(found, newest, is_own=is_own, is_frozen=is_frozen)
            card = PreviewPicture(absolute(path), WIDTH, HEIGHT, said.title, "image/png")
    pictures = [each.address for each in (attached, card) if each]
    return Preview(
        _of_its_time(found, said.title),
        _cut(said.description),
        canonical,
        "article" if event else "website",
        str(info["title"]),
        _locale(str(info.get("language") or "en")),
        str(found.get("first_recorded_at") or ""),
        str(event.get("recorded_at") or ""),
        card or attached,
        _feeds(found, link, is_living=not moments, is_frozen=is_frozen),
        not asked and not found.get("wrong") and event.get("state") != "erased",
        linked_data.of_page(found, canonical, absolute, *pictures[:1]) if is_living else Markup(),
    )


# --- What a page is about -----------------------------------------------------------------


def _of_list(found: Fields, path: str) -> _Said:
    """Say what a list or a map shows: all, or some of the events."""
    info, address = found["info"], found["address"]
    is_map = path == "/map" or address.view == "map"
    pairs = shared(address._replace(as_of="", as_reported="", all="").pairs())
    if not address.is_narrowed:
        return _Said(str(info["title"]), _about(info, found["total"]), "/map" if is_map else "/")
    words = ", ".join(
        gettext("not {value}").format(value=chip.words) if chip.is_excluded else chip.words
        for chip in found["chips"]
    )
    counted = ngettext(
        "{count} of {total} event: {words}", "{count} of {total} events: {words}", found["total"]
    )
    return _Said(
        f"{words} - {info['title']}",
        counted.format(count=number(found["count"]), total=number(found["total"]), words=words),
        str(found.get("short") or f"/events{query_of(pairs)}"),
    )


def _about(info: Fields, total: int) -> str:
    if info.get("description"):
        return str(info["description"])
    counted = ngettext(
        "{count} event, with sources and every correction",
        "{count} events, with sources and every correction",
        total,
    )
    return counted.format(count=number(total))


def _of_event(found: Fields, path: str) -> _Said:
    event, facts, why = found["event"], found["facts"], found["why"]
    living = f"/events/{why['into']}" if why and "into" in why else f"/events/{event['event_id']}"
    where = facts["place"] or facts["region"]
    words = [facts["type_label"], facts["when"], where, facts["country_name"]]
    known = ", ".join(dict.fromkeys(word for word in words if word))
    parts = [why["what"] if why else "", *found["remarks"], event.get("summary") or known]
    return _Said(found["title"], " ".join(part for part in parts if part), living)


def _of_actor(found: Fields, path: str) -> _Said:
    subject, into = found["subject"], found["into"]
    counted = ngettext("{count} event with {name}", "{count} events with {name}", subject["events"])
    return _Said(
        subject["name"],
        counted.format(count=number(subject["events"]), name=subject["name"]),
        f"/actors/{(into or subject)['actor_id']}",
    )


def _of_source(found: Fields, path: str) -> _Said:
    source, events = found["source"], found["events_count"]
    counted = ngettext("{count} event rests on it", "{count} events rest on it", events)
    words = [source["publisher"], found["published"], counted.format(count=number(events))]
    return _Said(found["title"], ", ".join(word for word in words if word), path)


def _of_changes(found: Fields, path: str) -> _Said:
    title = gettext("Corrections and updates")
    description = gettext("All that was corrected, updated or retracted in {title}, and why")
    return _Said(title, description.format(title=found["info"]["title"]), path)


def _of_listing(found: Fields, path: str) -> _Said:
    heading = {
        "actors": gettext("Actors"),
        "sources": gettext("Sources"),
        "tags": gettext("Tags"),
        "types": gettext("Kinds of events"),
        "countries": gettext("Countries"),
        "months": gettext("Months"),
    }[found.get("kind", "months")]
    description = gettext("{what} of {title}, with the number of events of each")
    return _Said(
        heading,
        description.format(what=heading, title=found["info"]["title"]),
        path.removesuffix("/az"),
    )


def _of_log(found: Fields, path: str) -> _Said:
    description = gettext("What {title} is, who keeps it, and how complete it is")
    return _Said(gettext("About"), description.format(title=found["info"]["title"]), path)


def _of_proof(found: Fields, path: str) -> _Said:
    description = gettext("How anybody can check that no entry of {title} was changed")
    return _Said(gettext("Verify"), description.format(title=found["info"]["title"]), path)


def _of_another(found: Fields, path: str) -> _Said:
    info = found["info"]
    title = str(found.get("title") or info["title"])
    return _Said(title, str(found.get("description") or info.get("description") or ""), path)


_SAID: dict[str, Callable[[Fields, str], _Said]] = {
    "browse": _of_list,
    "event": _of_event,
    "actor": _of_actor,
    "source": _of_source,
    "listing": _of_listing,
    "months": _of_listing,
    "about": _of_log,
    "changes": _of_changes,
    "verify": _of_proof,
}
"""What says what a page is about, by the name of its template."""


def _is_old(found: Fields) -> bool:
    return not found.get("is_newest", True)


def _of_its_time(found: Fields, title: str) -> str:
    """Return the title of a page with the version or the moment, if it is not of now."""
    address = found.get("address")
    if isinstance(address, Address) and address.moment:
        return f"{title} ({address.moment})"
    if _is_old(found):
        words = gettext("{title} (version {version} of {newest})")
        version = found["event"]["version"]
        return words.format(title=title, version=version, newest=found["newest"])
    return title


def _cut(text: str) -> str:
    """Return a text in one line that is not too long, cut between two words."""
    line = " ".join(text.split())
    if len(line) <= _LONGEST:
        return line
    begin = line[:_LONGEST]
    return f"{begin.rpartition(' ')[0] or begin}\N{HORIZONTAL ELLIPSIS}"


# --- What goes with it --------------------------------------------------------------------


def _card_path(found: Fields, newest: int | None, *, is_own: bool, is_frozen: bool) -> str:
    """Return the path of a card: that of a version of an event, or of the timeline.

    Chats keep a picture for long, so another version has another address. A site of files has only
    the cards of today.
    """
    if not is_own:
        return f"/card.png?v={newest}"
    path = f"/events/{found['event']['event_id']}"
    if is_frozen or not _is_old(found):
        return f"{path}/card.png?v={found['newest']}"
    return f"{path}/{found['event']['version']}/card.png"


def _attached(found: Fields, absolute: Callable[[str], str]) -> PreviewPicture | None:
    """Return the first picture of an event that is here."""
    for each in found.get("media", ()):
        if each["kind"] == "image" and each["path"]:
            ending = each["path"][each["path"].rindex(".") :]
            media_type = next(name for name, own in ENDINGS.items() if own == ending)
            alt, size = each.get("alt") or "", (each["width"], each["height"])
            return PreviewPicture(absolute(each["path"]), *size, alt, media_type)
    return None


def _feeds(
    found: Fields, link: Callable[[str], str], *, is_living: bool, is_frozen: bool
) -> list[Feed]:
    """Return the feeds of the events that a page lists, of all changes, and of corrections."""
    title = found["info"]["title"]
    chosen = found.get("events_address") or found.get("address")
    words, query = gettext("Events of {title}"), ""
    if isinstance(chosen, Address) and chosen.is_narrowed and not is_frozen:
        now = chosen._replace(as_of="", as_reported="", all="", view="", box="")
        words, query = gettext("These events of {title}"), query_of(shared(now.pairs()))
    feeds = [
        Feed(words.format(title=title), link("/events.atom") + query),
        Feed(gettext("Changes of {title}").format(title=title), link("/changes.atom")),
    ]
    if is_living:
        corrections = gettext("Corrections of {title}").format(title=title)
        feeds.append(Feed(corrections, link("/corrections.atom") + query))
    return feeds


@functools.cache
def _locale(language: str) -> str:
    """Return a language with its country as Open Graph writes it: "uk_UA" for "uk"."""
    from babel.core import get_global

    first, *others = language.split("-")
    country = next((part.upper() for part in others if len(part) == 2), "")
    script = next((part.title() for part in others if len(part) == 4 and part.isalpha()), "")
    if not country:
        likely: Mapping[str, str] = get_global("likely_subtags")
        known: Sequence[str] = (likely.get(f"{first}_{script}") or likely.get(first) or "").split(
            "_"
        )
        country = known[-1] if len(known) == 3 else ""
    return f"{first.lower()}_{country}" if country else first.lower()
