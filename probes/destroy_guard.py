"""`CredentialsInUse` as a dynamic resource: it stands between a stack's credentials and all that consumes them.

Two of them stand in a stack. One comes after all else: a destroy begins with it, and asks other stacks and the lease
before anything is touched. The other stands between the credentials and what moves the service: a destroy asks it when
the service is back, and touches no credential while one is used. What acts is imported when it acts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, UpdateResult

from probes.provider import OneMessage
from probes.rollout import ServiceAddress


@dataclass(frozen=True)
class InUseArgs:
    """The names of the stack's own secrets, those of other stacks that carry one of its credentials, and the role.

    `crossing` holds (environment, secret) pairs; `observer_role` is the role to look as in their accounts. `own` says
    whether the stack's own account is asked, too: not before its service is back on what it ran before. `declared` are
    the names of the stack's users, roles and secrets, `protected` those that an update may not remove.
    """

    secrets: Sequence[str]
    crossing: Sequence[tuple[str, str]]
    observer_role: str
    own: bool
    declared: Sequence[str] = ()
    protected: Sequence[str] = ()


_NAMES = ("declared", "protected")


class StillProtected(RuntimeError):
    """Something that is protected was removed from access.yaml; the message names the two steps that remove it."""


def refuse_unannounced(olds: Mapping[str, Any], news: Mapping[str, Any]) -> None:
    """Raise `StillProtected` where a change removes what the last update has protected; pure."""
    gone = sorted(set(olds.get("protected") or ()) - set(news.get("declared") or ()))
    if gone:
        raise StillProtected(
            f"access.yaml does not declare {', '.join(gone)} any more, but this stack protects it. To remove or rename "
            f"takes two reviewed changes. First put it back, set atlas-access:removing: [{', '.join(gone)}] in "
            f"Pulumi.{news['stack']}.yaml and update: that lifts the protection of exactly these. Then remove it from "
            "access.yaml, policy/policy-config.json and the setting, and update (docs/runbooks/remove.md)."
        )


class InUseProvider(OneMessage):
    """Refuses to go while a credential is used; refuses to let single ones go in the same way."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Nothing is asked before something is to go."""
        return CreateResult(f"{props['cluster']}/{props['service']}", props)

    def update(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Ask for the secrets that are no longer declared: they go at the end of this update."""
        gone = sorted(set(olds.get("secrets") or ()) - set(news.get("secrets") or ()))
        if gone:
            self._refuse(news, gone)
        return UpdateResult(news)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Ask for every secret. Raises `StillConsumed`."""
        self._refuse(props, props["secrets"])

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Whatever differs is taken over in place. Raises `StillProtected` where access.yaml lost what is protected."""
        if not news["own"]:  # the last resource: what the policies refuse is reported first
            refuse_unannounced(olds, news)
        keys = (*("stack", "region", "cluster", "service", "secrets", "crossing", "observer_role"), *_NAMES)
        return DiffResult(changes=any(olds.get(key) != news.get(key) for key in keys))

    @staticmethod
    def _refuse(props: Mapping[str, Any], secrets: Sequence[str]) -> None:
        from atlas_access.retirement import refuse_while_consumed

        refuse_while_consumed(props, secrets)


class CredentialsInUse(pulumi.dynamic.Resource, module="rollout", name="CredentialsInUse"):
    """The refusal to destroy a stack's credentials while a task, a schedule or another stack uses one."""

    def __init__(
        self, name: str, address: ServiceAddress, args: InUseArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        crossing = [{"environment": where, "secret": secret} for where, secret in sorted(args.crossing)]
        inputs = {
            **vars(address),
            "secrets": sorted(args.secrets),
            "crossing": json.dumps(crossing),
            "observer_role": args.observer_role,
            "own": args.own,
            "declared": sorted(args.declared),
            "protected": sorted(args.protected),
        }
        super().__init__(InUseProvider(), name, inputs, opts)
