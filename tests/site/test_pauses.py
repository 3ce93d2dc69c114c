"""A long page of Datasette lets other requests run while it is made."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from datasette.plugins import pm
from hostile_story import tell
from open_datasette import IS_STABLE, Site, serving

TEXT = "{% for number in numbers %}<b>{{ number }}</b>{% endfor %}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    file = tell(tmp_path_factory.mktemp("pauses") / "timeline.db")
    with serving(file, settings={"suggest_facets": False}) as opened:
        yield opened


def template(site: Site, text: str) -> Any:
    datasette = site.datasette
    environment = datasette.jinja_env if IS_STABLE else datasette.get_jinja_environment()
    return environment.from_string(text)


def turns_while(site: Site, work: Any) -> tuple[Any, int]:
    """What a task returns, and how often another task ran meanwhile."""

    async def count() -> tuple[Any, int]:
        task = asyncio.ensure_future(work)
        turns = 0
        while not task.done():
            turns += 1
            await asyncio.sleep(0)
        return await task, turns

    found: tuple[Any, int] = site.run(count())
    return found


def test_a_long_template_pauses_and_is_rendered_as_a_whole(site: Site) -> None:
    rendering = template(site, TEXT).render_async(numbers=range(20_000))
    text, turns = turns_while(site, rendering)
    assert text == "".join(f"<b>{number}</b>" for number in range(20_000))
    assert turns > 20


def test_an_error_in_a_template_names_its_line(site: Site) -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        site.run(template(site, "one\n{{ 1 / 0 }}").render_async())
    assert raised.traceback[-1].lineno == 1


def test_a_long_table_pauses_between_its_cells(site: Site) -> None:
    async def show_cells() -> list[object]:
        shown: list[object] = []
        for _ in range(2_000):
            for found in pm.hook.render_cell(
                row=None,
                value=1,
                column="n",
                table=None,
                database="timeline",
                datasette=site.datasette,
                pks=[],
                request=None,
                column_type=None,
            ):
                shown.append(await found)
        return shown

    shown, turns = turns_while(site, show_cells())
    assert set(shown) == {None}
    assert turns >= 10


def test_cells_are_shown_as_datasette_shows_them(site: Site) -> None:
    columns = ", ".join(f"{n} as c{n}" for n in range(500))
    page = "/timeline" if IS_STABLE else "/timeline/-/query"
    answer = site.ask(f"{page}?{urlencode({'sql': f'select {columns}'})}")
    assert answer.status == 200
    assert all(f'<td class="col-c{n}">{n}</td>' in answer.text for n in range(500))
    data = site.ask(f"{page}.json?{urlencode({'sql': 'select 1 as a', '_shape': 'array'})}")
    assert json.loads(data.text) == [{"a": 1}]
