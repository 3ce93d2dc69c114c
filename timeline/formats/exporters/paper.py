"""HTML of its own, which has a chronology to print: sources below each event, pages numbered.

Guarantees: the page loads nothing and runs nothing; every text is escaped, and every link leads to
http or https. It prints on any paper: no event is broken over two pages unless it is longer than
one, and each sheet has the title, the state of the log and its number at its edge.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence

from timeline.formats.about import About
from timeline.formats.chronology import Footnote, Paragraph, chronology, links
from timeline.formats.markup import escaped, is_link
from timeline.languages.translation import current, gettext
from timeline.reading.rows import EventDict

_STYLES = """
:root { color-scheme: light; }
html { --title: attr(data-title); --state: attr(data-state); }
body { background: #fff; color: #111; font: 1rem/1.45 "Source Serif 4", Georgia, serif;
  margin: 2rem auto; max-width: 42rem; padding: 0 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 0.5rem; }
h2 { border-bottom: 1px solid #888; font-size: 1.1rem; margin: 1.6rem 0 0.6rem; }
h3 { font-size: 1rem; margin: 0.9rem 0 0.15rem; }
h2, h3, .facts { break-after: avoid; }
p, ul, ol { margin: 0.25rem 0; }
ul, ol { padding-inline: 2rem; }
article { break-inside: avoid; margin-block-end: 1rem; }
.front, .facts, .record, ol { color: #444; font-size: 0.87rem; }
.notice { border: 1px solid #444; padding: 0.3rem 0.6rem; }
.record { font-family: monospace; font-size: 0.78rem; }
sup { font-size: 0.72em; line-height: 0; }
a { color: inherit; }
@page { margin: 22mm 18mm 20mm;
  @top-left { content: var(--title); font: 8.5pt Georgia, serif; }
  @top-right { content: var(--state); font: 8.5pt Georgia, serif; }
  @bottom-right { content: counter(page) " / " counter(pages); font: 8.5pt Georgia, serif; } }
@media print { body { font-size: 10pt; margin: 0; max-width: none; padding: 0; }
  a { text-decoration: none; } }
"""

_OF_LOG = ("title", "notice", "headline", "text")
"""The paragraphs whose words are those of the log, and in its language."""
_TAGS = {"title": "h1", "day": "h2", "headline": "h3", "item": "li"}


def write(events: Iterable[EventDict], about: About) -> Generator[str, None, int]:
    """Yield one page, event by event. Leaves nothing out."""
    language = about.info.get("language", "en")
    yield _head(about)
    in_event: list[Paragraph] = []
    for paragraph in chronology(events, about):
        if in_event and paragraph.style in ("day", "headline", "front"):
            yield _article(in_event, language)
            in_event = []
        if in_event or paragraph.style == "headline":
            in_event.append(paragraph)
        else:
            yield f"{_element(paragraph, language)}\n"
    if in_event:
        yield _article(in_event, language)
    yield "</main>\n</body>\n</html>\n"
    return 0


def _head(about: About) -> str:
    title = escaped(about.info.get("title", ""))
    state = escaped(gettext("State of {state}").format(state=about.state))
    return (
        f'<!DOCTYPE html>\n<html lang="{current()}" dir="{"rtl" if current() == "ar" else "ltr"}"'
        f' data-title="{title}" data-state="{state}">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="robots" content="noindex">\n<title>{title}</title>\n'
        f"<style>{_STYLES}</style>\n</head>\n<body>\n<main>\n"
    )


def _article(paragraphs: Sequence[Paragraph], language: str) -> str:
    """Return an event, with the sources that are new below it, each on a line of its own."""
    *said, record = paragraphs
    notes: dict[int, Footnote] = {}
    parts = ["<article>"]
    for place, paragraph in enumerate(said):
        is_item = paragraph.style == "item"
        if is_item and said[place - 1].style != "item":
            parts.append("<ul>")
        parts.append(_element(paragraph, language))
        if is_item and (place + 1 == len(said) or said[place + 1].style != "item"):
            parts.append("</ul>")
        notes |= {note.number: note for note in paragraph.notes}
    if notes:
        parts += ["<ol>", *map(_source, notes.values()), "</ol>"]
    return "\n".join([*parts, _element(record, language), "</article>\n"])


def _element(paragraph: Paragraph, language: str) -> str:
    tag = _TAGS.get(paragraph.style, "p")
    name = f' class="{paragraph.style}"' if tag == "p" else ""
    of_log = f' lang="{escaped(language)}"' if paragraph.style in _OF_LOG else ""
    said = escaped(paragraph.text).replace("\n", "<br>")
    if paragraph.is_struck:
        said = f"<del>{said}</del>"
    marks = ", ".join(str(note.number) for note in paragraph.notes)
    marks = f"<sup>{marks}</sup>" if marks else ""
    link = f" {_address(paragraph.link)}" if paragraph.link else ""
    return f'<{tag}{name}{of_log} dir="auto">{said}{marks}{link}</{tag}>'


def _source(note: Footnote) -> str:
    parts = [escaped(note.text), *(f"{words}{_address(url)}" for words, url in links(note))]
    return f'<li value="{note.number}" dir="auto">{"; ".join(parts)}</li>'


def _address(address: str) -> str:
    """Return an address as a link; one that may be none as text."""
    words = escaped(address)
    return f'<a href="{words}">{words}</a>' if is_link(address) else words
