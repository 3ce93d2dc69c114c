"""A witness as its operator starts it, asked over HTTP as the specification has it."""

from __future__ import annotations

import http.client
import os
import signal
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import uvicorn
from faults import fork, start_forking
from histories import LOG, WITNESS, A, B, asked
from running import done, one_line, run
from serving import free_port, listens, serving
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from timeline.mirror.witness_server import witness_application
from timeline.mirror.witness_state import WitnessState
from timeline.proof import signed_note
from timeline.proof.fork import Fork
from timeline.proof.signed_note import SigningKey, VerifierKey
from timeline.proof.witness import LONGEST_REQUEST, origin_hash

SHOWN = f"/{origin_hash(LOG.name)}/checkpoint"


class Replied(NamedTuple):
    status: int
    content_type: str | None
    body: str


def sent(address: str, method: str, path: str, body: bytes | None = None) -> Replied:
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
    try:
        connection.request(method, path, body)
        reply = connection.getresponse()
        return Replied(reply.status, reply.headers["Content-Type"], reply.read().decode())
    finally:
        connection.close()


def add(address: str, body: bytes) -> Replied:
    return sent(address, "POST", "/add-checkpoint", body)


class Place(NamedTuple):
    """A folder with the key of a witness and its state, which trusts a log."""

    folder: Path
    verifier: VerifierKey

    @property
    def key(self) -> Path:
        return self.folder / "witness.key"

    @property
    def state(self) -> Path:
        return self.folder / "witness.db"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    verifier = done("keygen", "--witness", WITNESS.name, tmp_path / "witness.key").strip()
    done("witness", "trust", LOG.verifier, "--state", tmp_path / "witness.db")
    return Place(tmp_path, VerifierKey.parse(verifier))


@pytest.fixture
def address(place: Place) -> Iterator[str]:
    command = ("witness", "serve", "--key", place.key, "--state", place.state)
    with serving("timeline", *command, cwd=place.folder) as found:
        yield found


def test_a_witness_signs_shows_and_refuses_by_the_letter(address: str, place: Place) -> None:
    first = add(address, A.request(0, 6))
    assert first[:2] == (200, "text/plain; charset=utf-8")
    signed_note.parse(A.checkpoint(6) + first.body).verify([place.verifier])
    assert sent(address, "GET", SHOWN) == (200, first[1], A.checkpoint(6) + first.body)
    assert sent(address, "HEAD", SHOWN)[::2] == (200, "")
    assert add(address, A.request(0, 8)) == (409, "text/x.tlog.size", "6\n")
    assert add(address, b"old 6\n").status == 400
    unknown = A.request(6, 8).replace(LOG.name.encode(), b"example.org/other")
    assert add(address, unknown).status == 404
    stranger = A.checkpoint(8, SigningKey(LOG.name, b"s" * 32))
    assert add(address, asked(6, A.proof(6, 8), stranger)).status == 403
    assert add(address, B.request(6, 6)).status == 422
    assert add(address, bytes(LONGEST_REQUEST + 1)).status == 413
    assert add(address, A.request(6, 8)).status == 200
    for method, path, status in (
        ("GET", "/add-checkpoint", 405),
        ("POST", SHOWN, 405),
        ("GET", f"/{origin_hash('example.org/other')}/checkpoint", 404),
        ("GET", "/..%2f/checkpoint", 404),
        ("GET", "/", 404),
    ):
        assert sent(address, method, path).status == status, path
    said = (place.folder / "server.log").read_text()
    assert said.startswith(f"Witness {place.verifier} for 1 log at {address}/  (Ctrl-C stops)\n")
    assert f"Signed {LOG.name}, 6 entries.\n" in said
    assert f"NOT SIGNED: {LOG.name}, 6 entries, is not shown to go on" in said
    assert said.count("\n") == 4
    shown = run("witness", "evidence", "--state", place.state, "-o", place.folder)
    assert (shown.exit_code, shown.stderr.count("ALARM")) == (3, 1)
    (file,) = place.folder.glob("fork-6-6-*.txt")
    assert str(file) in shown.stdout
    Fork.parse(file.read_text()).verify([LOG.verifier])


