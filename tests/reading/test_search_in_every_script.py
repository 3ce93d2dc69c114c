"""Search in every script: the words of a text find it, and are marked where they are."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tables import everything, searched

from timeline import Timeline
from timeline.errors import InvalidInput
from timeline.model import search_words
from timeline.model.content import Said
from timeline.projection import tables
from timeline.store import storage
from timeline.writing import erasure

FOUND = [
    ("北京会谈就停火达成一致", "北京", "[北京]会谈就停火达成一致"),
    ("北京会谈就停火达成一致", "停火", "北京会谈就[停火]达成一致"),
    ("北京会谈就停火达成一致", "达成一致", "北京会谈就停火[达成一致]"),
    ("北京会谈就停火达成一致", "致", "北京会谈就停火达成一[致]"),
    ("北京会谈就停火达成一致", "停火 北京", "[北京]会谈就[停火]达成一致"),
    ("北京会谈就停火达成一致", "京会 北京", "[北京会]谈就停火达成一致"),
    ("東京で外相会談が開かれた", "外相", "東京で[外相]会談が開かれた"),
    ("東京で外相会談が開かれた", '"会談"', "東京で外相[会談]が開かれた"),
    ("水と水平の水", "水", "[水]と[水]平の[水]"),
    ("水と水平の水", "水平", "水と[水平]の水"),
    ("ｶﾞｻﾞ地区の支援", "ガザ", "[ｶﾞｻﾞ]地区の支援"),
    ("葛\U000e0100城市の会議", "葛城", "[葛\U000e0100城]市の会議"),
    ("เจรจาหยุดยิงที่กรุงเทพ", "หยุดยิง", "เจรจา[หยุดยิง]ที่กรุงเทพ"),
    ("ການເຈລະຈາຢຸດຍິງ", "ຢຸດຍິງ", "ການເຈລະຈາ[ຢຸດຍິງ]"),
    ("កិច្ចពិភាក្សានៅភ្នំពេញ", "ភ្នំពេញ", "កិច្ចពិភាក្សានៅ[ភ្នំពេញ]"),
    ("ရန်ကုန်ဆွေးနွေးပွဲ", "ဆွေးနွေး", "ရန်ကုန်[ဆွေးနွေး]ပွဲ"),
    ("नेपाल में शांति वार्ता", "शांति", "नेपाल में [शांति] वार्ता"),
    ("Всё ещё спокойно", "все", "[Всё] ещё спокойно"),
    ("Все еще спокойно", "всё", "[Все] еще спокойно"),
    ("Переговори у Києві", "києві", "Переговори у [Києві]"),
    ("Die Straße nach Łódź", "strasse lodz", "Die [Straße] nach [Łódź]"),
    ("The ﬁre at Odesa", "fire", "The [ﬁre] at Odesa"),
    ("محادثات السَّلَام في القاهرة", "السلام", "محادثات [السَّلَام] في القاهرة"),
    ("שיחות שָׁלוֹם בקהיר", "שלום", "שיחות [שָׁלוֹם] בקהיר"),
    ("مذاکرات می\u200cشود", "میشود", "مذاکرات [می\u200cشود]"),
    ("🕊️Talks🫡 in 한국", "talks 한국", "🕊️[Talks]🫡 in [한국]"),
    ("A cease\u00adfire holds", "ceasefire", "A [cease\u00adfire] holds"),
    ("½ of the “talks”…", "talks", "½ of the “[talks]”…"),
]
NOT_FOUND = [
    ("北京会谈就停火达成一致", "北会"),
    ("北京会谈就停火达成一致", '"北京 停火"'),
    ("東京で外相会談が開かれた", "東相"),
    ("カサの話", "ガザ"),
    ("नेपाल में शांति वार्ता", "शति"),
    ("กินข้าว", "กน"),
]


@pytest.fixture
def timeline(tmp_path: Path) -> Iterator[Timeline]:
    with Timeline.create(tmp_path / "timeline.db", title="Words") as created:
        yield created


@pytest.mark.parametrize(("text", "question", "shown"), FOUND)
def test_a_word_is_found_and_marked_as_it_is_written(
    timeline: Timeline, text: str, question: str, shown: str
) -> None:
    timeline.record({"event_id": "event", "title": "Another", "summary": text, "occurred": "2025"})
    timeline.update("event", {"summary": "Nothing any more"})
    for when in ({"as_of": 1}, {"as_of": 1, "state": "all"}):
        (row,) = timeline.search(question, **when)
        assert row["match"].replace("\x02", "[").replace("\x03", "]") == shown
        assert timeline.facets(text=question, **when)["state"][0]["count"] == 1
    assert timeline.search(question) == []


@pytest.mark.parametrize(("text", "question"), NOT_FOUND)
def test_what_is_not_there_is_not_found(timeline: Timeline, text: str, question: str) -> None:
    timeline.record({"title": text, "occurred": "2025"})
    assert timeline.search(question) == []


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Timeline]:
    path = tmp_path_factory.mktemp("search") / "timeline.db"
    with Timeline.create(path, title="Words") as created:
        yield created


def record(timeline: Timeline, text: str) -> str:
    try:
        receipt = timeline.record({"title": "Title", "summary": text, "occurred": "2025"})
    except InvalidInput:
        assume(False)
    return receipt.subject.removeprefix("event/")


def marked(timeline: Timeline, question: str, event_id: str) -> str | None:
    found = {row["event_id"]: row for row in timeline.search(question)}
    return found[event_id].get("match")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(
    text=st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S", "Zs"])),
    data=st.data(),
)
def test_every_word_of_any_text_finds_it(shared: Timeline, text: str, data: st.DataObject) -> None:
    words = [
        word for word in text.replace('"', " ").split() if search_words.phrases(word, goes_on=True)
    ]
    assume(words)
    event_id = record(shared, text)
    word = data.draw(st.sampled_from(words))
    for question in (word, f'"{word}"', word.upper()):
        match = marked(shared, question, event_id)
        assert match is not None
        assert "\x02" in match


BETWEEN = [" ", "NATO", "4", "、", "é", "🫡"]
RUNS = st.text("北京会谈水ひらカーガกินุาມືອာမိ", min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(
    parts=st.lists(st.one_of(RUNS, st.sampled_from(BETWEEN)), min_size=1),
    data=st.data(),
)
def test_every_part_of_a_run_finds_it_and_is_marked_wherever_it_is(
    shared: Timeline, parts: list[str], data: st.DataObject
) -> None:
    text = "".join(parts).strip()
    runs = [part for part in parts if part not in BETWEEN]
    assume(runs)
    event_id = record(shared, text)
    run = data.draw(st.sampled_from(runs))
    start = data.draw(st.integers(0, len(run) - 1))
    sought = run[start : data.draw(st.integers(start + 1, len(run)))]
    assert marked(shared, sought, event_id) == with_marks(text, sought)


def with_marks(text: str, sought: str) -> str:
    """The text with marks around all that is sought; no letter is parted from its vowel."""
    wholes = re.findall(".[\u0e34\u0e38\u0eb7\u102c\u102d]*", text)
    of = [number for number, whole in enumerate(wholes) for _ in whole]
    found = {
        of[place]
        for start in range(len(text))
        if text.startswith(sought, start)
        for place in range(start, start + len(sought))
    }
    return "".join(
        "\x02" * (number in found and number - 1 not in found)
        + whole
        + "\x03" * (number in found and number + 1 not in found)
        for number, whole in enumerate(wholes)
    )


def test_words_that_are_no_more_leave_the_index(timeline: Timeline) -> None:
    """After updates, names that change, and erasures: as if the index were made of the log."""
    names = ["Łukasz; Ørsted", "水野", "NATO", "NATO"]
    timeline.record(
        {
            "event_id": "event",
            "title": "北京会谈",
            "occurred": "2025",
            "participants": [{"name": name, "as_named": f"{name} の"} for name in names],
        }
    )
    with timeline.append() as append:
        append.record_actor({"actor_id": "orsted", "name": "Новое имя", "aliases": names[:1]})
        append.record_actor({"actor_id": "mizuno", "name": "Mizuno; 水", "aliases": ["水野"]})
    timeline.update("event", {"title": "停火"})
    check(timeline.path)
    timeline.update("event", {"participants": None})
    check(timeline.path)
    with contextlib.closing(storage.connect(timeline.path)) as connection:
        words = {row[-1] for row in searched(connection)}
        assert {"停火", "火"} <= words
        assert not words & {"北京", "会谈", "lukasz", "水野", "nato", "новое"}
    with contextlib.closing(storage.connect(timeline.path, write=True)) as connection:
        ids = connection.execute("SELECT id FROM log WHERE subject = 'event/event'")
        entry_ids = [entry_id for (entry_id,) in ids]
        erasure.erase(connection, str(timeline.path), entry_ids, Said(reason="A court's order"))
        assert searched(connection) == []
    check(timeline.path)


def check(path: Path) -> None:
    live = everything(path)
    with contextlib.closing(storage.connect(path, write=True)) as connection:
        tables.rebuild(connection)
    assert everything(path) == live
