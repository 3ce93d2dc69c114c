"""Word (DOCX, ECMA-376), which has a chronology with real footnotes that people edit and print.

Guarantees: every text is text in Word, but for characters that XML cannot hold, which become
U+FFFD; every link leads to http or https. The same state of a log gives the same bytes. The extra
`docx` is needed; only this module imports it.
"""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from timeline.errors import TimelineError
from timeline.formats.about import About
from timeline.formats.chronology import Footnote, Paragraph, chronology, links
from timeline.formats.markup import for_xml, is_link
from timeline.reading.rows import EventDict

if TYPE_CHECKING:
    from docx.document import Document
    from docx.opc.part import Part

_STYLES = {
    "title": "Title",
    "notice": "Quote",
    "day": "Heading1",
    "headline": "Heading2",
    "item": "ListBullet",
}
"""The ids of the styles of paragraphs; those of others are "Normal"."""
_KEPT = ("facts",)
"""The paragraphs that stay on the page of the next one, as headings do by their style."""
_NOTE, _REFERENCE, _LINK = "FootnoteText", "FootnoteReference", "Hyperlink"
_FOOTNOTES = """
<w:footnotes xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"
 xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
<w:footnote w:type="separator" w:id="-1"><w:p><w:r><w:separator/></w:r></w:p></w:footnote>
<w:footnote w:type="continuationSeparator" w:id="0"><w:p><w:r><w:continuationSeparator/></w:r></w:p>
</w:footnote></w:footnotes>"""
_NAMESPACE = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"
_PIECE = 2**16
"""Bytes of a piece of a file."""


def write(events: Iterable[EventDict], about: About) -> Generator[bytes, None, int]:
    """Yield one document. Leaves nothing out.

    The whole document is in memory: 150 kB for an event with seven sources. Raises TimelineError
    if the extra `docx` is not installed.
    """
    try:
        import docx
    except ImportError:
        problem = "Word is written by an extra: pip install 'timeline-store[docx]'"
        raise TimelineError(problem) from None
    document = docx.Document()
    _prepare(document, about)
    writer = _Writer(document)
    for paragraph in chronology(events, about):
        writer.add(paragraph)
    content = _same_bytes(document)
    for start in range(0, len(content), _PIECE):
        yield content[start : start + _PIECE]
    return 0


class _Writer:
    """A writer of paragraphs and footnotes into the parts of a document.

    python-docx has no footnotes, so their part is made here, and related to that of the text.
    """

    def __init__(self, document: Document) -> None:
        from docx.opc.constants import CONTENT_TYPE, RELATIONSHIP_TYPE
        from docx.opc.packuri import PackURI
        from docx.opc.part import XmlPart
        from docx.oxml.parser import parse_xml

        self._text = document.part
        self._end = document.element.body.sectPr
        self._notes = XmlPart(
            PackURI("/word/footnotes.xml"),
            CONTENT_TYPE.WML_FOOTNOTES,
            parse_xml(_FOOTNOTES),
            document.part.package,
        )
        self._text.relate_to(self._notes, RELATIONSHIP_TYPE.FOOTNOTES)
        self._written = 0

    def add(self, paragraph: Paragraph) -> None:
        """Add a paragraph at the end of the text, with the footnotes that are new."""
        words = for_xml(paragraph.text)
        made = _paragraph(
            self._end,
            _STYLES.get(paragraph.style, "Normal"),
            words,
            is_kept=paragraph.style in _KEPT,
        )
        run_of(made, words, is_struck=paragraph.is_struck)
        for place, note in enumerate(paragraph.notes):
            if place:
                run_of(made, ",", _REFERENCE)
            self._refer(made, note)
        if paragraph.link:
            run_of(made, " ")
            _address(made, paragraph.link, self._text)
        self._end.addprevious(made)

    def _refer(self, made: Any, note: Footnote) -> None:
        """Refer to a footnote: by its mark, and later by a field that repeats the number."""
        mark = f"_Note{note.number}"
        if note.number <= self._written:
            _field(made, f" NOTEREF {mark} \\f \\h ", str(note.number), _REFERENCE)
            return
        self._written = note.number
        number = str(note.number)
        _added(made, "bookmarkStart", id=number, name=mark)
        _added(run_of(made, "", _REFERENCE), "footnoteReference", id=number)
        _added(made, "bookmarkEnd", id=number)
        footnote = _added(self._notes.element, "footnote", id=number)
        words = for_xml(note.text)
        line = _paragraph(footnote, _NOTE, words)
        footnote.append(line)
        _added(run_of(line, "", _REFERENCE), "footnoteRef")
        run_of(line, f" {words}")
        for before, address in links(note):
            run_of(line, f"; {before}")
            _address(line, address, self._notes)


# --- Elements of WordprocessingML ---------------------------------------------------------


def _added(parent: Any, tag: str, **attributes: str) -> Any:
    """Add an element with attributes of its own namespace, and return it."""
    child = _element(parent, tag, **attributes)
    parent.append(child)
    return child


def _element(beside: Any, tag: str, **attributes: str) -> Any:
    """Return a new element for the document of another one."""
    return beside.makeelement(
        f"{_NAMESPACE}{tag}", {f"{_NAMESPACE}{name}": value for name, value in attributes.items()}
    )


def _paragraph(beside: Any, style: str, words: str, *, is_kept: bool = False) -> Any:
    made = _element(beside, "p")
    properties = _added(made, "pPr")
    _added(properties, "pStyle", val=style)
    if is_kept:
        _added(properties, "keepNext")
    if _is_from_the_right(words):
        _added(properties, "bidi")
    return made


