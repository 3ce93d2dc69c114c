"""Keep the rows of a form: each is an item of a list of the event, such as a figure.

The fields of a row are named "figures.2.measure". A row that was made of an item of the event has
that item in "figures.2.kept", and is closed, in words, until a person changes it: then it has
fields. Guarantees: a row whose fields say what its item says is that item, with everything that
the form does not show; the number of a row never changes.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from timeline.errors import InvalidInput, InvalidValue, TimelineError
from timeline.formats import prose
from timeline.model import figures, typed_dates

FormValues = Sequence[Sequence[str]]
"""Fields of a form in their order: pairs of name and text."""
FormTexts = dict[str, str]
FormItem = Any
"""An item of a list of the event, as its content has it."""

CITED = "cited"
"""What a figure or a claim has as its source if all new sources of the form carry it."""


class RowReader(NamedTuple):
    """A reader of rows knows the log that they are about."""

    language: str
    """The language of the log: figures and dates are read by it."""
    source: Callable[[str], FormItem]
    """Return the fields of a citation that name a source, by its id or address."""
    event: Callable[[str], str]
    """Return the id of an event that a person means."""
    new_sources: Sequence[str] = ()
    """The ids of the sources that the form cites and the event does not."""


class FormRowKind(NamedTuple):
    """A kind of rows says how the items of one list become texts, and how texts become an item."""

    name: str
    one: str
    """What one of them is called in buttons: "figure"."""
    field: str
    """The field of the event."""
    columns: tuple[str, ...]
    texts: Callable[[FormItem], FormTexts]
    item: Callable[[FormTexts, FormItem, RowReader], FormItem]
    paths: Mapping[str, str] = {}
    """The columns for fields of an item that have another name."""
    choices: Mapping[str, str] = {}
    """What the columns that always have a value begin with."""

    def is_empty(self, texts: FormTexts) -> bool:
        """Tell whether nobody wrote anything into a row."""
        return not any(text.strip() for column, text in texts.items() if column not in self.choices)


class FormRow(NamedTuple):
    """A row is one item of a list, or the fields in which a person writes one."""

    kind: FormRowKind
    number: int
    texts: FormTexts
    """What its fields have; empty if it is closed."""
    kept: FormItem | None = None
    """The item that it was made of."""
    is_removed: bool = False

    @property
    def name(self) -> str:
        """Return the beginning of the names of its fields: figures.2."""
        return f"{self.kind.name}.{self.number}"

    @property
    def is_changed(self) -> bool:
        """Tell whether its fields say something else than its item."""
        return bool(self.texts) and (
            self.kept is None or plain_texts(self.texts) != plain_texts(self.kind.texts(self.kept))
        )

    @property
    def values(self) -> list[list[str]]:
        """Return its fields as a draft has them."""
        found = []
        if self.kept is not None:
            found.append([f"{self.name}.kept", json.dumps(self.kept, ensure_ascii=False)])
        if self.is_removed:
            found.append([f"{self.name}.removed", "yes"])
        return found + [[f"{self.name}.{column}", text] for column, text in self.texts.items()]

    def opened(self) -> FormRow:
        """Return it with fields."""
        if self.texts:
            return self
        return self._replace(
            texts=self.kind.texts(self.kept) if self.kept is not None else empty(self.kind),
            is_removed=False,
        )

    def item(self, reader: RowReader) -> FormItem | None:
        """Return the item that it says; None if it is empty or removed. Raises InvalidInput."""
        if self.is_removed:
            return None
        if not self.is_changed:
            return self.kept
        texts = {column: text.strip() for column, text in plain_texts(self.texts).items()}
        return None if self.kind.is_empty(texts) else self.kind.item(texts, self.kept, reader)


def plain(text: str) -> str:
    """Return a text with the line ends that a browser sends as those of the log."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def plain_texts(texts: FormTexts) -> FormTexts:
    """Return texts with the line ends of the log."""
    return {name: plain(text) for name, text in texts.items()}


def empty(kind: FormRowKind) -> FormTexts:
    """Return the fields of a new row."""
    return {column: kind.choices.get(column, "") for column in kind.columns}


