"""The pages about proof, in a real Datasette in this process: /verify, the proofs that events
offer, and what pages say of words that were erased.

Runs the same under Datasette 0.65 and the 1.0 alphas.
"""

from __future__ import annotations

import contextlib
import html
import json
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from operations import erase
from others_notes import others_cosignature, witness_key
from running import done, entries, process
from site_in_process import FILES, Site, open_site

from timeline import Participant, Place, Timeline
from timeline.projection import tables
from timeline.proof import checkpoints, witness_list
from timeline.proof.signed_note import SigningKey, VerifierKey, parse
from timeline.proof.tlog import Proof
from timeline.proof.witness import origin_hash
from timeline.site import index_cache
from timeline.store import storage

ORIGIN = "example.org/story"
ERASED = "Zarathustra"
KEY = SigningKey.generate(ORIGIN)
WITNESS = Ed25519PrivateKey.generate()


@contextlib.contextmanager
def writing(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        yield connection


def sign(path: Path) -> checkpoints.StoredCheckpoint:
    with writing(path) as connection:
        return checkpoints.sign(connection, KEY)


def cosign(
    path: Path,
    note: str,
    name: str = "witness.example",
    seconds: int = 1744900000,
    private: Ed25519PrivateKey = WITNESS,
) -> VerifierKey:
    """Have a witness sign a checkpoint too (c2sp.org/tlog-cosignature)."""
    with writing(path) as connection:
        line = others_cosignature(parse(note).text, name, private, seconds)
        checkpoints.cosign(connection, f"{note}{line}", [witness_key(name, private)])
    return witness_key(name, private)


@pytest.fixture
def story(tmp_path: Path) -> Path:
    """Two events, one of them in three versions: six entries."""
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story", origin=ORIGIN) as timeline:
        timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025-04-15"})
        timeline.record({"event_id": "strike", "title": "Strike", "occurred": "2025-04-13"})
        timeline.update("talks", {"title": "Talks in Odesa"})
        timeline.correct("talks", {"occurred": "2025-04-14"}, reason="A day early")
    return path


def shown(text: str) -> str:
    """The words of a page."""
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


# --- /verify ------------------------------------------------------------------------------


def test_without_a_checkpoint_the_page_says_so_and_what_to_run(story: Path) -> None:
    with open_site(story) as site:
        text = shown(site.page("/verify"))
        assert "5 entries of example.org/story Nothing is signed yet." in text
        assert "timeline keygen FILE timeline checkpoint --key FILE" in text
        assert "verify.txt" not in site.page("/verify")
        answer = site.ask("/verify.txt")
        assert (answer.status_code, answer.headers["content-type"]) == (
            404,
            "text/plain; charset=utf-8",
        )
        found = site.ask("/verify.json").json()
        assert (found["checkpoint"], found["uncovered"]) == (None, 5)


def test_the_newest_checkpoint_is_shown_as_it_was_signed(story: Path) -> None:
    stored = sign(story)
    with open_site(story) as site:
        page = site.page("/verify")
        assert (
            html.unescape(re.findall(r"<pre[^>]*>(.*?)</pre>", page, re.DOTALL)[0]) == stored.note
        )
        text = shown(page)
        assert "5 entries of example.org/story, all of them under a checkpoint" in text
        assert f"Signed by {ORIGIN} " in text
        assert f"Origin {ORIGIN} Key {KEY.verifier} " in text
        assert "Don't trust a key only because this site shows it." in text
        answer = site.ask("/verify.txt")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.text == stored.note
        found = site.ask("/verify.json").json()
        assert found["checkpoint"] == {
            "size": 5,
            "root": stored.note.split("\n")[2],
            "note": stored.note,
            "verifier_keys": [str(KEY.verifier)],
            "stored_at": stored.stored_at,
        }
        assert (found["origin"], found["uncovered"], found["earlier"]) == (ORIGIN, 0, [])


def test_entries_behind_the_checkpoint_are_counted_and_earlier_ones_are_listed(
    story: Path,
) -> None:
    first = sign(story)
    with open_site(story) as site, Timeline.open(story) as timeline:
        timeline.retract("strike", reason="A hoax")
        assert "6 entries of example.org/story, 1 of them not under" in shown(site.page("/verify"))
        sign(story)
        witness = cosign(story, site.ask("/verify.txt").text)
        text = shown(site.page("/verify"))
        assert f"Signed by {ORIGIN} ; seen and signed by 1 of 1 witness " in text
        found = site.ask("/verify.json").json()
        assert found["checkpoint"]["verifier_keys"] == [str(KEY.verifier), str(witness)]
        assert [len(each["verifier_keys"]) for each in found["earlier"]] == [1, 1]
        assert found["earlier"][-1]["note"] == first.note
        assert "Earlier checkpoints" in text
        assert first.note.split("\n")[2] in text


def test_the_page_names_those_who_were_asked_to_sign_and_those_who_did(story: Path) -> None:
    first = sign(story)
    kyiv = cosign(story, first.note, "kyiv.example/w")
    with Timeline.open(story) as timeline:
        timeline.retract("strike", reason="A hoax")
    second = sign(story)
    cosign(story, second.note, "kyiv.example/w", 1744986400)
    silent, gone = (witness_key(name, Ed25519PrivateKey.generate()) for name in ("lviv.eu", "gone"))
    with writing(story) as connection:
        for key in (kyiv, silent, gone):
            witness_list.add(connection, key.name, key, f"https://{key.name}/log/")
        witness_list.remove(connection, "gone")
    own_copy = f"https://kyiv.example/w/log/{origin_hash(ORIGIN)}/checkpoint"
    with open_site(story, url="https://example.org/story/") as site:
        text = shown(site.page("/verify"))
        assert f"Signed by {ORIGIN} ; seen and signed by 1 of 2 witnesses " in text
        assert "kyiv.example/w 17 April 2025, 14:26 UTC 5 18 April 2025, 14:26 UTC Look" in text
        assert "lviv.eu not yet Look at it" in text
        assert "This list is ours. Look at theirs." in text
        assert f'follow https://example.org/story/ --key "{KEY.verifier}"' in text
        assert f"Address https://example.org/story/ Origin {ORIGIN} Key {KEY.verifier}" in text
        assert {own_copy, "/tlog-policy"} <= {*site.links("/verify")}
        assert str(kyiv) in site.page("/tlog-policy")
        assert site.ask("/verify.json").json()["witnesses"] == [
            {
                "name": "kyiv.example/w",
                "verifier_key": str(kyiv),
                "first_signed": "2025-04-17T14:26:40.000000Z",
                "size": 6,
                "signed_at": "2025-04-18T14:26:40.000000Z",
                "has_signed_newest": True,
                "own_copy": own_copy,
            },
            {
                "name": "lviv.eu",
                "verifier_key": str(silent),
                "first_signed": None,
                "size": None,
                "signed_at": None,
                "has_signed_newest": False,
                "own_copy": f"https://lviv.eu/log/{origin_hash(ORIGIN)}/checkpoint",
            },
        ]


def test_publications_are_listed(story: Path) -> None:
    sign(story)
    with open_site(story) as site:
        assert "Publications" not in site.page("/verify")
        with writing(story) as connection:
            row = ("2025-04-18T12:00:00.000000Z", 4, b"\1" * 32, None)
            connection.execute("INSERT INTO publications VALUES (?, ?, ?, ?)", row)
        assert "Publications" in site.page("/verify")
        (found,) = site.ask("/verify.json").json()["publications"]
        assert (found["size"], found["root"][:4], found["checkpoint_size"]) == (4, "AQEB", None)


def test_the_page_reads_the_same_few_rows_of_a_long_list(story: Path) -> None:
    with Timeline.open(story) as timeline, open_site(story) as site:
        for number in range(25):
            timeline.update("talks", {"note": f"Note {number}"})
            sign(story)
        assert len(site.ask("/verify.json").json()["earlier"]) == 19


def test_every_page_leads_to_it_under_any_address(story: Path, tmp_path: Path) -> None:
    sign(story)
    other = tmp_path / "other.db"
    Timeline.create(other, title="Another").close()
    with open_site(story, other, settings={"base_url": "/x/"}) as site:
        for path in ("/", "/changes", "/events/talks", "/events/nothing"):
            assert "/x/verify" in re.findall(r'href="([^"]*)"', site.ask(path).text)
        for path in ("/verify", "/verify.json", "/verify.txt"):
            assert ORIGIN in site.page(path)
        assert "Nothing is signed yet" in site.page("/timelines/other/verify")
        assert "/x/timelines/other/verify" in site.links("/timelines/other/changes")


# --- The proof of an event ----------------------------------------------------------------


def test_the_page_of_a_version_offers_its_proof(story: Path) -> None:
    stored = sign(story)
    with open_site(story) as site:
        for page, version in (("/events/talks", 3), ("/events/talks/2", 2)):
            assert f"/events/talks/{version}.tlog-proof" in site.links(page)
        text = shown(site.page("/events/talks"))
        assert "as entry 4, one of the 5 under the checkpoint" in text
        assert "that was signed on" in text
        answer = site.ask("/events/talks/2.tlog-proof")
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["content-disposition"] == (
            'attachment; filename="talks-2.tlog-proof"'
        )
        proof = Proof.parse(answer.text)
        assert str(proof.note) == stored.note
        assert proof.verify([KEY.verifier]).size == 5
        assert (proof.entry.subject, proof.entry.version) == ("event/talks", 2)
        assert json.loads(proof.entry.payload or "")["title"] == "Talks in Odesa"


def test_a_version_says_by_when_others_saw_it(story: Path) -> None:
    other = Ed25519PrivateKey.generate()
    first = sign(story)
    cosign(story, first.note, "kyiv.example/w")
    newest = cosigned_by(story, 55, other)
    with open_site(story) as site:
        text = shown(site.page("/events/talks/2"))
        assert "have signed a checkpoint with it; kyiv.example/w saw this version by 17 " in text
        assert "2 witnesses A witness is somebody else" in text
        seen = [
            {"name": "kyiv.example/w", "by": "2025-04-17T14:26:40.000000Z"},
            {"name": "lviv.eu", "by": "2025-04-18T14:26:40.000000Z"},
        ]
        for path in ("/events/talks.json", "/events/talks/2.json"):
            assert site.ask(path).json()["witnessed"] == seen
        late = shown(site.page(f"/events/late-{newest}"))
        assert (
            "has signed a checkpoint with it; lviv.eu saw this version by 18 April 2025, " in late
        )
        with Timeline.open(story) as timeline:
            timeline.retract("talks", reason="A hoax")
        assert "has signed" not in shown(site.page("/events/talks"))
        assert site.ask("/events/talks.json").json()["witnessed"] == []


def cosigned_by(path: Path, count: int, private: Ed25519PrivateKey) -> int:
    """Sign this many larger checkpoints, have a witness sign the last, and return its number."""
    with Timeline.open(path) as timeline:
        for number in range(count):
            timeline.record({"event_id": f"late-{number}", "title": "Late", "occurred": "2025"})
            newest = sign(path)
    cosign(path, newest.note, "lviv.eu", 1744986400, private)
    return count - 1


def test_an_entry_under_no_checkpoint_offers_none_and_says_so(story: Path) -> None:
    with open_site(story) as site, Timeline.open(story) as timeline:
        text = shown(site.page("/events/talks"))
        assert "as entry 4. It is not under a checkpoint yet" in text
        sign(story)
        timeline.retract("talks", reason="A hoax")
        text = site.page("/events/talks")
        assert "as entry 5. It is not under a checkpoint yet" in shown(text)
        assert ".tlog-proof" not in text
        answer = site.ask("/events/talks/4.tlog-proof")
        assert (answer.status_code, answer.text) == (
            404,
            "no checkpoint covers entry #5 yet: run timeline checkpoint first\n",
        )
        assert site.ask("/events/talks/9.tlog-proof").status_code == 404
        assert site.ask("/events/nothing/1.tlog-proof").status_code == 404


def test_a_proof_of_erased_words_shows_that_they_were_there(story: Path) -> None:
    sign(story)
    with open_site(story) as site:
        erase(story, 3)
        with writing(story) as connection:
            tables.rebuild(connection)
        proof = Proof.parse(site.ask("/events/talks/2.tlog-proof").text)
        assert proof.verify([KEY.verifier]).origin == ORIGIN
        assert proof.entry.payload is None


# --- What was erased ----------------------------------------------------------------------


def test_pages_say_that_words_were_erased_and_why(story: Path) -> None:
    with Timeline.open(story) as timeline:
        timeline.update("strike", {"title": "Strike on Sumy"})
    done("-d", story, "erase", "#4", "#3", "--reason", "A court in Łódź said so")
    done("-d", story, "erase", "#1", "--reason", "The same court")
    with open_site(story) as site:
        event, version = shown(site.page("/events/talks")), shown(site.page("/events/talks/1"))
        why = r"\(entry %d, \d+ \w+ \d{4}, \d\d:\d\d UTC\): %s"
        first = why % (6, "A court in Łódź said so")
        assert re.search(rf"What was said about this event was erased from the log {first}", event)
        assert len(re.findall(r"What it said was erased from the log", event)) == 3
        assert re.search(why % (8, "The same court"), version)
        changes = shown(site.page("/changes?from=%230"))
        assert len(re.findall(r"What it said was erased from the log", changes)) == 2
        assert re.search(rf"What version 3 said was erased from the log {first}", changes)
        browse = shown(site.page("/events?state=erased"))
        assert re.search(rf"\(erased\) erased What it said was erased from the log {first}", browse)
        assert "A court in Łódź said so" in site.page("/changes.atom")


@pytest.mark.parametrize("smallest", [0, 5_000], ids=["from the index", "from the tables"])
def test_a_running_site_forgets_what_another_process_erases(
    smallest: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_cache, "SMALLEST", smallest)
    path = tmp_path / "story.db"
    with Timeline.create(path, title="A story", origin=ORIGIN) as timeline:
        timeline.record({"event_id": "talks", "title": "Talks", "occurred": "2025-04-15"})
        timeline.record(
            {
                "event_id": "visit",
                "title": f"{ERASED} comes",
                "summary": f"A visit by {ERASED}.",
                "occurred": "2025-04-16",
                "tags": [ERASED],
                "place": Place(name=f"{ERASED} Street", country="UKR", lat="46.48", lon="30.73"),
                "participants": [Participant(name=ERASED)],
                "citations": [{"source": {"source_id": "paper", "title": f"On {ERASED}"}}],
                "external_ids": [f"x:{ERASED}"],
            }
        )
        timeline.correct("visit", {"occurred": "2025-04-17"}, reason=f"So says {ERASED}")
    sign(path)
    with open_site(path) as site:
        addresses = site_addresses(path, site)
        told = [
            address for address in addresses if ERASED.casefold() in site.page(address).casefold()
        ]
        assert len(told) > 20
        named = entries_with(path, ERASED)
        erased = process("-d", path, "erase", *named, "--reason", "A court said so", cwd=tmp_path)
        assert erased.returncode == 0, erased.stderr
        for address in addresses:
            answer = site.ask(address)
            assert ERASED.casefold() not in answer.text.casefold(), address
        assert site.titles("/events?state=erased") == ["(erased)"]
        assert site.titles(f"/events?q={ERASED}") == []


def site_addresses(path: Path, site: Site) -> list[str]:
    """Pages, feeds, proofs and Datasette's own tables."""
    found = [
        "/",
        "/changes",
        "/changes?from=%230",
        "/changes.json",
        "/changes.atom",
        "/verify.json",
    ]
    found += ["/events/visit", "/events/visit.json", "/?as_of=%233", "/events?as_of=%233"]
    found += [f"/events/visit/{n}{end}" for n in (1, 2) for end in ("", ".json", ".tlog-proof")]
    found += [f"/{file}" for file in FILES]
    facets = ("actor", "tag", "source", "country", "state")
    found += [f"/events?all={facet}&state=current&state=erased" for facet in facets]
    found += [f"/events?{query}" for query in ("state=erased", "order=oldest", "since=2025-04-01")]
    names = [*tables.tables(), "log", "checkpoints", "source_texts"]
    found += [f"/{path.stem}/{name}.json?_shape=objects" for name in names]
    found += [f"/{path.stem}/events?_facet=place", f"/{path.stem}/events"]
    return [address for address in found if site.ask(address).status_code == 200]


def entries_with(path: Path, words: str) -> list[str]:
    """The entries that hold these words in any case, as #2."""
    return [f"#{row[0]}" for row in entries(path) if words.casefold() in (row[8] or "").casefold()]


def test_the_facets_of_a_large_timeline_are_counted_anew_after_an_erasure(
    story: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_cache, "SMALLEST", 0)
    with open_site(story) as site, Timeline.open(story) as timeline:
        timeline.record(
            {"event_id": "call", "title": "A call", "occurred": "2025", "tags": ["quiet"]}
        )
        assert "quiet" in site.page("/events")
        erase(story, 5)
        with writing(story) as connection:
            tables.rebuild(connection)
        assert "quiet" not in site.page("/events?state=current&state=erased")
