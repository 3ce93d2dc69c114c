"""The words that the model accepts: countries, units, and the terms of an event vocabulary.

Guarantees: whatever is accepted comes back in the one spelling that is stored (a country as
ISO 3166-1 alpha-3, a currency as ISO 4217, a term as its code), and accepting that spelling
again changes nothing. Whatever is refused raises InvalidValue, one line that says what would
be right. The data files lie in db/vocabulary; each is read once, when first needed, and
nothing is read on import. This module knows `errors` and no other.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher, get_close_matches
from functools import cache, lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import takewhile
from pathlib import Path
from typing import NamedTuple

from timeline.errors import InvalidValue

__all__ = [
    "Country",
    "Term",
    "Terms",
    "countries",
    "country",
    "country_name",
    "db_folder",
    "fold",
    "is_currency",
    "nearest",
    "plover",
    "read_terms",
    "term",
    "unit",
]

_LONGEST_UNIT = 60
_LISTS = ("event_type", "mode", "context")
_COLUMNS = ("code", "label", "definition")

# Names that several countries share, as `_country_key` writes them: refused, never guessed.
_SHARED_NAMES = {
    "congo": ("COD", "COG"),
    "korea": ("PRK", "KOR"),
    "republic of china": ("CHN", "TWN"),
    "virgin islands": ("VGB", "VIR"),
}


class Country(NamedTuple):
    """A country of ISO 3166-1, or Kosovo; `name` is the one that newspapers print."""

    alpha3: str
    alpha2: str
    name: str


class Term(NamedTuple):
    """A word of a vocabulary: the code is stored, people see the label."""

    code: str
    label: str
    definition: str


class Terms(NamedTuple):
    """A vocabulary. Within each list, no code or label belongs to two terms."""

    event_types: tuple[Term, ...]
    modes: tuple[Term, ...]
    contexts: tuple[Term, ...]


class _Row(NamedTuple):
    where: str  # "words.csv, line 3": how an error names the row
    cells: dict[str, str]


def db_folder() -> Traversable:
    """The folder db/ of SQL and data: inside the installed package, or beside it in a checkout.

    Raises RuntimeError if it is in neither place: the package is broken, not the input.
    """
    inside = files("timeline").joinpath("db")
    beside = Path(__file__).parent.parent / "db"
    # Asking for vocabulary/ keeps a foreign folder db/ beside the package from being taken.
    for folder in (inside, beside):
        if folder.joinpath("vocabulary").is_dir():
            return folder
    raise RuntimeError(f"the data files are missing: no vocabulary in {inside} or {beside}")


def fold(text: str) -> str:
    """The form in which names are compared: no case, no diacritics, single blanks.

    fold(fold(text)) == fold(text).
    """
    decomposed = unicodedata.normalize("NFKD", text)
    letters = "".join(c for c in decomposed if not unicodedata.combining(c))
    return " ".join(letters.casefold().split())


def nearest(word: str, words: Iterable[str]) -> str | None:
    """The one of `words` that `word` is most likely a slip of, or None if none is close.

    Of equally close ones, the one that begins alike: people seldom mistype the first letters.
    """
    target = fold(word)
    known = {fold(candidate): candidate for candidate in words}

    def likeness(candidate: str) -> tuple[float, int]:
        pairs = zip(candidate, target, strict=False)
        alike_at_first = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        return SequenceMatcher(None, candidate, target).ratio(), alike_at_first

    close = get_close_matches(target, known, n=len(known) or 1)
    return known[max(sorted(close), key=likeness)] if close else None


@cache
def countries() -> tuple[Country, ...]:
    """All countries, in the order of their alpha-3 codes."""
    return tuple(
        Country(row["alpha3"], row["alpha2"], row["name"]) for row in _table("countries.csv")
    )


def country_name(alpha3: str) -> str:
    """The English name of a country. Raises InvalidValue if it is no alpha-3 code, in capitals."""
    try:
        return _country_names()[alpha3]
    except KeyError:
        problem = f"{_shown(alpha3)} is not an ISO 3166-1 alpha-3 code such as GBR"
        raise InvalidValue(alpha3, problem) from None


@lru_cache(maxsize=10_000)
def country(text: str) -> str:
    """The ISO 3166-1 alpha-3 code of a country: by alpha-2, alpha-3 or English name.

    Case, diacritics, punctuation and a leading "the" do not matter. Raises InvalidValue.
    """
    key = _country_key(text)
    if alpha3 := _country_keys().get(key):
        return alpha3
    raise InvalidValue(text, _no_country(text, key))


def is_currency(code: str) -> bool:
    """Whether this is a current ISO 4217 code, in capitals."""
    return code in _currencies()


def unit(text: str) -> str:
    """What a quantity is counted in: an ISO 4217 code, or a noun in lower case ("person").

    Three capital letters are always meant as a currency; any other capitals become small.
    Raises InvalidValue.
    """
    noun = " ".join(text.split())
    if not noun:
        raise InvalidValue(text, 'a unit must not be empty: write "EUR" or "person"')
    if len(text.strip().splitlines()) > 1 or not noun.isprintable():
        raise InvalidValue(text, "a unit must be one line without control characters")
    if re.fullmatch("[A-Z]{3}", noun):
        if is_currency(noun):
            return noun
        near = nearest(noun, _currencies())
        hint = f"did you mean {near}?" if near else 'write "EUR", or a noun such as "person"'
        raise InvalidValue(text, f"{_shown(noun)} is not an ISO 4217 currency: {hint}")
    noun = noun.lower()
    if len(noun) > _LONGEST_UNIT:
        problem = f"a unit must have at most {_LONGEST_UNIT} characters, not {len(noun)}"
        raise InvalidValue(text, problem)
    return noun


@cache
def plover() -> Terms:
    """The default vocabulary: PLOVER, the event ontology of the Open Event Data Alliance.

    The codes are those of its codebook (github.com/openeventdata/PLOVER, draft 1.3) but for
    the auxiliary modes future, hypothetical, negation and historical: an event's modality
    says the first three, its date the last. Labels and definitions are ours.
    """
    name = "plover.csv"
    return _terms(name, _csv_rows(name, _data(name)))


def read_terms(path: Path) -> Terms:
    """The vocabulary in a file of one's own.

    CSV (comma or semicolon) with the columns code, label, definition and, if it has more than
    event types, list (event_type, mode, context); or, in a .json file, an array of objects
    with these keys. Raises InvalidValue, which names the line or item and the column.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        problem = f"{path.name}, line {line}: is not UTF-8: save the file as UTF-8"
        raise InvalidValue(str(path), problem) from None
    except OSError as error:
        raise InvalidValue(str(path), f"{path}: cannot be read: {error.strerror}") from None
    rows = _json_rows if path.suffix.lower() == ".json" else _csv_rows
    return _terms(path.name, rows(path.name, text))


