"""Send entries to a server, signed as the Standard Webhooks specification says.

Guarantees: each delivery of an entry has the same `webhook-id`, by which the receiver knows one
that it has; its signature covers the id, the time and the body. No redirect is followed.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from timeline.errors import InvalidInput, NotDelivered
from timeline.network.fetch import Reply, send
from timeline.watching.delivery import TAKEN, Delivery, Reception

_SECONDS = 30
"""Seconds that a receiver has for its answer. The specification advises 15 to 30."""
_LONGEST_WAIT = 3_600.0
"""Seconds, at most, for which a receiver can ask to be left alone."""
_KEY = (24, 64)
"""The least and the most bytes of a secret, as the specification says."""

_LATER = (408, 425, 429)
"""Statuses that ask for the same request again, though they begin with 4."""
_CLOSED = (401, 403, 404, 405, 410)
"""Statuses that no other entry would change: the address, or the secret, is wrong."""


def secret_of(text: str) -> bytes:
    """Read a secret in the form that Standard Webhooks gives it. Raises InvalidInput."""
    try:
        key = base64.b64decode(text.strip().removeprefix("whsec_"), validate=True)
    except ValueError:
        key = b""
    least, most = _KEY
    if not text.strip().startswith("whsec_") or not least <= len(key) <= most:
        raise InvalidInput(
            "secret", f'is none: write "whsec_" and {least} to {most} random bytes in base64'
        )
    return key


def url_of(text: str) -> str:
    """Return an http or https address to which entries can be sent. Raises InvalidInput."""
    try:
        parts = urlsplit(text)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_web = False
    if not is_web or not text.isascii() or parts.username is not None:
        raise InvalidInput(
            "--webhook", "is no address to send to: write one such as https://example.org/hook"
        )
    return text


class Webhook:
    """A webhook sends entries to one address, signed with one secret."""

    def __init__(self, url: str, secret: bytes) -> None:
        self._url = url
        self._secret = secret

    def __call__(self, delivery: Delivery) -> Reception:
        """Send an entry, and say how the server took it."""
        try:
            answer = send(self._url, delivery.body, self._headers(delivery), seconds=_SECONDS)
        except NotDelivered as error:
            return Reception("failed", str(error), error.in_doubt)
        why = f"{self._url} answered {answer.status} {answer.reason}".rstrip()
        match answer.status:
            case status if 200 <= status < 300:
                return TAKEN
            case status if 300 <= status < 400:
                return Reception("closed", f"{why}, and redirects are not followed")
            case status if status in _CLOSED:
                return Reception("closed", why)
            case status if 400 <= status < 500 and status not in _LATER:
                return Reception("refused", why)
        return Reception("failed", why, after=_wanted(answer))

    def _headers(self, delivery: Delivery) -> dict[str, str]:
        now = str(int(time.time()))
        signed = b".".join((delivery.id.encode(), now.encode(), delivery.body))
        signature = hmac.new(self._secret, signed, hashlib.sha256).digest()
        return {
            "Content-Type": "application/json",
            "webhook-id": delivery.id,
            "webhook-timestamp": now,
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }


def _wanted(answer: Reply) -> float | None:
    """Return the seconds that `Retry-After` names, as a number or as a date."""
    text = (answer.retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
        seconds = (moment.astimezone(UTC) - datetime.now(UTC)).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)
