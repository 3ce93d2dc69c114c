"""Functions that find what a page of HTML says of itself: title, publisher, authors, dates.

Guarantees: for each field the statements come in the order in which they are trusted:

1. for the address `<link rel="canonical">`, for the language `<html lang>`, for the licence
   `rel="license"`, which are made for nothing else
2. JSON-LD of the article, then of the page
3. the tags of libraries, `citation_title` and its like
4. Open Graph, `og:title` and `article:published_time`
5. Dublin Core, `DC.title` and `dcterms.title`
6. other tags: `<meta name="author">`, `<title>`, `<time datetime>`

A page can say anything. Nothing that it says raises an error, and reading it takes bounded work.
Whether a value is one that a source may have is for the caller to judge. Pure: loads nothing.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from timeline.texts.json_ld import LONGEST_JSON_LD, JsonLd

_MOST_TAGS = 5_000
"""Tags of a kind that are read in a page; the largest front pages have some hundreds."""
_MOST_VALUES = 200
"""Values of one field that are read; a paper of physics may have more authors."""
_LONGEST_VALUE = 2_000
"""Characters of a value that are read; the longest field of a source has 500."""


class Stated(NamedTuple):
    """Something that a document says of itself."""

    field: str
    """The field of a source; or `modified`, or `unread` for a part that was not read."""
    value: str | tuple[str, ...]
    where: str
    """The tag or the property that says it, such as og:title."""


_META = {
    "citation_title": "title",
    "citation_publisher": "publisher",
    "citation_journal_title": "publisher",
    "citation_author": "authors",
    "citation_publication_date": "published",
    "citation_date": "published",
    "citation_online_date": "published",
    "citation_public_url": "url",
    "citation_language": "language",
    "og:title": "title",
    "og:site_name": "publisher",
    "og:url": "url",
    "article:author": "authors",
    "og:article:author": "authors",
    "article:published_time": "published",
    "og:article:published_time": "published",
    "article:modified_time": "modified",
    "og:updated_time": "modified",
    "og:locale": "language",
    "dc.title": "title",
    "dcterms.title": "title",
    "dc.publisher": "publisher",
    "dcterms.publisher": "publisher",
    "dc.creator": "authors",
    "dcterms.creator": "authors",
    "dcterms.issued": "published",
    "dc.date.issued": "published",
    "dc.date": "published",
    "dcterms.date": "published",
    "dcterms.created": "published",
    "dcterms.modified": "modified",
    "dc.language": "language",
    "dcterms.language": "language",
    "dcterms.license": "licence",
    "dc.rights.license": "licence",
    "dcterms.rights": "licence",
    "dc.rights": "licence",
    "author": "authors",
    "byl": "authors",
    "parsely-author": "authors",
    "sailthru.author": "authors",
    "datepublished": "published",
    "date": "published",
    "pubdate": "published",
    "publishdate": "published",
    "parsely-pub-date": "published",
    "sailthru.date": "published",
    "datemodified": "modified",
    "last-modified": "modified",
    "application-name": "publisher",
}
"""The field for each name of a <meta>, in the order in which they are trusted."""
_WITH_COMMAS = ("citation_author", "dc.creator", "dcterms.creator")
"""Tags that hold one name each, which may be written "Orr, Dana"."""

_BY = re.compile(r"(?:written\s+by|by|автор|текст)\s*:?\s+", re.IGNORECASE)
_BETWEEN_NAMES = re.compile(r"\s*;\s*|\s*,\s+(?:and\s+)?|\s+(?:and|und|et|y|i|e|и|і|та|&)\s+")
_NAME = re.compile(r"(?:[^\W\d_a-z][\w.'’-]*\s+){1,3}[^\W\d_a-z][\w.'’-]*")
_DATE = re.compile(
    r"(\d{4})(?:([-/.])(\d\d?)(?:\2(\d\d?)"
    r"(?:[T ]\s*(\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s*"
    r"(Z|UTC|GMT|[+-]\d\d(?::?\d\d)?)?)?)?)?",
    re.ASCII,
)


def stated(page: Any) -> tuple[Stated, ...]:
    """Return what a page, an lxml tree, says of itself; see the order above."""
    found = [*dict.fromkeys(each for each in _statements(page) if each.value)]
    sites = {str(each.value).casefold() for each in found if each.field == "publisher"}
    return tuple(
        each._replace(value=_without_site(str(each.value), sites))
        if each.field == "title"
        else each
        for each in found
    )


def _statements(page: Any) -> Iterator[Stated]:
    for href in _attributes(page, "//link[@href]", "canonical"):
        yield Stated("url", href, '<link rel="canonical">')
    for language in page.xpath("/html/@lang")[:1]:
        yield from _of("language", str(language), "<html lang>")
    for href in _attributes(page, "//*[self::link or self::a][@href]", "license"):
        if href.startswith(("http://", "https://")):
            yield Stated("licence", href, 'rel="license"')
    yield from _of_json_ld(page)
    for name, texts in _metas(page).items():
        if _META[name] == "authors":
            yield Stated("authors", names(texts, has_commas=name in _WITH_COMMAS), name)
            continue
        for each in texts:
            yield from _of(_META[name], each, name)
    for title in page.xpath("//head/title")[:1]:
        yield from _of("title", "".join(title.itertext())[:_LONGEST_VALUE], "<title>")
    yield from _of_times(page)


def _of(field: str, text: str, where: str) -> Iterator[Stated]:
    """Yield one statement in the form in which a source has it."""
    text = text[:_LONGEST_VALUE]
    if field == "url":
        yield Stated(field, text.strip(), where)
    elif field in ("published", "modified"):
        yield Stated(field, date(text), where)
    elif field == "language":
        yield Stated(field, language(clean(text)), where)
    elif field == "licence" and re.match(r"\s*(?:©|\(c\)|copyright)", text, re.IGNORECASE):
        return  # says who owns the text, and no licence
    else:
        yield Stated(field, clean(text), where)


def _metas(page: Any) -> dict[str, list[str]]:
    """Return the texts of the tags <meta> by name, in the order of trust."""
    found: dict[str, list[str]] = {name: [] for name in _META}
    for tag in page.xpath("//meta[@content]")[:_MOST_TAGS]:
        name = tag.get("property") or tag.get("name") or tag.get("itemprop") or ""
        name = re.sub("^(dc|dcterms):", r"\1.", name.strip().lower()[:100])
        if name in found and len(found[name]) < _MOST_VALUES:
            found[name].append(tag.get("content"))
    return {name: texts for name, texts in found.items() if texts}


def _attributes(page: Any, path: str, relation: str) -> list[str]:
    """Return the addresses of the first tags with a relation, without blanks around them."""
    tags = page.xpath(f"{path}[contains(translate(@rel, 'ACEILNOS', 'aceilnos'), '{relation}')]")
    return [tag.get("href").strip()[:_LONGEST_VALUE] for tag in tags[:5]]


def _of_times(page: Any) -> Iterator[Stated]:
    """Yield the date of <time> if the page marks it as the day of publication, or has no other."""
    tags = page.xpath("//time[@datetime]")[:_MOST_TAGS]
    marked = page.xpath("//time[@datetime][@itemprop='datePublished' or @pubdate]")
    dates = {date(tag.get("datetime")[:_LONGEST_VALUE]) for tag in marked[:1] or tags}
    if len(dates) == 1:
        yield Stated("published", dates.pop(), "<time datetime>")


# --- JSON-LD ------------------------------------------------------------------------------


def _of_json_ld(page: Any) -> Iterator[Stated]:
    tags = page.xpath("//script[contains(translate(@type, 'JSONLD', 'jsonld'), 'ld+json')]")
    texts = ["".join(tag.itertext()) for tag in tags[:_MOST_TAGS]]
    if any(len(text) > LONGEST_JSON_LD for text in texts):
        much = f"longer than {LONGEST_JSON_LD // 2**20} MiB"
        yield Stated("unread", f"JSON-LD of the page, which is {much}", "JSON-LD")
    data = JsonLd(text for text in texts if len(text) <= LONGEST_JSON_LD)
    if data.wrong:
        yield Stated("unread", "JSON-LD of the page, which is not JSON", "JSON-LD")
    for item in data.about_the_page():
        yield from _of_item(data, item)


def _of_item(data: JsonLd, item: Mapping[str, Any]) -> Iterator[Stated]:
    where = "JSON-LD"
    for name in ("headline", "name"):
        for text in data.texts(item.get(name))[:1]:
            yield from _of("title", text, where)
    for field, name in (("publisher", "publisher"), ("language", "inLanguage")):
        for text in data.texts(item.get(name), "name" if field == "publisher" else "alternateName"):
            yield from _of(field, text, where)
    authors = data.texts(item.get("author")) or data.texts(item.get("creator"))
    yield Stated("authors", names(authors), where)
    for field, name in (
        ("published", "datePublished"),
        ("modified", "dateModified"),
        ("url", "url"),
        ("url", "mainEntityOfPage"),
        ("licence", "license"),
    ):
        for text in data.texts(item.get(name), "url", "@id")[:1]:
            yield from _of(field, text, where)


# --- The forms of values ------------------------------------------------------------------


def clean(text: str) -> str:
    """Return a text on one line, without tags, and with characters for their HTML names.

    Characters that nobody sees are left out, but for joiners, which some scripts need.
    """
    text = re.sub(r"</?[a-zA-Z][^<>]{0,200}>", "", html.unescape(text[:_LONGEST_VALUE]))
    return " ".join("".join(map(_visible, text)).split())


def _visible(character: str) -> str:
    if character.isprintable() or character in "\u200c\u200d":
        return character
    return "" if unicodedata.category(character) == "Cf" else " "


def names(texts: Iterable[str], *, has_commas: bool = False) -> tuple[str, ...]:
    """Return the names of authors: "By A. Reporter and B. Writer" are two.

    With `has_commas` a comma is part of a name. Addresses are left out.
    """
    found: list[str] = []
    for text in texts:
        text = _BY.sub("", clean(text), count=1) if _BY.match(clean(text)) else clean(text)
        parts = [part for part in _BETWEEN_NAMES.split(text) if part]
        if has_commas or not all(map(_NAME.fullmatch, parts)):
            parts = re.split(r"\s*;\s*", text)
        found += [part for part in parts if part and not re.match(r"https?:|www\.|@|/", part)]
    return tuple(dict.fromkeys(found))[:_MOST_VALUES]


def date(text: str) -> str:
    """Return a date in EDTF: of ISO 8601 in its many forms, or as in e-mail; else the text."""
    text = re.sub(r"^(\d{4})(\d\d)(\d\d)(?=T|$)", r"\1-\2-\3", clean(text), flags=re.ASCII)
    if match := _DATE.fullmatch(text):
        year, _, month, day, hour, minute, second, zone = match.groups()
        parts = "-".join(part.zfill(2) for part in (year, month, day) if part)
        clock = ":".join(filter(None, (hour, minute, second)))
        return f"{parts}T{clock}{_zone(zone or '')}" if clock else parts
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return text
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _zone(zone: str) -> str:
    if zone in ("UTC", "GMT", "Z"):
        return "Z"
    return f"{zone[:3]}:{zone[3:].lstrip(':') or '00'}" if zone else ""


def language(text: str) -> str:
    """Return a language as a tag: "en_US" is "en-US", "EN" is "en"."""
    first, *rest = text.replace("_", "-").partition(".")[0].split("-")
    return "-".join((first.lower(), *rest))


def _without_site(title: str, sites: Iterable[str]) -> str:
    """Return a title without the name of its site behind it: "A bridge falls - The Paper"."""
    match = re.fullmatch(r"(.+\S)\s+[-–—|:·»]\s+(\S.*)", title)
    return match[1] if match and match[2].casefold() in sites else title
