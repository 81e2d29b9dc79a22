"""The control mapping as Markdown: for each control what answers it, and where the evidence is.

Text and links only. It claims what a file of this repository, or a named run, can show; a test follows every link.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from atlas_access.manifest import Manifest
from atlas_access.review.markdown import escape
from atlas_access.review.matrix import build
from atlas_access.review.policy_page import RuleEntry


@dataclass(frozen=True)
class Evidence:
    """What shows that a control is met: a sentence, and a file below the repository's root."""

    says: str
    path: str


@dataclass(frozen=True)
class Control:
    """A control by the name that the policy pack uses for it, what it asks in our words, and what answers it."""

    name: str
    asks: str
    evidence: tuple[Evidence, ...]


CONTROLS = (
    Control(
        "SOC 2 CC6.1",
        "Access to protected data is granted by design, restricted to what a role needs; credentials stay safe.",
        (
            Evidence("Every user, role and collection is declared in one reviewed file", "access.yaml"),
            Evidence("Who may do what, generated from it", "docs/access-matrix.md"),
            Evidence("Each credential is proven against the server before a task receives it",
                     "atlas_access/proof/run.py"),
            Evidence("A proof that is wrong is refuted: tests with servers that grant too much or too little",
                     "tests/sandbox/test_proof_mutants.py"),
            Evidence("No connection string with a password is tracked by git", "atlas_access/guards/no_uri_in_git.py"),
            Evidence("No output shows a secret", "tests/sandbox/test_proof_keeps_secrets.py"),
        ),
    ),
    Control(
        "SOC 2 CC6.6",
        "The boundary towards the outside, and between environments, is kept and not widened in passing.",
        (
            Evidence("A stack acts in its own Atlas project and AWS account only", "atlas_access/base/settings.py"),
            Evidence("Network and project settings may not change at all",
                     "policy/rules/boundaries.py"),
            Evidence("What crosses environments is one reader, four collections, held to in code",
                     "atlas_access/guards/reference_collections.py"),
            Evidence("Changes by hand are found the same night", ".github/workflows/drift.yml"),
        ),
    ),
    Control(
        "HIPAA §164.308(a)(4)",
        "Access to health information is authorized, established and modified by a procedure.",
        (
            Evidence("A change of access is a reviewed change of one file, previewed with the policies",
                     ".github/workflows/preview.yml"),
            Evidence("Production changes wait for an approval of their own", ".github/workflows/deploy.yml"),
            Evidence("Every collection has a data class", "access.yaml"),
            Evidence("Granting, rotating and taking away, step by step", "docs/runbooks/provision.md"),
        ),
    ),
    Control(
        "HIPAA §164.312(b)",
        "Activity in systems with health information is recorded, and the record can be trusted.",
        (
            Evidence("The audit log's writer may find and insert, nothing else",
                     "policy/rules/roles.py"),
            Evidence("The server itself denies it update, remove, and every way around",
                     "atlas_access/proof/operations.txt"),
            Evidence("What remains possible to others is named as a waiver, not passed over",
                     "atlas_access/manifest/waivers.py"),
        ),
    ),
    Control(
        "CMS EDE Appendix A §3",
        "Environments are separate: a mistake in one cannot reach the other.",
        (
            Evidence("One Atlas project, one AWS account, one stack for each environment", "Pulumi.yaml"),
            Evidence("Settings that name another environment's property are refused", "tests/unit/test_settings.py"),
            Evidence("A resource of the wrong project is refused", "policy/rules/boundaries.py"),
        ),
    ),
)  # fmt: skip


def lines(manifest: Manifest, rules: Sequence[RuleEntry]) -> Iterator[str]:
    """The page, line by line; equal inputs give equal lines."""
    yield "# Control mapping"
    yield ""
    yield "What answers each control, and where to look. A deployment's proofs are in its outputs;"
    yield "`atlas-access prove STACK --format md` makes them anew. Nightly results are runs of the workflow *drift*."
    for control in CONTROLS:
        yield ""
        yield f"## {control.name}"
        yield ""
        yield control.asks
        yield ""
        for proof in control.evidence:
            yield f"- {proof.says}: [`{proof.path}`]({_relative(proof.path)})"
        serving = [rule for rule in rules if control.name in rule.frameworks]
        if serving:
            links = ", ".join(f"[`{rule.name}`](policies.md#{rule.name})" for rule in serving)
            yield f"- Rules: {links}"
    accepted = build(manifest).accepted
    if accepted:
        yield ""
        yield "## Known and accepted"
        yield ""
        for each in accepted:
            yield f"- **{escape(each.id)}** ({escape(each.adr)}): {escape(str(each))}. {escape(each.reason)}"


def _relative(path: str) -> str:
    return path.removeprefix("docs/") if path.startswith("docs/") else f"../{path}"
