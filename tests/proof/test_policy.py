"""A policy says whose signatures are wanted; one that is wrong is refused with its line."""

from __future__ import annotations

import pytest

from timeline.errors import InvalidInput
from timeline.proof.policy import Policy
from timeline.proof.signed_note import SigningKey

LOG = SigningKey("example.org/story", b"k" * 32).verifier
COSIGNATURE = 0x04
WITNESSES = [
    SigningKey(f"{name}.example/witness", name.encode().ljust(32), COSIGNATURE).verifier
    for name in ("kyiv", "lviv", "odesa")
]
TEXT = f"""\
# whom we believe
log {LOG} https://example.org/story/
witness kyiv {WITNESSES[0]} https://kyiv.example/
witness lviv {WITNESSES[1]}
witness odesa {WITNESSES[2]}

group west any lviv
group both 2 kyiv west
quorum both
"""


def test_a_policy_is_read() -> None:
    policy = Policy.parse(TEXT)
    assert policy.logs == (LOG,)
    assert [each.key for each in policy.witnesses.values()] == WITNESSES
    assert policy.witnesses["kyiv"].url == "https://kyiv.example/"
    assert policy.witnesses["lviv"].url is None
    assert Policy.parse(str(policy)) == policy


@pytest.mark.parametrize(
    ("quorum", "wanted", "reached", "missed"),
    [
        ("none", 0, "", None),
        ("kyiv", 1, "kyiv", "lviv odesa"),
        ("any", 1, "odesa", ""),
        ("all", 3, "kyiv lviv odesa", "kyiv lviv"),
        ("2", 2, "kyiv odesa", "kyiv"),
        ("both", 2, "kyiv lviv", "kyiv odesa"),
    ],
)
def test_a_quorum_is_reached_or_not(
    quorum: str, wanted: int, reached: str, missed: str | None
) -> None:
    text = TEXT.replace("quorum both", "")
    if quorum in ("any", "all", "2"):
        text += f"group g {quorum} kyiv lviv odesa\n"
        quorum = "g"
    policy = Policy.parse(f"{text}quorum {quorum}\n")
    assert policy.wanted == wanted
    assert policy.is_reached(reached.split())
    assert missed is None or not policy.is_reached(missed.split())


def test_a_policy_without_a_quorum_wants_no_witness() -> None:
    assert Policy.parse(f"log {LOG}\n") == Policy.of_keys([LOG])


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("log", 'line 2: policy: "log" is no line of a policy'),
        ("log x+y", "line 2: policy: is no verifier key"),
        (f"witness a {LOG}", "a has the key of a log"),
        (f"witness a {WITNESSES[0]}\nwitness a {WITNESSES[1]}", "line 3: policy: a is a name that"),
        (f"witness a {WITNESSES[0]}\nwitness b {WITNESSES[0]}", "b has the key of another witness"),
        (f"witness none {WITNESSES[0]}", "none is a name that is taken"),
        ("group g any a", "there is no witness or group a before this line"),
        (f"witness a {WITNESSES[0]}\ngroup g 2 a", '"2" must be any, all, or a number from 1 to 1'),
        (f"witness a {WITNESSES[0]}\ngroup g 2 a a", "group g has a member twice"),
        ("quorum a", "there is no witness or group a"),
        ("quorum none\nquorum none", '"quorum none" is no line of a policy'),
    ],
)
def test_a_wrong_line_is_named(line: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem.replace("+", r"\+")):
        Policy.parse(f"log {LOG}\n{line}\n")


@pytest.mark.parametrize(
    ("text", "problem"), [("", "names no log"), ("#" * 200_000, "is longer than 100,000")]
)
def test_a_text_that_is_no_policy_is_refused(text: str, problem: str) -> None:
    with pytest.raises(InvalidInput, match=problem):
        Policy.parse(text)
