"""Take the credentials for a cluster from the environment: no file and no address has them."""

from __future__ import annotations

import os
import re
import ssl
from pathlib import Path
from typing import Any

from timeline.cluster.address import ClusterAddress
from timeline.errors import InvalidInput

CREDS = "TIMELINE_NATS_CREDS"
USER = "TIMELINE_NATS_USER"
PASSWORD = "TIMELINE_NATS_PASSWORD"  # noqa: S105
CA = "TIMELINE_NATS_CA"


def options(address: ClusterAddress) -> dict[str, Any]:
    """Give what the client of NATS needs to know of credentials and of TLS."""
    found: dict[str, Any] = {}
    creds, user, password = (os.environ.get(name, "") for name in (CREDS, USER, PASSWORD))
    if creds and (user or password):
        raise InvalidInput(CREDS, f"set it, or {USER} and {PASSWORD}, not both")
    if bool(user) != bool(password):
        raise InvalidInput(USER, f"set it together with {PASSWORD}")
    if creds:
        # The client reads such a file without end if these lines are missing.
        text = _read(CREDS, creds)
        if not all(f"BEGIN {what}" in text for what in ("NATS USER JWT", "USER NKEY SEED")):
            raise InvalidInput(
                CREDS, f"{creds} is no .creds file, as `nsc generate creds` makes it"
            )
        found["user_credentials"] = creds
    if user:
        found |= {"user": user, "password": password}
    if address.tls:
        found["tls"] = _trusted(os.environ.get(CA, ""))
    return found


def inbox() -> str:
    """Name the beginning of the subjects of answers to this account.

    So a server can let readers hear their own answers, and no texts that others ask for.
    """
    user = os.environ.get(USER, "")
    return f"_INBOX.{user if re.fullmatch('[A-Za-z0-9_-]+', user) else 'any'}"


def _trusted(authority: str) -> ssl.SSLContext:
    if not authority:
        return ssl.create_default_context()
    _read(CA, authority)
    try:
        return ssl.create_default_context(cafile=authority)
    except ssl.SSLError:
        raise InvalidInput(CA, f"{authority} has no certificate in PEM form") from None


def _read(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise InvalidInput(name, f"{path} cannot be read: {error.strerror}") from None
