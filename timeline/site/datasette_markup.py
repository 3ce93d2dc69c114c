"""Change the markup of Datasette's own pages where they show a timeline.

Guarantees: a page about a timeline has a language, one main part, headings without gaps, and a
name for every control and every part that scrolls; it has the bar of our own pages. On a page
about another database the templates of Datasette give what they give without us.

Datasette's blocks cover none of these places. So its templates are changed when Jinja reads them,
which costs nothing when a page is made. Where a later Datasette has other markup, the change is
not made; the tests say which, for each line of Datasette.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment
from jinja2.ext import Extension

_OLD = "@@"
"""What stands for the words of Datasette in `TemplateChange.new`."""


class TemplateChange(NamedTuple):
    """A change has a text of one template, in the words of each line of Datasette."""

    olds: tuple[str, ...]
    """The text in 0.65 and in 1.0; "" if a line does not have it."""
    new: str
    """What stands there instead; "@@" is the text that was there."""

    def made(self, source: str) -> str:
        """Return the source of a template with this change."""
        for old in filter(None, self.olds):
            source = source.replace(old, self.new.replace(_OLD, old))
        return source


def _ours(new: str, *olds: str) -> TemplateChange:
    """Return a change to `new` for timelines alone."""
    return TemplateChange(
        olds, "{% if timeline_page %}" + new + "{% else %}" + _OLD + "{% endif %}"
    )


def _after(new: str, *olds: str) -> TemplateChange:
    """Return a change that adds `new` after a text, for timelines alone."""
    return TemplateChange(olds, _OLD + "{% if timeline_page %}" + new + "{% endif %}")


def _before(new: str, *olds: str) -> TemplateChange:
    """Return a change that adds `new` before a text, for timelines alone."""
    return TemplateChange(olds, "{% if timeline_page %}" + new + "{% endif %}" + _OLD)


def _named(name: str, *olds: str) -> TemplateChange:
    """Return a change that gives a control a name for those who do not see it."""
    return _after(f' aria-label="{name}"', *olds)


_SECOND_LEVEL = (
    _ours("<h2", "<h3"),
    _ours("</h2>", "</h3>"),
)
"""The headings below a title are of the next level."""

_SCROLLING_ROWS = _ours(
    '<div class="table-wrapper" tabindex="0" role="region" aria-label="Rows">',
    '<div class="table-wrapper">',
)
_LABELLED_LINES = _ours(
    "{{ timeline_page.plain(column)|escape_css_string }}", "{{ column|escape_css_string }}"
)
_HEADINGS = _ours('scope="col">{{ timeline_page.heading(column) }}', 'scope="col">{{ column }}')
_RESULTS = (
    "in (timeline_page.links().in_results(columns, display_rows) if timeline_page"
    " else display_rows) %}"
)
_UNSORTABLE = "{% if not column.sortable %}\n" + " " * 28
_TABLE = "{{ timeline_page.title(table) }} <code>{{ table }}</code>"

CHANGES = {
    "base.html": (
        _ours('<html lang="en">', "<html>", ""),
        _ours(
            "<style>@import url(\"{{ urls.static('app.css') }}\") layer(datasette);</style>",
            '<link rel="stylesheet" href="{{ urls.static(\'app.css\') }}?{{ app_css_hash }}">',
            '<link rel="stylesheet" href="{{ static(\'app.css\') }}">',
        ),
        _before("{{ timeline_page.bar }}", '<div class="not-footer">'),
        _ours(
            '<div class="hd"><nav aria-label="Data">', "<header><nav>", '<header class="hd"><nav>'
        ),
        _ours("</nav></div>", "</nav></header>"),
        _before('<main id="main" tabindex="-1">', "{% block messages %}"),
        _after("</main>", "</section>"),
    ),
    "index.html": (
        _ours(
            "{{ timeline_page.database_link(database.name) }}",
            '<a href="{{ urls.database(database.name) }}">{{ database.name }}</a>',
        ),
    ),
    "database.html": (
        _ours("<h2>Custom SQL query</h2>", "<h3>Custom SQL query</h3>"),
        _named("SQL", '<textarea id="sql-editor" name="sql"'),
        _ours(
            "{{ timeline_page.title(table.name) }}</a> <code>{{ table.name }}</code>",
            "{{ table.name }}</a>",
        ),
        _ours(
            "{{ timeline_page.title(view.name) }}</a> <code>{{ view.name }}</code>",
            "{{ view.name }}</a>",
        ),
    ),
    "table.html": (
        *_SECOND_LEVEL,
        _ours(_TABLE, "{{ metadata.title or table }}", '{{ metadata.get("title") or table }}'),
        _before(
            '<div class="columns" tabindex="0" role="region" aria-label="Columns">',
            '<dl class="column-descriptions">',
        ),
        _after("</div>", "</dl>"),
        _ours("{{ timeline_page.heading(column_name) }}", "{{ column_name }}"),
        _named("Column of filter {{ loop.index }}", 'name="_filter_column_{{ loop.index }}"'),
        _named("Comparison of filter {{ loop.index }}", 'name="_filter_op_{{ loop.index }}"'),
        _named("Value of filter {{ loop.index }}", 'name="_filter_value_{{ loop.index }}"'),
        _named("Column of a new filter", 'name="_filter_column"'),
        _named("Comparison of a new filter", 'name="_filter_op"'),
        _named("Value of a new filter", 'name="_filter_value"'),
        _named("Order", 'name="_sort" id="sort_by"'),
        _ours("{{ timeline_page.plain(column.name) }}", "Sort by {{ column.name }}"),
        _ours(
            '<option value="{{ c }}"{% if c == column %} selected{% endif %}>'
            "{{ timeline_page.choice(c) }}</option>",
            "<option{% if c == column %} selected{% endif %}>{{ c }}</option>",
        ),
        _ours(
            '<option value="{{ column }}">{{ timeline_page.choice(column) }}</option>',
            "<option>{{ column }}</option>",
        ),
        _ours(
            "{{ timeline_page.plain(column.name)|escape_css_string }}",
            "{{ column.name|escape_css_string }}",
        ),
    ),
    "row.html": (
        _ours(
            "{{ timeline_page.title(table) }}: {{ ', '.join(primary_key_values) }}"
            " <code>{{ table }}</code>",
            "{{ table }}: {{ ', '.join(primary_key_values) }}",
        ),
        _LABELLED_LINES,
        _ours(
            "{{ timeline_page.title(other.other_table) }} <code>{{ other.other_table }}"
            ".{{ other.other_column }}</code>",
            "{{ other.other_column }} in {{ other.other_table }}",
        ),
    ),
    "query.html": (
        *_SECOND_LEVEL,
        TemplateChange((*_SCROLLING_ROWS.olds, ""), _SCROLLING_ROWS.new),
        TemplateChange((*_HEADINGS.olds, ""), _HEADINGS.new),
        TemplateChange(("in display_rows %}", ""), _RESULTS),
        _named("SQL", '<textarea id="sql-editor" name="sql"'),
        _LABELLED_LINES,
        _ours(
            '<label for="qp{{ loop.index }}">{{ timeline_page.heading(name) }}</label>'
            "{{ timeline_page.offered(name) }}",
            '<label for="qp{{ loop.index }}">{{ name }}</label>',
            "",
        ),
        _after(' list="known-{{ name }}"', 'name="{{ name }}" value="{{ value }}"', ""),
    ),
    "_sql_parameters.html": (
        _ours(
            '<label for="{{ parameter_id }}">{{ timeline_page.heading(parameter) }}</label>'
            "{{ timeline_page.offered(parameter) }}",
            "",
            '<label for="{{ parameter_id }}">{{ parameter }}</label>',
        ),
        _after(
            ' list="known-{{ parameter }}"',
            "",
            'name="{{ sql_parameter_name_prefix }}{{ parameter }}"',
        ),
    ),
    "_table.html": (
        _SCROLLING_ROWS,
        _ours(
            'rel="nofollow">{{ timeline_page.heading(column.name) }}',
            'rel="nofollow">{{ column.name }}',
        ),
        TemplateChange(
            (_UNSORTABLE + "{{ column.name }}",),
            _UNSORTABLE
            + "{{ timeline_page.heading(column.name) if timeline_page else column.name }}",
        ),
        TemplateChange(
            ("in display_rows %}",),
            "in (timeline_page.links().in_table(table, display_rows) if timeline_page"
            " else display_rows) %}",
        ),
    ),
    "_query_results.html": (
        TemplateChange(("", *_SCROLLING_ROWS.olds), _SCROLLING_ROWS.new),
        TemplateChange(("", *_HEADINGS.olds), _HEADINGS.new),
        TemplateChange(("", "in display_rows %}"), _RESULTS),
    ),
    "_facet_results.html": (
        _ours(
            "{{ timeline_page.plain(facet_info.name) }}",
            "{{ facet_info.name }}"
            '{% if facet_info.type != "column" %} ({{ facet_info.type }}){% endif %}',
        ),
        _named(
            "Hide {{ timeline_page.plain(facet_info.name) }}",
            '<a href="{{ facet_info.toggle_url }}"',
        ),
        _named(
            'Without the filter {{ facet_value.label or "-" }}',
            '<a href="{{ facet_value.toggle_url }}" class="cross"',
        ),
        _named(
            "More values",
            '<a href="{{ path_with_replaced_args(request, {"_facet_size": "max"}) }}"',
        ),
    ),
    "_suggested_facets.html": (
        _ours(
            "{{ timeline_page.plain(facet.name) }}</a>",
            "{{ facet.name }}</a>{% if facet.type %} ({{ facet.type }}){% endif %}",
            '{{ facet.name }}</a>{% if facet.get("type") %} ({{ facet.type }}){% endif %}',
        ),
    ),
    "schema.html": (_after(' tabindex="0" role="region" aria-label="Schema"', "", "<pre"),),
    "_codemirror_foot.html": (
        _after(
            ' editor.getInputField().setAttribute("aria-label", "SQL");',
            "cmResize(editor, {resizableWidth: false});",
            "",
        ),
        _after(
            ' editor.contentDOM.setAttribute("aria-label", "SQL");',
            "",
            "schema,\n      }));",
        ),
    ),
}
"""The changes, by the templates of Datasette."""


class Changing(Extension):
    """The extension of Jinja makes our changes in what it reads of Datasette's templates."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Return the source of a template, changed if it is one of Datasette's own."""
        if filename is None or Path(filename).parent != _templates():
            return source
        for change in CHANGES.get(Path(filename).name, ()):
            source = change.made(source)
        return source


@cache
def _templates() -> Path:
    import datasette

    return Path(datasette.__file__).parent / "templates"


def install(environment: Environment) -> None:
    """Let Jinja change the templates of Datasette."""
    environment.add_extension(Changing)
