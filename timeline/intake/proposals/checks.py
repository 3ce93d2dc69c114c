"""Say what the quotes of a proposal do not say: a person looks at each before it is recorded."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from timeline.intake.proposals.checked import CheckedProposal
from timeline.intake.proposals.proposal import Proposal


class ProposalMark(NamedTuple):
    """One sentence that a person ticks: "I have looked at it"."""

    key: str
    """The name of the mark within its proposal, made of what it says: a changed mark is new."""
    text: str
    field: str
    """The path of the field that it is about, such as quantities.0; "" for the whole."""


def marks(
    log: sqlite3.Connection, proposal: Proposal, found: CheckedProposal
) -> list[ProposalMark]:
    """Return all marks of a proposal, those about its fields in the order of the fields."""
    raise NotImplementedError
