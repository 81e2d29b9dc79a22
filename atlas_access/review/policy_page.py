"""The policy catalogue as Markdown: every rule with its reason, its source, and both sides by example.

The pack is self-contained: it is not imported here but hands its catalogue in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from atlas_access.review.markdown import escape


class CatalogueEntry(Protocol):
    """What the policy pack's catalogue has of everything it reports."""

    @property
    def name(self) -> str: ...  # noqa: D102 - as in `policy.catalogue`
    @property
    def description(self) -> str: ...  # noqa: D102
    @property
    def why(self) -> str: ...  # noqa: D102
    @property
    def level(self) -> str: ...  # noqa: D102
    @property
    def remediation(self) -> str: ...  # noqa: D102


class RuleEntry(CatalogueEntry, Protocol):
    """What the page shows of a rule."""

    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def severity(self) -> str: ...  # noqa: D102
    @property
    def frameworks(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def offending(self) -> str: ...  # noqa: D102
    @property
    def compliant(self) -> str: ...  # noqa: D102
    @property
    def refuses(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def after_creation(self) -> tuple[str, ...]: ...  # noqa: D102


def lines(rules: Sequence[RuleEntry]) -> Iterator[str]:
    """The page, line by line; equal inputs give equal lines."""
    yield "# Policies"
    yield ""
    yield f"The {len(rules)} rules of the policy pack (`policy/`), in the order in which they run. They know nothing of"
    yield "the program or the manifest: a mistake that both would share is caught here. They compare a stack with the"
    yield "law, `policy/policy-config.json`, and let other teams' resources pass. Each sentence is held by programs"
    yield "that break it and by compliant ones (`tests/policy/corpus/`)."
    yield ""
    yield "| rule | says | severity | source |"
    yield "|---|---|---|---|"
    for rule in rules:
        name = f"[`{rule.name}`](#{rule.name})"
        yield f"| {name} | {escape(rule.description)} | {rule.severity} | {escape(rule.source)} |"
    for rule in rules:
        yield ""
        yield f"## {rule.name}"
        yield ""
        yield f"{escape(rule.description)}. It refuses:"
        yield ""
        for sentence in rule.refuses:
            yield f"- {escape(sentence)}."
        yield ""
        yield f"- **Why:** {escape(rule.why)}"
        yield f"- **Source:** {escape(rule.source)}; {rule.severity}, {rule.level}"
        yield f"- **Serves:** {', '.join(rule.frameworks)}"
        yield f"- **Remedy:** {escape(rule.remediation)}"
        if rule.after_creation:
            places = ", ".join(f"`{each}`" for each in rule.after_creation)
            yield f"- **Judged once known:** {places}"
        yield ""
        yield "Refused:"
        yield from _code(rule.offending)
        yield "Accepted:"
        yield from _code(rule.compliant)


def _code(text: str) -> Iterator[str]:
    yield "```python"
    yield from text.splitlines()
    yield "```"
