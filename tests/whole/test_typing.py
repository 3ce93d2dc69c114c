"""What `mypy --strict` says of a user's own code, with and without the plugin of pydantic."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from examples import blocks
from running import CHECKOUT

from timeline import Event, Participant, Place, Quantity
from timeline.api import Filters
from timeline.reading.filters import FILTERS

RIGHT = """
from datetime import UTC, date, datetime
from decimal import Decimal

import timeline
from timeline import (
    Append, ChangeRow, Citation, Claim, Event, EventDict, EventRow, Participant, Place, Quantity,
    Receipt, Relation, Said, Source, Timeline, TimelineError, VersionRow,
)
from timeline.errors import AlreadyRecorded, Conflict, InvalidInput, NotFound


def write(tl: Timeline) -> list[int]:
    one: Receipt = tl.record(
        Event(
            event_id="sumy-strike",
            title="Missile strike on Sumy",
            occurred="13 April 2025",
            event_type="Assault",
            tags=["missiles"],
            contexts=("military",),
            place=Place(name="Sumy", country="Ukraine", lat=50.91, lon="34.8", geo_precision=1),
            participants=[Participant(name="Armed forces of Russia", role="actor")],
            quantities=[
                Quantity(measure="killed", value=34),
                Quantity(measure="pledged", value=Decimal("2e9"), unit="EUR", qualifier="about"),
            ],
            claims=[Claim(speaker="Officials", source_ids=["agency"])],
            relations=[Relation(type="follows", event_id="another")],
            citations=[Citation(source=Source(title="A report", authors=["N. N."]))],
            external_ids=["gdelt:1024"],
            extra={"own": {"key": "text"}},
        ),
        reported_at="2025-04-14",
        entry_id="job-1",
    )
    raw: dict[str, object] = {"title": "Talks", "occurred": "2025", "author": "nb"}
    same: Receipt = tl.record(raw)
    many: list[Receipt] = tl.record([Event(title="A", occurred="2025"), raw], author="desk")
    lazy: list[Receipt] = tl.record(Event(title=title, occurred="2025") for title in "ab")
    changes = {"quantities.0.value": 35, "place": None}
    changed: list[Receipt] = [
        tl.update(one.id, changes, expect=1),
        tl.correct(one.id, {"note": "x"}, reason="Why", reported_at="2025-04-15"),
        tl.update(one.id, Event(title="Whole", occurred="2025"), expect=3),
        *tl.update({one.id: changes, same.id: {"tags.-": "talks"}}),
        *tl.correct({receipt.id: {"note": "x"} for receipt in many}, reason="Why"),
        tl.retract(one.id, reason="Why"),
        tl.reinstate(one.id),
        *tl.retract([receipt.id for receipt in lazy], reason="Why"),
        *tl.reinstate({receipt.id for receipt in lazy}),
        tl.merge(one.id, same.id),
        *tl.merge((one.id, many[0].id), same.id, reason="Why"),
    ]
    with tl.append(dry_run=True) as append:
        append.record_source(Source(title="Another"), Said(author="desk"))
        changed.append(append.record(raw))
    return [receipt.seq for receipt in changed if receipt.occurred and not receipt.unchanged]


def read(tl: Timeline) -> tuple[str, int]:
    event = tl.get("sumy-strike", as_of="#1", as_reported=date(2025, 4, 14))
    figures = [Decimal(figure["value"]) for figure in event["quantities"]]
    rows = tl.list(actor="Mark Rutte", since="April 2025", until=date(2025, 5, 1), limit=10)
    rows += tl.search("sumy", year=2025, as_of=datetime(2025, 4, 14, 18, tzinfo=UTC))
    reasons = [entry["reason"] for row in tl.changes(1, "2025-04-15") for entry in row["entries"]]
    paths = [change["path"] for version in tl.history("sumy") for change in version["changes"]]
    counts = {row["label"]: row["count"] for row in tl.facets(text="sumy")["actor"]}
    event_id, version = tl.resolve("sumy@2")
    return event_id, len(figures) + len(rows) + len(reasons + paths) + len(counts) + (version or 0)


def typed(tl: Timeline) -> list[str | None]:
    event: EventDict = tl.get("sumy-strike")
    title: str = event["title"]
    same: str = tl.get("sumy-strike")["title"]
    version: int = event["version"]
    figure: str = event["quantities"][0]["value"]
    places: list[str] = [event["place"]["country"]] if "place" in event else []
    end: str | None = event["occurred_to"]
    rows: list[EventRow] = tl.list()
    found: list[EventRow] = tl.search("sumy")
    latitude: float | None = rows[0]["lat"]
    history: list[VersionRow] = tl.history("sumy-strike")
    path: str = history[version - 1]["changes"][0]["path"]
    changes: list[ChangeRow] = tl.changes(1)
    before = changes[0]["before"]
    state: str = before["state"] if before else "" if latitude is None else str(found[0]["year"])
    return [title, same, figure, *places, end, path, state, changes[0]["entries"][0]["reason"]]


