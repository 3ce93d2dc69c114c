"""A helper answers ahead of its caller, and is missed by nobody."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from timeline.store import helper_process
from timeline.store.helper_process import answered

SQUARES = "test_helper_process:squares"


def squares(setting: int) -> Callable[[list[int]], list[tuple[int, int, str]]]:
    """Answer with the square, the process that made it, and a text of any length."""

    def answer(chunk: list[int]) -> list[tuple[int, int, str]]:
        if -1 in chunk:
            os.kill(os.getpid(), signal.SIGKILL)
        return [(number * number, os.getpid(), "x" * setting) for number in chunk]

    return answer


def until_answered(
    numbers: Iterator[int], seen: list[int], stop: int
) -> Iterator[tuple[int, list[int]]]:
    """Chunks of one number, more and more until `stop` of them have been answered."""
    for number in numbers:
        yield number, [number]
        if len(seen) >= stop:
            return


def numbers_from(start: int) -> Iterator[int]:
    """Numbers without end; the first wait a little, as the helper has to start."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        yield start
        start += 1


def run(setting: int, stop: int) -> tuple[list[int], list[tuple[int, int, str] | None]]:
    seen: list[int] = []
    kept, answers = [], []
    chunks = until_answered(numbers_from(0), seen, stop)
    for number, answer in answered(SQUARES, setting, chunks):
        kept.append(number)
        answers.append(answer and answer[0])
        if answer:
            seen.append(number)
    return kept, answers


def test_answers_come_in_the_order_of_the_chunks_and_from_another_process() -> None:
    kept, answers = run(0, 50)
    assert kept == [*range(len(kept))]
    found = [(number, answer) for number, answer in zip(kept, answers, strict=True) if answer]
    assert len(found) >= 50
    assert all(answer[0] == number * number for number, answer in found)
    (helper,) = {answer[1] for _, answer in found}
    assert helper != os.getpid()
    assert not is_running(helper)


def test_answers_larger_than_every_pipe_block_nobody() -> None:
    _, answers = run(3 * 2**20, 10)
    assert all(len(answer[2]) == 3 * 2**20 for answer in answers if answer)


def test_a_helper_that_is_killed_is_missed_by_nobody() -> None:
    seen: list[int] = []

    def chunks() -> Iterator[tuple[int, list[int]]]:
        yield from until_answered(numbers_from(0), seen, 5)
        yield -1, [-1]
        for number in range(100, 200):
            yield number, [number]

    kept = []
    for number, answer in answered(SQUARES, 0, chunks()):
        kept.append(number)
        if answer:
            seen.append(number)
            assert number >= 0
    assert kept[-101:] == [-1, *range(100, 200)]


def test_an_error_of_the_input_is_raised_behind_all_that_came_before_it() -> None:
    seen: list[int] = []

    def chunks() -> Iterator[tuple[int, list[int]]]:
        yield from until_answered(numbers_from(0), seen, 5)
        yield 1_000, [1_000]
        raise ValueError("the input ends")

    kept = []

    def taken() -> None:
        for number, answer in answered(SQUARES, 0, chunks()):
            kept.append(number)
            if answer:
                seen.append(number)

    with pytest.raises(ValueError, match="the input ends"):
        taken()
    assert kept[-1] == 1_000


def test_a_function_that_is_not_there_leaves_everything_to_the_caller() -> None:
    chunks = ((number, [number]) for number in range(200))
    assert [*answered("timeline:nothing", 0, chunks)] == [(number, None) for number in range(200)]


def test_a_program_with_many_open_files_has_a_helper_too() -> None:
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit[0], min(2_048, limit[1])), limit[1]))
    try:
        with contextlib.ExitStack() as stack:
            for _ in range(1_100):
                stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
            _, answers = run(0, 5)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limit)
    assert sum(answer is not None for answer in answers) >= 5


def test_a_helper_that_cannot_start_leaves_everything_to_the_caller(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/python")
    chunks = ((number, [number]) for number in range(5))
    assert [*answered(SQUARES, 0, chunks)] == [(number, None) for number in range(5)]


def test_a_helper_ends_when_its_caller_is_killed() -> None:
    program = (
        "import sys; sys.path[:0] = sys.argv[1:];"
        "from test_helper_process import SQUARES, numbers_from;"
        "from timeline.store.helper_process import answered\n"
        "for _, answer in answered(SQUARES, 0, ((n, [n]) for n in numbers_from(0))):\n"
        "    if answer: print(answer[0][1], flush=True); sys.stdin.read()"
    )
    caller = subprocess.Popen(
        [sys.executable, "-c", program, *sys.path],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with caller:
        assert caller.stdout
        helper = int(caller.stdout.readline())
        assert is_running(helper)
        caller.kill()
    deadline = time.monotonic() + 30
    while is_running(helper) and time.monotonic() < deadline:
        os.sched_yield()
    assert not is_running(helper)


def test_there_is_no_helper_where_there_is_one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0}, raising=False)
    assert not helper_process.is_possible()
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {0, 1}, raising=False)
    assert helper_process.is_possible()
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert not helper_process.is_possible()


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{process}/stat").read_text(encoding="ascii")
    return status.rpartition(")")[2].split()[0] != "Z"
