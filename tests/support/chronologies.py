"""Chronologies read back by parsers that are not ours."""

from __future__ import annotations

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
                found.notes[note] = (said, addresses)
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
