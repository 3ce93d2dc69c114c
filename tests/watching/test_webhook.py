"""What is sent to a server is signed by the Standard Webhooks specification, and sent once."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from receiving import SECRET, Sent, receiving

from timeline.errors import InvalidInput
from timeline.watching import webhook
from timeline.watching.delivery import TAKEN, Delivery
from timeline.watching.webhook import Webhook, secret_of, url_of

DELIVERY = Delivery(
    41, "entry-41-0123456789abcdef", '{"title": "Київ"}'.encode(), "one", 2, "event.corrected"
)


def verified(sent: Sent, secret: str = SECRET) -> bytes:
    """Return the body of what was sent, as a receiver does that knows only the specification."""
    headers = sent.headers
    assert abs(time.time() - int(headers["webhook-timestamp"])) < 300
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + sent.body
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    signatures = [each.split(",") for each in headers["webhook-signature"].split(" ")]
    assert ["v1", digest] in signatures
    return sent.body


def test_a_signature_is_that_of_the_specification(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook.time, "time", lambda: 1614265330.9)
    example = DELIVERY._replace(id="msg_p5jXN8AQM9LWM0D4loKWxJek", body=b'{"test": 2432232314}')
    headers = Webhook("http://x", secret_of(SECRET))._headers(example)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_server_can_verify_what_it_gets() -> None:
    with receiving() as server:
        assert Webhook(f"{server.address}/hook?a=b", secret_of(SECRET))(DELIVERY) == TAKEN
        (sent,) = server.sent
        assert verified(sent) == DELIVERY.body
        assert sent.headers["webhook-id"] == DELIVERY.id
        assert sent.headers["content-type"] == "application/json"
        with pytest.raises(AssertionError):
            verified(Sent(sent.headers, sent.body + b" "))
        with pytest.raises(AssertionError):
            verified(Sent({**sent.headers, "webhook-id": "entry-42-0123456789abcdef"}, sent.body))


@pytest.mark.parametrize(
    ("status", "headers", "what"),
    [
        (200, {}, "taken"),
        (202, {}, "taken"),
        (301, {"Location": "http://127.0.0.1:1/"}, "closed"),
        (307, {"Location": "http://127.0.0.1:1/"}, "closed"),
        (400, {}, "refused"),
        (401, {}, "closed"),
        (404, {}, "closed"),
        (408, {}, "failed"),
        (410, {}, "closed"),
        (422, {}, "refused"),
        (425, {}, "failed"),
        (429, {}, "failed"),
        (500, {}, "failed"),
        (503, {}, "failed"),
    ],
)
def test_an_answer_says_what_becomes_of_an_entry(
    status: int, headers: Mapping[str, str], what: str
) -> None:
    with receiving([(status, headers)]) as server:
        outcome = Webhook(server.address, secret_of(SECRET))(DELIVERY)
        assert (outcome.what, outcome.in_doubt) == (what, False)
        assert len(server.sent) == 1
        assert what == "taken" or f"answered {status}" in outcome.why


def test_a_server_says_when_it_wants_to_be_asked_again() -> None:
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    for text, least, most in (
        ("17", 17, 17),
        ("0", 0, 0),
        ("99999999", 3_600, 3_600),
        (in_a_minute, 1, 61),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ):
        with receiving([(503, {"Retry-After": text})]) as server:
            after = Webhook(server.address, secret_of(SECRET))(DELIVERY).after
            assert after is not None
            assert least <= after <= most
    for text in ("soon", "-5", "1e9", ""):
        with receiving([(503, {"Retry-After": text})]) as server:
            assert Webhook(server.address, secret_of(SECRET))(DELIVERY).after is None


def test_only_what_was_sent_without_an_answer_is_in_doubt() -> None:
    with receiving([(0, {})]) as server:
        outcome = Webhook(server.address, secret_of(SECRET))(DELIVERY)
        assert (outcome.what, outcome.in_doubt) == ("failed", True)
    outcome = Webhook(server.address, secret_of(SECRET))(DELIVERY)
    assert (outcome.what, outcome.in_doubt) == ("failed", False)


@pytest.mark.parametrize(
    "text", ["", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_ü" * 9]
)
def test_a_secret_has_the_form_and_the_length_of_the_specification(text: str) -> None:
    with pytest.raises(InvalidInput, match=r'is none: write "whsec_" and 24 to 64 random bytes'):
        secret_of(text)


@pytest.mark.parametrize(
    "url",
    ["", "ftp://a.example", "a.example", "http://", "https://a:b@c.example/", "http://ü.example"],
)
def test_entries_are_sent_to_the_web_only(url: str) -> None:
    with pytest.raises(InvalidInput, match="is no address to send to"):
        url_of(url)
