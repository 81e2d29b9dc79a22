"""A report as one HTML page without scripts or outside resources; every value is escaped."""

from __future__ import annotations

from atlas_access.base.redaction import redact
from atlas_access.base.render_text import printable
from atlas_access.base.report import SIGNS, Report

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>{{ report.name | shown }}</title>
<style>body{font:1rem/1.5 sans-serif;margin:2rem}td,th{padding:.2rem .8rem .2rem 0;text-align:left}</style></head>
<body>
<h1>{{ report.headline | shown }}</h1>
{%- for section in sections %}
{%- if section.title %}<h2>{{ section.title | shown }}</h2>{% endif %}
{%- for line in section.lines %}<p>{{ line | shown }}</p>{% endfor %}
{%- if section.table %}
<table><tr>{% for head in section.table.heads %}<th scope="col">{{ head | shown }}</th>{% endfor %}</tr>
{%- for row in section.table.rows %}
<tr>{% for cell in row %}<td>{{ cell | shown }}</td>{% endfor %}</tr>{% endfor %}
</table>
{%- endif %}
{%- if section.findings %}
<ul>{% for finding in section.findings %}
<li>{{ signs[finding.status] }} {{ finding.text | shown }}
{%- if finding.facts %}
<ul>{% for name, fact in finding.facts %}
<li>{{ name | shown }}{{ ": " if name }}{{ fact | shown }}</li>{% endfor %}</ul>
{%- endif %}</li>{% endfor %}
</ul>
{%- endif %}
{%- endfor %}
{%- for note in report.notes %}<p>{{ note | shown }}</p>{% endfor %}
{%- if report.remedy %}<p><strong>Remedy:</strong> {{ report.remedy | shown }}</p>{% endif %}
</body>
</html>
"""


def render(report: Report) -> str:
    """The page, ending in a newline."""
    from jinja2 import Environment

    page = Environment(autoescape=True, keep_trailing_newline=True)
    page.filters["shown"] = lambda text: printable(redact(text))
    return page.from_string(_PAGE).render(
        report=report, sections=[each.brief for each in report.sections], signs=SIGNS
    )
