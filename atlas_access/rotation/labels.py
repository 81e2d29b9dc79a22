"""The staging labels that say which generation of a user a secret's versions hold. Pure.

`atlas-access.<cluster>.<user>.<generation>.<n>`: the cluster is named by its environment, n counts the versions of a
generation. A label sits on one version only and a secret bears 20 in all (Secrets Manager API,
UpdateSecretVersionStage): a label of ours never moves, it is only taken off. No name in it holds a dot.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

CREATED = "atlas-access.created"
"""The only label of a version that was just made, so that it does not become the current one before it is proven."""
KEPT = 8
"""How many labels of one credential are kept on a secret; the oldest beyond are taken off."""

Stages = Mapping[str, Sequence[str]]
"""The labels of each version of a secret, by version."""

_LABEL = re.compile(r"atlas-access\.([\w-]+)\.([\w-]+)\.(\d+)\.(\d+)", re.ASCII)


@dataclass(frozen=True, order=True)
class Label:
    """One of our labels: a credential of a cluster, its generation, and which version of it."""

    cluster: str
    user: str
    generation: int
    number: int

    def __str__(self) -> str:
        return f"atlas-access.{self.cluster}.{self.user}.{self.generation}.{self.number}"


def read_label(stage: str) -> Label | None:
    """The label that a stage is; None for one of somebody else."""
    found = _LABEL.fullmatch(stage)
    return Label(found[1], found[2], int(found[3]), int(found[4])) if found else None


def labels(stages: Stages, cluster: str, user: str) -> Iterator[tuple[Label, str]]:
    """Each label of a credential, with the version that it sits on."""
    for version, named in stages.items():
        for stage in named:
            label = read_label(stage)
            if label and (label.cluster, label.user) == (cluster, user):
                yield label, version


def generation_in(stages: Stages, cluster: str, user: str) -> int:
    """The generation of the current version; 1 where it has no label of ours, as before the first rotation."""
    current = _with(stages, "AWSCURRENT")
    return max(
        (label.generation for label, version in labels(stages, cluster, user) if version == current),
        default=1,
    )


def first_generation(stages: Stages, cluster: str, user: str) -> str:
    """The version of an adopted secret whose value is not ours: the current one, after a rotation the one before."""
    ours = {version for _, version in labels(stages, cluster, user)} | {_with(stages, CREATED)}
    return next(
        (
            found
            for name in ("AWSCURRENT", "AWSPREVIOUS")
            if (found := _with(stages, name)) not in {"", *ours}
        ),
        "",
    )


def versions_of(stages: Stages, cluster: str, user: str, generation: int) -> frozenset[str]:
    """The versions that hold a generation, by their labels."""
    return frozenset(v for label, v in labels(stages, cluster, user) if label.generation == generation)


def next_label(stages: Stages, cluster: str, user: str, generation: int) -> Label:
    """The label for one more version of a generation."""
    numbers = (each.number for each, _ in labels(stages, cluster, user) if each.generation == generation)
    return Label(cluster, user, generation, max(numbers, default=0) + 1)


def too_old(stages: Stages, cluster: str, user: str) -> list[tuple[Label, str]]:
    """The labels of a credential that are taken off, oldest first, so that a secret never runs out of them."""
    return sorted(labels(stages, cluster, user))[:-KEPT]


def _with(stages: Stages, stage: str) -> str:
    return next((version for version, named in stages.items() if stage in named), "")
