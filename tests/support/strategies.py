"""Well-formed statements for hypothesis: small, varied, and valid for any log of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from timeline.model.invisible import deceiving, one_form
from timeline.model.vocabulary import plover

Fields = dict[str, Any]

EVENT_IDS = ("odesa-visit", "port-strike", "minsk_2")
SOURCE_IDS = ("nato-release", "suspilne-0415")
SOURCES: tuple[Fields, ...] = (
    {
        "title": "NATO Secretary General visits Odesa",
        "publisher": "NATO",
        "url": "https://example.org/nato/odesa",
        "published": "2025-04-15",
        "language": "en",
        "reliability": "B",
        "media_type": "text/html",
    },
    {
        "source_id": "suspilne-odesa",
        "title": "Рютте та Зеленський в Одесі",
        "authors": ["Олена Коваль", "Ivan O'Neil"],
        "archive_url": "http://example.org/archive/1?a=b&c=%20#d",
        "accessed": "2025-04-16T08:30",
        "licence": "CC-BY-4.0",
        "text_sha256": "sha256:" + "0a" * 32,
    },
    {"url": "https://example.org/only-an-address"},
)
"""Inline sources. An event may cite any of them: the same address is the same source."""

_LINE_BREAKS = "\x00\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_ANY_LINE = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters=_LINE_BREAKS), min_size=1
)
_ANY_TEXT = st.text(
    st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1
)


def _says_something(text: str) -> bool:
    return bool(text.strip()) and not deceiving(text)


lines = st.sampled_from(
    ("Odesa", "Mark Rutte", "Володимир Зеленський", 'the "Black Sea"', r"back\slash", "ไทย 😀")
) | _ANY_LINE.map(one_form).filter(_says_something)
texts = st.sampled_from(("First line.\nSecond line.", "tab\there")) | _ANY_TEXT.filter(
    _says_something
)
words = st.sampled_from(("visit", "Sea", "GOV", "drone", "black sea")) | st.text(
    st.characters(codec="latin-1", exclude_characters=_LINE_BREAKS), min_size=1, max_size=12
).map(one_form).filter(_says_something)
ids = st.from_regex(r"[a-z0-9][a-z0-9_-]{2,9}", fullmatch=True)
dates = st.sampled_from(
    (
        "2025-04-15",
        "2025-04-15T10:15",
        "2025-04-15T10:15:30+03:00",
        "2025-04",
        "2025-33",
        "2025-24",
        "2025",
        "2025-04~",
        "2025-XX",
        "20XX",
        "../2025-04-15",
        "2025-04-15/2025-04-20?",
        "-0043-03-15",
        "Y-13800000000",
        "15 April 2025",
        "first quarter of 2025",
        "around April 2025",
        "before 15 April 2025",
    )
) | st.dates().map(str)
numbers = st.one_of(
    st.integers(-(10**20), 10**20),
    st.integers(-(10**6), 10**6).map(lambda cents: cents / 100),
    st.decimals(-(10**9), 10**9, places=4).map(str),
    st.sampled_from(("35", "35.0", "3.5e1", " 1e38 ", 0, "-0", "0." + "0" * 37 + "1")),
)
countries = st.sampled_from(("UKR", "ua", "Ukraine", "NLD", "the Netherlands", "XKX"))
wikidata = st.integers(1, 10**12 - 1).map("Q{}".format)
offsets = st.tuples(st.integers(0, 50), st.integers(1, 50)).map(lambda pair: (pair[0], sum(pair)))


def _fields(needed: dict[str, SearchStrategy[Any]], **others: SearchStrategy[Any]) -> Any:
    return st.fixed_dictionaries(needed, optional=others)


def _lists(items: SearchStrategy[Any], longest: int = 3) -> SearchStrategy[list[Any]]:
    return st.lists(items, max_size=longest)


places = st.builds(
    lambda place, point: {**place, **(point or {})},
    _fields(
        {"name": lines},
        country=countries,
        admin1=lines,
        geo_precision=st.integers(1, 7) | st.integers(1, 7).map(str),
    ),
    st.none()
    | _fields(
        {
            "lat": st.decimals(-90, 90, places=5).map(str) | st.integers(-90, 90),
            "lon": st.decimals(-180, 180, places=5).map(float),
        }
    ),
) | st.fixed_dictionaries({"country": countries})

participants = _fields(
    {"name": lines},
    actor_id=ids,
    role=st.sampled_from(("actor", "recipient", "host", "mediator", "participant", "speaker")),
    as_named=lines,
    office=lines,
    country=countries,
    organisation=lines,
    sector=words,
    wikidata=wikidata,
)


def quantities(source_ids: SearchStrategy[list[str]]) -> SearchStrategy[Fields]:
    """Figures: money or a count of something, with one number at least."""
    common: dict[str, SearchStrategy[Any]] = {
        "qualifier": st.sampled_from(("exact", "more_than", "at_least", "about")),
        "dated": dates,
        "reported_by": lines,
        "source_ids": source_ids,
    }
    figures = st.dictionaries(st.sampled_from(("value", "low", "high")), numbers, min_size=1)
    people = _fields({"measure": st.sampled_from(("killed", "Injured"))}, **common)
    others = _fields(
        {
            "measure": st.sampled_from(("pledged", "delivered", "Drones Shot Down")),
            "unit": st.sampled_from(("EUR", "USD", "person", "Tonne", "patriot  battery")),
        },
        **common,
    )
    return st.builds(lambda what, figure: {**what, **figure}, people | others, figures)


def claims(source_ids: SearchStrategy[list[str]]) -> SearchStrategy[Fields]:
    """What somebody asserts, denies or disputes."""
    stances = st.sampled_from(("asserts", "denies", "disputes"))
    found: SearchStrategy[Fields] = _fields(
        {"speaker": lines}, stance=stances, statement=texts, source_ids=source_ids
    )
    return found


def citations(
    known_sources: Sequence[str], inline: SearchStrategy[Fields]
) -> SearchStrategy[Fields]:
    """A source that is known by its id, or given whole; with or without a quote."""
    named = [inline.map(lambda source: {"source": source})]
    if known_sources:
        named.append(st.sampled_from(known_sources).map(lambda key: {"source_id": key}))
    quotes = st.none() | st.builds(
        lambda quote, span: {"quote": quote, "quote_start": span[0], "quote_end": span[1]},
        _ANY_TEXT,
        offsets,
    )
    rest = _fields({}, source_version=st.integers(1, 9), credibility=st.integers(1, 6))
    return st.builds(
        lambda source, quote, more: {**source, **(quote or {}), **more},
        st.one_of(named),
        quotes,
        rest,
    )


sources = _fields(
    {"title": lines},
    source_id=ids,
    publisher=lines,
    authors=_lists(lines),
    url=st.sampled_from(("https://example.org/a", "HTTP://Example.org:8080/ä?q=1#x")),
    archive_url=st.just("https://example.org/archive"),
    published=dates,
    accessed=dates,
    language=st.sampled_from(("en", "uk", "pt-BR", "zh-Hant-TW")),
    licence=lines,
    reliability=st.sampled_from("ABCDEF"),
    media_type=words,
    text_sha256=st.binary(min_size=32, max_size=32).map(lambda digest: "sha256:" + digest.hex()),
)
"""Any source; two of them may say different things of one address."""


def media(known_sources: Sequence[str], files: SearchStrategy[Fields]) -> SearchStrategy[Fields]:
    """Pictures, documents, films and recordings; those of `files` have a hash."""
    urls = st.sampled_from(("https://example.org/a.jpg", "http://example.org/b?c=1&d=%20"))
    about: dict[str, SearchStrategy[Any]] = {
        "alt": texts,
        "caption": texts,
        "credit": lines,
        "licence": lines,
        "media_type": st.sampled_from(("image/jpeg", "video/mp4", "application/vnd.a+b")),
    }
    if known_sources:
        about["source_id"] = st.sampled_from(known_sources)
    size = st.none() | st.tuples(st.integers(1, 100_000), st.integers(1, 100_000))
    elsewhere = _fields(
        {"kind": st.sampled_from(("image", "document", "video", "audio")), "url": urls}, **about
    )
    return st.builds(
        lambda medium, size: {**medium, **({"width": size[0], "height": size[1]} if size else {})},
        elsewhere | files,
        size,
    )


files = _fields(
    {
        "kind": st.sampled_from(("image", "document")),
        "sha256": st.binary(min_size=32, max_size=32).map(lambda each: "sha256:" + each.hex()),
        "alt": texts,
    },
    url=st.just("https://example.org/a.jpg"),
    caption=texts,
)
"""Any attached file; most are not in any log."""


def events(
    *,
    known_events: Sequence[str] = EVENT_IDS,
    known_sources: Sequence[str] = SOURCE_IDS,
    inline: SearchStrategy[Fields] | None = None,
    attached: SearchStrategy[Fields] | None = None,
) -> SearchStrategy[Fields]:
    """Well-formed events, as dicts such as a file of input holds, with any field of `Event`.

    Relations and citations lead to `known_events` and `known_sources`: with both empty, any
    log of the default vocabulary takes every one of them. `attached` are files that are attached.
    Their own ids begin with "e-". External ids may repeat from one event to another.
    """
    terms = plover()
    source_ids = _lists(st.sampled_from(known_sources)) if known_sources else st.just([])
    relation_types = (
        "part_of",
        "follows",
        "responds_to",
        "condition_of",
        "fulfils",
        "contradicts",
        "same_as",
        "about",
    )
    relations = [
        _fields({"type": st.sampled_from(relation_types), "event_id": st.just(event_id)})
        for event_id in known_events
    ]
    relations.append(
        _fields(
            {
                "type": st.sampled_from(relation_types),
                "event_id": ids,
                "origin": st.sampled_from(("example.org/elsewhere", "timeline-0123")),
            }
        )
    )
    cited = citations(known_sources, st.sampled_from(SOURCES) if inline is None else inline)
    found: SearchStrategy[Fields] = _fields(
        {"title": lines, "occurred": dates},
        event_id=ids.map("e-{}".format),
        summary=texts,
        note=texts,
        event_type=st.sampled_from([t.code for t in terms.event_types])
        | st.sampled_from([t.label for t in terms.event_types]),
        mode=st.sampled_from([t.code for t in terms.modes]),
        contexts=_lists(st.sampled_from([t.code for t in terms.contexts])),
        tags=_lists(words),
        occurred_text=lines,
        occurred_basis=st.sampled_from(("stated", "resolved", "inferred")),
        place=places,
        about_place=places,
        participants=_lists(participants),
        quantities=_lists(quantities(source_ids)),
        claims=_lists(claims(source_ids)),
        relations=_lists(st.one_of(relations)),
        citations=_lists(cited),
        modality=st.sampled_from(("actual", "ongoing", "planned", "hypothetical", "negated")),
        verification=st.sampled_from(("reported", "corroborated", "disputed", "refuted")),
        media=_lists(media(known_sources, st.nothing() if attached is None else attached)),
        highlight=st.booleans(),
        external_ids=_lists(
            st.builds(
                "{}:{}".format,
                st.sampled_from(("gdelt", "ucdp", "x-my.csv")),
                st.integers(0, 10**9),
            )
        ),
        extra=st.dictionaries(
            st.sampled_from(("gdelt", "csv")),
            st.dictionaries(st.sampled_from(("GoldsteinScale", "Spalte Ä", "~/x")), texts),
            max_size=2,
        ),
    )
    return found
