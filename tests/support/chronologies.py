"""Chronologies read back by parsers that are not ours."""

from __future__ import annotations

import io
import re
from typing import Any, NamedTuple


class Read(NamedTuple):
    """What a reader of a chronology sees; footnotes by number, as (text, addresses)."""

    headings: list[tuple[int, str]]
    paragraphs: list[str]
    notes: dict[int, tuple[str, list[str]]]
    references: list[int]


def read_markdown(text: str) -> Read:
    """Read Markdown as CommonMark with the footnotes, tables and strike-throughs of GitHub."""
    from markdown_it import MarkdownIt
    from mdit_py_plugins.footnote import footnote_plugin

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).use(footnote_plugin)
    found = Read([], [], {}, [])
    note, is_heading = 0, 0
    for token in parser.parse(text):
        assert token.type not in ("html_block", "fence", "code_block", "hr", "table_open")
        if token.type == "footnote_open":
            note = int(token.meta["label"])
        elif token.type == "footnote_close":
            note = 0
        elif token.type == "heading_open":
            is_heading = int(token.tag[1])
        elif token.type == "inline":
            said, addresses = _said(token.children or (), found)
            if note:
                found.notes[note] = (said.strip(" "), addresses)
            elif is_heading:
                found.headings.append((is_heading, said))
                is_heading = 0
            else:
                found.paragraphs.append(said)
    return found


def _said(tokens: Any, found: Read) -> tuple[str, list[str]]:
    parts, addresses, in_link = [], [], False
    for token in tokens:
        match token.type:
            case "text":
                parts.append("" if in_link else token.content)
            case "softbreak" | "hardbreak":
                parts.append("\n")
            case "link_open":
                assert token.markup == "autolink"  # no text became a link
                addresses.append(token.attrs["href"])
                in_link = True
            case "link_close":
                in_link = False
            case "footnote_ref":
                found.references.append(int(token.meta["label"]))
            case "s_open" | "s_close" | "footnote_anchor":
                pass
            case other:
                raise AssertionError(f"{other}: {token.content}")
    return "".join(parts), addresses


_STYLES = """
p[style-name='Title'] => h1:fresh
p[style-name='heading 1'] => h2:fresh
p[style-name='heading 2'] => h3:fresh
p[style-name='Quote'] => p:fresh
r[style-name='footnote reference'] => b
"""


def read_word(content: bytes) -> Read:
    """Read a file of Word; its footnotes must be those of Word."""
    import lxml.html
    import mammoth

    result = mammoth.convert_to_html(io.BytesIO(content), style_map=_STYLES)
    assert [each.message for each in result.messages if "unrecognised" in each.message] == []
    found = Read([], [], {}, [])
    for element in lxml.html.fragment_fromstring(result.value, create_parent=True):
        if element.tag == "ol":
            for number, note in enumerate(element, 1):
                assert note.get("id") == f"footnote-{number}"
                (*links, back) = note.iter("a")
                assert back.get("href") == f"#footnote-ref-{number}"
                for each in (*links, back):
                    each.text = ""
                said = note.text_content().strip(" ")
                found.notes[number] = (said, [each.get("href") for each in links])
            continue
        for part in element if element.tag == "ul" else [element]:
            for each in [*part.iter("b")]:  # the mark of a footnote, or its number again
                found.references.extend(map(int, re.findall("[0-9]+", each.text_content())))
                each.drop_tree()
            for each in part.iter("a"):
                assert each.get("href", "http").startswith("http")
                each.text = ""
            for each in part.iter("br"):
                each.tail = f"\n{each.tail or ''}"
            said = part.text_content()
            if element.tag in ("h1", "h2", "h3"):
                found.headings.append((int(element.tag[1]), said))
            else:
                found.paragraphs.append(said)
    return found
