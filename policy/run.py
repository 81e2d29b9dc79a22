"""One pass over one stack: the law, the phase, and what was registered before, by name, digest and version."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field, replace
from typing import Final

from policy.atlas import role_view, user_view
from policy.credentials import Password, Passwords
from policy.ecs import proof_view
from policy.law import Environment, Law
from policy.resources import (
    ATLAS_PROJECT,
    CUSTOM_DB_ROLE,
    DATABASE_USER,
    MANAGED_POLICY,
    PRIVILEGE_PROOF,
    SECRET,
    SERVICE_ACCESS,
    STACK_SET,
    STACK_SET_INSTANCE,
    Resource,
)
from policy.secret_reference import SecretReference, parse_secret_reference
from policy.values import Marker, Text

_ANY_CLUSTER: Final = ""
_SHORTEST: Final = 8
"""A shorter text is no password that could be recognized; `password-strength` refuses it."""


class Phase(enum.StrEnum):
    """The phases of a stack's life."""

    PROVISION = "provision"
    BIND = "bind"
    RETIRE = "retire"


@dataclass
class History:
    """What the resources registered so far are, indexed so that each question takes constant time."""

    users: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    """(project, cluster) to URNs of users; "" is every cluster of the project."""
    roles: dict[tuple[str, str], str] = field(default_factory=dict)
    """(project, role name) to the URN that declares the custom role."""
    passwords: Passwords = field(default_factory=Passwords)
    accounts: dict[str, Resource] = field(default_factory=dict)
    """URN to every database user that was registered, whether or not it was allowed to be created."""
    proofs: dict[str, dict[str, tuple[Text | None, Text | None]]] = field(default_factory=dict)
    """Secret ARN to the version that each proof (by URN) tries, and its verdict where the inputs show one."""
    unseen_proofs: set[str] = field(default_factory=set)
    """URNs of proofs whose secret is not known yet."""
    declared: dict[tuple[object, ...], str] = field(default_factory=dict)
    """What names a database user in Atlas (project, authentication database, name) to its first URN."""
    projects: set[str] = field(default_factory=set)
    """URNs of Atlas projects that the program registers."""
    keys: set[str] = field(default_factory=set)
    """Keys that secrets of ours are encrypted with, by id."""
    stack_sets: dict[str, Resource] = field(default_factory=dict)
    """Stack sets by their names, whose instances may override parameters."""
    policies: set[str] = field(default_factory=set)
    """Paths and names of customer-managed policies that were judged."""
    excepted: set[str] = field(default_factory=set)
    """Ids of the law's exceptions that accepted a finding."""

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
                of_secret = self.proofs.setdefault(proof.secret_arn, {})
                of_secret[resource.urn] = (proof.secret_version, proof.verdict)
            elif isinstance(proof.secret_arn, Marker):
                self.unseen_proofs.add(resource.urn)
        elif resource.type == ATLAS_PROJECT and resource.props.get("orgId") is not None:
            self.projects.add(resource.urn)
        elif resource.type == MANAGED_POLICY:
            name = resource.props.get("name")
            path = resource.props.get("path") or "/"
            self.policies.add(f"{path}{name if isinstance(name, str) else resource.name}")
        elif resource.type == STACK_SET:
            self.stack_sets.setdefault(str(resource.props.get("name")), resource)
        elif resource.type == SECRET and resource.in_our_component:
            key = resource.props.get("kmsKeyId")
            if isinstance(key, str) and "alias/" not in key:
                self.keys.add(key.rpartition("/")[2])

    def made_of(self, resource: Resource) -> Resource:
        """A stack set's instance as the set with the parameters that it overrides, any other resource as it is."""
        overrides = resource.props.get("parameterOverrides")
        named = resource.props.get("stackSetName")
        unseen = replace(resource, props={"templateBody": named}) if isinstance(named, Marker) else None
        made = unseen or self.stack_sets.get(str(named))
        if resource.type != STACK_SET_INSTANCE or made is None or overrides is None:
            return resource
        given = made.props.get("parameters")
        merged = (
            {**given, **overrides} if isinstance(given, dict) and isinstance(overrides, dict) else overrides
        )
        return replace(resource, type=STACK_SET, props={**made.props, "parameters": merged}, _views={})

    def _record_user(self, resource: Resource) -> None:
        self.accounts[resource.urn] = resource
        for key in user_places(resource):
            self.users.setdefault(key, set()).add(resource.urn)
        user = resource.read(user_view)
        if isinstance(user.project, str) and isinstance(user.name, str):
            self.declared.setdefault((user.project, user.sign_in, user.name), resource.urn)
        if isinstance(user.password, Password) and user.password.length >= _SHORTEST:
            name = user.name if isinstance(user.name, str) else resource.name
            self.passwords.add(user.password, resource.urn, name)


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

    `phase` is None where it is unknown (an exported state without its component). `unprotecting` announces a removal of
    all, `removing` that of the users, roles and secrets it names. `rotating` names the user whose password rotates.
    `exported` is an exported state, in which what is secret is encrypted.
    """

    law: Law
    stack: str
    phase: Phase | None
    phase_problem: str = ""
    unprotecting: bool = False
    removing: frozenset[str] = frozenset()
    rotating: str = ""
    exported: bool = False
    history: History = field(default_factory=History)

    @property
    def home(self) -> Environment | None:
        """What this stack's environment owns; None for an unknown stack."""
        return self.law.environment(self.stack)

    @property
    def own(self) -> Environment:
        """What this stack's environment owns, for rules that judge stacks of an environment alone."""
        if self.home is None:
            raise LookupError(self.stack)
        return self.home

    @property
    def others(self) -> tuple[Environment, ...]:
        """Every other environment."""
        return self.law.others(self.stack)

    def foreign(self, reference: SecretReference) -> bool:
        """Whether a secret belongs to another environment: the business of `project-isolation` alone."""
        return any(
            reference.account == other.account or reference.full_name.startswith(other.secret_prefix)
            for other in self.others
        )

    def atlas_ours(self, resource: Resource) -> bool:
        """Whether a database user or role is ours: by its project, its cluster, or a component of ours."""
        project = resource.props.get("projectId")
        if resource.in_our_component or (isinstance(project, str) and project in self.law.projects):
            return True
        if resource.type != DATABASE_USER:
            return False
        scopes = resource.read(user_view).scopes
        clusters = {home.cluster for home in self.law.environments}
        return not isinstance(scopes, Marker) and any(name in clusters for name, _ in scopes)

    def secret_ours(self, name: Text | None) -> bool:
        """Whether a secret's name or ARN, or a parameter that refers to one, is one of ours, of any environment."""
        if not isinstance(name, str):
            return False
        name = name.rpartition("/aws/reference/secretsmanager/")[2]
        reference = parse_secret_reference(name)
        names = (reference.name, reference.full_name) if reference is not None else (name,)
        return any(self.law.home_of_secret(each) is not None for each in names)


def parse_phase(text: str) -> tuple[Phase | None, str]:
    """Read a phase's name; the second value says what is wrong with it."""
    try:
        return Phase(text), ""
    except ValueError:
        return None, f"the phase is none of {', '.join(Phase)}"


def carried_phase(resource: Resource) -> str | None:
    """The phase as our component carries it, for passes that have no stack configuration."""
    value = resource.props.get("phase") if resource.type == SERVICE_ACCESS else None
    return value if isinstance(value, str) else None
