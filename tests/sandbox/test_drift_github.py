"""The drift issue against a GitHub on loopback: one set of findings is one issue, whatever goes wrong on the way."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from drift_fixture import endpoints
from http_fixture import Answered, Request, serving

from atlas_access.base.observed import Unread
from atlas_access.clients import GitHub, GitHubUnavailable
from atlas_access.clients.issues import Change, Write
from atlas_access.clients.retry import Retry
from atlas_access.drift.finding import Difference, Drift, Kind
from atlas_access.drift.issue import LABEL, decide
from atlas_access.drift.model import NotReached

NIGHT = datetime(2026, 5, 1, 2, 0, tzinfo=UTC)
TOKEN = "canary-token-1234567890"


@dataclass
class Repository:
    """A repository's issues, and faults that wait for the next writes."""

    issues: list[dict[str, Any]] = field(default_factory=list)
    comments: list[tuple[int, str]] = field(default_factory=list)
    faults: list[Answered] = field(default_factory=list)
    lost: int = 0
    drops_labels: bool = False
    requests: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> Answered:
        self.requests.append(request)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Answered({"message": "Bad credentials"}, 401)
        if self.faults:
            return self.faults.pop(0)
        reply = self.act(request)
        if request.method == "POST" and self.lost:
            self.lost -= 1
            return Answered(drop=True)
        return reply

    def act(self, request: Request) -> Answered:
        parts = request.path.split("/")
        match (request.method, parts[4:]):
            case ("GET", ["issues"]):
                label, page = request.query["labels"][0], int(request.query["page"][0])
                size = int(request.query["per_page"][0])
                mine = [issue for issue in self.issues if label in [each["name"] for each in issue["labels"]]]
                return Answered(mine[(page - 1) * size : page * size])
            case ("POST", ["issues"]):
                labels = [] if self.drops_labels else [{"name": name} for name in request.body["labels"]]
                issue = {
                    "number": len(self.issues) + 1,
                    "title": request.body["title"],
                    "body": request.body["body"].replace("\n", "\r\n"),
                    "state": "open",
                    "labels": labels,
                }
                self.issues.append(issue)
                return Answered(issue, 201)
            case ("PATCH", ["issues", number]):
                issue = self.issues[int(number) - 1]
                issue |= {key: request.body[key] for key in ("title", "body", "state") if key in request.body}
                return Answered(issue)
            case ("POST", ["issues", number, "comments"]):
                self.comments.append((int(number), request.body["body"]))
                return Answered({}, 201)
        return Answered({"message": "Not Found"}, 404)

    @property
    def states(self) -> list[str]:
        return [issue["state"] for issue in self.issues]


@contextmanager
def tracker(repository: Repository, token: str = TOKEN, seconds: float = 10.0) -> Iterator[GitHub]:
    with (
        serving(repository.answer) as url,
        GitHub("owner/name", token, endpoints(url, github=url), Retry(seconds)) as opened,
    ):
        yield opened


@pytest.fixture
def repository() -> Repository:
    return Repository()


@pytest.fixture
def github(repository: Repository) -> Iterator[GitHub]:
    with tracker(repository) as opened:
        yield opened


def finding(subject: str = "role_audit_writer", kind: Kind = Kind.ACTION_EXTRA) -> Difference:
    return Difference(
        kind, "askflorence-staging", subject, f"{subject} has UPDATE", "Deploy", permits="change documents"
    )


def drift(
    *findings: Difference,
    night: int = 0,
    unread: tuple[Unread, ...] = (),
    not_reached: tuple[NotReached, ...] = (),
) -> Drift:
    return Drift("staging", NIGHT + timedelta(days=night), findings, unread, not_reached)


def report(tracker: GitHub, found: Drift) -> tuple[Change, ...]:
    return tracker.sync(LABEL, lambda issues: decide(found, issues))


def test_thirty_nights_of_the_same_drift_are_one_issue(
    repository: Repository, github: GitHub, capsys: pytest.CaptureFixture[str]
) -> None:
    for night in range(30):
        at = NIGHT + timedelta(days=night)
        report(github, drift(replace(finding(), since=at, by="someone"), night=night))
    with capsys.disabled():
        sys.stdout.write(f"\ndrift: 30 nights of the same drift, {len(repository.issues)} issue\n")
    assert ["open"] == repository.states
    assert "Last seen 2026-05-30 02:00 UTC" in repository.issues[0]["body"]
    assert [] == repository.comments


def test_the_same_night_twice_writes_nothing_the_second_time(repository: Repository, github: GitHub) -> None:
    assert [Write.OPEN] == [change.write for change in report(github, drift(finding()))]
    assert () == report(github, drift(finding()))


def test_an_issue_is_closed_when_clean_and_reopened_on_drift(repository: Repository, github: GitHub) -> None:
    report(github, drift(finding()))
    report(github, drift(night=1))
    assert ["closed"] == repository.states
    report(github, drift(finding(), night=2))
    assert ["open"] == repository.states
    assert [1, 1] == [number for number, _ in repository.comments]
    assert ["Clean", "Back"] == [text.split()[0] for _, text in repository.comments]


def test_unknown_never_closes_and_never_writes(repository: Repository, github: GitHub) -> None:
    report(github, drift(finding()))
    assert () == report(github, drift(night=1, unread=(Unread("database users", "503"),)))
    assert ["open"] == repository.states


NO_READER = (NotReached("collections of askflorence-staging", "no service binding may list them"),)
SCRATCH = "askflorence.scratch"


def test_collections_not_inspected_close_no_issue_about_them(repository: Repository, github: GitHub) -> None:
    report(github, drift(finding(SCRATCH, Kind.COLLECTION_UNDECLARED)))
    assert () == report(github, drift(night=1, not_reached=NO_READER))
    report(github, drift(night=2))
    assert ["closed"] == repository.states


