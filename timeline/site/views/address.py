"""Read the state of a browse page from its address, and make addresses of other states.

Guarantees: an address contains the whole state of a page, so that Back, bookmarks and feeds work;
`Address.of(x.pairs()) == x`. It leaves unknown parameters out, and `check_names` refuses them.
Values are left as they are given: `filters` knows what they mean.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote_plus, urlencode

from timeline.errors import InvalidInput, InvalidValue
from timeline.formats.local_dates import date_words
from timeline.languages.translation import gettext
from timeline.model import edtf, hints
from timeline.reading.filters import MATCHED

FACETS = {
    "type": "event_type",
    "actor": "actor",
    "country": "country",
    "tag": "tag",
    "source": "source",
    "modality": "modality",
    "verification": "verification",
    "state": "state",
    "at_risk": "at_risk",
    "highlight": "highlight",
    "precision": "precision",
}
"""The facets of the page, each with the name of its filter (`filters.FILTERS`)."""

NOT = "!"
"""What stands behind the name of a facet whose value is excluded: "actor!=nato"."""

_CHOSEN = (*FACETS, *(f"{facet}{NOT}" for facet in FACETS))
"""The parameters that choose and exclude values, in the order of an address."""

_RANGE = ("measure", "unit", "at_least", "at_most")
"""The parameters that choose a figure together."""

_FILTERS = (
    *("place", "area", "since", "until", *_RANGE),
    *(f"{facet}_match" for facet in MATCHED),
)
"""The filters, other than facets, whose parameters have one value and the name of the filter."""

_FOUND = ("type", "actor", "country", "tag", "source")
"""The facets whose values can be found by a text."""

_SINGLE = (
    *("q", *_FILTERS, "as_of", "as_reported", "order", "after", "all", "values", "view", "box"),
    *(f"find_{facet}" for facet in _FOUND),
)
"""The parameters of an address that have one value."""


PART = "part"
"""The parameter by which `front.js` asks for the parts of a page that change."""

_OF_OTHERS = re.compile(r"_.*|utm_.*|fbclid|gclid")
"""The parameters that mean nothing here: those of Datasette, and the marks of trackers."""


def check_names(
    pairs: Iterable[tuple[str, str]], known: Sequence[str] = (*_CHOSEN, *_SINGLE, PART)
) -> None:
    """Raise InvalidInput for a parameter that no page knows, with the name that is likely meant.

    `known` are the parameters of the page, by default those of a selection.
    """
    for name, _ in pairs:
        if name not in known and not _OF_OTHERS.fullmatch(name):
            near = hints.nearest(name, known)
            hint = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
            raise InvalidInput(hints.printable(name), f"is not a filter: {hint}")


def filter_of(facet: str) -> str:
    """Return the name of the filter that chooses or excludes the values of a facet."""
    return f"not_{FACETS[facet[:-1]]}" if facet.endswith(NOT) else FACETS[facet]


class Address(NamedTuple):
    """An address holds all that can be asked of a browse page or a feed; "" asks for nothing."""

    chosen: tuple[tuple[str, str], ...] = ()
    """Pairs of facet and value, in a fixed order, so that one selection has one address.

    The name of the facet ends with NOT if the value is excluded."""
    q: str = ""
    """The words of a full-text search."""
    place: str = ""
    area: str = ""
    """A part of the map, as `reading.areas` reads it."""
    since: str = ""
    until: str = ""
    measure: str = ""
    unit: str = ""
    at_least: str = ""
    at_most: str = ""
    actor_match: str = ""
    """ "all" to ask for events that have all of the actors chosen."""
    tag_match: str = ""
    source_match: str = ""
    as_of: str = ""
    as_reported: str = ""
    order: str = ""
    """ "oldest" to list the oldest events first."""
    after: str = ""
    """The place in the list after which the page begins; see `selection.Selection.page`."""
    all: str = ""
    """The facet of which all values are shown."""
    box: str = ""
    """The part of the map that is shown, which chooses no events; as `area`."""
    view: str = ""
    """ "map" to show the events on the map instead of in a list."""
    values: str = ""
    """ "name" to show the values of facets from A to Z, and not the most frequent first."""
    find_type: str = ""
    """A text that the labels of the event types that are shown contain."""
    find_actor: str = ""
    find_country: str = ""
    find_tag: str = ""
    find_source: str = ""

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Address:
        """Return the address that these parameters make; what is excluded is not chosen."""
        given = [(name, value.strip()) for name, value in pairs if value.strip()]
        excluded = {(name.removesuffix(NOT), value) for name, value in given if name.endswith(NOT)}
        chosen = dict.fromkeys(
            pair for pair in given if pair[0] in _CHOSEN and pair not in excluded
        )
        return cls(
            tuple(sorted(chosen, key=lambda pair: (_CHOSEN.index(pair[0]), pair[1]))),
            **{name: value for name, value in given if name in _SINGLE},
        )

    def pairs(self) -> list[tuple[str, str]]:
        """Return the parameters in a fixed order: first those with one value, then the facets."""
        singles = ((name, getattr(self, name)) for name in _SINGLE)
        return [*((name, value) for name, value in singles if value), *self.chosen]

    def query(self, **changes: Any) -> str:
        """Return the query string with these changes, "?" included.

        It leads to the first page unless `after` is among the changes.
        """
        if "after" not in changes:
            changes["after"] = ""
        return _query(self._replace(**changes).pairs())

    def of_periods(self) -> Callable[[str, str], str]:
        """Return what `query` returns for the bounds of a period, as a function of the bounds.

        For a hundred periods it is several times as quick.
        """
        before, _, after = self.query(since="\0", until="\0").partition("since=%00&until=%00")
        return lambda since, until: (
            f"{before}since={quote_plus(since)}&until={quote_plus(until)}{after}"
        )

    def toggled(self, facet: str, value: str) -> str:
        """Return the query string with this value of a facet added, or removed if it is chosen.

        A value that is added is no longer excluded, and one that is excluded no longer chosen.
        """
        opposite = facet.removesuffix(NOT) if facet.endswith(NOT) else f"{facet}{NOT}"
        both = ((facet, value), (opposite, value))
        rest = tuple(each for each in self.chosen if each not in both)
        chosen = rest if both[0] in self.chosen else (*rest, both[0])
        return _query(Address.of(self._replace(chosen=chosen, after="").pairs()).pairs())

    def without_filter(self, name: str) -> Address:
        """Return the address without what `name` asks for: a filter, or a moment.

        Without a measure it has no range.
        """
        names = _RANGE if name == "measure" else (name,)
        chosen = tuple(pair for pair in self.chosen if filter_of(pair[0]) not in names)
        singles = dict.fromkeys({"after", *names} & {*_SINGLE}, "")
        return self._replace(chosen=chosen, **singles)

    def of_any_state(self) -> Address:
        """Return the address that chooses events in any state, unless it asks for a state."""
        if any(name.removesuffix(NOT) == "state" for name, _ in self.chosen):
            return self
        return self._replace(chosen=(*self.chosen, ("state", "all")))

    def cleared(self) -> str:
        """Return the query string of the same moment, without filters, words and order."""
        return self.everything_then.query(view=self.view)

    @property
    def filters(self) -> dict[str, Any]:
        """Return the filters (`filters.FILTERS`) that the address names, with their values."""
        found: dict[str, Any] = {}
        for facet, value in self.chosen:
            found.setdefault(filter_of(facet), []).append(value)
        for name in _FILTERS:
            if value := getattr(self, name):
                found[name] = value
        return found

    @property
    def is_narrowed(self) -> bool:
        """Return whether the address has a filter or the words of a search."""
        return bool(self.q) or any(not name.endswith("_match") for name in self.filters)

    @property
    def moment(self) -> str:
        """Return which past a page shows: "as it stood on 13 April 2025"; "" if it shows none."""
        past = [_moment(self.as_of)] if self.as_of else []
        if self.as_reported:
            text = gettext("with only what had been reported up to {date}")
            past.append(text.format(date=_words(self.as_reported)))
        return ", ".join(past)

    @property
    def moments(self) -> Mapping[str, str | None]:
        """Return the two arguments of `as_of.parse_as_of`, by name."""
        return {"as_of": self.as_of or None, "as_reported": self.as_reported or None}

    @property
    def everything_then(self) -> Address:
        """Return the address of all events at the moment of this one."""
        return Address(as_of=self.as_of, as_reported=self.as_reported)

    @property
    def moment_query(self) -> str:
        """Return the query string of the moment of the past alone; "" for now."""
        return self.everything_then.query().removesuffix("?")


def _moment(text: str) -> str:
    """Return the past that a moment names: "as it stood on 13 April 2025"."""
    if re.fullmatch("#?[0-9]+", text):
        return gettext("as it stood after {entry}").format(entry=_words(text))
    words = _words(text)
    with contextlib.suppress(InvalidValue):
        if edtf.parse(text).precision == "day":
            return gettext("as it stood on {date}").format(date=words)
    return gettext("as it stood at {date}").format(date=words)


def _words(moment: str) -> str:
    """Return the words of a moment: "entry 7", or "13 April 2025"."""
    if entry := re.fullmatch("#?([0-9]+)", moment):
        return gettext("entry {number}").format(number=entry[1])
    try:
        return date_words(moment)
    except InvalidValue:  # a time with a fraction of a second, which EDTF does not know
        return moment


def _query(pairs: list[tuple[str, str]]) -> str:
    return f"?{urlencode(pairs)}" if pairs else "?"
