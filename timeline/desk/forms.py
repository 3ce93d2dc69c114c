"""Make a form of an event, and an operation of a form that was filled in.

The fields of a draft are JSON: `kind` is the operation; `values` are the fields of the form as they
are now, in their order, as pairs of name and text; `begun` are the fields as they were when the
form was filled from the event or the proposal, and `begun_as` was its kind. `base` is the event
that a change is made to, and `content` the event that the form was filled from: it is another one
if a proposal changes it. `meanwhile` has sentences about what somebody else changed since then.

Guarantees: what the form does not show stays as it is; a field that nobody touches changes nothing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import count
from typing import Any, Literal, NamedTuple

from timeline.desk import form_rows
from timeline.desk.form_rows import KINDS, FormRow, RowReader
from timeline.errors import InvalidInput, InvalidValue, NotFound, TimelineError
from timeline.formats import prose, prose_changes
from timeline.intake.proposals.inbox import Draft, Waiting
from timeline.intake.proposals.operation import DeskOperation, day_of_report
from timeline.model import coordinates, countries, field_paths, typed_dates
from timeline.model.content import Event, Said
from timeline.model.list_merge import merged
from timeline.model.validation import problems, validate
from timeline.reading import query
from timeline.reading.references import resolve_event, resolve_source
from timeline.store import log as stored_log

FormFields = dict[str, Any]
FormProblem = tuple[str, str]
"""The id of a field, "" for the whole form, and a sentence."""
ChangeKind = Literal["update", "correct", "retract", "reinstate", "merge"]

SAID = ("reported_at", "reason")
"""Fields of a form about the statement."""
SCALARS = (
    "title",
    "occurred",
    "occurred_text",
    "occurred_basis",
    "event_type",
    "place.name",
    "place.country",
    "place.point",
    "modality",
    "verification",
    "summary",
    "note",
)
"""Fields of a form with one text."""
OTHERS = ("into", "sentences")
"""Fields of a form that merges events, or marks sentences."""
WHOLE_FORMS = ("record", "update", "correct")
"""The operations whose form has all fields of an event."""
KINDS_OF_FORM = (*WHOLE_FORMS, "retract", "reinstate", "merge", "comment")
_PLACE = ("place.name", "place.country", "place.point")
_LISTS = {kind.field: kind for kind in KINDS}
_SHOWN = {*_LISTS, "place", *(name for name in SCALARS if "." not in name)}


class InvalidForm(TimelineError, ValueError):
    """A form that cannot be read has `problems`: pairs of the id of a field and a sentence."""

    def __init__(self, problems: Sequence[FormProblem]) -> None:
        super().__init__("; ".join(text for _, text in problems))
        self.problems = tuple(problems)


# --- Filling a form -----------------------------------------------------------------------


def for_new_event(
    log: sqlite3.Connection, citations: Sequence[Mapping[str, Any]] = ()
) -> FormFields:
    """Return the fields of a form for a new event that cites these places.

    Each citation has source_id, and may have quote, quote_start and quote_end. "Reported at" is
    filled with the day on which the first source was published.
    """
    content = {"citations": [dict(each) for each in citations]} if citations else {}
    empty = [kind for kind in KINDS if kind.one in ("person", "figure", "tag")]
    if not citations:
        empty.insert(0, next(kind for kind in KINDS if kind.one == "citation"))
    rows = [FormRow(kind, 0, form_rows.empty(kind)) for kind in empty]
    return _filled("record", {}, content, _reported(log, content), rows)


def for_event(
    log: sqlite3.Connection,
    event_id: str,
    kind: ChangeKind,
    citations: Sequence[Mapping[str, Any]] = (),
) -> tuple[FormFields, int]:
    """Return the fields of a form that changes an event, and the version that it is filled from."""
    content, version = _newest(log, event_id)
    said = _reported(log, {"citations": citations}) if citations else {}
    return _filled(kind, content, content, said, _added(content, {"citations": citations})), version


def for_proposal(log: sqlite3.Connection, waiting: Waiting) -> tuple[FormFields, int | None]:
    """Return the fields of a form that has what a proposal says, and the version it changes."""
    proposal = waiting.proposal
    kind, reason = proposal.kind, proposal.reason or ""
    if kind == "record":
        content = _as_stored(log, proposal.record)
        said = {each: proposal.record.get(each, "") for each in SAID}
        return _filled(kind, {}, content, {**_reported(log, content), **_only_said(said)}), None
    said = {"reason": reason}
    if kind == "comment":
        sentences = ", ".join(map(str, proposal.sentences))
        return _filled(kind, {}, {}, {**said, "sentences": sentences}), None
    event_id = str(proposal.subject)
    base = _content_at(log, event_id, proposal.expect) or _newest(log, event_id)[0]
    if kind in ("retract", "merge"):
        return _filled(kind, base, base, {**said, "into": proposal.into or ""}), proposal.expect
    changed = field_paths.changed(base, proposal.changes)
    changed["citations"] = [*changed.get("citations", ()), *proposal.cite]
    reported = _reported(log, {"citations": proposal.cite})
    return _filled(kind, base, _as_stored(log, changed), {**reported, **said}), proposal.expect


def added_to(
    log: sqlite3.Connection, event_id: str, content: Mapping[str, Any]
) -> tuple[FormFields, int]:
    """Return a form that adds the figures, claims and citations of a content to an event.

    Returns the version of the event too, as `for_event` does.
    """
    base, version = _newest(log, event_id)
    items = {field: content.get(field, ()) for field in ("quantities", "claims", "citations")}
    said = _reported(log, content)
    return _filled("update", base, base, said, _added(base, items)), version


def _filled(
    kind: str,
    base: Mapping[str, Any],
    content: Mapping[str, Any],
    said: Mapping[str, str],
    rows: Iterable[FormRow] = (),
) -> FormFields:
    """Return the fields of a form of a content, with more rows."""
    texts = {**dict.fromkeys(SAID, ""), **said}
    if kind in WHOLE_FORMS:
        texts = {**scalar_texts(content), **texts}
        rows = [*_rows_of(content), *rows]
    values = [[name, text] for name, text in texts.items()]
    values += [pair for row in rows for pair in row.values]
    return {
        "kind": kind,
        "begun_as": kind,
        "values": values,
        "begun": values,
        "base": dict(base),
        "content": dict(content),
        "meanwhile": [],
    }


def _rows_of(content: Mapping[str, Any]) -> list[FormRow]:
    return [row for kind in KINDS for row in form_rows.of_items(kind, content.get(kind.field, ()))]


def _added(content: Mapping[str, Any], items: Mapping[str, Sequence[Any]]) -> list[FormRow]:
    """Return rows of items that a content does not have, numbered behind its own."""
    found: list[FormRow] = []
    for field, several in items.items():
        own = content.get(field, ())
        new = [each if isinstance(each, str) else dict(each) for each in several]
        found += form_rows.of_items(
            _LISTS[field], [each for each in new if each not in own], len(own)
        )
    return found


def scalar_texts(content: Mapping[str, Any]) -> dict[str, str]:
    """Return what the fields with one text say of a content."""
    place = content.get("place", {})
    country = place.get("country")
    point = f"{place['lat']}, {place['lon']}" if "lat" in place else ""
    texts = {name: content.get(name, prose.DEFAULTS.get(name, "")) for name in SCALARS}
    return {
        **texts,
        "occurred": prose.date(content.get("occurred")),
        "place.name": place.get("name", ""),
        "place.country": countries.country_name(country) if country else "",
        "place.point": point,
    }


def _newest(log: sqlite3.Connection, event_id: str) -> tuple[dict[str, Any], int]:
    event = query.get(log, event_id)
    return _content(event), event["version"]


def _content_at(
    log: sqlite3.Connection, event_id: str, version: int | None
) -> dict[str, Any] | None:
    try:
        return _content(query.get(log, event_id, version=version))
    except NotFound:
        return None


def _content(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of an event as it is stored: defaults are left out."""
    return {
        field: event[field]
        for field in Event.model_fields
        if field in event and field != "event_id" and event[field] != prose.DEFAULTS.get(field)
    }


