"""Read the address of a cluster, and name what it keeps; no server is asked."""

from __future__ import annotations

import re
from typing import NamedTuple, Self

from timeline.errors import InvalidInput

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,30}", re.ASCII)
_SERVER = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z](?:[0-9A-Za-z.-]*[0-9A-Za-z])?)(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII,
)
_FORM = "write nats://HOST,HOST,HOST/NAME"


class ClusterAddress(NamedTuple):
    """The servers of a cluster, and the name of a log that they keep.

    An address has no credentials: they come from the environment.
    """

    servers: tuple[str, ...]
    """HOST or HOST:PORT of each server, as written."""
    name: str
    """The name of the log in the cluster, such as `odesa`."""
    tls: bool = False
    """True for tls://: the connection is encrypted, and a server without TLS is refused."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address such as nats://h1,h2:4223,h3/odesa; refuse one with a password."""
        scheme, found, rest = text.partition("://")
        if not found or scheme not in ("nats", "tls"):
            raise _wrong(f"no address of a cluster: {_FORM}, or tls:// in place of nats://")
        if "@" in rest:
            raise _wrong(
                "no user and no password belong here, where others see them: set "
                "TIMELINE_NATS_CREDS, or TIMELINE_NATS_USER and TIMELINE_NATS_PASSWORD"
            )
        hosts, _, name = rest.partition("/")
        if not _NAME.fullmatch(name):
            raise _wrong(
                f'"{name}" is no name of a log on a cluster: write 1 to 31 letters a to z, digits '
                f"and hyphens, not a hyphen first, as in {scheme}://{hosts or 'HOST'}/odesa"
                if name
                else f"the name of the log is missing: {_FORM}"
            )
        servers = tuple(hosts.split(","))
        for server in servers:
            match = _SERVER.fullmatch(server)
            if not match or int(match["port"] or 1) not in range(1, 65_536):
                raise _wrong(f'"{server}" is no server: write HOST or HOST:PORT, as in h1:4222')
        if len({server.lower() for server in servers}) < len(servers):
            raise _wrong("a server stands there twice: write each one once")
        return cls(servers, name, scheme == "tls")

    def __str__(self) -> str:
        """Write the address as it was read."""
        return f"{self._scheme}://{','.join(self.servers)}/{self.name}"

    @property
    def urls(self) -> list[str]:
        """Give the address of each server, with its port."""
        return [
            f"{self._scheme}://{server}" + ("" if _has_port(server) else ":4222")
            for server in self.servers
        ]

    @property
    def _scheme(self) -> str:
        return "tls" if self.tls else "nats"

    def stream(self, generation: int) -> str:
        """Name the stream that has the messages of a generation of the log."""
        return f"TL_{self.name}_{generation}"

    def subject(self, generation: int) -> str:
        """Name the subject of the messages of a generation."""
        return f"tl.{self.name}.{generation}"

    def texts(self, generation: int) -> str:
        """Name the object store that has the texts of the sources of a generation."""
        return f"TL_{self.name}_{generation}_texts"

    def media(self, generation: int) -> str:
        """Name the object store that has the files of a generation."""
        return f"TL_{self.name}_{generation}_media"

    @property
    def turn_stream(self) -> str:
        """Name the stream that says whose turn it is to write."""
        return f"TL_{self.name}_turn"

    @property
    def turn_subject(self) -> str:
        """Name the subject of the record that says whose turn it is to write."""
        return f"tl.{self.name}.turn"

    @property
    def notes(self) -> str:
        """Name the bucket of the notes, the nodes and the number of the generation."""
        return f"TL_{self.name}"


def _has_port(server: str) -> bool:
    return ":" in server.rpartition("]")[2]


def _wrong(problem: str) -> InvalidInput:
    return InvalidInput("cluster", problem)
