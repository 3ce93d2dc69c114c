"""Ask a language model for the events of a text, and put what holds into the inbox.

Guarantees: only a text that is kept is sent, with the words around it that `Request.prompt` shows.
Each quote of the answer is looked up and replaced by the text's own words; an event with a quote
that is not there, or that the log would refuse, is left out, and a person is told why. Nothing is
recorded. Only this module knows the library that reaches the models, whose own log is not written.
"""

from __future__ import annotations

import json
import sqlite3
import string
import threading
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from timeline.errors import NotFound, Refused, TimelineError
from timeline.intake.proposals.inbox import Inbox
from timeline.intake.proposals.taking import Taken, take
from timeline.model import edtf, hints, invisible
from timeline.model.strict_json import parse_json
from timeline.model.vocabulary import plover
from timeline.reading import captured_texts, query, selection
from timeline.reading.sources import sources_by_id
from timeline.store import log as entries
from timeline.texts.coverage import Sentence
from timeline.texts.quotes import CapturedText

PATIENCE = 120.0
"""Seconds for which an answer is awaited."""
_MOST_EVENTS = 60
"""Events of one answer that are looked at."""
_DAYS = 7
"""Days before and after the publication of a text, of which events are named to the model."""
_MOST_NAMED = 60
"""Events that are named to the model."""
_Fields = dict[str, Any]


class LeftOutEvent(NamedTuple):
    """An event was left out of an answer for a problem; without a title, it is the whole answer."""

    title: str
    problem: str

    def __str__(self) -> str:
        return f"{self.title}: {self.problem}" if self.title else self.problem


class Drafted(NamedTuple):
    """A draft run has what became of each proposal, and what was left out of the answer."""

    taken: Sequence[Taken]
    left_out: Sequence[LeftOutEvent]


class DraftRequest:
    """A request asks a model for the events of one text, of all its sentences or the missing ones.

    Raises NoText for a source whose text is not here.
    """

    def __init__(self, log: sqlite3.Connection, source_id: str, *, is_all: bool = False) -> None:
        self.log = log
        self.source_id = source_id
        coverage = captured_texts.coverage(log, source_id)
        self.text = coverage.text
        self.sentences: Sequence[Sentence] = coverage.sentences
        self.wanted = [
            number
            for number, sentence in enumerate(coverage.sentences, 1)
            if is_all or sentence.state == "missing"
        ]
        self.source = sources_by_id(log, [source_id])[source_id]

    @cached_property
    def seen(self) -> CapturedText:
        """Return the text as the model sees it, with places that are those of the kept text."""
        return CapturedText(invisible.blanked(self.text))

    @property
    def prompt(self) -> str:
        """Return what is sent: the instructions, then what they are about."""
        types = entries.info(self.log).get("vocabulary", {}).get("event_types") or [
            each.model_dump() for each in plover().event_types
        ]
        return string.Template(_file("prompt.txt")).substitute(
            source=self._line("title") or self.source_id,
            published=self.source["published"] or "not known",
            types="\n".join(f"{each['code']}: {each['label']}" for each in types),
            nearby="\n".join(self._nearby()) or "none",
            wanted=", ".join(map(str, self.wanted)),
            sentences="\n".join(
                f"[{number}] {' '.join(self.seen.text[each.start : each.end].split())}"
                for number, each in enumerate(self.sentences, 1)
            ),
        )

    def _line(self, field: str) -> str:
        return " ".join(invisible.blanked(self.source[field] or "").split())

    def _nearby(self) -> Iterator[str]:
        """Yield ids and titles of events that cite the source, or of the days around it."""
        chosen: list[Mapping[str, Any]] = [
            *selection.list_events(self.log, {"source": self.source_id}, limit=_MOST_NAMED)
        ]
        if period := _days_around(self.source["published"]):
            chosen += selection.list_events(self.log, period, limit=_MOST_NAMED)
        named = {row["event_id"]: row for row in chosen}
        for event_id, row in [*named.items()][:_MOST_NAMED]:
            yield f"{event_id}: {row['title']} ({row['occurred']})"


def _days_around(published: str | None) -> dict[str, str]:
    """Return the filters for the days around a publication; none if its day is not known."""
    when = edtf.parse(published) if published else None
    if when is None or not when.occurred_from or not when.occurred_to:
        return {}
    try:
        first = date(*edtf.numbers(when.occurred_from)[:3]) - timedelta(_DAYS)
        last = date(*edtf.numbers(when.occurred_to)[:3]) + timedelta(_DAYS)
    except (ValueError, OverflowError):  # a year that calendars of computers lack
        return {}
    return {"since": first.isoformat(), "until": last.isoformat()}