def _as_stored(log: sqlite3.Connection, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a proposal says of an event in the form of a content; its id stays in it."""
    own = {name: value for name, value in fields.items() if name in Event.model_fields}
    resolved = coordinates.in_statement(typed_dates.resolved(own, _language(log)))
    event = validate(Event, resolved)
    content = event.content()
    if event.event_type:
        content["event_type"] = _code(log, event.event_type)
    return {**({"event_id": event.event_id} if event.event_id else {}), **content}


def _code(log: sqlite3.Connection, label: str) -> str:
    codes = {name: code for code, name in query.labels(log).items()}
    return codes.get(label, label)


def _language(log: sqlite3.Connection) -> str:
    return str(stored_log.info(log).get("language", "en"))


def _reported(log: sqlite3.Connection, content: Mapping[str, Any]) -> dict[str, str]:
    """Return "reported at": the day on which the first source of a content was published."""
    day = day_of_report(log, content.get("citations", ()))
    return {"reported_at": day} if day else {}


def _only_said(said: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in said.items() if text}


# --- Reading a form -----------------------------------------------------------------------


class _Read(NamedTuple):
    """A form that was read has a content, and what is wrong with it."""

    content: dict[str, Any]
    said: dict[str, str]
    problems: list[FormProblem]
    rows: dict[str, FormRow]
    """The row of each item of the content, by its path, such as quantities.0."""

    def field(self, path: str) -> str:
        """Return the id of the field of the form for a path into the content."""
        parts = path.split(".")
        if row := self.rows.get(".".join(parts[:2])):
            column = next((each for each in parts[2:3]), "")
            column = row.kind.paths.get(column, column)
            return f"{row.name}.{column if column in row.kind.columns else row.kind.columns[0]}"
        if parts[0] == "place":
            name = ".".join(parts[:2])
            point = name in ("place.lat", "place.lon")
            return "place.point" if point else name if name in SCALARS else "place.name"
        return parts[0] if parts[0] in (*SCALARS, *SAID, *OTHERS) else ""


def operation(log: sqlite3.Connection, draft: Draft) -> DeskOperation:
    """Return what a draft asks for; raises InvalidForm with all problems of the form.

    The texts that a proposal brings are not in a draft: whoever records it adds them.
    """
    fields = draft.fields
    kind = fields["kind"]
    said = _said(fields)
    if kind not in WHOLE_FORMS:
        return _small_operation(log, draft, said)
    read = _read(log, draft)
    found = [*read.problems, *_said_problems(kind, said)]
    told = {_row_of(field) for field, _ in found}
    for each in problems(Event, read.content)[1]:
        if _row_of(field := read.field(each.path)) not in told:
            found.append((field, _sentence(each.path, each.text)))
    base = fields["base"]
    changes = [
        (field, read.content.get(field))
        for field in Event.model_fields
        if read.content.get(field) != base.get(field)
    ]
    if not found and kind != "record" and not changes:
        found = [("", "Nothing is changed yet: change a field, or give this draft up")]
    if found:
        raise InvalidForm(found)
    asked = DeskOperation(
        kind, reason=said["reason"] or None, reported_at=said["reported_at"] or None
    )
    if kind == "record":
        return asked._replace(record=read.content)
    return asked._replace(event_id=draft.event_id, expect=draft.version, changes=changes)


def _row_of(field: str) -> str:
    """Return the row of a field, such as figures.2 for figures.2.measure; else the field."""
    return field.rpartition(".")[0] if field.count(".") == 2 else field


def _small_operation(
    log: sqlite3.Connection, draft: Draft, said: Mapping[str, str]
) -> DeskOperation:
    """Return the operation of a form that has no fields of an event."""
    fields = draft.fields
    kind = fields["kind"]
    texts = dict(fields["values"])
    found = _said_problems(kind, said)
    into: str | None = None
    sentences: list[int] = []
    if kind == "merge":
        try:
            into = resolve_event(log, texts.get("into", "").strip())[0]
        except TimelineError as error:
            found.append(("into", str(error)))
    if kind == "comment":
        try:
            sentences = [int(each) for each in texts["sentences"].replace(",", " ").split()]
        except ValueError:
            found.append(("sentences", "Write the numbers of sentences, such as 1, 5"))
    if found:
        raise InvalidForm(found)
    return DeskOperation(
        kind,
        draft.event_id,
        draft.version,
        into=into,
        sentences=sentences,
        reason=said["reason"] or None,
        reported_at=said["reported_at"] or None,
    )


def is_edited(log: sqlite3.Connection, draft: Draft) -> bool:
    """Tell whether a person changed what the form was filled with. Raises InvalidForm."""
    begun = draft._replace(fields={**draft.fields, "values": draft.fields["begun"]})
    if draft.fields["kind"] != draft.fields["begun_as"]:
        return True
    if draft.fields["kind"] in WHOLE_FORMS:
        one, other = _read(log, draft), _read(log, begun)
        return (one.content, one.said) != (other.content, other.said)
    return operation(log, draft) != operation(log, begun)


def problem(draft: Draft, error: InvalidInput) -> FormProblem:
    """Return the id of the field of a form that an error of the writer is about, and its words."""
    rows: dict[str, FormRow] = {}
    for kind in KINDS:
        said = (
            row
            for row in form_rows.rows(draft.fields["values"], kind)
            if not row.is_removed
            and (row.kept is not None if not row.is_changed else not kind.is_empty(row.texts))
        )
        rows |= {f"{kind.field}.{number}": row for number, row in enumerate(said)}
    field = _Read({}, {}, [], rows).field(error.field)
    return field, _sentence(error.field, error.problem)


def _sentence(path: str, text: str) -> str:
    """Return a problem of a field as a sentence that names the field."""
    first = path.partition(".")[0]
    names = {"occurred": "When", "event_type": "Type", "quantities": "Figure"}
    name = names.get(first) or prose_changes.fields_in_words([first])[0].capitalize()
    return f"{name} {text}" if first else text[:1].upper() + text[1:]


def _said(fields: FormFields) -> dict[str, str]:
    texts = dict(fields["values"])
    return {name: form_rows.plain(texts.get(name, "")).strip() for name in SAID}


def _said_problems(kind: str, said: Mapping[str, str]) -> list[FormProblem]:
    found = []
    if kind in ("correct", "retract") and not said["reason"]:
        what = "was wrong" if kind == "correct" else "should not be in the log"
        found.append(("reason", f"Say in a few words why it {what}"))
    _, wrong = problems(Said, _only_said(said))
    names = {"reported_at": "Reported at", "reason": "Reason"}
    return found + [(each.path, f"{names[each.path]} {each.text}") for each in wrong]


def _read(log: sqlite3.Connection, draft: Draft) -> _Read:
    """Read a form with all fields of an event."""
    fields = draft.fields
    language = _language(log)
    read = _Read(dict(fields["content"]), _said(fields), [], {})
    _read_scalars(read, fields, language)
    reader = RowReader(language, _sources(log, draft.draft_id), lambda text: _event(log, text))
    for kind in KINDS:
        items = _read_rows(read, form_rows.rows(fields["values"], kind), reader)
        if items:
            read.content[kind.field] = items
        else:
            read.content.pop(kind.field, None)
        if kind.field == "citations":
            old = [each.get("source_id") for each in fields["base"].get("citations", ())]
            cited = dict.fromkeys(map(_source_of, items))
            reader = reader._replace(new_sources=[each for each in cited if each not in (*old, "")])
    return read


def _source_of(citation: Mapping[str, Any]) -> str:
    return str(citation.get("source_id") or citation.get("source", {}).get("source_id") or "")


def _read_scalars(read: _Read, fields: FormFields, language: str) -> None:
    """Put into a content what the fields with one text say, where they say something new."""
    content, before = fields["content"], scalar_texts(fields["content"])
    values = dict(fields["values"])
    texts = {name: form_rows.plain(values.get(name, before[name])).strip() for name in SCALARS}
    touched = {name for name in SCALARS if texts[name] != form_rows.plain(before[name]).strip()}
    for name in SCALARS:
        if name in touched and name not in ("occurred", *_PLACE):
            is_default = texts[name] == prose.DEFAULTS.get(name)
            _set(read.content, name, "" if is_default else texts[name])
    if "occurred" in touched:
        try:
            date = typed_dates.read(texts["occurred"], language=language)
        except InvalidValue as error:
            text = error.problem if texts["occurred"] else "When is required: write a date"
            read.problems.append(("occurred", text))
        else:
            stale = dict.fromkeys(typed_dates.stale(date.fields, content))
            for name, value in {**stale, **date.fields}.items():
                if name == "occurred" or name not in touched:
                    _set(read.content, name, value)
    if touched.intersection(_PLACE):
        _read_place(read, texts, touched)


def _set(content: dict[str, Any], name: str, value: str | None) -> None:
    if value:
        content[name] = value
    else:
        content.pop(name, None)


def _read_place(read: _Read, texts: Mapping[str, str], touched: set[str]) -> None:
    place = dict(read.content.get("place", {}))
    if "place.name" in touched:
        _set(place, "name", texts["place.name"])
    if "place.country" in touched:
        try:
            _set(
                place,
                "country",
                texts["place.country"] and countries.country(texts["place.country"]),
            )
        except InvalidValue as error:
            read.problems.append(("place.country", error.problem))
    if "place.point" in touched:
        place.pop("lat", None)
        place.pop("lon", None)
        try:
            if texts["place.point"]:
                place |= coordinates.read(texts["place.point"])._asdict()
        except InvalidValue as error:
            read.problems.append(("place.point", error.problem))
    if place:
        read.content["place"] = place
    else:
        read.content.pop("place", None)


def _read_rows(read: _Read, rows: Sequence[FormRow], reader: RowReader) -> list[Any]:
    items: list[Any] = []
    for row in rows:
        try:
            item = row.item(reader)
        except InvalidInput as error:
            name = row.kind.one.capitalize()
            text = error.problem if row.kind.one == "relation" else f"{name}: {error.problem}"
            read.problems.append((f"{row.name}.{error.field}", text))
            item = {}
        if item is not None:
            read.rows[f"{row.kind.field}.{len(items)}"] = row
            items.append(item)
    return items


def _event(log: sqlite3.Connection, text: str) -> str:
    return resolve_event(log, text)[0]


def _sources(log: sqlite3.Connection, draft_id: str) -> Callable[[str], dict[str, Any]]:
    """Return a function that finds a source by its id or address; a new address gets an id."""
    new: dict[str, str] = {}
    numbers = count(1)

    def source(text: str) -> dict[str, Any]:
        try:
            return {"source_id": resolve_source(log, text)}
        except NotFound:
            if "://" not in text:
                raise
        new.setdefault(text, f"{draft_id}-{next(numbers)}")
        return {"source": {"source_id": new[text], "url": text}}

    return source


# --- When somebody else changed the event -------------------------------------------------


def rebased(log: sqlite3.Connection, draft: Draft) -> tuple[FormFields, int, list[str]]:
    """Return the fields of a draft on top of the newest version of its event.

    Returns that version too, and sentences that say what changed since the one that the person
    saw. The fields keep the sentences, so that the form shows them. What the person did not touch
    follows the newest version, what was touched keeps what was typed, and lists are merged.
    """
    event_id = str(draft.event_id)
    now, version = _newest(log, event_id)
    sentences = _since(log, event_id, draft.version or version)
    fields = draft.fields
    kind = fields["kind"]
    if kind not in WHOLE_FORMS:
        return {**fields, "base": now, "content": now, "meanwhile": sentences}, version, sentences
    content = _merged_content(fields["content"], fields["base"], now)
    return (
        {
            **fields,
            "values": _merged_values(fields["values"], fields["base"], now),
            "begun": _merged_values(fields["begun"], fields["base"], now),
            "base": now,
            "content": content,
            "meanwhile": sentences,
        },
        version,
        sentences,
    )


def _merged_values(
    values: form_rows.FormValues, base: Mapping[str, Any], now: Mapping[str, Any]
) -> list[list[str]]:
    """Return the fields of a form of `base` as fields of a form of `now`."""
    before, newest = scalar_texts(base), scalar_texts(now)
    found = []
    for name, text in values:
        if name in SCALARS:
            is_touched = form_rows.plain(text).strip() != form_rows.plain(before[name]).strip()
            found.append([name, text if is_touched else newest[name]])
        elif name in SAID:
            found.append([name, text])
    for kind in KINDS:
        mine = [
            row if row.is_changed else row.kept
            for row in form_rows.rows(values, kind)
            if not row.is_removed
        ]
        several = merged(mine, base.get(kind.field, []), now.get(kind.field, []))
        for number, each in enumerate(several):
            is_row = isinstance(each, FormRow)
            row = each._replace(number=number) if is_row else FormRow(kind, number, {}, each)
            found += row.values
    return found


def _merged_content(
    content: Mapping[str, Any], base: Mapping[str, Any], now: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the newest content with what a proposal changes of fields that no form shows."""
    found = dict(now)
    for field in {*content, *base} - _SHOWN:
        mine, old = content.get(field), base.get(field)
        if mine != old:
            if isinstance(mine, list):
                mine = merged(mine, old or [], now.get(field, []))
            found[field] = mine
    return {field: value for field, value in found.items() if value is not None}


def _since(log: sqlite3.Connection, event_id: str, seen: int) -> list[str]:
    found = []
    for version in prose_changes.since(log, event_id, seen):
        words = version.words[:1].upper() + version.words[1:]
        changes = "; ".join(map(str, version.changes))
        found.append(f"{words}. {changes}" if changes else words)
    return found
