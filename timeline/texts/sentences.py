"""Functions that find where the sentences of a text begin and end.

Guarantees: the result depends only on the text; there is no model and no language setting. Spans
count in Unicode code points. Sentences come in order, do not overlap, and begin and end with
something visible; between two of them there is only white space.

The end of a paragraph ends a sentence. A paragraph ends at a blank line, at a bullet, and at a
line break, unless the text is folded to a width or the next line begins in lower case. Within a
paragraph, a full stop ends a sentence unless the next word begins in lower case, or the word before
it is an initial or an abbreviation, or it stands in the dateline of a news agency, as in
"KESSEL POINT, La. (EW) — ". If in doubt, two sentences stay one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

Span = tuple[int, int]
"""The start and end (exclusive) of a part of a text, in code points."""

_FOLDED = range(30, 121)
"""Widths to which people and programs fold text, in characters a line."""

_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")
_BLANK = "\\s\ufeff\u200b"
_BULLET = re.compile(r"\s*(?:[-*•‣▪◦·–—]|\(?[0-9]{1,3}[.)]|[^\W\d_]\))\s")

_STOPS = ".!?…؟۔।"
_OPENERS = "\"'“‘„‚«‹([{¿¡「『（—–-"
_CLOSERS = "\"'”’“»›)\\]}」』）"
_END = re.compile(
    rf"(?<![{_STOPS}])(?P<stop>[{_STOPS}]++)[{_CLOSERS}]*+(?:\[[0-9]{{1,3}}\])*+(?=[{_BLANK}])"
    rf"|(?P<wide>[。！？｡]+)[{_CLOSERS}]*"  # no blank follows a Chinese or Japanese stop
)
_NEXT_WORD = re.compile(rf"[{_BLANK}{re.escape(_OPENERS)}…]{{0,20}}([^{_BLANK}]{{0,40}})")
_WORD_BEFORE = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]*$")
_SPEECH = re.compile(
    r"(?:[^\W\d_][\w.'’-]*\s+){1,4}?"
    r"(?:said|says|asked|asks|told|tells|added|adds|wrote|writes|replied|warned|insisted)\b"
)
"""Finds who spoke after quoted words, as in "Mr Rutte asked"; such words continue the sentence."""

_GAP = f"[{_BLANK}]{{1,3}}"
_INITIALS = r"(?:[^\W\d_]\.){1,4}"
_OF_A_PLACE = rf"(?:{_INITIALS}|(?i:ste?|ft|mt|pt)\.|[^\W\d_][\w'’/-]{{0,30}})"
_OF_A_STATE = rf"(?:{_INITIALS}|[^\W\d_]{{1,8}}\.|\d{{1,4}}\.?|[^\W\d_][\w'’-]{{0,30}})"
_DATELINE = re.compile(
    rf"[{_BLANK}]{{0,20}}(?P<place>{_OF_A_PLACE}(?:{_GAP}{_OF_A_PLACE}){{0,4}})"
    rf"(?P<rest>(?:,{_GAP}{_OF_A_STATE}(?:{_GAP}{_OF_A_STATE}){{0,4}}){{0,4}})"
    rf"(?P<agency>,?{_GAP}\([^\W\d_][^()]{{1,40}}\))?"
    rf",?[{_BLANK}]{{0,3}}[—–-]{{1,2}}[{_BLANK}]"
)
"""Finds what may be a dateline: a place, then state, country and day after commas, an agency in
parentheses, and a dash."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_BEFORE_A_NAME = _words(
    "mr mrs ms mx dr prof gen col maj capt lt sgt cpl cmdr adm brig sen rep gov pres amb hon rev"
    " fr st messrs mt ft vs viz cf e.g i.e approx ca dept fig figs nos pp vol ed eds esp incl"
    " м вул ул просп обл ім им проф акад ген полк кап див см напр с т т.е т.к тов гр м.п"
)
"""Abbreviations before a name or another word: their stop never ends a sentence."""
_BEFORE_A_NUMBER = _words("no art sec ch p para c ст п")
"""Abbreviations whose stop does not end a sentence if a number follows."""
_EITHER = _words(
    "jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed thu thur thurs fri sat sun"
    " inc ltd co corp bros plc jr sr esq al etc est govt ave blvd rd a.m p.m ph.d m.d b.a m.a"
    " р рр г гг тис тыс млн млрд грн руб коп д др пр т.д т.п н.е"
)
"""Abbreviations that may be within a sentence or at its end, like acronyms with stops (U.S.)."""
_BEGINNERS = _words(
    "a after all although an and another as at because before both but by despite during each"
    " earlier every few for from he her his how however i if in it its last later many meanwhile"
    " most neither nevertheless no nobody nor not now of on once one only or others our over"
    " several she since so some still such that the their then there these they this those though"
    " through thus to under until we what when where whether which while who why with yet you"
    " yesterday"
    " а але без був була в від він вона вони до за з зі й його її їх і із коли на не однак після"
    " по при про проте раніше та так також там то тим тому у це ці цей ця як якщо"
    " без был была во все где для если и из их к как когда но об однако он она они от позже после"
    " потом с также так там тем то что эта эти это этот я"
)
"""Words that, after an abbreviation, more often begin a sentence than continue one as a name."""


