"""Serve a witness by c2sp.org/tlog-witness, with a state in a file.

Guarantees: one thread answers one request after the other, so that no request is answered by what
another one is about to change. No more of a body is read than a request may have.

It speaks plain HTTP: what others reach stands behind a server that speaks TLS.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from timeline.errors import StoreError
from timeline.mirror.witness_state import WitnessState
from timeline.model.plurals import counted
from timeline.proof.signed_note import SigningKey
from timeline.proof.tlog import Checkpoint
from timeline.proof.witness import LONGEST_REQUEST, TEXT_TYPE
from timeline.site.serve import free_port

Tell = Callable[[str], object]
"""Says a line to the operator of a witness."""


def serve_witness(
    state: WitnessState, key: SigningKey, *, host: str, port: int, tell: Tell
) -> None:
    """Serve a witness until Ctrl-C; port 0 stands for any free port.

    Raises InvalidInput for a key that is not that of the state, Refused if nothing can listen at
    the address.
    """
    state.bind(key)
    port = free_port(host, port)
    shown_host = f"[{host}]" if ":" in host else host
    logs = counted(len(state.trusted()), "log", "logs")
    tell(f"Witness {key.verifier} for {logs} at http://{shown_host}:{port}/  (Ctrl-C stops)")
    config = uvicorn.Config(
        witness_application(state, key, tell),
        host=host,
        port=port,
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvicorn.Server(config).run()


def witness_application(state: WitnessState, key: SigningKey, tell: Tell) -> Starlette:
    """Return the application of a witness, whose state is bound to `key`.

    `tell` gets a line for each checkpoint that was signed, or that may be of another history.
    """
    worker = ThreadPoolExecutor(1, "witness")

    def routed(answer: Callable[..., Response], *given: Any) -> asyncio.Future[Response]:
        return asyncio.get_running_loop().run_in_executor(worker, _safely, tell, answer, *given)

    async def add(request: Request) -> Response:
        try:
            body = await _body(request)
        except ClientDisconnect:
            return Response(status_code=400)
        return await routed(_answer, state, key, body, tell)

    async def show(request: Request) -> Response:
        return await routed(_show, state, request.path_params["name"])

    return Starlette(
        routes=[Route("/add-checkpoint", add, methods=["POST"]), Route("/{name}/checkpoint", show)]
    )


async def _body(request: Request) -> bytes:
    """Return the body of a request, cut where it is too long."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LONGEST_REQUEST:
            break
    return body[: LONGEST_REQUEST + 1]


def _safely(tell: Tell, answer: Callable[..., Response], *given: Any) -> Response:
    """Return the answer, or one that says that the file of the witness cannot be used now."""
    try:
        return answer(*given)
    except StoreError as error:
        tell(f"Error: {error}")
        return Response("this witness cannot use its state\n", 500, media_type="text/plain")


def _answer(state: WitnessState, key: SigningKey, body: bytes, tell: Tell) -> Response:
    answer = state.answer(body, key)
    if answer.known:
        tell(f"Signed {answer.known.origin}, {_entries(answer.known.size)}.")
    if answer.refused:
        tell(_alarm(Checkpoint.of(answer.refused.refused)))
    return Response(answer.body, answer.status, headers={"Content-Type": answer.content_type})


def _alarm(checkpoint: Checkpoint) -> str:
    return (
        f"NOT SIGNED: {checkpoint.origin}, {_entries(checkpoint.size)}, is not shown to go"
        " on from what was signed before: timeline witness evidence"
    )


def _entries(size: int) -> str:
    return counted(size, "entry", "entries")


def _show(state: WitnessState, name: str) -> Response:
    note = state.signed(name)
    headers = {"Content-Type": TEXT_TYPE, "Cache-Control": "no-cache"}
    return Response(str(note), headers=headers) if note else Response(status_code=404)
