"""A report in one of the formats that every command offers."""

from __future__ import annotations

from enum import StrEnum

from atlas_access.base import (
    render_html,
    render_json,
    render_junit,
    render_markdown,
    render_sarif,
    render_text,
)
from atlas_access.base.report import Report


class Format(StrEnum):
    """The formats; each carries the same facts."""

    TEXT = "text"
    MD = "md"
    HTML = "html"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"


_RENDERERS = {
    Format.TEXT: render_text.render,
    Format.MD: render_markdown.render,
    Format.HTML: render_html.render,
    Format.JSON: render_json.render,
    Format.SARIF: render_sarif.render,
    Format.JUNIT: render_junit.render,
}


def render(report: Report, form: Format) -> str:
    """The report as text of a format, ending in a newline."""
    return _RENDERERS[form](report)