def rows(values: FormValues, kind: FormRowKind) -> list[FormRow]:
    """Return the rows of one list, in their order."""
    found: dict[int, FormRow] = {}
    for name, text in values:
        first, _, rest = name.partition(".")
        number, _, column = rest.partition(".")
        if first != kind.name or not number.isdecimal():
            continue
        row = found.setdefault(int(number), FormRow(kind, int(number), {}))
        if column == "kept":
            row = row._replace(kept=json.loads(text))
        elif column == "removed":
            row = row._replace(is_removed=True)
        elif column in kind.columns:
            row.texts[column] = text
        found[int(number)] = row
    return [
        row._replace(texts={**empty(kind), **row.texts} if row.texts else {})
        for row in found.values()
        if row.texts or row.kept is not None
    ]


def of_items(kind: FormRowKind, items: Sequence[FormItem], first: int = 0) -> list[FormRow]:
    """Return closed rows of items, numbered from `first`."""
    return [FormRow(kind, number, {}, item) for number, item in enumerate(items, first)]


# --- The kinds ----------------------------------------------------------------------------


def _plain_fields(names: Mapping[str, str], defaults: Mapping[str, str]) -> Any:
    """Return how an item becomes texts if each column is one of its fields."""

    def texts(item: FormItem) -> FormTexts:
        return {column: item.get(field, defaults.get(field, "")) for column, field in names.items()}

    return texts


def _changed(
    kept: FormItem, before: FormTexts, texts: FormTexts, names: Mapping[str, str]
) -> dict[str, Any]:
    """Return an item with the fields of those columns that say something new."""
    item = dict(kept or {})
    for column, field in names.items():
        if kept is None or texts[column] != plain(before[column]).strip():
            item[field] = texts[column]
    return {field: value for field, value in item.items() if value not in ("", None)}


_PERSON = {"name": "name", "role": "role", "office": "office", "as_named": "as_named"}
_person_texts = _plain_fields(_PERSON, prose.DEFAULTS)


def _person(texts: FormTexts, kept: FormItem, reader: RowReader) -> FormItem:
    person = _changed(kept, _person_texts(kept or {}), texts, _PERSON)
    if kept and person.get("name") != kept["name"]:
        person = {k: v for k, v in person.items() if k not in ("actor_id", "wikidata")}
    return _without_default(person, "role")


def _without_default(item: dict[str, Any], field: str) -> dict[str, Any]:
    return {k: v for k, v in item.items() if k != field or v != prose.DEFAULTS[field]}


def _figure_texts(item: FormItem) -> FormTexts:
    return {
        "measure": item["measure"],
        "figure": figures.written(item),
        "said_by": item.get("reported_by", ""),
        "dated": prose.date(item.get("dated")),
        "source": ";".join(item.get("source_ids", ())),
    }


def _figure(texts: FormTexts, kept: FormItem, reader: RowReader) -> FormItem:
    before = _figure_texts(kept) if kept else dict.fromkeys(_FIGURES.columns, "")
    item = _changed(kept, before, texts, {"said_by": "reported_by"})
    if not texts["measure"] or not texts["figure"]:
        missing = "figure" if texts["measure"] else "measure"
        raise InvalidInput(missing, _MISSING[missing])
    if any(texts[each] != before[each].strip() for each in ("measure", "figure")):
        with _about("figure"):
            amount = figures.quantity(texts["measure"], texts["figure"], reader.language)
        item = {k: v for k, v in item.items() if k not in amount}
        item = {**{k: v for k, v in amount.items() if v not in (None, "exact")}, **item}
    if texts["dated"] != before["dated"].strip():
        item.pop("dated", None)
        if texts["dated"]:
            with _about("dated"):
                item["dated"] = typed_dates.read(texts["dated"], language=reader.language).edtf
    return _with_sources(item, texts["source"], before["source"], reader)


_MISSING = {
    "measure": "is missing: what is counted, such as killed or pledged",
    "figure": "is missing: a number, such as 35, 800 people or EUR 20 billion",
}


def _with_sources(item: dict[str, Any], text: str, before: str, reader: RowReader) -> FormItem:
    if text == before:
        return item
    item.pop("source_ids", None)
    found = reader.new_sources if text == CITED else [each for each in text.split(";") if each]
    return {**item, "source_ids": [*found]} if found else item


