"""Credentials are not destroyed while anything uses them, or while nobody can say that nothing does."""

from typing import Any

import pytest

from atlas_access.base.observed import Unread
from atlas_access.retirement.consumers import Elsewhere, reasons
from atlas_access.retirement.observed import BoundRevision, ObservedAccount
from atlas_access.rollout.service_tags import Lease, ServiceTags
from probes.destroy_guard import InUseProvider

REVISION = "arn:aws:ecs:us-east-1:111111111111:task-definition/askflorence-staging-app:8"
SECRET = "staging/mongodb/app-read-v2"
REFERENCE = "prod/mongodb/reference-uri-v2"


def bound(*used_by: str) -> ObservedAccount:
    return ObservedAccount("staging", 9, (BoundRevision(REVISION, True, (SECRET,), used_by),))


def against(
    service_tags: ServiceTags | None = None,
    account: ObservedAccount | Unread | None = None,
    other: Elsewhere | None = None,
) -> tuple[str, ...]:
    accounts = [("staging", account)] if account else []
    return tuple(reasons("staging", service_tags or ServiceTags(), accounts, [other] if other else []))


def test_nothing_stands_against_what_nothing_uses() -> None:
    assert () == against(account=bound(), other=Elsewhere("prod", REFERENCE, there=False))


@pytest.mark.parametrize("user", ["service askflorence-staging-app", "task 1a2b3c4d", "rule default/nightly"])
def test_a_revision_that_runs_or_is_named_stands_against_it(user: str) -> None:
    (printed,) = against(account=bound(user))
    assert printed.startswith(
        f"staging: askflorence-staging-app:8 ({user}) reads {SECRET}: move it off first"
    )


def test_a_lease_stands_against_it() -> None:
    (printed,) = against(ServiceTags(lease=Lease("run-1", "a:7", REVISION, 0.0)))
    assert printed.startswith(
        "run run-1 holds a lease on staging's service: wait for its end, or atlas-access rollback"
    )


def test_tags_that_make_no_sense_stand_against_it() -> None:
    (printed,) = against(ServiceTags(broken="the lease"))
    assert "make no sense (the lease)" in printed


def test_another_stack_that_holds_the_credential_stands_against_it() -> None:
    result = against(other=Elsewhere("prod", REFERENCE, there=True))
    assert (f"prod still holds {REFERENCE}, which carries staging's credential: destroy it first",) == result


def test_what_could_not_be_asked_stands_against_it() -> None:
    unread = Unread("task definitions of prod", "AccessDenied")
    result = against(account=unread, other=Elsewhere("prod", REFERENCE, there=None, why="AccessDenied"))
    assert ["is unknown" in each for each in result] == [True, True]


@pytest.mark.parametrize(
    ("old", "new", "asked"), [(["a", "b"], ["a", "b", "c"], []), (["a", "b"], ["a"], [["b"]])]
)
def test_an_update_asks_only_for_the_secrets_that_go(
    monkeypatch: pytest.MonkeyPatch, old: list[str], new: list[str], asked: list[list[str]]
) -> None:
    observed: list[Any] = []
    monkeypatch.setattr(
        "atlas_access.retirement.consumers.refuse_while_consumed", lambda _, secrets: observed.append(secrets)
    )
    InUseProvider().update("c/app", {"secrets": old}, {"secrets": new})
    assert asked == observed
