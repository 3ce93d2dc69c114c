"""Read policies, which say whose signatures a reader wants (c2sp.org/tlog-policy).

    log VKEY [URL]
    witness NAME VKEY [URL]
    group NAME any|all|NUMBER MEMBER...
    quorum NAME|none

A line that begins with # is a comment. A log is believed if one of its keys signed, and if the
group or witness that `quorum` names signed as well.

Guarantees: a policy that names something unknown, or one name twice, is refused as a whole.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple, Self

from timeline.errors import InvalidInput, InvalidValue, ProofError
from timeline.proof.signed_note import Note, VerifierKey

_LONGEST = 100_000
_NONE = "none"


class PolicyWitness(NamedTuple):
    """A witness of a policy has a name there, a key, and perhaps the address of its server."""

    name: str
    key: VerifierKey
    url: str | None


class PolicyGroup(NamedTuple):
    """A group signed if at least `wanted` of its members signed: witnesses, or other groups."""

    wanted: int
    members: tuple[str, ...]


class Policy(NamedTuple):
    """A policy, read: keys of logs, witnesses and groups by their names, and the quorum."""

    logs: tuple[VerifierKey, ...]
    witnesses: Mapping[str, PolicyWitness]
    groups: Mapping[str, PolicyGroup]
    quorum: str
    """The name of a witness or a group; "none" if no witness is wanted."""

    @classmethod
    def of_keys(cls, keys: Collection[VerifierKey]) -> Self:
        """Return the policy that believes these keys of a log, and wants no witness."""
        return cls(tuple(keys), {}, {}, _NONE)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a policy. Raises InvalidInput with the line that is wrong."""
        if len(text) > _LONGEST:
            raise InvalidInput("policy", f"is longer than {_LONGEST:,} characters")
        reading = _Reading()
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split()
            if words and not words[0].startswith("#"):
                try:
                    reading.take(words)
                except (InvalidInput, InvalidValue) as error:
                    raise InvalidInput("policy", error.problem).at(line=number) from None
        if not reading.logs:
            raise InvalidInput("policy", "names no log: a line with log VKEY is wanted")
        return cls(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum or _NONE)

    @property
    def keys(self) -> list[VerifierKey]:
        """Return all keys that it names: those of logs, then those of witnesses."""
        return [*self.logs, *(each.key for each in self.witnesses.values())]

    def __str__(self) -> str:
        return "".join(f"{line}\n" for line in self._lines())

    def _lines(self) -> Iterator[str]:
        yield from (f"log {key}" for key in self.logs)
        for name, key, url in self.witnesses.values():
            yield f"witness {name} {key}{f' {url}' if url else ''}"
        for name, group in self.groups.items():
            yield f"group {name} {group.wanted} {' '.join(group.members)}"
        yield f"quorum {self.quorum}"

    def verify(self, note: Note) -> list[PolicyWitness]:
        """Return the witnesses that signed a note, if it satisfies the policy.

        Raises ProofError if no log of the policy signed it, if a signature by one of its keys does
        not hold, or if the quorum is not reached.
        """
        logs = note.signers(self.logs)
        if not logs:
            raise ProofError(f"is not signed by {' or '.join(key.name for key in self.logs)}")
        signed = [each for each in self.witnesses.values() if note.signers([each.key])]
        note.verify([*logs, *(each.key for each in signed)])
        if not self.is_reached([each.name for each in signed]):
            raise ProofError(
                f"is signed by {len(signed)} of {len(self.witnesses)} witnesses, which is not the"
                f" quorum of the policy, {self.quorum}"
            )
        return signed

    def is_reached(self, signed: Collection[str]) -> bool:
        """Return whether the quorum is reached if the witnesses of these names signed."""
        return self.quorum == _NONE or self._has_signed(self.quorum, signed)

    @property
    def wanted(self) -> int:
        """Return the least number of witnesses with which the quorum is reached."""
        return 0 if self.quorum == _NONE else self._least(self.quorum)

    def _has_signed(self, name: str, signed: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in signed
        return sum(self._has_signed(each, signed) for each in group.members) >= group.wanted

    def _least(self, name: str) -> int:
        group = self.groups.get(name)
        if group is None:
            return 1
        return sum(sorted(map(self._least, group.members))[: group.wanted])


class _Reading:
    """Reads a policy line by line; a line may name only what stands before it."""

    def __init__(self) -> None:
        self.logs = list[VerifierKey]()
        self.witnesses = dict[str, PolicyWitness]()
        self.groups = dict[str, PolicyGroup]()
        self.quorum = ""

    def take(self, words: list[str]) -> None:
        match words:
            case ["log", key, *rest] if len(rest) < 2:
                self.logs.append(VerifierKey.parse(key))
            case ["witness", name, key, *rest] if len(rest) < 2:
                self._check_new(name)
                made = PolicyWitness(name, VerifierKey.parse(key), rest[0] if rest else None)
                if not made.key.is_of_witness:
                    raise InvalidInput("", f"{name} has the key of a log, not of a witness")
                if any(made.key.public_key == each.key.public_key for each in self._known):
                    raise InvalidInput("", f"{name} has the key of another witness")
                self.witnesses[name] = made
            case ["group", name, number, *members] if members:
                self._check_new(name)
                for member in members:
                    self._check_known(member)
                if len(set(members)) < len(members):
                    raise InvalidInput("", f"group {name} has a member twice")
                self.groups[name] = PolicyGroup(_wanted(number, len(members)), tuple(members))
            case ["quorum", name] if not self.quorum:
                if name != _NONE:
                    self._check_known(name)
                self.quorum = name
            case _:
                raise InvalidInput("", f'"{" ".join(words)[:80]}" is no line of a policy')

    @property
    def _known(self) -> Collection[PolicyWitness]:
        return self.witnesses.values()

    def _check_new(self, name: str) -> None:
        if name == _NONE or name in self.witnesses or name in self.groups:
            raise InvalidInput("", f"{name} is a name that is taken")

    def _check_known(self, name: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise InvalidInput("", f"there is no witness or group {name} before this line")


def _wanted(text: str, count: int) -> int:
    number = {"any": 1, "all": count}.get(text)
    if number is None and text.isascii() and text.isdigit():
        number = int(text)
    if number is None or not 1 <= number <= count:
        raise InvalidInput("", f'"{text[:20]}" must be any, all, or a number from 1 to {count}')
    return number
