"""What the readers of a page do not see: each case is as Chromium shows it."""

from __future__ import annotations

import pytest
import trafilatura
from hypothesis import given
from hypothesis import strategies as st

from timeline.texts.hidden_passages import remove_hidden


def shown(html: str) -> tuple[str, int]:
    """The words that stay, and how many passages go."""
    tree = trafilatura.load_html(f"<html><body><p>start </p>{html}</body></html>")
    count = remove_hidden(tree)
    return " ".join("".join(tree.itertext()).split()), count


@pytest.mark.parametrize(
    "style",
    [
        *(
            "display:none",
            "display : NONE ",
            "display:/**/none",
            "d\\69splay:none",
            "disp\\lay:none",
        ),
        *("display:none;display:x", "display:none!important;display:block"),
        *("color:red;display:none", "display:block;display:none", ";;display:none"),
        *("visibility:hidden", "visibility:collapse", "visibility:hidden;visibility:none"),
        *(
            "opacity:0",
            "opacity:0.0",
            "opacity:0%",
            "opacity:.0",
            "opacity:-1",
            "opacity:0;opacity:x",
        ),
        *("font-size:0", "font-size:0px", "font-size:.0em", "font-size:0%", "font-size:1px"),
        *("font-size:0.5pt", "font:0/0 a", "font:700 0 serif", "font:italic 0px/1 a"),
        *("font-size:0;font:bad", "font:12px serif;font-size:0"),
    ],
)
def test_what_a_style_hides_is_removed_and_counted(style: str) -> None:
    hidden = f'<div style="{style}">hidden <b>words</b></div>'
    assert shown(f"one {hidden} two") == ("start one two", 1)
    assert shown(f"<i>one</i> {hidden}{hidden} <b>two</b>") == ("start one two", 2)


@pytest.mark.parametrize(
    "attribute",
    [
        *('style="display:block"', 'style="display:x"', 'style="display:none;display:block"'),
        *('style="display"', 'style=""', 'style="content:none"', "style", 'style="none"'),
        *('style="visibility:visible"', 'style="visibility:bad"', 'style="--display:none"'),
        *('style="opacity:0.5"', 'style="opacity:0px"', 'style="opacity:0;opacity:1"'),
        *('style="font-size:12px"', 'style="font-size:-1px"', 'style="font-size:bad"'),
        *('style="font:12px/0 serif"', 'style="font:0"', 'style="font:700 12px serif"'),
        *('style="font-size:0;font:12px serif"', 'aria-hidden="true"', 'class="hidden"'),
        *('hidden style="display:block"', 'data-hidden="1"', 'title="display:none"'),
    ],
)
def test_what_a_reader_sees_stays(attribute: str) -> None:
    assert shown(f"one <div {attribute}>seen</div> two") == ("start one seen two", 0)


@pytest.mark.parametrize(
    ("html", "words", "count"),
    [
        ("<p hidden>x</p>one", "one", 1),
        ("<p HIDDEN='until-found'>x</p>one", "one", 1),
        ("<template>x</template>one", "one", 1),
        ('<script type=\'application/ld+json\'>{"articleBody": "x"}</script>one', "one", 0),
        ("<p hidden><b>x</b><i hidden>y</i></p>one", "one", 1),
        ("<p hidden> <img src=a.png> </p>one", "one", 0),
        (
            "<div style='visibility:hidden'>x <b style='visibility:visible'>one</b> y</div>",
            "one",
            1,
        ),
        ("<div style='visibility:hidden'> <b style='visibility:visible'>one</b> </div>", "one", 0),
        ("<div style='visibility:hidden'>x <b style='visibility:inherit'>y</b></div>", "", 1),
        ("<div style='font-size:0'>x <b style='font-size:2em'>y</b></div>", "", 1),
        ("<div style='font-size:0'>x <b style='font:inherit'>y</b></div>", "", 1),
        ("<div style='font-size:0'>x <b style='font-size:12px'>one</b></div>", "one", 1),
        ("<div style='display:none'>x <b style='display:block'>y</b></div>", "", 1),
        ("<div style='opacity:0'>x <b style='opacity:1'>y</b></div>", "", 1),
        ("<div style='visibility:hidden'>x <p hidden>y</p></div>", "", 2),
        ("a<!-- b -->c", "ac", 0),
    ],
)
def test_what_is_within_a_hidden_passage_is_hidden_unless_css_shows_it_again(
    html: str, words: str, count: int
) -> None:
    assert shown(html) == (f"start {words}".strip(), count)


def test_a_page_may_be_hidden_as_a_whole() -> None:
    for page in ("<html hidden><body>x</body></html>", "<html><body hidden>x</body></html>"):
        tree = trafilatura.load_html(page)
        assert remove_hidden(tree) == 1
        assert "".join(tree.itertext()).strip() == ""


@given(
    st.text(alphabet="displayvisibility:none hidden;!important/*\\0\"'font-size%px", max_size=60)
)
def test_any_style_is_read(style: str) -> None:
    escaped = style.replace('"', "&quot;")
    words, count = shown(f'one <b style="{escaped}">two</b> three')
    assert words == ("start one two three" if count == 0 else "start one three")


def test_a_page_is_read_in_time_that_grows_as_it_does() -> None:
    """No style, depth or number of passages takes more than a moment."""
    for html in (
        "<div style='visibility:hidden'>x" * 20_000,
        "<p hidden>x</p>" * 20_000,
        f"<p style='{'display:none;' * 50_000}'>x</p>",
        f"<p style='font:{'0 ' * 100_000}'>x</p>",
        f"<p style='{'/*' * 100_000}'>x</p>",
        f"<p style='display:{'inline-' * 50_000}'>x</p>",
        f"<p style='display:{'none ' * 50_000}x'>x</p>",
    ):
        assert shown(html)[1] in (0, 1, 20_000)
