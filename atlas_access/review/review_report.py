"""The review of a change as a report: widens, narrows or same in the first line, then every change, the worst first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from atlas_access.base import Finding, Report, Section, Status, worst
from atlas_access.review.compare import privilege_changes, renames
from atlas_access.review.compare_files import file_changes, unchanged
from atlas_access.review.declaration import Change, Declaration, Effect, Part
from atlas_access.review.reach import listed

_EFFECTS, _PARTS = list(Effect), list(Part)
_STATUSES = {Effect.WIDENS: Status.BAD, Effect.NARROWS: Status.GOOD, Effect.SAME: Status.GOOD}
_VERBS = {Effect.WIDENS: "gain", Effect.NARROWS: "lose"}
_SHOWN = 25


@dataclass(frozen=True)
class Reviewed:
    """The changes between two versions, the worst first, and who approves those that widen."""

    base: str
    changes: tuple[Change, ...]
    approvers: tuple[str, ...]
    unchanged: str = ""

    @property
    def effect(self) -> Effect:
        """The worst effect of any change."""
        return min((each.effect for each in self.changes), key=_EFFECTS.index, default=Effect.SAME)

    @property
    def privileges(self) -> tuple[Change, ...]:
        """The privilege part."""
        return tuple(each for each in self.changes if each.part in (Part.USER, Part.VARIABLE))


def review(before: Declaration, after: Declaration, base: str) -> Reviewed:
    """Compare two versions. Who approves is said by the law of the version before, where there is one."""
    found = (
        *privilege_changes(before.manifest, after.manifest),
        *renames(before.manifest, after.manifest),
        *file_changes(before, after),
    )
    ordered = sorted(found, key=lambda each: (_EFFECTS.index(each.effect), _PARTS.index(each.part)))
    approvers = (before.law or after.law).get("approvers", ())
    named = tuple(map(str, approvers)) if isinstance(approvers, list | tuple) else ()
    return Reviewed(base, tuple(ordered), named, unchanged(ordered, after.manifest))


def review_report(found: Reviewed, lawful: Report | None = None, live: Report | None = None) -> Report:
    """The review; bad where it widens. `lawful` is the comparison with the law, `live` that with what is deployed."""
    status = _STATUSES[found.effect]
    if live is not None and live.status is Status.UNKNOWN:
        status = worst((status, Status.UNKNOWN))
    return Report(
        name="review",
        status=status,
        label=found.effect.value.upper(),
        summary="; ".join((*_summary(found), *_unasked(live))),
        sections=(
            Section(findings=tuple(map(finding, found.changes)), shown=_SHOWN),
            *([] if live is None else [_deployed(live)]),
        ),
        notes=tuple(filter(None, (found.unchanged, _law(lawful), f"compared with {found.base}"))),
        data={
            "effect": found.effect,
            "base": found.base,
            "approvers": list(found.approvers),
            "changes": [_document(each) for each in found.changes],
            "live": None if live is None else {"status": live.status, "summary": live.headline},
        },
        source="access.yaml",
    )


def finding(change: Change) -> Finding:
    """One change: whose, where, what, and who receives the credential."""
    subject = f"{', '.join(change.clusters)}  {change.subject}" if change.clusters else change.subject
    details = (("", change.used_by),) if change.used_by else ()
    return Finding(_STATUSES[change.effect], subject, change.message, code=change.effect, details=details)


def _summary(found: Reviewed) -> Iterator[str]:
    for effect, verb in _VERBS.items():
        users = [each for each in found.changes if each.part is Part.USER and each.effect is effect]
        if users:
            names = {each.subject for each in users}
            clusters = {cluster for each in users for cluster in each.clusters}
            verb_of = f"{verb}s" if len(names) == 1 else verb
            yield f"{_counted(len(names), 'user')} {verb_of} access on {_counted(len(clusters), 'cluster')}"
    parts = Counter((each.part, each.effect) for each in found.changes if each.part is not Part.USER)
    for (part, effect), count in parts.items():
        if effect is not Effect.SAME:
            yield f"{_counted(count, _NOUNS[part])} {effect.value.removesuffix('s')}{'s' if count == 1 else ''}"
    if not found.privileges:
        yield "nobody gains or loses access"
    if rotating := parts[Part.ROTATION, Effect.SAME]:
        yield f"{_counted(rotating, 'user')} rotate{'s' if rotating == 1 else ''}"
    others = sum(count for (part, effect), count in parts.items() if effect is Effect.SAME) - rotating
    if others:
        yield f"{_counted(others, 'other change')}"
    if found.effect is Effect.WIDENS:
        yield f"needs approval by {' and '.join(found.approvers) or 'its owners'} (required check `review`)"


_NOUNS = {
    Part.VARIABLE: "variable",
    Part.COLLECTION: "data class",
    Part.WAIVER: "waiver",
    Part.KNOWN_USER: "entry of known-users.yaml",
    Part.MANIFEST: "other entry of access.yaml",
    Part.SETTING: "setting",
    Part.LAW: "entry of the law",
    Part.GATE: "entry of the gates",
}


def _counted(count: int, noun: str) -> str:
    head, of, rest = noun.partition(" of ")
    plural = (
        head
        if count == 1
        else f"{head[:-1]}ies"
        if head.endswith("y")
        else f"{head}{'es' if head.endswith('s') else 's'}"
    )
    return f"{count} {plural}{of}{rest}"


def _law(lawful: Report | None) -> str:
    """Where the law does not say the same, in one line; "" where it does."""
    subjects = dict.fromkeys(each.subject for each in (lawful.findings if lawful else ()))
    if not subjects:
        return ""
    names = listed(subjects)
    return f"The law does not say the same of: {names} (policy/policy-config.json; atlas-access check)"


def _unasked(live: Report | None) -> Iterator[str]:
    if live is not None and live.status is Status.UNKNOWN:
        yield "what is deployed now is unknown in part"


def _deployed(live: Report) -> Section:
    return Section(f"Deployed now: {live.headline}", findings=live.findings, shown=10)


def _document(change: Change) -> dict[str, object]:
    return {
        "part": change.part,
        "effect": change.effect,
        "subject": change.subject,
        "clusters": list(change.clusters),
        "message": change.message,
        "usedBy": change.used_by,
        "gained": sorted(map(str, change.gained)),
        "lost": sorted(map(str, change.lost)),
    }
