"""Write the messages of the code into the catalogues of each language: `make catalogues`.

A translation stays while its message stays; one whose message is gone is removed. A new message has
an empty translation. The files have no dates and no numbers of lines, so that they change only with
their messages.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po
from running import CHECKOUT

from timeline.languages.translation import CATALOGUES, LANGUAGES

METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
"""What is read for messages, and by which method of Babel."""
OPTIONS = {"**/templates/**.html": {"trimmed": "true", "newstyle_gettext": "true"}}
KEYWORDS: dict[str, tuple[int | tuple[int, str], ...]] = {
    "_": (1,),
    "gettext": (1,),
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
"""The functions whose texts are messages, with the places of these among their arguments."""
TRANSLATED = [language for language in LANGUAGES if language != "en"]


def extracted() -> Catalog:
    """Return all messages of the code and of the templates."""
    found = Catalog()
    room = CHECKOUT / "timeline"
    for path, _, text, _, context in extract_from_dir(room, METHODS, OPTIONS, KEYWORDS):
        found.add(text, locations=[(f"timeline/{Path(path).as_posix()}", 1)], context=context)
    return found


def messages(catalogue: Catalog) -> Iterator[Message]:
    """Yield the messages of a catalogue without its head."""
    return (message for message in catalogue if message.id)


def read(language: str, folder: Path = CATALOGUES) -> Catalog:
    """Return the catalogue of a language; an empty one if there is no file."""
    path = folder / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language)
    with path.open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def text_of(catalogue: Catalog) -> str:
    """Return a catalogue as the text of its file."""
    forms = f"nplurals={catalogue.num_plurals}; plural={catalogue.plural_expr};"
    head = {
        "Language": catalogue.locale_identifier,
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": forms,
    }
    lines = ['msgid ""', 'msgstr ""', *(f'"{name}: {value}\\n"' for name, value in head.items())]
    written = io.BytesIO()
    write_po(
        written,
        catalogue,
        width=0,
        omit_header=True,
        sort_by_file=True,
        ignore_obsolete=True,
        include_lineno=False,
    )
    return "\n".join(lines) + "\n\n" + written.getvalue().decode().strip("\n") + "\n"


def updated(language: str, template: Catalog, folder: Path = CATALOGUES) -> Catalog:
    """Return the catalogue of a language with exactly the messages of a template."""
    old, new = read(language, folder), Catalog(locale=language)
    for message in messages(template):
        known = old.get(message.id, message.context)
        kept = known if known and known.id == message.id else None
        new.add(
            message.id,
            kept.string if kept else None,
            locations=message.locations,
            flags=(kept.flags if kept else set()) & {"fuzzy"},
            user_comments=kept.user_comments if kept else (),
            context=message.context,
        )
    return new


def main() -> None:
    template = extracted()
    for language in TRANSLATED:
        path = CATALOGUES / f"{language}.po"
        path.write_text(text_of(updated(language, template)), encoding="utf-8")


if __name__ == "__main__":
    main()
