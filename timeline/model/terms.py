"""Find a term of a vocabulary by what a person calls it.

Guarantees: a term is found by code or label in any case and comes back as its code. A refusal is
an InvalidValue of one line that names the nearest term.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple, Protocol

from timeline.errors import InvalidValue
from timeline.model.hints import nearest, quoted
from timeline.model.names import fold


class AnyTerm(Protocol):
    """Whatever has a code and a label can be found; a `log_info.Term` has both."""

    @property
    def code(self) -> str: ...
    @property
    def label(self) -> str: ...


class KnownTerm(NamedTuple):
    """A term as the tables of a log have it."""

    code: str
    label: str


class KnownTerms(NamedTuple):
    """The terms of a log by their field in its vocabulary; an empty list leaves a field free."""

    event_types: tuple[KnownTerm, ...] = ()
    modes: tuple[KnownTerm, ...] = ()
    contexts: tuple[KnownTerm, ...] = ()


def known_terms(vocabulary: Mapping[str, Iterable[Mapping[str, str]]]) -> KnownTerms:
    """Return the terms of a vocabulary with this content, which was validated before."""
    return KnownTerms(
        **{
            field: tuple(KnownTerm(each["code"], each["label"]) for each in terms)
            for field, terms in vocabulary.items()
        }
    )


def term(text: str, terms: Sequence[AnyTerm], what: str) -> str:
    """Return the code of the term that has this code or label, in any case.

    `what` is the kind of the terms in an error: "event type", "mode" or "context". Raises
    InvalidValue, with the nearest term, if there is none.
    """
    index = _term_index(tuple(terms))
    if found := index.get(fold(text)):
        return found.code
    if near := nearest(text, index):
        hint = f"did you mean {index[near].code} ({index[near].label})?"
    elif terms:
        codes = [known.code for known in terms]
        hint = f"it has {', '.join(codes[:5])}{' ...' if len(codes) > 5 else ''}"
    else:
        hint = "it has none"
    article = "an" if what.startswith(tuple("aeiou")) else "a"
    raise InvalidValue(text, f"{quoted(text)} is not {article} {what} of this log: {hint}")


@lru_cache(maxsize=16)
def _term_index(terms: tuple[AnyTerm, ...]) -> dict[str, AnyTerm]:
    return {fold(each.label): each for each in terms} | {fold(each.code): each for each in terms}
