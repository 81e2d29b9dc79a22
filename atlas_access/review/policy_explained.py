"""A rule of the policy pack, or a waiver of the manifest, explained in plain sentences.

The pack is not imported: a rule arrives as anything with the catalogue's fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from atlas_access.manifest import AUDIT, Consumer, Manifest, Waiver
from atlas_access.review.policy_page import CatalogueEntry, RuleEntry


@dataclass(frozen=True)
class Explanation:
    """What is explained, in one sentence, and the facts about it, in order, each under its own word."""

    name: str
    sentence: str
    facts: tuple[tuple[str, str], ...]


def of_rule(rule: RuleEntry) -> Explanation:
    """Why a rule stands, where it was decided, and an example of both sides."""
    facts = [
        ("Why", rule.why),
        ("Decided in", rule.source),
        ("Level", f"{rule.severity}; {rule.level}"),
        ("Controls", ", ".join(rule.frameworks)),
        ("Refused", rule.offending),
        ("Accepted", rule.compliant),
        ("Remedy", rule.remediation),
    ]
    if rule.after_creation:
        facts.append(("Known after creation", ", ".join(rule.after_creation)))
    return Explanation(rule.name, rule.description, tuple(facts))


class TellingEntry(CatalogueEntry, Protocol):
    """What the pack reports besides its rules."""

    @property
    def expected(self) -> tuple[str, ...]: ...  # noqa: D102


def of_telling(telling: TellingEntry) -> Explanation:
    """What it means that a value was not judged, whether that stops anything, and by which rules it is expected."""
    facts = [
        ("Why", telling.why),
        ("Level", telling.level),
        ("Remedy", telling.remediation),
    ]
    if telling.expected:
        facts.append(("Expected by", "; ".join(telling.expected)))
    return Explanation(telling.name, telling.description, tuple(facts))


def of_waiver(manifest: Manifest, waiver: Waiver) -> Explanation:
    """What a waiver accepts, of whom, by which decision, who carries that credential, and how to end it."""
    on_audit = waiver.on == AUDIT
    where = manifest.audit.namespace if on_audit else f"{manifest.database}, every collection"
    user = manifest.user(waiver.user)
    carried = sorted(
        {
            f"{each.variable} ({each.consumer.value}, {each.environment})"
            for each in manifest.bindings_of(user.name)
            if each.consumer is not Consumer.LOCAL
        }
    )
    remedy = (
        f"Give the audit log a database of its own (audit.database in the manifest), so that "
        f"{', '.join(map(str, user.roles))} does not reach it; then remove {waiver.id}."
        if on_audit
        else f"Give {user.name} a custom role without {' and '.join(waiver.permits)}, and leave indexes to the "
        f"schema task; then remove {waiver.id}."
    )
    return Explanation(
        waiver.id,
        f"{waiver.user} can {', '.join(waiver.permits)} on {where}; known and accepted ({waiver.adr})",
        (
            ("What", waiver.reason),
            ("Who", f"{waiver.user} by {', '.join(map(str, user.roles))}"),
            ("Carried by", ", ".join(carried)),
            ("Decided in", waiver.adr),
            ("Rule", "audit-log-append-only"),
            ("Remedy", remedy),
        ),
    )


def render(explanation: Explanation) -> str:
    """The explanation as text."""
    lines = [f"{explanation.name}: {explanation.sentence}"]
    return "\n".join([*lines, *(f"  {word + ':':<12} {text}" for word, text in explanation.facts)])


def document(explanation: Explanation) -> Mapping[str, Any]:
    """The explanation as plain values."""
    return {"name": explanation.name, "sentence": explanation.sentence, **dict(explanation.facts)}