def sources(append: Append, said: Said) -> str:
    return append.record_source(Source(title="One"), said).id


def careful(path: str) -> str:
    try:
        with Timeline.open(path) as tl:
            tl.update("sumy-strike", {"note": "x"}, expect=1)
            return str(tl.info["title"])
    except Conflict as error:
        return f"version {error.actual + 1 - error.expected}"
    except NotFound as error:
        return error.kind + error.key
    except (AlreadyRecorded, InvalidInput) as error:
        return str(error)
    except TimelineError as error:
        return f"{error} {error.line or error.item or 0}"


with Timeline.create("a.db", title="A story", time_zone="Europe/Kyiv") as opened:
    write(opened)
names: list[str] = timeline.__all__
"""

WRONG = """
from timeline import Event, Quantity, Timeline

tl = Timeline.create("a.db")  # call-arg
Event(occurred="2025")  # call-arg
Event(title="A", occured="2025", occurred="2025")  # call-arg
tl.record(35)  # call-overload
tl.record({"title": "A"}, reported="2025")  # call-overload
tl.retract("sumy-strike", "They were wrong")  # call-overload
tl.merge("sumy-strike")  # call-overload
tl.update("sumy-strike")  # call-overload
tl.update("sumy-strike", {"note": "x"}, expect="1")  # call-overload
tl.list(author="Mark Rutte")  # call-arg
tl.list(actor=5)  # arg-type
tl.get("sumy-strike", as_of=1.5)  # arg-type
tl.changes()  # call-arg
tl.record({"title": "A"}).sequence  # attr-defined
tl.record([{"title": "A"}]).seq  # attr-defined
tl.list().event_id  # attr-defined
tl.get("sumy-strike")["titel"]  # typeddict-item
tl.get("sumy-strike")["title"] + 1  # operator
tl.list()[0]["lat"] + 1  # operator
tl.list()[0]["changes"]  # typeddict-item
tl.history("sumy-strike")[0]["title"]  # typeddict-item
tl.changes(1)[0]["before"]["version"]  # index
timeline: str = tl  # assignment
"""

WRONG_BY_DECLARATION = """
Event(title=3, occurred="2025")  # arg-type
Event(title="A", occurred="2025", tags="talks")  # arg-type
Event(title="A", occurred="2025", quantities=[{"measure": "killed"}])  # list-item
Event(title="A", occurred="2025", modality="possible")  # arg-type
Quantity(measure="killed", value=None, low=[1])  # arg-type
"""
"""Of these the plugin of pydantic says nothing, unless it is told to (`init_typed`)."""

PLUGIN = "plugins = pydantic.mypy\n"
TYPED = PLUGIN + "[pydantic-mypy]\ninit_typed = true\ninit_forbid_extra = true\n"


@pytest.fixture(params=["", PLUGIN, TYPED], ids=["mypy", "plugin", "typed-plugin"])
def settings(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_code_of_a_user_is_accepted_and_its_mistakes_are_found(
    settings: str, tmp_path: Path
) -> None:
    wrong = WRONG if settings == PLUGIN else WRONG + WRONG_BY_DECLARATION
    (tmp_path / "right.py").write_text(RIGHT)
    for page in ("README.md", "docs/developer.md"):
        for block in blocks((CHECKOUT / page).read_text(encoding="utf-8"), "python"):
            (tmp_path / f"example_{block.start}.py").write_text(block.body)
    (tmp_path / "wrong.py").write_text(wrong)
    (tmp_path / "mypy.ini").write_text(
        f"[mypy]\nstrict = true\nfollow_imports = silent\n{settings}"
    )
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--no-error-summary", "--hide-error-context", "."],
        cwd=tmp_path,
        env={"MYPYPATH": str(CHECKOUT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stderr == ""
    found = re.findall(r"(?m)^(\w+\.py:\d+): error: .*  \[([a-z-]+)\]$", checked.stdout)
    expected = [
        (f"wrong.py:{number}", line.rpartition("# ")[2])
        for number, line in enumerate(wrong.split("\n"), 1)
        if "# " in line
    ]
    assert [*dict.fromkeys(found)] == expected


def test_what_mypy_accepts_of_a_model_is_accepted_when_it_runs() -> None:
    event = Event(
        title="A",
        occurred="15 April 2025",
        tags=["b", "a"],
        place=Place(name="Sumy", lat=50.91, lon="34.8"),
        participants=[Participant(name="N. N.")],
        quantities=[Quantity(measure="killed", value=34)],
    )
    assert event.tags == ("b", "a")
    assert event.quantities[0].value == 34
    assert event.quantities[0].unit == "person"
    assert str(event.place.lat) == "50.91"  # type: ignore[union-attr]


def test_a_type_checker_knows_every_filter() -> None:
    assert set(Filters.__annotations__) == set(FILTERS)
