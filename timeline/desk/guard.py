"""Let only the person at this machine into the desk, and only by the desk's own pages.

Guarantees: a request that another site, another port or another program makes is answered without
any data, and changes nothing. What is secret is derived from the secret of the inbox, which nobody
but its owner can read.

Sources: RFC 9110, section 15.5.20 (421); https://www.w3.org/TR/fetch-metadata/;
https://fetch.spec.whatwg.org/#origin-header.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable, Mapping
from hashlib import sha256
from html import escape

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request, cookie_parser
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from timeline.desk.visit import Session

COOKIE = "desk"
_TICKET_SECONDS = 300
_SESSION_SECONDS = 12 * 60 * 60
_RENEWED_SECONDS = 60
"""Seconds after which the cookie of a session is written anew: it has its last request."""
_LONGEST_BODY = 2**20
"""Bytes of a form."""
LONGEST_CAPTURE = 20 * 2**20
"""Bytes of a form that captures a text or a file."""
CAPTURE = "/articles/new"
"""The path of the form that captures."""
_WAYS = ("GET", "HEAD", "POST")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    # With no-referrer, Chromium sends `Origin: null`, and the desk would refuse its own forms.
    "Referrer-Policy": "same-origin",
    # With no-store, Back from a page that answers a form loses what was typed.
    "Cache-Control": "private, no-cache",
}

AGAIN = "Open the desk again: double-click its launcher, or run timeline desk."
_PROBLEM = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>This did not work</title>
<meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body><main><h1>This did not work</h1><p>{problem}</p></main></body></html>
"""


def problem_page(status: int, problem: str) -> Response:
    """Return a page that says what to do, without any data of the desk."""
    return HTMLResponse(problem_text(problem), status)


def problem_text(problem: str) -> str:
    """Return the HTML of a page that says one line, and has nothing else of the desk."""
    return _PROBLEM.format(problem=escape(problem))


class Secrets:
    """The keys of one desk are derived from the secret of its inbox.

    `run` is a word of its own for each start, so that a ticket of an earlier start is none.
    """

    def __init__(self, secret: str, run: str) -> None:
        self._secret = secret.encode()
        self._run = run

    @property
    def key(self) -> str:
        """Return the first part of every path of the desk, 128 bits: "/0a1b...".

        Cookies do not know ports: only with a path of its own is the desk's cookie not sent to
        another server on this machine.
        """
        return f"/{self._signature('path')[:32]}"

    def ticket(self, now: float | None = None) -> str:
        """Return a ticket, with which one browser may come in once, within five minutes."""
        text = f"{int(now or time.time()) + _TICKET_SECONDS}.{secrets.token_hex(16)}"
        return f"{text}.{self._signature(f'ticket/{self._run}/{text}')}"

    def is_ticket(self, ticket: str, now: float | None = None) -> bool:
        """Tell whether a ticket is of this start of the desk, and not too old."""
        text, _, signature = ticket.rpartition(".")
        end = text.partition(".")[0]
        is_signed = hmac.compare_digest(
            signature.encode(), self._signature(f"ticket/{self._run}/{text}").encode()
        )
        return is_signed and end.isascii() and end.isdecimal() and int(end) > (now or time.time())

    def cookie(self, session_id: str, now: float) -> str:
        """Return what a browser keeps of a session, with the time of its last request.

        It is signed, so that a desk that was killed and started again still knows it.
        """
        text = f"{session_id}.{int(now)}"
        return f"{text}.{self._signature(f'session/{text}')}"

    def session_id(self, cookie: str, now: float) -> tuple[str, int] | None:
        """Return the id of a session and its last request; None if it is over, or not of ours."""
        text, _, signature = cookie.rpartition(".")
        signed = self._signature(f"session/{text}")
        if not hmac.compare_digest(signature.encode(), signed.encode()):
            return None
        session_id, _, seen = text.partition(".")
        return (session_id, int(seen)) if now - int(seen) <= _SESSION_SECONDS else None

    def token(self, session: Session, path: str) -> str:
        """Return the token that a form of a session carries to a path."""
        return self._signature(f"form/{session.session_id}/{path}")

    def _signature(self, text: str) -> str:
        return hmac.new(self._secret, text.encode(), sha256).hexdigest()