def run_of(parent: Any, words: str, style: str = "", *, is_struck: bool = False) -> Any:
    """Add a text, which may have line breaks, and return its element."""
    run = _added(parent, "r")
    is_from_the_right = _is_from_the_right(words)
    if style or is_struck or is_from_the_right:
        properties = _added(run, "rPr")
        if style:
            _added(properties, "rStyle", val=style)
        if is_struck:
            _added(properties, "strike")
        if is_from_the_right:
            _added(properties, "rtl")
    for part in re.split("(\r\n|[\r\n\t])", words):
        if part == "\t":
            _added(run, "tab")
        elif part.strip("\r\n"):
            text = _added(run, "t")
            text.text = part
            text.set(_SPACE, "preserve")
        elif part:
            _added(run, "br")
    return run


def _field(parent: Any, instruction: str, shown: str, style: str = "") -> None:
    """Add a field, which Word fills when it is told to, and what is shown until then."""
    for kind in ("begin", "separate", "end"):
        _added(run_of(parent, "", style), "fldChar", fldCharType=kind)
        if kind == "begin":
            words = _added(run_of(parent, "", style), "instrText")
            words.text = instruction
            words.set(_SPACE, "preserve")
        elif kind == "separate":
            run_of(parent, shown, style)


def _address(parent: Any, address: str, part: Part) -> None:
    """Add an address as a link; one that may be none as text."""
    from docx.opc.constants import RELATIONSHIP_TYPE
    from docx.oxml.ns import qn

    words = for_xml(address)
    if not is_link(address):
        run_of(parent, words)
        return
    name = f"rLink{len(part.rels)}"
    part.rels.add_relationship(RELATIONSHIP_TYPE.HYPERLINK, words, name, is_external=True)
    link = _added(parent, "hyperlink")
    link.set(qn("r:id"), name)
    run_of(link, words, _LINK)


def _is_from_the_right(words: str) -> bool:
    """Tell whether the first letter of a text is one of Hebrew or Arabic."""
    kinds = (unicodedata.bidirectional(each) for each in words)
    return next((kind != "L" for kind in kinds if kind in ("L", "R", "AL")), False)


# --- The document around them -------------------------------------------------------------


def _prepare(document: Document, about: About) -> None:
    """Set styles, page, header, footer and properties."""
    from docx.enum.style import WD_STYLE_TYPE
    from docx.oxml.ns import qn
    from docx.shared import Mm, Pt, RGBColor

    styles = document.styles
    styles["Normal"].font.size = Pt(10.5)
    styles["Normal"].paragraph_format.space_after = Pt(5)
    for name, size in (("Title", 22), ("Heading 1", 14), ("Heading 2", 12)):
        styles[name].font.color.rgb = RGBColor(0, 0, 0)
        styles[name].font.size = Pt(size)
    note = styles.add_style("footnote text", WD_STYLE_TYPE.PARAGRAPH, builtin=True)
    note.font.size = Pt(9)
    reference = styles.add_style("footnote reference", WD_STYLE_TYPE.CHARACTER, builtin=True)
    reference.font.superscript = True
    link = styles.add_style("Hyperlink", WD_STYLE_TYPE.CHARACTER, builtin=True)
    link.font.underline = True
    note.element.styleId, reference.element.styleId = _NOTE, _REFERENCE
    for language in styles.element.iter(qn("w:lang")):
        language.set(qn("w:val"), about.info.get("language", "en"))
    compatible = document.settings.element.find(qn("w:compat"))
    kept = _added(document.settings.element, "footnotePr")
    for separator in ("-1", "0"):
        _added(kept, "footnote", id=separator)
    compatible.addprevious(kept)
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm(25)
    title = for_xml(about.info.get("title", ""))
    section.header.paragraphs[0].text = f"{title}\nState of {for_xml(about.state)}"
    foot = section.footer.paragraphs[0]._p
    _field(foot, " PAGE ", "1")
    run_of(foot, " / ")
    _field(foot, " NUMPAGES ", "1")
    _describe(document, title, about.info)


def _describe(document: Document, title: str, info: Mapping[str, Any]) -> None:
    """Write the properties of the file, without those of the template it is made of."""
    said = document.core_properties
    said.title, said.language = title[:255], str(info.get("language", "en"))
    said.author = said.last_modified_by = for_xml(info.get("publisher", ""))[:255]
    said.comments = said.keywords = said.subject = said.category = ""
    for element in [*said._element]:
        if element.tag.endswith(("}created", "}modified")):
            said._element.remove(element)
    relations = document.part.package.rels
    for name in [name for name, each in relations.items() if each.reltype.endswith("/thumbnail")]:
        del relations[name]


def _same_bytes(document: Document) -> bytes:
    """Return the file of a document, without the time at which it was made."""
    made, same = io.BytesIO(), io.BytesIO()
    document.save(made)
    with (
        zipfile.ZipFile(made) as parts,
        zipfile.ZipFile(same, "w", zipfile.ZIP_DEFLATED) as written,
    ):
        for name in _first_the_types(parts.namelist()):
            info = zipfile.ZipInfo(name)
            info.compress_type, info.create_system = zipfile.ZIP_DEFLATED, 3
            written.writestr(info, parts.read(name))
    return same.getvalue()


def _first_the_types(names: Iterable[str]) -> Iterator[str]:
    """Yield the names of parts in a fixed order, first the list of types, as readers expect."""
    yield from sorted(names, key=lambda name: (name != "[Content_Types].xml", name))
