"""The answer to who-can as a report: by the manifest, or by a cluster's own server with the manifest beside it.

A user that could not be asked is unknown, never one that cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict

from atlas_access.base import Finding, Report, Section, Status
from atlas_access.drift import listed
from atlas_access.proof import LiveHolder
from atlas_access.review.matrix_report import accepted_document, accepted_finding, used_as
from atlas_access.review.who_can import Answer, Holder


def declared_report(answer: Answer) -> Report:
    """Who can do it by the manifest, by which role, through which variable; nobody is an answer too."""
    able = ", ".join(dict.fromkeys(holder.user for holder in answer.holders)) or "Nobody"
    return Report(
        name="who-can",
        status=Status.GOOD,
        label="DECLARED" if answer.declared else "UNDECLARED",
        summary=f"{able} can {answer.action} on {answer.place}{_undeclared(answer)}",
        sections=(
            Section(lines=tuple(map(_sentence, answer.holders))),
            *(
                [Section("Known and accepted", findings=tuple(map(accepted_finding, answer.accepted)))]
                if answer.accepted
                else []
            ),
        ),
        data={
            "action": answer.action,
            "place": answer.place,
            "declared": answer.declared,
            "holders": list(map(asdict, answer.holders)),
            "accepted": list(map(accepted_document, answer.accepted)),
        },
        source="access.yaml",
    )


def live_report(
    answer: Answer, environment: str, holders: Sequence[LiveHolder], legacy: Sequence[str] = ()
) -> Report:
    """Who can do it by the server of `environment`; `legacy` are the users that are to be retired."""
    able = list(dict.fromkeys(each.user for each in holders if each.can))
    unasked = [each.user for each in holders if each.can is None]
    declared = {each.user for each in answer.holders if each.environment == environment}
    undeclared = [user for user in able if user not in declared]
    place = f"{answer.action} on {answer.place}{_undeclared(answer)}"
    summary = f"{', '.join(able) or 'Nobody'} can {place}, by {environment}'s server"
    if unasked:
        known = f"{summary}; " if able else f"who can {place}: "
        summary = f"{known}{listed(unasked, 4)} could not be asked"
    return Report(
        name=f"who-can {environment}",
        status=Status.UNKNOWN if unasked else Status.GOOD,
        label="UNKNOWN" if unasked else "LIVE",
        summary=summary,
        sections=(
            Section(
                lines=tuple(
                    f"{each.user}, by {', '.join(each.roles)}; from {each.secret}"
                    for each in holders
                    if each.can
                ),
                findings=(
                    *_beyond(undeclared, legacy),
                    *(_unasked(each) for each in holders if each.can is None),
                ),
            ),
        ),
        data={
            "environment": environment,
            "able": able,
            "undeclared": undeclared,
            "said": list(map(asdict, holders)),
        },
        source="access.yaml",
    )


def _undeclared(answer: Answer) -> str:
    return "" if answer.declared else " (undeclared: by what the roles reach)"


def _beyond(users: Sequence[str], legacy: Sequence[str]) -> Iterator[Finding]:
    for user in users:
        why = "a legacy user, to be retired" if user in legacy else "access.yaml does not declare it"
        yield Finding(Status.BAD, user, f"beyond the manifest: {why}")


def _unasked(each: LiveHolder) -> Finding:
    roles = f", holds {', '.join(each.roles)}" if each.roles else ""
    return Finding(Status.UNKNOWN, each.user, f"not asked{roles}: {each.why}")


def _sentence(holder: Holder) -> str:
    uses = dict.fromkeys(used_as(use, holder.environment) for use in holder.uses if use.consumer != "local")
    mark = f" ⚠{','.join(holder.waivers)}" if holder.waivers else ""
    carried = f"; carried by {', '.join(uses)}" if uses else ""
    return f"{holder.user} on {holder.environment}, by {holder.role}{carried}{mark}"
