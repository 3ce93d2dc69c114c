"""Every text of ours on a page comes from a catalogue.

The pages are shown in a language of which every message stands in ⟦brackets⟧, of a log whose texts
are known by a word. What has letters, is not of the log, and stands in no bracket, was overlooked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing

import catalogues
import pytest
import two_scripts
from babel.messages import Catalog
from lxml import html
from site_in_process import Site, open_site
from two_scripts import WORD, piece

from timeline.formats import labels, local_dates, prose_changes
from timeline.languages import translation
from timeline.model.names import actor_id_of
from timeline.proof import checkpoints
from timeline.proof.signed_note import SigningKey
from timeline.store import log, storage

ADDRESSES = (
    *two_scripts.PAGES,
    "/events?tag=port&type!=AGREE",
    f"/actors/{actor_id_of(piece('actor'))}",
    f"/actors/{actor_id_of(piece('actor'))}?as_of=%234",
    "/embed?tag=port&view=axis",
    *("/actors", "/sources", "/tags", "/types", "/countries", "/months", "/tags/port"),
    *("/types/CONSULT", "/countries/ISR", "/months/2025-04", "/known", "/events.html"),
    "/embed/events/talks",
    "/embed?view=map&as_of=%234",
)
IDS = "timeline|paper|reprint|withdrawn|port|desk|summary|talks|(1-)?risky|gone|merged"
OF_USERS = re.compile(rf"{WORD}( [\w-]+)*( \(2025\))?|(?<!\w)({IDS})(?!\w)")
"""The texts of the log and of the addresses: in Hebrew, and ids, a tag, an author, a search."""
FORMATS = (
    "JSON( Lines)?|CSV|Atom|GeoJSON|TimelineJS|Markdown|Word|oEmbed|BibTeX|CSL-JSON|EDTF|SQL|UTC"
)
ANYWHERE = re.compile(rf"https?:\S+|text/plain|charset=\S+|sha256:|[\w+/=]{{20,}}|\b({FORMATS})\b")
"""What is the same in every language: addresses, hashes, names of formats and of the clock."""
ATTRIBUTES = ("aria-label", "placeholder", "title", "alt", "data-label", "data-parts")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("bracketed")
    bracketed = Catalog(locale="uk")
    for message in catalogues.messages(catalogues.extracted()):
        said: str | list[str] = f"⟦{message.id}⟧"
        if not isinstance(message.id, str):
            said = [f"⟦{message.id[1]}⟧"] * bracketed.num_plurals
        bracketed.add(message.id, said, context=message.context)
    (folder / "uk.po").write_text(catalogues.text_of(bracketed), encoding="utf-8")
    two_scripts.tell(folder / "t.db", "he")
    with closing(storage.connect(folder / "t.db", write=True)) as connection:
        checkpoints.sign(connection, SigningKey.generate(str(log.info(connection)["origin"])))
    with pytest.MonkeyPatch.context() as patch, open_site(folder / "t.db") as opened:
        patch.setattr(translation, "CATALOGUES", folder)
        forget_words()
        yield opened
    forget_words()


def forget_words() -> None:
    """Forget what was said from the catalogues."""
    for kept in (
        translation._catalogue,
        labels._labels,
        local_dates._words,
        prose_changes._labels,
        prose_changes._in_short,
    ):
        kept.cache_clear()


def visible(page: html.HtmlElement) -> Iterator[str]:
    """The texts of a page in their order, and the texts of attributes that people hear or see.

    Left out are code, the names that languages have for themselves, names of the map of the world,
    and what the element itself says is English: why an address was refused.
    """
    for part in page.xpath(
        "//script|//style|//code|//pre|//nav[@data-part='languages']"
        "|//*[@class='city' or @class='country']|//*[@lang='en']"
    ):
        part.drop_tree()
    yield " ".join(page.itertext())
    for name in ATTRIBUTES:
        yield from page.xpath(f"//@{name}")


def outside(text: str) -> str:
    """What of a text stands in no bracket; brackets may stand in brackets."""
    depth, kept = 0, []
    for part in re.split("([⟦⟧])", text):
        depth += {"⟦": 1, "⟧": -1}.get(part, 0)
        if depth == 0 and part != "⟧":
            kept.append(part)
    return " ".join(kept)


def overlooked(page: html.HtmlElement) -> list[str]:
    found = [ANYWHERE.sub("", OF_USERS.sub("", outside(text))) for text in visible(page)]
    return [word for text in found for word in re.findall(r"[A-Za-z][A-Za-z' -]*[A-Za-z]", text)]


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_text_of_ours_comes_from_a_catalogue(address: str, site: Site) -> None:
    page = site.ask(f"{address}{'&' if '?' in address else '?'}lang=uk").text
    assert "⟦" in page
    assert overlooked(html.fromstring(page)) == []


def test_a_text_that_comes_from_no_catalogue_is_noticed() -> None:
    page = "<p>⟦Kept by <b>שלום log (2025)</b>⟧ or so</p><p title='Hello'>⟦a ⟦b⟧ c⟧ 5 JSON</p>"
    assert overlooked(html.fromstring(page)) == ["or so", "Hello"]
