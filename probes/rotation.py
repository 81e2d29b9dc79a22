"""What a rotation needs besides the rollout, as dynamic resources: thin shells around `atlas_access.rotation`.

What acts is imported when it acts. A failure reaches the user as one message.
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
class Leaving:
    """The generation of a user that leaves, the one that stays, and the secrets of each account that carry it."""

    user: str
    wanted: int
    leaving: int
    secrets: Sequence[tuple[str, Sequence[str]]]

    def to_json(self) -> str:
        """The record as text."""
        return json.dumps(vars(self), sort_keys=True)


@dataclass(frozen=True)
class Current:
    """One secret version that tasks receive: of which credential, and of which generation of it."""

    arn: pulumi.Input[str]
    version: pulumi.Input[str]
    cluster: str
    user: str
    generation: pulumi.Input[int]


class CurrentVersionsProvider(OneMessage):
    """Labels what tasks receive and makes it current, after the gates; deleting it leaves the labels as they are."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Label, and move AWSCURRENT where it is on another version."""
        return CreateResult(str(props["stack"]), self._moved(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Do the same for what tasks receive now."""
        return UpdateResult(self._moved(news))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Another version is an update; when the gates were run is none."""
        return DiffResult(changes=any(olds.get(key) != news.get(key) for key in ("region", "secrets")))

    @staticmethod
    def _moved(props: dict[str, Any]) -> dict[str, Any]:
        from atlas_access.rotation import make_current

        make_current(props)
        return props


class CurrentVersions(pulumi.dynamic.Resource, module="rotation", name="CurrentVersions"):
    """Which version of each of a stack's own secrets is the current one, and its label."""

    def __init__(
        self,
        name: str,
        region: str,
        secrets: Sequence[Current],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        text = pulumi.Output.all(*(pulumi.Output.all(**vars(each)) for each in secrets)).apply(
            lambda each: json.dumps(each, sort_keys=True)
        )
        super().__init__(
            CurrentVersionsProvider(), name, {"stack": name, "region": region, "secrets": text}, opts
        )


class RecordedWayBackProvider(OneMessage):
    """Remakes the recorded way back where a credential ends its rotation; deleting it undoes nothing."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Register the recorded definition again where it is bound to what goes."""
        return CreateResult(f"{props['cluster']}/{props['service']}", self._kept(props))

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Do the same for the credentials that end their rotation now."""
        return UpdateResult(self._kept(news))

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Other credentials, another of their versions, or another revision that runs are an update."""
        keys = (
            "region",
            "cluster",
            "service",
            "secrets",
            "revision",
            *(("leaving",) if news.get("leaving") else ()),
        )
        return DiffResult(changes=any(olds.get(key) != news.get(key) for key in keys))

    @staticmethod
    def _kept(props: dict[str, Any]) -> dict[str, Any]:
        from atlas_access.rotation import keep_way_back

        keep_way_back(props)
        return props


class RecordedWayBack(pulumi.dynamic.Resource, module="rotation", name="RecordedWayBack"):
    """The recorded way back, bound to no credential that ends its rotation.

    `secrets` maps the ARN of each secret of such a credential to the version that stays; {} where none ends. `leaving`
    is the generation that goes at the end of this update, None for none.
    """

    def __init__(
        self,
        name: str,
        address: ServiceAddress,
        secrets: pulumi.Input[Mapping[str, str]],
        revision: pulumi.Input[str],
        settings: str,
        leaving: Leaving | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {
            **vars(address),
            "secrets": secrets,
            "revision": revision,
            "settings": settings,
            "leaving": leaving.to_json() if leaving else "",
        }
        super().__init__(RecordedWayBackProvider(), name, inputs, opts)


class LeavingUserProvider(OneMessage):
    """Stands before the user of a generation that leaves, in place of `protect`: its deletion asks the conditions."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Nothing is asked before the user is to go."""
        return CreateResult(f"{props['cluster']}/{props['service']}", props)

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Take over what differs: after an abort, the other generation leaves."""
        return UpdateResult(news)

    def delete(self, _id: str, props: dict[str, Any]) -> None:
        """Refuse while something uses the generation. Raises `StillUsed`."""
        from atlas_access.rotation import refuse_leaving

        refuse_leaving(props)

    def diff(self, _id: str, olds: dict[str, Any], news: dict[str, Any]) -> DiffResult:
        """Whatever differs is taken over in place."""
        keys = ("stack", "region", "cluster", "service", "leaving", "settings")
        return DiffResult(changes=any(olds.get(key) != news.get(key) for key in keys))


class LeavingUser(pulumi.dynamic.Resource, module="rotation", name="LeavingUser"):
    """The refusal to delete a generation's database user while something uses it."""

    def __init__(
        self,
        name: str,
        address: ServiceAddress,
        leaving: Leaving,
        settings: str,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        inputs = {**vars(address), "leaving": leaving.to_json(), "settings": settings}
        super().__init__(LeavingUserProvider(), name, inputs, opts)
