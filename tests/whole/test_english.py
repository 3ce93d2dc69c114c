"""The first lines of docstrings are sentences with a verb, and the modules that they name exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest
from running import CHECKOUT

from timeline.store import codec

VERBS = frozenset((CHECKOUT / "tests" / "support" / "verbs.txt").read_text().split())
"""Verbs that a docstring may begin with, in the imperative."""

ALSO_NOUNS = frozenset(
    "answer bound change check copy count date end export figure form hash hold import index"
    " link list look mark name note number order page place point proof quote record report"
    " result sample search set show sign sort state step store table test text time use view"
    " want wait watch work write".split()
)
"""Verbs whose third person is as often a noun in the plural: they count after a pronoun only."""

AUXILIARIES = frozenset(
    "am is are was were be been being has have had do does did can could may might must shall"
    " should will would need needs".split()
)

PRONOUNS = frozenset("that which who it they we you nothing nobody and or what how".split())

RIDDLE = re.compile(
    r"(Of|Those|That of|Theirs|The same|What|Whether|Whom|Whose|Who|How|Where|Why|And|By which)\b"
)


class Docstring(NamedTuple):
    """A docstring of the package: where it is, what it describes, and its first paragraph."""

    place: str
    node: ast.AST
    text: str

    @property
    def sentence(self) -> str:
        return " ".join(self.text.split("\n\n")[0].split())


def docstrings() -> Iterator[Docstring]:
    """Every docstring of modules, classes and functions under timeline/."""
    for path in sorted((CHECKOUT / "timeline").rglob("*.py")):
        if "static" not in path.parts:
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(
                    node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
                ) and (text := ast.get_docstring(node)):
                    line = getattr(node, "lineno", 1)
                    yield Docstring(f"{path.relative_to(CHECKOUT)}:{line}", node, text)


def third_person(verb: str) -> str:
    """Return the form of a verb after he, she or it: "carries", "passes", "reads"."""
    if re.search(r"[^aeiou]y$", verb):
        return f"{verb[:-1]}ies"
    return f"{verb}es" if re.search(r"(s|x|z|ch|sh|o)$", verb) else f"{verb}s"


FINITE = {third_person(verb): verb for verb in VERBS}


def has_a_verb(sentence: str) -> bool:
    """Tell whether a sentence has a verb that is no noun where it is found."""
    words = re.findall(r"[\w'-]+", sentence)
    for before, word in zip(["", *words], words, strict=False):
        low = word.lower()
        if low in AUXILIARIES or (not before and low in VERBS):
            return True
        after_pronoun = before.lower() in PRONOUNS
        if after_pronoun and low in VERBS:
            return True
        if low in FINITE and (after_pronoun or not before or FINITE[low] not in ALSO_NOUNS):
            return True
    return False


def problem(docstring: Docstring) -> str | None:
    """Return what is wrong with the first sentence of a docstring, or None."""
    first = docstring.sentence.partition(" ")[0].rstrip(".,:;").lower()
    if isinstance(docstring.node, ast.FunctionDef | ast.AsyncFunctionDef):
        return None if first in VERBS else "does not begin with a verb (tests/support/verbs.txt)"
    a_room = "/__init__.py:" in docstring.place
    if RIDDLE.match(docstring.sentence) and not a_room:
        return "begins with a pointer or a question word"
    return None if has_a_verb(docstring.sentence) else "has no verb"


def test_every_docstring_is_a_sentence_with_a_verb() -> None:
    found = [
        f"{each.place} {wrong}: {each.sentence[:80]}"
        for each in docstrings()
        if (wrong := problem(each))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("code", "wrong"),
    [
        ('def f():\n    """The name of an actor."""', True),
        ('def f():\n    """Return the name of an actor."""', False),
        ('class C:\n    """The names of actors."""', True),
        ('class C:\n    """A table that names actors."""', False),
        ('class C:\n    """An actor has a name."""', False),
        ('class C:\n    """What a filter looks for."""', True),
    ],
)
def test_what_is_no_sentence_is_found(code: str, wrong: bool) -> None:
    node = ast.parse(code).body[0]
    assert isinstance(node, ast.FunctionDef | ast.ClassDef)
    assert bool(problem(Docstring("here", node, ast.get_docstring(node) or ""))) == wrong


# --- Names of modules -------------------------------------------------------------------------

ROOMS = {
    path.name
    for path in (CHECKOUT / "timeline").iterdir()
    if path.is_dir() and (path / "__init__.py").exists()
}
MODULES = {
    path.stem: ".".join(path.relative_to(CHECKOUT).with_suffix("").parts)
    for path in sorted((CHECKOUT / "timeline").rglob("*.py"))
    if "static" not in path.parts and path.stem != "__init__"
}
DOTTED = re.compile(r"`([a-z_]+(?:\.\w+)+)(?:\(\))?`")
KINDS = frozenset(kind for kinds in codec.KINDS.values() for kind in kinds)
"""The kinds of entries, such as event.recorded, which look like names of modules."""
FILE_NAMES = frozenset("csv db json jsonl html md py sql toml txt log".split())


def resolves(dotted: str) -> bool:
    """Tell whether a dotted name leads to something in the package."""
    found: object = None
    parts = dotted.split(".")
    for count in range(len(parts), 0, -1):
        name = ".".join(["timeline", *parts[:count]])
        try:
            if find_spec(name):
                found = import_module(name)
                break
        except ModuleNotFoundError:
            continue
    if found is None and parts[0] in MODULES:
        found, count = import_module(MODULES[parts[0]]), 1
    if found is None:
        return False
    for part in parts[count:]:
        if not hasattr(found, part):
            return part in getattr(found, "__annotations__", {})
        found = getattr(found, part)
    return True


def test_modules_named_in_backticks_exist() -> None:
    missing = []
    for path in sorted((CHECKOUT / "timeline").rglob("*.py")):
        for found in DOTTED.finditer(path.read_text(encoding="utf-8")):
            dotted = found[1].removeprefix("timeline.")
            ours = dotted != found[1] or dotted.split(".")[0] in ROOMS | {*MODULES}
            other = dotted in KINDS or dotted.split(".")[-1] in FILE_NAMES
            if ours and not other and not resolves(dotted):
                missing.append(f"{path.relative_to(CHECKOUT)}: {found[0]}")
    assert not missing, "\n".join(missing)


def test_a_room_says_what_it_is_and_imports_nothing() -> None:
    for path in sorted((CHECKOUT / "timeline").rglob("__init__.py")):
        parts = Path(path).relative_to(CHECKOUT).parts[1:-1]
        if parts not in ((), ("cli",), ("site",)):
            (only,) = ast.parse(path.read_text(encoding="utf-8")).body
            assert isinstance(only, ast.Expr), path


# --- Names of types ---------------------------------------------------------------------------


def public_types(tree: ast.Module) -> Iterator[str]:
    """Yield the names of the classes and type aliases that a module defines for others."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            yield node.targets[0].id
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id


def test_a_public_type_has_a_name_of_its_own() -> None:
    found: dict[str, list[str]] = {}
    for path in sorted((CHECKOUT / "timeline").rglob("*.py")):
        for name in public_types(ast.parse(path.read_text(encoding="utf-8"))):
            if re.fullmatch(r"[A-Z][a-z]\w*", name) and "static" not in path.parts:
                found.setdefault(name, []).append(str(path.relative_to(CHECKOUT)))
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}
