"""Diagrams as Mermaid text: who reaches which cluster with whose credential, and the life of a stack."""

from __future__ import annotations

import re
from collections.abc import Iterator

from atlas_access.base import Address
from atlas_access.manifest import LOCAL, Binding, Consumer, Manifest

_CONSUMERS = {
    Consumer.SERVICE: "runtime service",
    Consumer.SCHEMA_TASK: "schema task, run at deploy time",
    Consumer.LOCAL: "developer's machine",
}

_LIFE = """\
stateDiagram-v2
    [*] --> provision
    provision: provision - roles, users, secrets, proofs; no task touched
    bind: bind - the service runs on proven credentials
    retire: retire - legacy users, roles and secrets gone
    provision --> bind: every proof fresh and green
    bind --> provision: rollback, the recorded revision runs again
    bind --> retire: retirement gate and typed confirmation
    retire --> [*]: point of no return"""

_SWAP = """\
sequenceDiagram
    participant P as program
    participant S as Secrets Manager
    participant M as MongoDB
    participant E as ECS
    P->>S: write the connection string, keep ARN and version
    P->>M: log in with that version, attempt what must and must not work
    alt proven
        P->>E: new revision pinned to that version, roll the service onto it
        E-->>P: that revision completed, running = desired
    else refuted or inconclusive
        P-->>P: recorded, the update fails, nothing is swapped
    end"""


def lines(manifest: Manifest) -> Iterator[str]:
    """The page, line by line; equal inputs give equal lines."""
    yield "# Diagrams"
    for environment in (*manifest.environments, LOCAL):
        bindings = manifest.bindings_for(environment)
        if not bindings:
            continue
        yield ""
        yield f"## Who reaches what: {environment}"
        yield ""
        yield from _block(_reach(manifest, bindings))
    yield ""
    yield "## The life of a stack"
    yield ""
    yield from _block(_LIFE.splitlines())
    yield ""
    yield "## A credential's way"
    yield ""
    yield from _block(_SWAP.splitlines())


def _block(lines: Iterator[str] | list[str]) -> Iterator[str]:
    yield "```mermaid"
    yield from lines
    yield "```"


def _reach(manifest: Manifest, bindings: tuple[Binding, ...]) -> Iterator[str]:
    yield "flowchart LR"
    for consumer in dict.fromkeys(binding.consumer for binding in bindings):
        yield f'    {_id(consumer.value)}["{_CONSUMERS[consumer]}"]'
    for cluster, user in dict.fromkeys((binding.cluster, binding.user) for binding in bindings):
        roles = ", ".join(str(role) for role in manifest.user(user).roles)
        yield f'    {_id(cluster, user)}(["{user}<br/>{roles}"])'
    for cluster in dict.fromkeys(binding.cluster for binding in bindings):
        yield f'    {_id("cluster", cluster)}[("{cluster} cluster")]'
    for binding in bindings:
        private = ", private endpoint" if binding.address is Address.PRIVATE else ""
        label = f'"{binding.variable}{private}"'
        yield f"    {_id(binding.consumer.value)} -->|{label}| {_id(binding.cluster, binding.user)}"
    for cluster, user in dict.fromkeys((binding.cluster, binding.user) for binding in bindings):
        yield f"    {_id(cluster, user)} --> {_id('cluster', cluster)}"


def _id(*parts: str) -> str:
    return "_".join(re.sub(r"\W", "_", part) for part in parts)
