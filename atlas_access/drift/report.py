"""A drift check as a report: each difference with what it permits, since when and by whom, and the remedy."""

from __future__ import annotations

from atlas_access.base import Finding, Report, Section, Status
from atlas_access.drift.finding import Difference, Drift
from atlas_access.drift.messages import counted, listed, moment

_LABELS = {Status.GOOD: "CLEAN", Status.BAD: "DRIFT", Status.UNKNOWN: "UNKNOWN"}


def drift_report(drift: Drift) -> Report:
    """The check; its JSON has the records under their own names."""
    return Report(
        name=f"drift {drift.stack}",
        status=drift.status,
        label=_LABELS[drift.status],
        summary=f"{drift.stack}: {_summary(drift)}",
        sections=(Section(findings=(*map(finding, drift.findings), *unread(drift))),),
        notes=(*not_reached(drift), *map(_earlier, drift.earlier)),
        data={
            "stack": drift.stack,
            "at": drift.at,
            "fingerprint": drift.fingerprint,
            "findings": drift.findings,
            "unread": drift.unread,
            "not_reached": drift.not_reached,
            "checked": dict(drift.checked),
        },
        source="access.yaml",
    )


def finding(difference: Difference) -> Finding:
    """One difference as a finding."""
    since = f"since {moment(difference.since)}" if difference.since is not None else ""
    history = f"{since}{f', by {difference.by}' if difference.by else ''}".removeprefix(", ")
    facts = (("History", history), ("It permits to", difference.permits))
    return Finding(
        status=Status.BAD,
        subject=difference.where,
        message=difference.what,
        remedy=difference.remedy,
        code=difference.kind.value,
        details=tuple((name, fact) for name, fact in facts if fact),
    )


def unread(drift: Drift) -> tuple[Finding, ...]:
    """What could not be read."""
    return tuple(
        Finding(Status.UNKNOWN, each.what, f"could not be read: {each.why}") for each in drift.unread
    )


def not_reached(drift: Drift) -> tuple[str, ...]:
    """What a setting or access.yaml leaves out, a line each."""
    return tuple(f"Not compared: {each}" for each in drift.not_reached)


def _earlier(each: Difference) -> str:
    return f"There before this deployment: {each.where}: {each.what}. {each.remedy}"


def _summary(drift: Drift) -> str:
    if drift.status is Status.BAD:
        also = f"; {_unread(drift)}" if drift.unread else ""
        return f"{counted(len(drift.findings), 'finding')}{also}{_known(drift)}"
    if drift.status is Status.UNKNOWN:
        return f"{_unread(drift)}; nothing else differs{_known(drift)}"
    if drift.earlier:
        return f"nothing new differs{_known(drift)}"
    parts = [f"{count} {noun}" for noun, count in drift.checked if count]
    compared = f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts) or "nothing"
    return f"{compared} are as declared"


def _unread(drift: Drift) -> str:
    return f"{listed((each.what for each in drift.unread), 4)} could not be read"


def _known(drift: Drift) -> str:
    return f"; {counted(len(drift.earlier), 'finding')} from before this deployment" if drift.earlier else ""
