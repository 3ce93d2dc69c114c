"""Columns of a facet: they hold the values of each entry, to count few entries quickly.

The index has a set of entries for each value. To count by sets, every value must be looked at;
to count by columns, only the chosen entries.

Guarantees: columns count the same as the sets that they were made from and that were added
later, except the values in `large`, which are counted by their sets. Columns only grow, and the
values of an entry never change in them, so an index of an earlier moment may share them.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from itertools import chain
from operator import itemgetter
from typing import Literal

from pyroaring import BitMap

from timeline.projection.facet_segments import Postings, Value

_LARGE = 32
"""A share of all entries, one in 32: a value that so many have is counted by its set."""

_WORTHWHILE = 32
"""A share of all entries, one in 32: if fewer have a value left, no further column is made."""

_NARROW = 65_536
"""Values of a facet, at most, that two bytes can number."""


class Columns:
    """Columns have the first value of each entry in the first one, the second in the second."""

    def __init__(self, sets: Postings, end: int) -> None:
        """Make the columns of these sets; `end` is the number after that of the last entry."""
        self.end = end
        self.large = frozenset(value for value, seqs in sets.items() if len(seqs) * _LARGE >= end)
        """The values that many entries have: their sets count them faster."""
        self._values: list[Value] = []
        self._numbers: dict[Value, int] = {}
        self._columns: list[tuple[BitMap, array[int]]] = []
        """For each column the entries with a value in it, and by entry the number of the value."""
        self._others: defaultdict[int, list[int]] = defaultdict(list)
        """Value numbers that fit in no column, by entry seq."""
        self._having_others = BitMap()
        """The seqs that are keys of `_others`."""
        left = self._numbered(sets)
        while sum(map(len, left.values())) * _WORTHWHILE >= end > 0:
            self._columns.append((BitMap(), array(self._typecode, [0]) * end))
            left = _put(left, *self._columns[-1])
        self._keep(left)

    def extend(self, sets: Postings, end: int) -> None:
        """Add the entries from the end of the columns to before `end`."""
        more = BitMap(range(self.end, end))
        left = self._numbered({value: seqs & more for value, seqs in sets.items()})
        typecode = self._typecode
        for place, (filled, column) in enumerate(self._columns):
            if column.typecode != typecode:
                column = array(typecode, column)
                self._columns[place] = filled, column
            column.extend(array(typecode, [0]) * len(more))
            left = _put(left, filled, column)
        self._keep(left)
        self.end = max(self.end, end)

    def counts(self, chosen: BitMap) -> list[tuple[Value, int]]:
        """Count the chosen entries by value; values that none of them has are left out."""
        counted = Counter[int]()
        for filled, column in self._columns:
            seqs = (chosen & filled).to_array()
            several = len(seqs) > 1  # itemgetter is faster, but returns no tuple for one
            counted.update(itemgetter(*seqs)(column) if several else map(column.__getitem__, seqs))
        some = map(self._others.__getitem__, chosen & self._having_others)
        counted.update(chain.from_iterable(some))
        return [(self._values[number], count) for number, count in counted.items()]

    @property
    def _typecode(self) -> Literal["H", "I"]:
        return "H" if len(self._values) <= _NARROW else "I"

    def _numbered(self, sets: Postings) -> dict[int, BitMap]:
        numbered = {}
        for value, seqs in sets.items():
            if value in self.large:
                continue
            if value not in self._numbers:
                self._numbers[value] = len(self._values)
                self._values.append(value)
            numbered[self._numbers[value]] = seqs
        return numbered

    def _keep(self, left: dict[int, BitMap]) -> None:
        for number, seqs in left.items():
            self._having_others |= seqs
            for seq in seqs:
                self._others[seq].append(number)


def _put(sets: dict[int, BitMap], filled: BitMap, column: array[int]) -> dict[int, BitMap]:
    """Fill the free places of a column, and return the sets of the values that found none."""
    left = {}
    for number, seqs in sets.items():
        free = seqs - filled
        for seq in free:
            column[seq] = number
        if len(free) < len(seqs):
            left[number] = seqs - free
        filled |= free
    return left