def term(text: str, terms: Sequence[Term], what: str) -> str:
    """The code of the term with this code or label, in any case.

    `what` says in an error what the terms are: "event type", "mode", "context".
    """
    index = _term_index(tuple(terms))
    if found := index.get(fold(text)):
        return found.code
    if near := nearest(text, index):
        hint = f"did you mean {index[near].code} ({index[near].label})?"
    elif terms:
        codes = [known.code for known in terms]
        hint = f"it has {', '.join(codes[:5])}{' ...' if len(codes) > 5 else ''}"
    else:
        hint = "it has none"
    article = "an" if what.startswith(tuple("aeiou")) else "a"
    raise InvalidValue(text, f"{_shown(text)} is not {article} {what} of this log: {hint}")


def _shown(text: str) -> str:
    """The text as a message quotes it: one printable line, not too long."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f'"{line}"' if len(line) <= _LONGEST_UNIT else f'"{line[:_LONGEST_UNIT]}..."'


def _data(name: str) -> str:
    return db_folder().joinpath("vocabulary", name).read_text(encoding="utf-8")


@cache
def _table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(_data(name))))


@cache
def _currencies() -> frozenset[str]:
    return frozenset(row["code"] for row in _table("currencies.csv"))


@cache
def _country_names() -> dict[str, str]:
    return {each.alpha3: each.name for each in countries()}


@cache
def _country_keys() -> dict[str, str]:
    """Every spelling of every country, as `_country_key` writes it -> alpha-3."""
    return {
        _country_key(spelling): row["alpha3"]
        for row in _table("countries.csv")
        for spelling in (row["alpha3"], row["alpha2"], row["name"], *row["aliases"].split(";"))
        if spelling
    }


def _country_key(text: str) -> str:
    """Folded, without dots ("U.S."), other punctuation as blanks, without a leading "the"."""
    plain = fold(text).replace(".", "").replace("&", " and ")
    return " ".join(re.findall(r"\w+", plain)).removeprefix("the ")


def _no_country(text: str, key: str) -> str:
    """Why this names no country, and which one may be meant."""
    if not text.strip():
        return (
            "a country must not be empty: write its English name or an ISO 3166-1 code such as GBR"
        )
    if key in _SHARED_NAMES:
        choice = " or ".join(_named(alpha3) for alpha3 in _SHARED_NAMES[key])
        return f"{_shown(text)} is the name of several countries: write {choice}"
    # A short text is a code, and codes are all alike: GER is one letter from GEO, not from DEU.
    near = nearest(key, _country_keys()) if len(key) > 3 else None
    hint = (
        f"did you mean {_named(_country_keys()[near])}?"
        if near
        else "write its English name or an ISO 3166-1 code such as GBR"
    )
    return f"{_shown(text)} is not a country: {hint}"


def _named(alpha3: str) -> str:
    return f'"{country_name(alpha3)}" ({alpha3})'


@lru_cache(maxsize=16)
def _term_index(terms: tuple[Term, ...]) -> dict[str, Term]:
    return {fold(each.label): each for each in terms} | {fold(each.code): each for each in terms}


def _csv_rows(name: str, text: str) -> list[_Row]:
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    rows = []
    try:
        columns = [fold(cell) for cell in next(reader, [])]
        while columns and not columns[-1]:  # spreadsheets leave empty columns at the end
            columns.pop()
        _check_columns(f"{name}, line 1", columns)
        start = reader.line_num + 1
        for cells in reader:
            where = f"{name}, line {start}"
            start = reader.line_num + 1
            if any(cell.strip() for cell in cells[len(columns) :]):
                raise InvalidValue(name, f"{where}: has more cells than there are columns")
            if any(cell.strip() for cell in cells):
                rows.append(_Row(where, dict(zip(columns, cells, strict=False))))
    except csv.Error as error:
        problem = f"{name}, line {reader.line_num}: is not CSV: {error}"
        raise InvalidValue(name, problem) from None
    return rows


def _json_rows(name: str, text: str) -> list[_Row]:
    try:
        # An object as a tuple of pairs: a key that stands twice is seen, not swallowed.
        items = json.loads(text, object_pairs_hook=tuple)
    except json.JSONDecodeError as error:
        problem = f"{name}, line {error.lineno}, column {error.colno}: is not JSON: {error.msg}"
        raise InvalidValue(name, problem) from None
    except (ValueError, RecursionError):
        raise InvalidValue(name, f"{name}: is not JSON that can be read") from None
    if not isinstance(items, list):
        raise InvalidValue(name, f"{name}: must be an array of objects")
    rows = []
    for number, item in enumerate(items, start=1):
        where = f"{name}, item {number}"
        if not isinstance(item, tuple):
            raise InvalidValue(item, f"{where}: must be an object")
        _check_columns(where, [fold(key) for key, _ in item])
        for key, value in item:
            if not isinstance(value, str):
                raise InvalidValue(value, f"{where}, column {_shown(key)}: must be text")
        rows.append(_Row(where, {fold(key): value for key, value in item}))
    return rows


def _check_columns(where: str, columns: Sequence[str]) -> None:
    known = (*_COLUMNS, "list")
    for column in columns:
        if column not in known:
            near = nearest(column, known)
            hint = f'did you mean "{near}"?' if near else f"known are {', '.join(known)}"
            problem = f"{where}, column {_shown(column)}: is not a column of a vocabulary: {hint}"
            raise InvalidValue(column, problem)
        if columns.count(column) > 1:
            raise InvalidValue(column, f'{where}, column "{column}": stands there twice')
    for column in _COLUMNS:
        if column not in columns:
            raise InvalidValue(column, f'{where}, column "{column}": is missing')


def _terms(name: str, rows: Iterable[_Row]) -> Terms:
    lists: dict[str, list[Term]] = {kind: [] for kind in _LISTS}
    taken: dict[tuple[str, str], str] = {}
    for where, cells in rows:
        found = Term(*(_cell(where, cells, column) for column in _COLUMNS))
        kind = fold(cells.get("list", "event_type"))
        if kind not in _LISTS:
            raise InvalidValue(kind, f'{where}, column "list": must be {", ".join(_LISTS)}')
        for column, word in (("code", found.code), ("label", found.label)):
            other = taken.setdefault((kind, fold(word)), where)
            if other != where:
                problem = f'{where}, column "{column}": {_shown(word)} is taken already: {other}'
                raise InvalidValue(word, problem)
        lists[kind].append(found)
    if not lists["event_type"]:
        raise InvalidValue(name, f"{name}: has no event type")
    return Terms(*(tuple(lists[kind]) for kind in _LISTS))


def _cell(where: str, cells: dict[str, str], column: str) -> str:
    raw = cells.get(column, "")
    text = " ".join(raw.split())
    problem = ""
    if not text and column != "definition":
        problem = "must not be empty"
    elif column == "code" and " " in text:
        problem = (
            f"{_shown(text)} must be one word without blanks: {_shown(text.replace(' ', '-'))}"
        )
    elif not text.isprintable():
        problem = "holds a character that cannot be printed"
    if problem:
        raise InvalidValue(raw, f'{where}, column "{column}": {problem}')
    return text
