"""README.md and docs/: every example runs and prints what is shown, every link leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from examples import PAGES, blocks, commands, printed_anew
from running import CHECKOUT

README = (CHECKOUT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_example_of_a_page_prints_what_the_page_shows(page: Path, tmp_path: Path) -> None:
    assert printed_anew(page, tmp_path).split("\n") == page.read_text(encoding="utf-8").split("\n")


def test_the_examples_are_found() -> None:
    assert len(commands(README)) >= 7


def test_the_python_of_the_readme_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = blocks(README, "python")
    namespace: dict[str, object] = {}
    exec(compile(example.body, "README.md", "exec"), namespace)
    assert [row["title"] for row in namespace["rows"]] == ["Missile strike on Sumy"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text(encoding="utf-8"))
    missing = [
        link
        for link in links
        if not link.startswith(("https://", "http://")) and not (page.parent / link).is_file()
    ]
    assert missing == []


EXAMPLE = """\
# A page

```console
$ echo one; echo two >&2
old
$ echo "a long \\
  line" > file
$ cat file; timeline show nothing
...
```

```python
x = 1
print("printed")
x + 1
```

```text
...
```

```python tool.py
print("a tool")
```

```console
$ python tool.py
...
```
"""


def test_what_an_example_prints_takes_the_place_of_what_is_shown(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(EXAMPLE)
    folder = tmp_path / "folder"
    folder.mkdir()
    text = printed_anew(page, folder)
    assert "$ echo one; echo two >&2\none\ntwo\n$ echo" in text
    assert re.search(r"\$ cat file; .*\na long   line\nError: .*\n```", text)
    assert "```text\nprinted\n2\n```" in text
    assert text.endswith("$ python tool.py\na tool\n```\n")


@pytest.mark.parametrize(
    "example",
    [
        "```console\n$ false\n```\n",
        "```console\n$ echo problem >&2\n```\n",
        "```console\n$ false\nshown\n```\n",
        "```python\nassert False\n```\n",
    ],
)
def test_an_example_that_fails_unseen_is_found(example: str, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(example)
    with pytest.raises(AssertionError):
        printed_anew(page, tmp_path)
