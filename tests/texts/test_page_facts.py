"""What a page says of itself is read from its tags, in the order of trust, and never fails."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trafilatura
from hypothesis import given
from hypothesis import strategies as st

from timeline.texts.page_facts import Stated, date, names, stated
from timeline.writing.stated_facts import Chosen, chosen


def said_by(head: str, body: str = "", attributes: str = "") -> tuple[Stated, ...]:
    page = f"<html {attributes}><head>{head}</head><body><p>Words.</p>{body}</body></html>"
    return stated(trafilatura.load_html(page))


def facts(head: str, body: str = "", attributes: str = "") -> Chosen:
    return chosen(said_by(head, body, attributes))


def json_ld(*values: Any) -> str:
    return "".join(
        f'<script type="application/ld+json">{json.dumps(value)}</script>' for value in values
    )


def meta(**texts: str) -> str:
    return "".join(f'<meta name="{name}" content="{text}">' for name, text in texts.items())


ARTICLE = {
    "@context": "https://schema.org",
    "@type": "NewsArticle",
    "headline": "Dam &amp; bridge give way",
    "datePublished": "2025-04-16T09:00:00.000+02:00",
    "author": [{"@type": "Person", "name": "Dana Orr"}, {"@type": "Person", "name": "Amy Holt"}],
    "publisher": {"@type": "Organization", "name": "The Valley Paper"},
    "mainEntityOfPage": {"@type": "WebPage", "@id": "https://valley.example/dam"},
    "inLanguage": "en-GB",
    "license": "https://valley.example/licence",
}
WANTED = {
    "title": "Dam & bridge give way",
    "publisher": "The Valley Paper",
    "authors": ["Dana Orr", "Amy Holt"],
    "url": "https://valley.example/dam",
    "published": "2025-04-16T09:00:00+02:00",
    "language": "en-GB",
    "licence": "https://valley.example/licence",
}


@pytest.mark.parametrize(
    "values",
    [
        (ARTICLE,),
        ([ARTICLE],),
        ({"@graph": [{"@type": "WebSite", "name": "Home"}, ARTICLE]},),
        ({"@type": ["WebPage"], "name": "A page", "mainEntity": ARTICLE},),
        ({**ARTICLE, "@type": ["Thing", "https://schema.org/ReportageNewsArticle"]},),
        ({"@type": "BreadcrumbList"}, ARTICLE),
        (
            {
                "@graph": [
                    {**ARTICLE, "author": {"@id": "#a"}, "publisher": {"@id": "#p"}},
                    {"@type": "Person", "@id": "#a", "name": "Dana Orr and Amy Holt"},
                    {"@type": "Organization", "@id": "#p", "name": "The Valley Paper"},
                ]
            },
        ),
    ],
    ids=["object", "list", "graph", "main entity", "types", "several", "references"],
)
def test_json_ld_of_an_article_is_read_in_all_its_forms(values: tuple[Any, ...]) -> None:
    assert facts(json_ld(*values)).fields == WANTED


def test_the_article_of_a_page_counts_not_those_that_it_lists() -> None:
    listing = {"@type": "ItemList", "itemListElement": [{**ARTICLE, "headline": "Another"}]}
    page = {"@type": "WebPage", "hasPart": {**ARTICLE, "headline": "A part"}, "name": "The page"}
    assert facts(json_ld(listing, page)).fields == {"title": "The page"}


def test_one_order_of_trust_holds_for_all_fields() -> None:
    dublin = meta(**{"DC.title": "Dublin", "DC.creator": "Orr, Dana", "dcterms.issued": "2019"})
    graph = (
        '<meta property="og:title" content="Graph"><meta property="og:url"'
        ' content="https://a.example/graph"><meta property="og:locale" content="de_AT">'
    )
    library = meta(
        citation_title="Library", citation_author="Holt, Amy", citation_publication_date="2021/5/3"
    )
    plain = "<title>Plain</title>" + meta(author="By Plain Name", date="2017")
    canonical = '<link rel="Canonical" href="https://a.example/canonical">'
    assert facts(plain).fields == {"title": "Plain", "authors": ["Plain Name"], "published": "2017"}
    assert facts(plain + dublin).fields == {
        "title": "Dublin",
        "authors": ["Orr, Dana"],
        "published": "2019",
    }
    found = facts(plain + dublin + graph)
    assert (found.fields["title"], found.fields["language"]) == ("Graph", "de-AT")
    assert (found.where["title"], found.where["published"]) == ("og:title", "dcterms.issued")
    found = facts(plain + dublin + graph + library)
    assert (found.fields["title"], found.fields["authors"]) == ("Library", ["Holt, Amy"])
    assert found.fields["published"] == "2021-05-03"
    found = facts(plain + dublin + graph + library + json_ld(ARTICLE))
    assert found.fields == WANTED
    found = facts(json_ld(ARTICLE) + graph + canonical, attributes='lang="fr"')
    assert (found.fields["url"], found.fields["language"]) == ("https://a.example/canonical", "fr")


def test_the_name_of_the_site_behind_a_title_is_left_out() -> None:
    site = '<meta property="og:site_name" content="The Wire">'
    for title in ("Dam - not a bridge - The Wire", "Dam - not a bridge | the wire"):
        assert facts(f"<title>{title}</title>{site}").fields["title"] == "Dam - not a bridge"
    assert facts(f"<title>Dam - not a bridge</title>{site}").fields["title"] == "Dam - not a bridge"


@pytest.mark.parametrize(
    ("text", "edtf"),
    [
        ("2025-04-16", "2025-04-16"),
        ("2025/04/16", "2025-04-16"),
        ("2025/4/6", "2025-04-06"),
        ("20250416", "2025-04-16"),
        ("2025-04", "2025-04"),
        ("2025", "2025"),
        ("2025-04-16T09:00:00-05:00", "2025-04-16T09:00:00-05:00"),
        ("2025-04-16T09:00:00.123456Z", "2025-04-16T09:00:00Z"),
        ("2025-04-16 09:00:00 +0530", "2025-04-16T09:00:00+05:30"),
        ("2025-04-16T09:00+02", "2025-04-16T09:00+02:00"),
        ("2025-04-16 09:00 UTC", "2025-04-16T09:00Z"),
        ("Wed, 16 Apr 2025 09:00:00 GMT", "2025-04-16T09:00:00Z"),
        ("Wed, 16 Apr 2025 09:00:00 -0500", "2025-04-16T09:00:00-05:00"),
        ("yesterday", "yesterday"),
    ],
)
def test_a_date_is_written_in_edtf(text: str, edtf: str) -> None:
    assert date(f" {text} ") == edtf


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["By A. Reporter"], ("A. Reporter",)),
        (["Written by: Ann Orr and Bo Holt"], ("Ann Orr", "Bo Holt")),
        (["Ann Orr, Bo Holt, and Cy Dee"], ("Ann Orr", "Bo Holt", "Cy Dee")),
        (["Orr, Ann; Holt, Bo"], ("Orr, Ann", "Holt, Bo")),
        (["Ministry of Health and Welfare"], ("Ministry of Health and Welfare",)),
        (["Олена Орр та Іван Голт"], ("Олена Орр", "Іван Голт")),
        (["Byron Hall"], ("Byron Hall",)),
        (["O&#39;Neil &amp; Sons"], ("O'Neil & Sons",)),
        (["https://social.example/ann", "Ann Orr", "Ann Orr"], ("Ann Orr",)),
        ([" ", "@ann"], ()),
    ],
)
def test_several_authors_are_several_names(texts: list[str], found: tuple[str, ...]) -> None:
    assert names(texts) == found


def test_the_day_in_a_time_tag_counts_if_it_is_marked_or_the_only_one() -> None:
    one = '<time datetime="2025-04-16T09:00Z">Wednesday</time>'
    other = '<time datetime="2024-01-01">New Year</time>'
    assert facts("", one).fields == {"published": "2025-04-16T09:00Z"}
    assert facts("", one + other).fields == {}
    marked = one.replace("<time", "<time itemprop='datePublished'")
    assert facts("", other + marked).fields == {"published": "2025-04-16T09:00Z"}


@pytest.mark.parametrize(
    ("head", "note"),
    [
        (
            '<link rel="canonical" href="/news/1">',
            'left out: "/news/1" in <link rel="canonical">: url must be a web address',
        ),
        (
            '<link rel="canonical" href="javascript:alert(1)">',
            'left out: "javascript:alert(1)" in <link rel="canonical">: url must be a web',
        ),
        (meta(date="soon"), 'left out: "soon" in date: published "soon" is not a date'),
        (meta(date="2025-02-31"), 'left out: "2025-02-31" in date: published '),
        (meta(citation_title="a" * 501), 'left out: "aaa'),
        (meta(**{"DC.language": "plain English"}), 'left out: "plain english" in dc.language: lan'),
        (
            '<script type="application/ld+json">{"@type": "NewsArticle", </script>',
            "left out: JSON-LD of the page, which is not JSON",
        ),
        (
            f'<script type="application/ld+json">"{"a" * 2**20}"</script>',
            "left out: JSON-LD of the page, which is longer than 1 MiB",
        ),
        (
            '<meta property="article:modified_time" content="2025-04-17">',
            'the page says when it was changed ("2025-04-17"), not when it was published',
        ),
    ],
)
def test_what_a_source_may_not_have_is_left_out_with_a_note(head: str, note: str) -> None:
    found = facts(head + "<title>A title</title>")
    assert found.fields == {"title": "A title"}
    assert len(found.notes) == 1
    assert found.notes[0].startswith(note)


def test_the_next_statement_counts_where_the_most_trusted_is_odd() -> None:
    found = facts(
        '<link rel="canonical" href="/a"><meta property="og:url" content="https://a.example/a">'
    )
    assert (found.fields, len(found.notes)) == ({"url": "https://a.example/a"}, 1)
    assert chosen(said_by('<link rel="canonical" href="/a">'), {"url"}).notes == []


def test_entities_tags_and_hidden_characters_are_taken_out() -> None:
    headline = "<em>Dam</em>\n&nbsp;gives\u00ad &#8220;way&#8221;\u202e"
    found = facts(json_ld({**ARTICLE, "headline": headline}))
    assert found.fields["title"] == "Dam gives “way”"
    url = "https://a.example/?a=1&amp;copy=2"
    assert facts(f'<meta property="og:url" content="{url}">').fields["url"].endswith("?a=1&copy=2")


def test_a_note_of_copyright_is_no_licence() -> None:
    for rights in ("© The Wire", "Copyright 2025 The Wire", "(c) The Wire"):
        assert facts(meta(**{"DC.rights": rights})).fields == {}
    assert facts(meta(**{"dc.rights": "CC BY 4.0"})).fields == {"licence": "CC BY 4.0"}


def test_json_ld_may_have_raw_line_breaks_and_stand_in_a_comment() -> None:
    data = '{"@type": "Article", "headline": "Two\nlines"}'
    for around in ("<!-- {} -->", "//<![CDATA[\n{}\n//]]>", "{};", " " * 1_000_000 + "{}"):
        script = around.replace("{}", data)
        found = facts(f'<script type="application/ld+json">{script}</script>')
        assert found.fields == {"title": "Two lines"}


_NAMES = ["@type", "@id", "@graph", "headline", "author", "name", "publisher", "inLanguage"]
_NAMES += ["url", "datePublished", "license", "mainEntity", "mainEntityOfPage"]
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["Article", "#a"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(_NAMES),
            inner,
            max_size=6,
        )
    ),
    max_leaves=20,
)


@given(_JSON, st.text(st.characters(exclude_characters="<>&\"'\x00", codec="utf-8")))
def test_nothing_that_a_page_says_is_an_error(value: Any, text: str) -> None:
    tags = meta(author=text, date=text, **{"DC.language": text, "DC.title": text})
    found = facts(json_ld(value) + tags, f'<time datetime="{text}">', f'lang="{text}"')
    assert all(found.fields.values())


def test_json_ld_may_be_as_deep_as_it_likes() -> None:
    script = f'<script type="application/ld+json">{"[" * 100_000}</script>'
    assert facts(script + "<title>A</title>").fields == {"title": "A"}
