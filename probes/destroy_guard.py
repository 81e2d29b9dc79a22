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
    whether the stack's own account is asked, too: not before its service is back on what it ran before.
    """

    secrets: Sequence[str]
    crossing: Sequence[tuple[str, str]]
    observer_role: str
    own: bool


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
        """Whatever differs is taken over in place."""
        keys = ("stack", "region", "cluster", "service", "secrets", "crossing", "observer_role")
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
        }
        super().__init__(InUseProvider(), name, inputs, opts)
