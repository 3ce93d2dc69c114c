"""Add the entries that are about sources, their texts, and actors."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from timeline.errors import AlreadyRecorded, InvalidInput, InvalidValue, NothingChanged, Refused
from timeline.model import field_paths
from timeline.model.base import Content
from timeline.model.content import Actor, Annotation, Merge, Said, Source
from timeline.model.hints import quoted
from timeline.model.validation import validate
from timeline.projection import fold
from timeline.store import codec
from timeline.writing.append_buffer import subject_in_words
from timeline.writing.entries import (
    NO_WORDS,
    Entries,
    differing,
    fields_changed,
)
from timeline.writing.one_form import comparable, in_one_form
from timeline.writing.receipt import Receipt, receipt_of

if TYPE_CHECKING:
    from timeline.reading import captured_texts
    from timeline.texts.document import Document

_MODELS: dict[str, type[Content]] = {"source": Source, "actor": Actor}


class SourceEntries(Entries):
    """Adds entries about sources and actors; `Append` inherits it."""

    def record_source(self, source: Source | Mapping[str, Any], said: Said = NO_WORDS) -> Receipt:
        """Record a source; if it is known by its id, url or content, add nothing.

        Raises AlreadyRecorded if the known source has another content.
        """
        source = source if isinstance(source, Source) else validate(Source, source)
        content = in_one_form(source.content())
        known = self._resolver.known_source(source, content)
        newest = self._buffer.newest_content(f"source/{known}") if known else None
        if newest:
            return receipt_of(newest)
        entry_id = self._new_id()
        subject = f"source/{source.source_id or entry_id}"
        return self._add("source.recorded", subject, content, said, entry_id)

    def known_otherwise(self, source: Source | Mapping[str, Any]) -> str | None:
        """Return the id of a source that has the id or url of this one and another content.

        Adds nothing. Raises InvalidInput.
        """
        source = source if isinstance(source, Source) else validate(Source, source)
        try:
            self._resolver.known_source(source, in_one_form(source.content()))
        except AlreadyRecorded as error:
            return error.subject.removeprefix("source ")
        return None

    def capture(
        self,
        source: Source | Mapping[str, Any],
        document: Document,
        said: Said = NO_WORDS,
        *,
        stated: Mapping[str, Any] = MappingProxyType({}),
        emptied: Collection[str] = (),
        another: bool = False,
    ) -> Receipt:
        """Keep the text of a source, and record the source, or update it where it differs.

        A source is found by its id, else by its url, else by its title if its text is the same or
        was not captured yet. Fields that are not given stay as they are; those in `emptied` become
        empty. A new text also brings the fields in `stated` that neither `source` nor the log has.
        With `another` it is a new source, unless one has its id. If nothing differs, nothing is
        added. Raises InvalidInput, Refused for a text that was erased.
        """
        from timeline.texts.document import check, sha256

        try:
            check(document.text)
        except InvalidValue as error:
            raise InvalidInput("text", error.problem) from None
        given = source if isinstance(source, Source) else validate(Source, {**stated, **source})
        found = {
            "text_sha256": sha256(document.text.encode()),
            **({"media_type": document.media_type} if document.media_type else {}),
        }
        given = given.model_copy(update=found)
        is_new = another and not given.source_id
        source_id = None if is_new else self._resolver.captured_source(given)
        newest = self._buffer.newest_content(f"source/{source_id}") if source_id else None
        before = (codec.decode_content(newest.payload) if newest else None) or {}
        is_new_text = before.get("text_sha256") != given.text_sha256
        fields = {
            "media_type": "text/plain",
            **{field: value for field, value in before.items() if field not in emptied},
            **{
                field: value
                for field, value in given.content().items()
                if field not in stated or not newest or (is_new_text and field not in before)
            },
        }
        source = validate(Source, {**fields, "source_id": source_id or given.source_id})
        content = in_one_form(source.content(), before)
        self._keep_text(content["text_sha256"], document)
        if newest and content == before:
            return receipt_of(newest)
        if source_id:
            receipt = self._add("source.updated", f"source/{source_id}", content, said)
            notes = _kept(before, given.content(), stated if is_new_text else ())
            return replace(receipt, notes=tuple(notes))
        entry_id = self._new_id()
        subject = f"source/{given.source_id or entry_id}"
        return self._add("source.recorded", subject, content, said, entry_id)

    def captured_as(self, source: Source, document: Document) -> str | None:
        """Return the id of the source of which `capture` would keep this text; None if it is new.

        Adds nothing.
        """
        from timeline.texts.document import sha256

        text_sha256 = sha256(document.text.encode())
        return self._resolver.captured_source(
            source.model_copy(update={"text_sha256": text_sha256})
        )

    def _keep_text(self, text_sha256: str, document: Document) -> None:
        row = self._connection.execute(
            "SELECT body FROM source_texts WHERE text_sha256 = ?", (text_sha256,)
        ).fetchone()
        if row and row[0] is None:
            raise Refused("this text was erased from the log: it is not taken in again")
        if not row:
            self._connection.execute(
                "INSERT INTO source_texts (text_sha256, body, captured_at, original_sha256)"
                " VALUES (?, ?, ?, ?)",
                (text_sha256, document.text, self._recorded_at, document.original_sha256),
            )
            self.kept_texts.append(text_sha256)

    def lost_quotes(self, source_id: str) -> list[dict[str, Any]]:
        """Return `captured_texts.lost_quotes` with what this append has added."""
        from timeline.reading import captured_texts

        self._buffer.flush()
        return captured_texts.lost_quotes(self._connection, source_id)

    def record_actor(self, actor: Actor | Mapping[str, Any], said: Said = NO_WORDS) -> Receipt:
        """Record an actor and its names; if the same content is recorded already, add nothing."""
        actor = actor if isinstance(actor, Actor) else validate(Actor, actor)
        entry_id = self._new_id()
        subject = f"actor/{actor.actor_id or entry_id}"
        known = self._buffer.newest_content(subject)
        if known:
            before = comparable(codec.decode_content(known.payload))
            if fields := differing(before, comparable(actor.content())):
                raise AlreadyRecorded(
                    subject_in_words(subject), fields, "use timeline actor alias, or another id"
                )
            return receipt_of(known)
        return self._add("actor.recorded", subject, in_one_form(actor.content()), said, entry_id)

    def update_source(
        self, source_id: str, changes: field_paths.Changes, said: Said = NO_WORDS
    ) -> Receipt:
        """Change a source by path. Raises NotFound, NothingChanged, InvalidInput."""
        return self._update("source", source_id, changes, said)

    def update_actor(
        self, actor_id: str, changes: field_paths.Changes, said: Said = NO_WORDS
    ) -> Receipt:
        """Change an actor by path. Raises NotFound, NothingChanged, InvalidInput."""
        return self._update("actor", actor_id, changes, said)

    def withdraw_source(self, source_id: str, said: Said) -> Receipt:
        """Record that a source withdrew what it had reported; `said.reason` says why."""
        return self._change_source("source.withdrawn", source_id, said)

    def reinstate_source(self, source_id: str, said: Said = NO_WORDS) -> Receipt:
        """Take back the withdrawal of a source."""
        return self._change_source("source.reinstated", source_id, said)

    def annotate_source(
        self,
        source_id: str,
        annotation: Annotation,
        said: Said = NO_WORDS,
        *,
        entry_id: str | None = None,
    ) -> Receipt:
        """Mark spans of the current text of a source; they replace all earlier marks.

        Raises Refused if it has another text, or none; InvalidInput for a span after its end.
        """
        from timeline.reading import captured_texts

        subject = f"source/{source_id}"
        content = self._buffer.standing(subject).content or {}
        if content.get("text_sha256") != annotation.text_sha256:
            raise Refused(f"this is not the text of source {source_id} as it is now")
        length = len(captured_texts.body(self._connection, annotation.text_sha256) or "")
        for number, mark in enumerate(annotation.marks if length else ()):
            if mark.end > length:
                problem = f"lies behind the end of the text of {source_id}, at {length}"
                raise InvalidInput(f"marks.{number}.end", problem)
        return self._add("source.annotated", subject, annotation.content(), said, entry_id)

    def mark_source(
        self,
        source_id: str,
        spans: Sequence[tuple[int, int]],
        why: str | None,
        said: Said = NO_WORDS,
        *,
        entry_id: str | None = None,
    ) -> Receipt:
        """Mark spans as commentary, beside the earlier marks; without a `why`, unmark them.

        Marks that share a character with a span are replaced. With the id of an annotation of this
        source, which an earlier call made, its receipt is returned. Raises Refused and
        InvalidInput as `annotate_source` does, NothingChanged, and AlreadyRecorded if another
        entry has the id.
        """
        from timeline.reading import captured_texts

        subject = f"source/{source_id}"
        if entry_id and (known := self._known_entry(entry_id)):
            same = codec.decode_content(known.payload) or {}
            return self._same_entry(known, "source.annotated", subject, lambda: same)
        content = self._buffer.standing(subject).content or {}
        self._buffer.flush()
        before = captured_texts.marks(self._connection, source_id)
        marks = [
            mark
            for mark in before
            if not any(mark["start"] < end and start < mark["end"] for start, end in spans)
        ]
        if why is not None:
            mark = {"state": "commentary", "why": why}
            marks += [{"start": start, "end": end, **mark} for start, end in spans]
        marks.sort(key=lambda mark: (mark["start"], mark["end"]))
        annotation = validate(
            Annotation, {"text_sha256": content.get("text_sha256"), "marks": marks}
        )
        if annotation.content().get("marks", []) == before:
            raise NothingChanged(subject_in_words(subject))
        return self.annotate_source(source_id, annotation, said, entry_id=entry_id)

    def coverage(self, source_id: str) -> captured_texts.Coverage:
        """Return `captured_texts.coverage` with what this append has added."""
        from timeline.reading import captured_texts

        self._buffer.flush()
        return captured_texts.coverage(self._connection, source_id)

    def merge_actor(self, actor_id: str, into: str, said: Said = NO_WORDS) -> Receipt:
        """Merge an actor into another one. Raises Refused if `into` leads back to `actor_id`."""
        content = validate(Merge, {"into": into}).content()
        self._buffer.standing(f"actor/{actor_id}")
        self._buffer.check_merge(f"actor/{actor_id}", f"actor/{into}")
        return self._add("actor.merged", f"actor/{actor_id}", content, said)

    def _update(self, what: str, key: str, changes: field_paths.Changes, said: Said) -> Receipt:
        subject = f"{what}/{key}"
        before = self._buffer.standing(subject).content or {}
        fields = fields_changed(f"{what}_id", key, before, changes)
        content = in_one_form(validate(_MODELS[what], fields).content(), before)
        if content == before:
            raise NothingChanged(subject_in_words(subject))
        return self._add(f"{what}.updated", subject, content, said)

    def _change_source(self, kind: str, source_id: str, said: Said) -> Receipt:
        subject = f"source/{source_id}"
        standing = self._buffer.standing(subject)
        if fold.state_after(kind, standing.state) == standing.state:
            raise NothingChanged(subject_in_words(subject))
        return self._add(kind, subject, {}, said)


def _kept(
    before: Mapping[str, Any], given: Mapping[str, Any], stated: Iterable[str]
) -> Iterator[str]:
    """Yield a note for each field in which a source keeps another value than its text states."""
    for field in stated:
        if field in before and before[field] != given.get(field, before[field]):
            now, kept = (
                quoted(", ".join(each[field]) if isinstance(each[field], list) else each[field])
                for each in (given, before)
            )
            yield f"{field}: the document says {now} now; the source keeps {kept}"