def sentences(text: str) -> list[Span]:
    """Return the start and end of each sentence of a text."""
    return [
        span
        for block in _blocks(text)
        for piece in _pieces(text, *block)
        if (span := _trimmed(text, *piece))
    ]


def _trimmed(text: str, start: int, end: int) -> Span | None:
    """Return a span without the blanks at its ends; None if it has only blanks."""
    while start < end and _is_blank(text[start]):
        start += 1
    while end > start and _is_blank(text[end - 1]):
        end -= 1
    return (start, end) if start < end else None


def _is_blank(character: str) -> bool:
    return character.isspace() or character in "\ufeff\u200b"


def _is_small(character: str) -> bool:
    """Tell whether this is a lower-case letter of a script that begins sentences in upper case."""
    return character.islower() and character.title() != character


# --- Paragraphs ---------------------------------------------------------------------------


def _blocks(text: str) -> Iterator[Span]:
    """Yield the spans of the paragraphs, headlines and list items of a text."""
    paragraph: list[Span] = []
    for line in _line_spans(text):
        if _trimmed(text, *line):
            paragraph.append(line)
        elif paragraph:
            yield from _joined(text, paragraph)
            paragraph = []
    if paragraph:
        yield from _joined(text, paragraph)


def _line_spans(text: str) -> Iterator[Span]:
    start = 0
    for found in _BREAK.finditer(text):
        yield start, found.start()
        start = found.end()
    yield start, len(text)


def _joined(text: str, lines: list[Span]) -> Iterator[Span]:
    """Yield the paragraphs of lines between which there is no blank line.

    A line continues the paragraph if it begins in lower case, or if the text is folded and its
    first word had no room on the line before; a bullet always begins a new one.
    """
    width = max(end - start for start, end in lines)
    is_folded = len(lines) > 2 and width in _FOLDED
    first = 0
    for number in range(1, len(lines)):
        start, end = lines[number]
        before, before_end = lines[number - 1]
        word = text[start:end].split(None, 1)[0]
        had_no_room = before_end - before + 1 + len(word) > width
        goes_on = _is_small(word.lstrip(_OPENERS)[:1]) or (is_folded and had_no_room)
        if not goes_on or _BULLET.match(text, start, end):
            yield lines[first][0], before_end
            first = number
    yield lines[first][0], lines[-1][1]


# --- Sentences ----------------------------------------------------------------------------


def _pieces(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the spans of the sentences of a paragraph, with the blanks between them."""
    bullet = _BULLET.match(text, start, end)
    first = _after_dateline(text, bullet.end() if bullet else start, end)
    for found in _END.finditer(text, first, end):
        if found["wide"] or _ends(text, start, found, end):
            yield start, found.end()
            start = found.end()
    yield start, end


def after_place(text: str, start: int, end: int) -> int:
    """Return where a sentence goes on behind the stops in its dateline; `start` if it has none.

    Without its dateline, the sentence would begin there.
    """
    stops = _END.finditer(text, start, _after_dateline(text, start, end))
    return max((stop.end() for stop in stops if _ends(text, start, stop, end)), default=start)


def _after_dateline(text: str, start: int, end: int) -> int:
    """Return the end of the dateline at the beginning of a paragraph; `start` if it has none.

    Its place is in capitals, or an agency is named; its other words begin in upper case, but for a
    word after a number, as in "3 mai".
    """
    found = _DATELINE.match(text, start, end)
    if not found or not (found["place"].isupper() or found["agency"]):
        return start
    words = re.split(f"[{_BLANK},]+", found["place"] + found["rest"])
    for before, word in pairwise(("", *words)):
        if _is_small(word[0]) and not before[:1].isdigit():
            return start
    return found.end() if len(found["place"]) > 1 else start


def _ends(text: str, start: int, found: re.Match[str], end: int) -> bool:
    """Tell whether the sentence that begins at `start` ends with the stop that was found."""
    stop, at = found["stop"], found.start()
    following = _NEXT_WORD.match(text, found.end(), end)
    word = following[1] if following else ""
    if not word:
        return True
    if _is_small(word[0]) or word[0] == "." or text[max(start, at - 1) : at] in ("[", "("):
        return False
    is_spoken = found.end() > at + len(stop) and following is not None
    if is_spoken and _SPEECH.match(text, following.start(1) if following else at, end):
        return False
    return stop != "." or not _is_abbreviation(text[max(start, at - 40) : at], word)


def _is_abbreviation(before: str, following: str) -> bool:
    """Tell whether the stop after `before` only marks its last word as an abbreviation.

    Then the sentence goes on with the word `following`.
    """
    match = _WORD_BEFORE.search(before)
    given = match[0] if match else ""
    word = given.lower()
    if not word:
        return False
    if word in _BEFORE_A_NAME:
        return True
    if following[0].isdigit() and (word in _BEFORE_A_NUMBER or word in _EITHER):
        return True
    is_beginner = re.split(r"[^\w]", following.lower(), maxsplit=1)[0] in _BEGINNERS
    if word in _EITHER or "." in word:
        return not is_beginner
    is_initial = len(word) == 1 and not given.islower()
    return is_initial and not (given == "I" and is_beginner)
