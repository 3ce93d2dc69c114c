"""Which values each entry has, of one facet: columns beside its sets, for counting few entries.

Guarantees: what columns count is what the sets that they were made from, and those added
later, hold, but for the values in `large`, which are left to their sets. They only grow: what
they say of an entry never changes, so that an index of an earlier moment may share them.
Columns cost as much as entries are counted, however many values there are; sets cost as much
as there are values.
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
"""A set that has one in so many entries is not put into columns."""

_WORTHWHILE = 32
"""A column is made for what one in so many entries has; fewer are kept one by one."""

_NARROW = 65_536
"""Values: of so many the numbers take two bytes."""


class Columns:
    """An entry's first value stands in the first column, its second in the second, and so on."""

    def __init__(self, sets: Postings, end: int) -> None:
        """`end`: behind the last entry."""
        self.end = end
        self.large = frozenset(value for value, seqs in sets.items() if len(seqs) * _LARGE >= end)
        """Values that many entries have: their sets count them more quickly."""
        self._values: list[Value] = []
        self._numbers: dict[Value, int] = {}
        self._columns: list[tuple[BitMap, array[int]]] = []
        """Of each the entries that have a value in it, and the numbers of these values."""
        self._others: defaultdict[int, list[int]] = defaultdict(list)
        """The numbers of what found no column, by entry,"""
        self._having_others = BitMap()
        """and these entries."""
        left = self._numbered(sets)
        while sum(map(len, left.values())) * _WORTHWHILE >= end > 0:
            self._columns.append((BitMap(), array(self._typecode, [0]) * end))
            left = _put(left, *self._columns[-1])
        self._keep(left)

    def extend(self, sets: Postings, end: int) -> None:
        """Add the entries before `end` that are not there yet."""
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
        """How many of the chosen entries have each value; values of none are left out."""
        counted = Counter[int]()
        for filled, column in self._columns:
            seqs = (chosen & filled).to_array()
            several = len(seqs) > 1  # itemgetter is quicker, and gives no tuple for one
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
    """Fill the free places of a column; what is left of the sets."""
    left = {}
    for number, seqs in sets.items():
        free = seqs - filled
        for seq in free:
            column[seq] = number
        if len(free) < len(seqs):
            left[number] = seqs - free
        filled |= free
    return left
