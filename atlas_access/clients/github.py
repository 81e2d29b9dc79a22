"""Writes a repository's issues by the GitHub REST API, until the tracker says what was decided.

Every round lists the issues anew and lets the caller decide from that list, so that an answer lost on its way never
makes a second issue. Only issues that were decided on are changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from atlas_access.base import Endpoints, redact
from atlas_access.clients.errors import GitHubUnavailable
from atlas_access.clients.http import session
from atlas_access.clients.issues import Change, Issue, Write
from atlas_access.clients.retry import HttpReply, Retry, Unanswered, exhausted

ROUNDS = 3
_PAGE = 100
_MAX_PAGES = 20
_REPOSITORY = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})/[A-Za-z0-9._-]{1,100}")
_REFUSALS = {
    401: "the token is not valid; renew GITHUB_TOKEN",
    403: "the token may not do this; give it the permission `issues: write`",
    404: "there is no such repository, or the token may not see it; give it the permission `issues: write`",
    410: "the repository has its issues switched off; switch them on",
    422: "GitHub does not take the content",
}
Decide = Callable[[tuple[Issue, ...]], Sequence[Change]]


class _Lost(Exception):
    """It is not known whether a write was done."""


class GitHub:
    """A client of one repository's issues."""

    def __init__(self, repository: str, token: str, endpoints: Endpoints, retry: Retry | None = None) -> None:
        """Raises ValueError for what is not owner/name."""
        if not _REPOSITORY.fullmatch(repository) or repository.endswith(("/.", "/..")):
            raise ValueError(f"{json.dumps(repository)} is no repository; write it as owner/name")
        self._retry = retry or Retry()
        self._session = session(endpoints)
        self._token = token
        self._session.headers.update(
            {
                "Accept": "application/vnd.github+json",
                "X-GitHub-Api-Version": "2022-11-28",
                "Authorization": f"Bearer {token}",
            }
        )
        self._base = f"{endpoints.github.rstrip('/')}/repos/{repository}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def sync(self, label: str, decide: Decide) -> tuple[Change, ...]:
        """Make the changes that `decide` asks for, given all issues with the label; return those that were made.

        Raises `GitHubUnavailable`.
        """
        made: list[Change] = []
        for _ in range(ROUNDS):
            try:
                for change in decide(self.issues(label)):
                    self._write(change)
                    made.append(change)
            except _Lost:
                continue
            return tuple(made)
        raise GitHubUnavailable("writing the issue", "it is not known whether it was written; inspect it")

    def issues(self, label: str) -> tuple[Issue, ...]:
        """Return all issues with a label, open and closed, pull requests left out. Raises `GitHubUnavailable`."""
        found: list[Issue] = []
        for page in range(1, _MAX_PAGES + 1):
            asked = {"labels": label, "state": "all", "sort": "created", "direction": "asc"}
            reply = self._ask(
                "listing the issues", "GET", "/issues", params={**asked, "per_page": _PAGE, "page": page}
            )
            entries = _json("listing the issues", reply)
            if not isinstance(entries, list):
                raise GitHubUnavailable("listing the issues", "the answer is no list")
            found += [
                _issue(each) for each in entries if isinstance(each, dict) and "pull_request" not in each
            ]
            if len(entries) < _PAGE:
                return tuple(found)
        raise GitHubUnavailable("listing the issues", f"there are more than {_PAGE * _MAX_PAGES}")

    def _write(self, change: Change) -> None:
        """State and text first, the comment last: a repeated round finds them in place and says nothing twice."""
        if change.write is Write.OPEN:
            self._open(change)
            return
        body: dict[str, Any] = {"state": "closed", "state_reason": "completed"}
        if change.write is not Write.CLOSE:
            body = {"title": change.title, "body": change.body, "state": "open"}
        self._ask(f"issue {change.number}", "PATCH", f"/issues/{change.number}", body)
        if change.comment:
            self._ask(
                f"issue {change.number}",
                "POST",
                f"/issues/{change.number}/comments",
                {"body": change.comment},
            )

    def _open(self, change: Change) -> None:
        what = "opening the issue"
        body = {"title": change.title, "body": change.body, "labels": list(change.labels)}
        made = _json(what, self._ask(what, "POST", "/issues", body))
        labels = made.get("labels") if isinstance(made, dict) else None
        names = [each.get("name") if isinstance(each, Mapping) else each for each in labels or []]
        if isinstance(made, dict) and not set(change.labels) <= set(names):
            # GitHub drops labels in silence; without them the issue would never be found again.
            self._ask(
                what,
                "PATCH",
                f"/issues/{made.get('number')}",
                {"state": "closed", "state_reason": "not_planned"},
            )
            raise GitHubUnavailable(
                what, "the token may not set labels; give it the permission `issues: write`"
            )

    def _ask(self, what: str, method: str, path: str, body: object = None, **more: Any) -> HttpReply:
        repeat = method != "POST"
        try:
            reply = self._retry.ask(
                self._session, method, f"{self._base}{path}", repeat=repeat, json=body, **more
            )
        except Unanswered as unanswered:
            if not repeat and self._retry.left:
                raise _Lost from None
            raise GitHubUnavailable(what, unanswered.why) from None
        if reply.status not in (200, 201):
            limited = reply.status == 403 and exhausted(reply)
            why = "the rate limit is used up" if limited else _REFUSALS.get(reply.status)
            message = redact(_message(reply), (self._token,))
            raise GitHubUnavailable(
                what, why or f"GitHub answered {reply.status}", message=message, status=reply.status
            )
        return reply


def _message(reply: HttpReply) -> str:
    try:
        return str(json.loads(reply.text).get("message") or "")
    except (ValueError, RecursionError, AttributeError):
        return ""


def _json(what: str, reply: HttpReply) -> Any:
    try:
        return json.loads(reply.text)
    except (ValueError, RecursionError):
        raise GitHubUnavailable(what, "the answer is not JSON") from None


def _issue(entry: Mapping[str, Any]) -> Issue:
    number, state = entry.get("number"), entry.get("state")
    if not isinstance(number, int) or state not in ("open", "closed"):
        raise GitHubUnavailable("listing the issues", "an issue has no number or state")
    return Issue(number, str(entry.get("title") or ""), str(entry.get("body") or ""), state == "open")
