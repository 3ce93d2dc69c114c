"""The state of a browse page as its address, and addresses from it.

Guarantees: an address says all that a page shows, so that Back, bookmarks and feeds work;
`Address.of(x.query()) == x`. Unknown parameters are passed over, values are left as they are
given: what they mean is the business of `filters`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

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
    "precision": "precision",
}
"""The facets of the page, and the filter (`filters.FILTERS`) that each one is."""

_SINGLE = ("q", "place", "since", "until", "as_of", "as_reported", "order", "after", "all")


class Address(NamedTuple):
    """What is asked of a browse page or a feed."""

    chosen: tuple[tuple[str, str], ...] = ()
    """Facet and value, in one order: a selection has one address."""
    q: str = ""
    place: str = ""
    since: str = ""
    until: str = ""
    as_of: str = ""
    as_reported: str = ""
    order: str = ""
    """ "oldest" for the oldest first."""
    after: str = ""
    """Where the page begins; see `selection.Selection.page`."""
    all: str = ""
    """The facet that shows all of its values."""

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Address:
        """The address that these parameters make."""
        given = [(name, value.strip()) for name, value in pairs if value.strip()]
        chosen = dict.fromkeys(pair for pair in given if pair[0] in FACETS)
        order = [*FACETS]
        return cls(
            tuple(sorted(chosen, key=lambda pair: (order.index(pair[0]), pair[1]))),
            **{name: value for name, value in given if name in _SINGLE},
        )

    def pairs(self) -> list[tuple[str, str]]:
        """The parameters, in one order."""
        singles = ((name, getattr(self, name)) for name in _SINGLE)
        return [*((name, value) for name, value in singles if value), *self.chosen]

    def query(self, **changes: Any) -> str:
        """The query string after changes, "?" included; a change leads to the first page."""
        if "after" not in changes:
            changes["after"] = ""
        return _query(self._replace(**changes).pairs())

    def toggled(self, facet: str, value: str) -> str:
        """The query string with a value of a facet chosen, or no longer."""
        pair = facet, value
        rest = tuple(each for each in self.chosen if each != pair)
        chosen = rest if pair in self.chosen else (*rest, pair)
        return _query(Address.of(self._replace(chosen=chosen, after="").pairs()).pairs())

    def without(self, facet: str) -> str:
        """The query string with nothing of a facet chosen."""
        rest = tuple(pair for pair in self.chosen if pair[0] != facet)
        return _query(self._replace(chosen=rest, after="").pairs())

    def cleared(self) -> str:
        """The query string without any filter, of the same moment."""
        return _query(Address(as_of=self.as_of, as_reported=self.as_reported).pairs())

    @property
    def filters(self) -> dict[str, Any]:
        """The filters (`filters.FILTERS`) that the address names."""
        found: dict[str, Any] = {}
        for facet, value in self.chosen:
            found.setdefault(FACETS[facet], []).append(value)
        for name in ("place", "since", "until"):
            if value := getattr(self, name):
                found[name] = value
        return found

    @property
    def is_narrowed(self) -> bool:
        """Whether it shows less than everything."""
        return bool(self.filters or self.q)

    @property
    def moments(self) -> Mapping[str, str | None]:
        """The arguments of `as_of.parse_as_of`."""
        return {"as_of": self.as_of or None, "as_reported": self.as_reported or None}


def _query(pairs: list[tuple[str, str]]) -> str:
    return f"?{urlencode(pairs)}" if pairs else "?"
