"""The witnesses that a log asks to sign: who can be one, and the policy that names them."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey
from others_notes import others_cosignature, subtree_key, witness_key
from running import done, run

from timeline import Timeline
from timeline.errors import InvalidInput, Refused
from timeline.proof import checkpoints, verify, witness_list
from timeline.proof.policy import Policy
from timeline.proof.signed_note import SigningKey, VerifierKey, parse
from timeline.store import storage

LOG = SigningKey("example.org/story", b"k" * 32)
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
KYIV = witness_key("kyiv.example/witness", PRIVATE)
LVIV = SigningKey("lviv.example/w", b"l" * 32, 4).verifier
URL = "https://kyiv.example/witness"


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story", origin=LOG.name) as timeline:
        timeline.record({"title": "Talks", "occurred": "2025"})
    return path


def sign(path: Path) -> str:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        return checkpoints.sign(connection, LOG).note


def add(path: Path, name: str, key: VerifierKey, url: str = URL) -> None:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        witness_list.add(connection, name, key, url)


def test_a_witness_is_added_listed_and_removed(story: Path) -> None:
    shown = done("-d", story, "witness", "add", "kyiv", KYIV, f"{URL}/")
    assert " ".join(shown.split()) == f"The signature of kyiv is asked for at {URL} from now on."
    shown = done("-d", story, "witness", "add", "lviv", LVIV, "http://[::1]:81/w", "--pull")
    assert "is fetched from http://[::1]:81/w from now on" in " ".join(shown.split())
    note = sign(story)
    line = others_cosignature(parse(note).text, KYIV.name, PRIVATE, 1_750_000_000)
    with contextlib.closing(storage.connect(story, write=True)) as connection:
        checkpoints.cosign(connection, note + line, [KYIV])
    assert done("-d", story, "witness", "list").splitlines() == [
        f"kyiv  signed 2 entries        {URL}",
        "lviv  has signed nothing yet  http://[::1]:81/w (fetched)",
    ]
    first, second = json.loads(done("-d", story, "witness", "list", "--json"))
    assert (first["verifier_key"], first["signed"], first["pull"]) == (str(KYIV), 2, False)
    assert (second["url"], second["signed"], second["pull"]) == ("http://[::1]:81/w", 0, True)
    assert done("-d", story, "witness", "remove", "kyiv") == "kyiv is asked no more.\n"
    gone = run("-d", story, "witness", "remove", "kyiv")
    assert (gone.exit_code, gone.stderr) == (
        1,
        'Error: no witness "kyiv": timeline witness list names them\n',
    )
    done("-d", story, "witness", "remove", "lviv")
    assert done("-d", story, "witness", "list").startswith("No witness is asked: timeline witness")
    done("-d", story, "witness", "add", "kyiv-2", KYIV, URL)
    assert done("-d", story, "witness", "list").startswith("kyiv-2  signed 2 entries")
    assert verify.verify(story).findings == []


def test_a_key_counts_once_whatever_its_name(story: Path) -> None:
    add(story, "kyiv", KYIV)
    with pytest.raises(Refused, match="kyiv has this key: one witness counts once"):
        add(story, "other", KYIV._replace(name="other.example"))
    with pytest.raises(Refused, match="there is a witness kyiv: timeline witness remove kyiv"):
        add(story, "kyiv", LVIV)


@pytest.mark.parametrize(
    ("name", "key", "url", "problem"),
    [
        ("a b", KYIV, URL, 'NAME: "a b" can be no name'),
        ("", KYIV, URL, 'NAME: "" can be no name'),
        ("none", KYIV, URL, "NAME: .* no name"),
        ("majority", KYIV, URL, "NAME: .* no name"),
        ("#kyiv", KYIV, URL, "NAME: .* no name"),
        ("kyiv", LOG.verifier, URL, "VKEY: example.org/story has the key of a log, not of a wit"),
        ("kyiv", KYIV, "http://kyiv.example/", "URL: must begin with https, unless the witness"),
        ("kyiv", KYIV, "http://localhost.example/", "URL: must begin with https"),
        ("kyiv", KYIV, "http://10.0.0.1/", "URL: must begin with https"),
        ("kyiv", KYIV, "ftp://kyiv.example/", "URL: must begin with https"),
        ("kyiv", KYIV, "kyiv.example", "URL: is no address of a witness"),
        ("kyiv", KYIV, "https://a:b@kyiv.example", "URL: is no address"),
        ("kyiv", KYIV, "https://kyiv.example/?a", "URL: is no address"),
        ("kyiv", KYIV, "https://kyiv.example/#a", "URL: is no address"),
        ("kyiv", KYIV, "https://kyiv.example/ a", "URL: is no address"),
        ("kyiv", KYIV, "https://[kyiv", "URL: is no address"),
        ("kyiv", KYIV, "https://kyiv.example:x/", "URL: is no address"),
    ],
)
def test_what_can_be_no_witness(
    story: Path, name: str, key: VerifierKey, url: str, problem: str
) -> None:
    with pytest.raises(InvalidInput, match=f"^{problem}"):
        add(story, name, key, url)


def test_a_witness_may_sign_with_ml_dsa(story: Path) -> None:
    key = subtree_key("kyiv.example/w2", MLDSA44PrivateKey.from_seed_bytes(b"w" * 32))
    add(story, "kyiv", key, "http://127.0.0.1:7380")
    with contextlib.closing(storage.connect(story)) as connection:
        (witness,) = witness_list.asked(connection)
    assert (witness.key, witness.url) == (key, "http://127.0.0.1:7380")


def test_the_policy_names_the_key_of_the_log_and_a_majority_of_its_witnesses(story: Path) -> None:
    nothing = run("-d", story, "witness", "list", "--policy")
    assert (nothing.exit_code, nothing.stderr) == (
        1,
        "Error: nothing is signed yet: timeline checkpoint --key FILE signs the log\n",
    )
    sign(story)
    shown = done("-d", story, "witness", "list", "--policy")
    assert shown.splitlines()[-2:] == [f"log {LOG.verifier}", "quorum none"]
    assert "choose your own witnesses, and your own quorum" in shown
    add(story, "kyiv", KYIV)
    add(story, "lviv", LVIV)
    policy = Policy.parse(done("-d", story, "witness", "list", "--policy"))
    assert policy.logs == (LOG.verifier,)
    assert policy.witnesses["kyiv"] == ("kyiv", KYIV, URL)
    assert (policy.quorum, policy.wanted) == ("majority", 2)
