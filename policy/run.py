"""One pass over one stack: configuration, phase, and what was registered before, by name, digest and version."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from policy import adr
from policy.atlas import PasswordShape, role_view, user_view
from policy.config import Config, StackFacts
from policy.proofs import proof_view
from policy.resource import (
    CUSTOM_DB_ROLE,
    DATABASE_USER,
    PRIVILEGE_PROOF,
    SERVICE_ACCESS,
    Resource,
)
from policy.secret_reference import SecretReference
from policy.values import Marker, Text

_ANY_CLUSTER: Final = ""


@dataclass
class History:
    """What the resources registered so far are, indexed so that each question takes constant time."""

    users: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(project, cluster) to URNs of users; "" stands for every cluster of the project."""
    roles: dict[tuple[str, str], str] = field(default_factory=dict)
    """(project, role name) to the URN that declares the custom role."""
    passwords: dict[str, str] = field(default_factory=dict)
    """Digest to the URN of the first user that has it."""
    accounts: dict[str, Resource] = field(default_factory=dict)
    """URN to every database user that was registered, whether or not it was allowed to be created."""
    proofs: dict[str, dict[str, Text | None]] = field(default_factory=dict)
    """Secret ARN to the version that each proof (by URN) tries."""
    unseen_proofs: set[str] = field(default_factory=set)
    """URNs of proofs whose secret is not known yet."""

    def record(self, resource: Resource) -> None:
        """Remember a resource after it was judged."""
        if resource.type == DATABASE_USER:
            self._record_user(resource)
        elif resource.type == CUSTOM_DB_ROLE:
            role = resource.read(role_view)
            if isinstance(role.name, str) and isinstance(role.project, str):
                self.roles[role.project, role.name] = resource.urn
        elif resource.type == PRIVILEGE_PROOF:
            proof = resource.read(proof_view)
            if isinstance(proof.secret_arn, str):
                self.unseen_proofs.discard(resource.urn)
                self.proofs.setdefault(proof.secret_arn, {})[resource.urn] = proof.secret_version
            elif isinstance(proof.secret_arn, Marker):
                self.unseen_proofs.add(resource.urn)

    def _record_user(self, resource: Resource) -> None:
        self.accounts[resource.urn] = resource
        for key in user_places(resource):
            self.users.setdefault(key, set()).add(resource.urn)
        password = resource.read(user_view).password
        if isinstance(password, PasswordShape):
            self.passwords.setdefault(password.digest, resource.urn)


def user_places(resource: Resource) -> tuple[tuple[str, str], ...]:
    """The (project, cluster) pairs that a database user reaches, as far as they can be seen."""
    user = resource.read(user_view)
    if not isinstance(user.project, str) or isinstance(user.scopes, Marker):
        return ()
    clusters = [name for name, _ in user.scopes if isinstance(name, str)] or [_ANY_CLUSTER]
    return tuple((user.project, cluster) for cluster in dict.fromkeys(clusters))


@dataclass
class Run:
    """One pass over one stack.

    `phase` is None where it is unknown (an exported state without its component). `unprotecting` is the stack's
    setting of that name: the update before a deliberate removal.
    """

    config: Config
    stack: str
    phase: adr.Phase | None
    phase_problem: str = ""
    unprotecting: bool = False
    history: History = field(default_factory=History)

    @property
    def facts(self) -> StackFacts | None:
        """What this stack's environment owns; None for an unknown stack."""
        return self.config.stack(self.stack)

    @property
    def others(self) -> tuple[StackFacts, ...]:
        """What every other environment owns."""
        return self.config.others(self.stack)

    @property
    def secret_prefix(self) -> str:
        """How secret names of this stack begin."""
        return f"{self.stack}/mongodb/"

    def foreign(self, reference: SecretReference) -> bool:
        """Whether a secret belongs to another environment: the business of `project-isolation` alone."""
        return any(
            reference.account == other.account or reference.full_name.startswith(other.secret_prefix)
            for other in self.others
        )


def parse_phase(text: str) -> tuple[adr.Phase | None, str]:
    """Read a phase's name; the second value says what is wrong with it."""
    try:
        return adr.Phase(text), ""
    except ValueError:
        return None, f"the phase is none of {', '.join(adr.Phase)}"


def carried_phase(resource: Resource) -> str | None:
    """The phase as our component carries it, for passes that have no stack configuration."""
    value = resource.props.get("phase") if resource.type == SERVICE_ACCESS else None
    return value if isinstance(value, str) else None