def test_an_issue_about_roles_is_closed_although_nobody_may_list_the_collections(
    repository: Repository, github: GitHub
) -> None:
    report(github, drift(finding()))
    report(github, drift(night=1, not_reached=NO_READER))
    assert ["closed"] == repository.states


def test_an_issue_that_does_not_name_its_parts_waits_until_everything_is_looked_at(
    repository: Repository, github: GitHub
) -> None:
    report(github, drift(finding()))
    repository.issues[0]["body"] = repository.issues[0]["body"].replace(" parts=inventory", "")
    assert () == report(github, drift(night=1, not_reached=NO_READER))
    report(github, drift(night=2))
    assert ["closed"] == repository.states


def test_another_drift_leaves_an_issue_about_collections_open_while_nobody_looks_at_them(
    repository: Repository, github: GitHub
) -> None:
    report(github, drift(finding(SCRATCH, Kind.COLLECTION_UNDECLARED)))
    report(github, drift(finding(), night=1, not_reached=NO_READER))
    assert ["open", "open"] == repository.states


def test_other_findings_open_another_issue_and_close_the_old(repository: Repository, github: GitHub) -> None:
    report(github, drift(finding()))
    report(github, drift(finding(), finding("app_read", Kind.BUILTIN_ESCALATION), night=1))
    assert ["closed", "open"] == repository.states


def test_a_night_that_read_less_never_splits_an_issue(repository: Repository, github: GitHub) -> None:
    both = (finding(), finding("app_read", Kind.BUILTIN_ESCALATION))
    report(github, drift(*both))
    report(github, drift(finding(), night=1, unread=(Unread("AWS account", "ExpiredToken"),)))
    report(github, drift(*both, night=2))
    assert ["open"] == repository.states


def test_an_answer_that_is_lost_after_the_write_makes_no_second_issue() -> None:
    repository = Repository(lost=1)
    with tracker(repository) as github:
        report(github, drift(finding()))
    assert ["open"] == repository.states


def test_two_issues_of_one_set_become_one(repository: Repository, github: GitHub) -> None:
    """Two runs at once can open two."""
    report(github, drift(finding()))
    repository.issues.append({**repository.issues[0], "number": 2})
    report(github, drift(finding(), night=1))
    assert ["open", "closed"] == repository.states


def test_others_labels_and_pull_requests_are_left_alone(repository: Repository, github: GitHub) -> None:
    label = [{"name": LABEL}]
    repository.issues = [
        {"number": 1, "title": "by hand", "body": "mine", "state": "open", "labels": label},
        {"number": 2, "title": "a change", "body": "x", "state": "open", "labels": label, "pull_request": {}},
        {"number": 3, "title": "no body", "body": None, "state": "open", "labels": label},
    ]
    report(github, drift())
    assert ["open"] * 3 == repository.states


def test_a_hundred_closed_issues_are_read_page_by_page(repository: Repository, github: GitHub) -> None:
    repository.issues = [
        {"number": n, "title": "old", "body": "x", "state": "closed", "labels": [{"name": LABEL}]}
        for n in range(1, 151)
    ]
    assert 150 == len(github.issues(LABEL))


@pytest.mark.parametrize(
    "fault",
    [
        Answered({}, 500),
        Answered({}, 503),
        Answered({}, 429, {"Retry-After": "0"}),
        Answered({}, 403, {"Retry-After": "0"}),
        Answered(drop=True),
    ],
    ids=["500", "503", "429", "secondary rate limit", "dropped"],
)
def test_a_passing_outage_is_waited_out(fault: Answered) -> None:
    repository = Repository(faults=[fault])
    with tracker(repository) as github:
        report(github, drift(finding()))
    assert ["open"] == repository.states


def test_a_rate_limit_beyond_the_deadline_is_reported_at_once() -> None:
    reset = str(int(datetime.now(UTC).timestamp()) + 1800)
    limited = Answered({}, 403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset})
    repository = Repository(faults=[limited] * 9)
    with tracker(repository) as github, pytest.raises(GitHubUnavailable, match="longer than the deadline"):
        report(github, drift(finding()))
    assert 1 == len(repository.requests)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        (Answered({"message": TOKEN}, 403), "issues: write"),
        (Answered({"message": TOKEN}, 404), "no such repository"),
        (Answered({"message": TOKEN}, 410), "switched off"),
        (Answered(b"<html>"), "not JSON"),
        (Answered({"a": 1}), "no list"),
    ],
)
def test_a_refusal_is_clear_and_shows_no_token(fault: Answered, why: str) -> None:
    repository = Repository(faults=[fault])
    with tracker(repository) as github, pytest.raises(GitHubUnavailable, match=why) as caught:
        report(github, drift(finding()))
    assert TOKEN not in str(caught.value)
    assert [] == repository.issues


def test_a_wrong_token_is_reported() -> None:
    repository = Repository()
    with tracker(repository, "wrong") as github, pytest.raises(GitHubUnavailable, match="not valid"):
        report(github, drift(finding()))


def test_a_token_that_may_not_label_leaves_no_open_issue_that_nobody_finds_again() -> None:
    repository = Repository(drops_labels=True)
    with tracker(repository) as github, pytest.raises(GitHubUnavailable, match="may not set labels"):
        report(github, drift(finding()))
    assert ["closed"] == repository.states


@pytest.mark.parametrize(
    "name", ["", "owner", "owner/", "a/b/c", "../x/y", "o/..", "owner/na me", "https://x/y"]
)
def test_what_is_no_repository_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="owner/name"):
        GitHub(name, TOKEN, endpoints("http://127.0.0.1:1"))