def draft(
    request: DraftRequest,
    inbox: Inbox | None,
    model_id: str,
    options: Mapping[str, str],
    *,
    patience: float = PATIENCE,
) -> Drafted:
    """Ask a model, check its answer, and put what holds into the inbox; without one, only check.

    Raises TimelineError for a model that cannot be asked, and for an answer that cannot be read.
    """
    model = _model(model_id)
    prompt = request.prompt
    answer = _asked(model, prompt, options, patience)
    bodies, left_out = _judged(request, model_id, answer)
    if left_out:
        problems = "\n".join(f"- {each}" for each in left_out)
        again = f"{prompt}\n\nYou answered:\n{answer}\n\n{_AGAIN}\n{problems}"
        more, still = _judged(request, model_id, _asked(model, again, options, patience))
        said = {each.title for each in still} | {_title(body) for body in more}
        left_out = [*still, *(each for each in left_out if each.title not in said)]
        bodies += [body for body in more if body not in bodies]
    if not bodies and len(left_out) == 1 and not left_out[0].title:
        raise TimelineError(f"{model_id}: {left_out[0].problem}")
    taken = [_taken(request, inbox, model_id, body) for body in bodies]
    return Drafted(taken, left_out)


_AGAIN = "These parts cannot be taken. Answer once more, with these mended or left out:"


def _taken(request: DraftRequest, inbox: Inbox | None, model_id: str, body: object) -> Taken:
    return take(
        request.log, inbox, body, way="draft", proposer=model_id[:60], dry_run=inbox is None
    )


# --- The model ----------------------------------------------------------------------------


def _model(model_id: str) -> Any:
    """Return the model of this name. Raises TimelineError."""
    try:
        import llm
    except ImportError:
        problem = "models are reached by an extra: pip install 'timeline-store[draft]'"
        raise TimelineError(problem) from None
    try:
        model = llm.get_model(model_id)
    except llm.UnknownModelError:
        raise NotFound("model", model_id, "llm models lists those that are installed") from None
    except Exception as error:  # noqa: BLE001 - a plugin may raise anything
        raise TimelineError(f"{model_id}: {_first_line(error)}") from None
    if not model.supports_schema:
        raise Refused(f"{model_id} does not answer in a schema: llm models --schemas lists others")
    return model


def _asked(model: Any, prompt: str, options: Mapping[str, str], patience: float) -> str:
    """Return the answer of a model. Raises TimelineError."""
    answers: list[str] = []
    errors: list[Exception] = []

    def ask() -> None:
        try:
            schema = json.loads(_file("answer.schema.json"))
            answers.append(model.prompt(prompt, schema=schema, stream=False, **options).text())
        except Exception as error:  # noqa: BLE001 - a provider may raise anything
            errors.append(error)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(patience)
    if errors:
        raise TimelineError(f"{model.model_id}: {_first_line(errors[0])}")
    if not answers:
        raise TimelineError(f"{model.model_id}: did not answer in {patience:.0f} seconds")
    return answers[0]


def _first_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return hints.printable(text[:300])