class Guard:
    """An ASGI application before the desk, which looks at every request first."""

    def __init__(
        self,
        application: ASGIApp,
        keys: Secrets,
        port: int,
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._application = application
        self._keys = keys
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]")}
        self._now = now
        self._sessions: dict[str, Session] = {}
        self._used: set[str] = set()
        """The tickets that were used."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on with its session as desk.session in the scope."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        headers = dict(_HEADERS)
        send = _with_headers(send, headers)
        answer = self._refusal(scope)
        if answer is None and scope["path"] == f"{self._keys.key}/enter":
            await self._entered(scope)(scope, receive, send)
            return
        session = self._session(scope, headers)
        if answer is None and session is None and not self._is_static(scope):
            answer = problem_page(401, f"This page needs the desk to be open here. {AGAIN}")
        if answer:
            await answer(scope, receive, send)
            return
        scope["desk.session"] = session or Session("")
        limit = _LONGEST_BODY
        if scope["path"] == f"{self._keys.key}{CAPTURE}":
            limit = LONGEST_CAPTURE
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > limit:
            problem = f"This is longer than {limit // 2**20} MiB. Press Back: it is still there."
            await problem_page(413, problem)(scope, receive, send)
            return
        await self._application(scope, _at_most(limit, receive), send)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return why a request may not come in, whoever has the cookie."""
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return problem_page(421, "This desk has another address: 127.0.0.1 on this machine.")
        if scope["method"] not in _WAYS:
            return problem_page(405, "The desk answers GET, HEAD and POST.")
        site = headers.get("sec-fetch-site")
        if scope["method"] == "POST":
            origins = headers.getlist("origin")
            if origins != [f"http://{hosts[0]}"] or site not in (None, "same-origin"):
                return problem_page(403, "This form comes from another site: nothing was changed.")
        elif site not in (None, "none", "same-origin"):
            return problem_page(403, f"Another site leads here. {AGAIN}")
        if not f"{scope['path']}/".startswith(f"{self._keys.key}/"):
            return problem_page(404, f"The desk is not at this address. {AGAIN}")
        return None

    def _entered(self, scope: Scope) -> Response:
        ticket = Request(scope).query_params.get("ticket", "")
        if not self._keys.is_ticket(ticket, self._now()) or ticket in self._used:
            return problem_page(403, f"This way in was used, or is too old. {AGAIN}")
        self._used.add(ticket)
        response = RedirectResponse(f"{self._keys.key}/", 303)
        self._keep(response, secrets.token_hex(32))
        return response

    def _session(self, scope: Scope, headers: dict[str, str]) -> Session | None:
        """Return the session of a request; add a newer cookie to the headers of its answer."""
        cookies = cookie_parser(Headers(scope=scope).get("cookie", ""))
        found = self._keys.session_id(cookies.get(COOKIE, ""), self._now())
        if found is None:
            return None
        session_id, seen = found
        if self._now() - seen > _RENEWED_SECONDS:
            answer = Response()
            self._keep(answer, session_id)
            headers["Set-Cookie"] = answer.headers["Set-Cookie"]
        return self._sessions.setdefault(session_id, Session(session_id))

    def _keep(self, answer: Response, session_id: str) -> None:
        """Give a browser the cookie of its session, with the time of this request."""
        answer.set_cookie(
            COOKIE,
            self._keys.cookie(session_id, self._now()),
            path=f"{self._keys.key}/",
            httponly=True,
            samesite="strict",
        )

    def _is_static(self, scope: Scope) -> bool:
        """Tell whether a request is for a file of the package, which holds no data."""
        path: str = scope["path"]
        return path.startswith(f"{self._keys.key}/static/") or path == f"{self._keys.key}/alive"


def _with_headers(send: Send, headers: Mapping[str, str]) -> Send:
    """Return a `send` that adds headers to every response."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message).update(headers)
        await send(message)

    return sent


class TooLong(Exception):
    """The body of a request goes on beyond its limit."""


def _at_most(limit: int, receive: Receive) -> Receive:
    """Return a `receive` that ends with TooLong after so many bytes."""
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > limit:
            raise TooLong
        return message

    return limited