@contextlib.contextmanager
def _about(column: str) -> Iterator[None]:
    """Raise what is wrong with a value as an error about a column."""
    try:
        yield
    except InvalidValue as error:
        raise InvalidInput(column, error.problem) from None
    except TimelineError as error:
        raise InvalidInput(column, str(error)) from None


_CLAIM = {"speaker": "speaker", "stance": "stance", "statement": "statement"}


def _claim_texts(item: FormItem) -> FormTexts:
    fields: FormTexts = _plain_fields(_CLAIM, prose.DEFAULTS)(item)
    return {**fields, "source": ";".join(item.get("source_ids", ()))}


def _claim(texts: FormTexts, kept: FormItem, reader: RowReader) -> FormItem:
    before = _claim_texts(kept or {})
    item = _without_default(_changed(kept, before, texts, _CLAIM), "stance")
    return _with_sources(item, texts["source"], before["source"], reader)


_RELATION = {"type": "type", "event_id": "event_id"}
_relation_texts = _plain_fields(_RELATION, {})


def _relation(texts: FormTexts, kept: FormItem, reader: RowReader) -> FormItem:
    relation = _changed(kept, _relation_texts(kept or {}), texts, _RELATION)
    if "origin" not in relation and texts["event_id"]:
        with _about("event_id"):
            relation["event_id"] = reader.event(texts["event_id"])
    return relation


def _citation_texts(item: FormItem) -> FormTexts:
    source = item.get("source") or {}
    name = item.get("source_id") or source.get("url") or source.get("title", "")
    return {"source_id": name, "quote": item.get("quote", "")}


def _citation(texts: FormTexts, kept: FormItem, reader: RowReader) -> FormItem:
    before = _citation_texts(kept or {})
    item = dict(kept or {})
    if texts["source_id"] != before["source_id"].strip():
        with _about("source_id"):
            source = reader.source(texts["source_id"])
        item = {k: v for k, v in item.items() if k not in (*_OF_SOURCE, *_OF_QUOTE)} | source
    if texts["quote"] != plain(before["quote"]).strip():
        item = {k: v for k, v in item.items() if k not in _OF_QUOTE}
    if texts["quote"] and "quote" not in item:
        item["quote"] = texts["quote"]
    return item


_OF_SOURCE = ("source_id", "source", "source_version")
_OF_QUOTE = ("quote", "quote_start", "quote_end")


def _tag_texts(item: FormItem) -> FormTexts:
    return {"name": item}


def _tag(texts: FormTexts, _: FormItem, __: RowReader) -> FormItem:
    return texts["name"]


_PEOPLE = FormRowKind(
    "people", "person", "participants", tuple(_PERSON), _person_texts, _person, {},
    {"role": "actor"},
)  # fmt: skip
_FIGURES = FormRowKind(
    "figures", "figure", "quantities", ("measure", "figure", "said_by", "dated", "source"),
    _figure_texts, _figure,
    {"value": "figure", "low": "figure", "high": "figure", "qualifier": "figure",
     "unit": "figure", "reported_by": "said_by", "source_ids": "source"},
    {"source": CITED},
)  # fmt: skip
_CLAIMS = FormRowKind(
    "claims", "claim", "claims", (*_CLAIM, "source"), _claim_texts, _claim,
    {"source_ids": "source"}, {"stance": "asserts", "source": CITED},
)  # fmt: skip
_RELATIONS = FormRowKind(
    "relations", "relation", "relations", tuple(_RELATION), _relation_texts, _relation, {},
    {"type": "part_of"},
)  # fmt: skip
_TAGS = FormRowKind("tags", "tag", "tags", ("name",), _tag_texts, _tag)
_CITATIONS = FormRowKind(
    "citations", "citation", "citations", ("source_id", "quote"), _citation_texts, _citation,
    {"source": "source_id", "quote_start": "quote", "quote_end": "quote"},
)  # fmt: skip

KINDS: tuple[FormRowKind, ...] = (_CITATIONS, _PEOPLE, _FIGURES, _CLAIMS, _RELATIONS, _TAGS)
"""All kinds. Citations come first: a figure may have their sources."""
BY_ONE: Mapping[str, FormRowKind] = {kind.one: kind for kind in KINDS}


def all_rows(values: FormValues) -> Iterator[FormRow]:
    """Yield the rows of all lists."""
    for kind in KINDS:
        yield from rows(values, kind)