def _file(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


# --- The answer ---------------------------------------------------------------------------


def _judged(
    request: DraftRequest, model_id: str, answer: str
) -> tuple[list[_Fields], list[LeftOutEvent]]:
    """Return the proposals that an answer makes, and what is left out of it."""
    try:
        data = parse_json(answer)
        events = data["events"]
        commentary = data.get("commentary") or []
        is_read = isinstance(events, list) and isinstance(commentary, list)
    except (TimelineError, KeyError, TypeError, AttributeError):
        is_read = False
    if not is_read:
        return [], [LeftOutEvent("", "the answer is not the JSON that was asked for")]
    bodies, left_out = [], []
    for event in events[:_MOST_EVENTS]:
        body, problem = _body(request, model_id, event)
        title = hints.printable(_text(event, "title")[:120]) or "an event without a title"
        if body is None:
            left_out.append(LeftOutEvent(title, problem))
        else:
            bodies.append(body)
    if (more := len(events) - _MOST_EVENTS) > 0:
        left_out.append(LeftOutEvent(f"{more:,} events", f"at most {_MOST_EVENTS} are looked at"))
    if numbers := [each for each in commentary if each in request.wanted]:
        comment = {
            "comment": request.source_id,
            "sentences": sorted({*numbers}),
            "reason": "Commentary",
            "model": model_id[:60],
        }
        problem = _refusal(request, model_id, comment)
        bodies += [] if problem else [comment]
        left_out += [LeftOutEvent("commentary", problem)] if problem else []
    return bodies, left_out


def _title(body: _Fields) -> str:
    return str(body.get("record", {}).get("title", ""))


def _text(event: object, field: str) -> str:
    value = event.get(field) if isinstance(event, dict) else None
    return value if isinstance(value, str) else ""


def _body(request: DraftRequest, model_id: str, event: object) -> tuple[_Fields | None, str]:
    """Return the proposal that an event of the answer makes, or None and what is wrong."""
    if not isinstance(event, dict):
        return None, "is not an object"
    quotes = event.get("quotes")
    if not isinstance(quotes, list) or not quotes:
        return None, "has no quote"
    cite: list[_Fields] = []
    for quote in quotes:
        found = request.seen.find(quote) if isinstance(quote, str) else None
        if found is None:
            return None, f"the quote does not stand in the text{_nearest(request, quote)}"
        words = request.text[found.start : found.end]
        cite.append(
            {
                "source_id": request.source_id,
                "quote": words,
                "quote_start": found.start,
                "quote_end": found.end,
            }
        )
    try:
        body = _proposal(request, event, cite)
    except NotFound as error:
        return None, str(error)
    numbers = ", ".join(map(str, event.get("sentences") or ()))[:200]
    body |= {"why": f"sentences {numbers}"} if numbers else {}
    body["model"] = model_id[:60]
    problem = _refusal(request, model_id, body)
    return (None, problem) if problem else (body, "")


def _nearest(request: DraftRequest, quote: object) -> str:
    near = request.seen.nearest(quote) if isinstance(quote, str) else None
    return f", the nearest is {hints.quoted(near)}" if near else ""


def _refusal(request: DraftRequest, model_id: str, body: _Fields) -> str:
    problems = _taken(request, None, model_id, body).problems
    return "; ".join(": ".join(filter(None, each.values())) for each in problems)


def _proposal(request: DraftRequest, event: _Fields, cite: list[_Fields]) -> _Fields:
    """Return a new event, or what is new about the one that `same_as` names. Raises NotFound."""
    lists = {
        "participants": _kept(event, "people", ("name", "role", "office", "as_named")),
        "quantities": [
            {**each, "source_ids": [request.source_id]}
            for each in _kept(event, "figures", _OF_FIGURES)
        ],
        "claims": [
            {**each, "source_ids": [request.source_id]}
            for each in _kept(event, "claims", ("speaker", "stance", "statement"))
        ],
    }
    if same_as := _text(event, "same_as"):
        known = query.get(request.log, same_as)
        added = {
            f"{name}.{len(known.get(name, ())) + position}": item
            for name, items in lists.items()
            for position, item in enumerate(_new(items, known.get(name, ())))
        }
        return {"update": same_as, "expect": known["version"], "set": added, "cite": cite}
    record = {
        field: _text(event, name)
        for field, name in (
            ("title", "title"),
            ("occurred", "occurred"),
            ("occurred_text", "occurred_text"),
            ("occurred_basis", "occurred_basis"),
            ("event_type", "type"),
        )
        if _text(event, name)
    }
    place = {
        field: _text(event, name)
        for field, name in (("name", "place"), ("country", "country"))
        if _text(event, name)
    }
    filled = {name: items for name, items in {"place": place, **lists}.items() if items}
    return {"record": {**record, **filled, "citations": cite}}


_OF_FIGURES = ("measure", "value", "low", "high", "qualifier", "unit", "dated", "reported_by")


def _kept(event: _Fields, name: str, fields: Sequence[str]) -> list[_Fields]:
    """Return the objects of a list, with those of these fields that are not empty."""
    items = event.get(name)
    return [
        {field: item[field] for field in fields if item.get(field) not in (None, "")}
        for item in (items if isinstance(items, list) else ())
        if isinstance(item, dict)
    ]


def _new(items: Sequence[_Fields], known: Sequence[Mapping[str, Any]]) -> list[_Fields]:
    """Return the items that none of the known ones says already, whatever their sources are."""
    own = [
        {field: value for field, value in item.items() if field != "source_ids"} for item in items
    ]
    return [
        item
        for item, fields in zip(items, own, strict=True)
        if not any(
            all(str(each.get(field)) == str(value) for field, value in fields.items())
            for each in known
        )
    ]