def test_of_two_requests_at_once_over_http_one_is_a_conflict(address: str) -> None:
    add(address, A.request(0, 6))
    replies, start = list[Replied](), threading.Barrier(2)

    def ask(size: int) -> None:
        start.wait()
        replies.append(add(address, A.request(6, size)))

    threads = [threading.Thread(target=ask, args=[size]) for size in (8, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(reply.status for reply in replies) == [200, 409]


def killed_by_its_answer(state: Path, port: int) -> None:
    """Serve a witness that is killed when it begins to answer: all is committed, nothing sent."""

    def killing(application: ASGIApp) -> ASGIApp:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            async def kill(message: Message) -> None:
                os.kill(os.getpid(), signal.SIGKILL)

            await application(scope, receive, kill)

        return answer

    with WitnessState(state) as opened:
        application = killing(witness_application(opened, WITNESS, print))
        uvicorn.run(application, port=port, lifespan="off", log_level="error")


def test_a_kill_before_the_answer_is_sent_loses_nothing(place: Place) -> None:
    start_forking()
    port = free_port()
    process = fork(killed_by_its_answer, place.state, port)
    while not listens(port):
        assert process.is_alive()
    with pytest.raises((http.client.HTTPException, OSError)):
        add(f"http://127.0.0.1:{port}", A.request(0, 6))
    process.join()
    assert process.exitcode == -signal.SIGKILL
    with WitnessState(place.state) as state:
        assert state.answer(B.request(0, 6), WITNESS)[:3] == (409, "text/x.tlog.size", "6\n")
        assert state.answer(B.request(6, 6), WITNESS).status == 422
        assert state.answer(A.request(6, 8), WITNESS).status == 200


# --- The commands -------------------------------------------------------------------------


def test_keygen_makes_the_key_of_a_witness_without_a_log(place: Place) -> None:
    assert (place.verifier.name, place.verifier.signature_type) == (WITNESS.name, 4)
    assert stat.S_IMODE(place.key.stat().st_mode) == 0o600
    assert SigningKey.parse(place.key.read_text()).verifier == place.verifier
    again = run("keygen", "--witness", WITNESS.name, place.key)
    assert "exists already" in one_line(again)
    assert "no key can have this name" in one_line(run("keygen", "--witness", "a b", "other"))


def serve(place: Place, key: Path, state: Path | None = None) -> str:
    return one_line(run("witness", "serve", "--key", key, "--state", state or place.state))


def test_a_witness_serves_with_its_own_key_and_state_alone(place: Place) -> None:
    log_key = place.folder / "log.key"
    log_key.write_text(str(LOG))
    log_key.chmod(0o600)
    assert "is of a log, example.org/story: timeline keygen --witness" in serve(place, log_key)
    assert "does not exist: timeline witness trust" in serve(place, place.key, Path("no.db"))
    with WitnessState(place.state) as state:
        state.bind(WITNESS)
    assert "is the state of kyiv.example/witness+" in serve(place, place.key)
    place.key.chmod(0o644)
    assert "chmod 600" in serve(place, place.key)


def test_a_log_is_trusted_and_untrusted_by_its_key(place: Place) -> None:
    untrust = ("witness", "untrust", LOG.verifier, "--state", place.state)
    assert "no more" in done(*untrust)
    assert "no trusted key" in one_line(run(*untrust))
    trust = ("witness", "trust", place.verifier, "--state", place.state)
    assert "is of a witness" in one_line(run(*trust))
    assert "does not exist" in one_line(run(*untrust[:-1], place.folder / "other.db"))


def test_evidence_says_what_it_cannot_tell(place: Place) -> None:
    evidence = ("witness", "evidence", "--state", place.state, "-o", place.folder)
    assert done(*evidence) == "Nothing was refused.\n"
    with WitnessState(place.state) as state:
        state.answer(A.request(0, 6), WITNESS)
        state.answer(B.request(6, 8), WITNESS)
    said = run(*evidence)
    assert said.exit_code == 1
    assert "example.org/story, 8 entries: cannot be told: it is of another" in said.stderr
    assert not [*place.folder.glob("fork*")]
    said = run(*evidence, "--from", B.published(place.folder / "files", 8))
    assert (said.exit_code, said.stderr) == (
        3,
        "ALARM: example.org/story has signed two histories.\n",
    )
    assert [*place.folder.glob("fork-6-8-*.txt")]
