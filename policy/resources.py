"""A resource as plain values, and the type tokens of the rules; SDK objects raise on unknown values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeVar, cast

from policy.readings import unescaped
from policy.values import Value, texts

DATABASE_USER: Final = "mongodbatlas:index/databaseUser:DatabaseUser"
CUSTOM_DB_ROLE: Final = "mongodbatlas:index/customDbRole:CustomDbRole"
ATLAS_PROJECT: Final = "mongodbatlas:index/project:Project"
RANDOM_PASSWORD: Final = "random:index/randomPassword:RandomPassword"  # noqa: S105 - a type token
SECRET: Final = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type token
SECRET_VERSION: Final = "aws:secretsmanager/secretVersion:SecretVersion"  # noqa: S105 - a type token
TASK_DEFINITION: Final = "aws:ecs/taskDefinition:TaskDefinition"
ECS_SERVICE: Final = "aws:ecs/service:Service"
ROLE: Final = "aws:iam/role:Role"
ROLE_POLICY: Final = "aws:iam/rolePolicy:RolePolicy"
MANAGED_POLICY: Final = "aws:iam/policy:Policy"
SECRET_POLICY: Final = "aws:secretsmanager/secretPolicy:SecretPolicy"  # noqa: S105 - a type token
SECRET_ROTATION: Final = "aws:secretsmanager/secretRotation:SecretRotation"  # noqa: S105 - a type token
KEY: Final = "aws:kms/key:Key"
KEY_POLICY: Final = "aws:kms/keyPolicy:KeyPolicy"
KEY_GRANT: Final = "aws:kms/grant:Grant"
REPLICA_KEY: Final = "aws:kms/replicaKey:ReplicaKey"
KEY_ALIAS: Final = "aws:kms/alias:Alias"
STACK_SET: Final = "aws:cloudformation/stackSet:StackSet"
STACK_SET_INSTANCE: Final = "aws:cloudformation/stackSetInstance:StackSetInstance"
STACK: Final = "pulumi:pulumi:Stack"
STACK_REFERENCE: Final = "pulumi:pulumi:StackReference"
PRIVILEGE_PROOF: Final = "pulumi-python:dynamic/probe:PrivilegeProof"
ROLLOUT: Final = "pulumi-python:dynamic/rollout:Rollout"
RETIREMENT: Final = "pulumi-python:dynamic/rollout:Retirement"
SERVICE_ACCESS: Final = "atlas-access:index:ServiceAccess"
OUR_COMPONENTS: Final = "atlas-access:index:"
DYNAMIC: Final = "pulumi-python:dynamic/"

V = TypeVar("V")


@dataclass(frozen=True)
class Resource:
    """One resource: its inputs while it is registered, its outputs where the whole stack is judged.

    `dependencies` holds the URNs of everything it or one of its properties depends on, direct ones only; it is empty
    while a resource is registered, because engines do not send it then. So is `depends_by_property`.
    """

    urn: str
    type: str
    name: str
    props: Mapping[str, Value]
    protect: bool = False
    ignore_changes: tuple[str, ...] = ()
    delete_before_replace: bool = False
    dependencies: tuple[str, ...] = ()
    depends_by_property: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parent: str = ""
    _views: dict[object, object] = field(default_factory=dict, compare=False, repr=False)

    @cached_property
    def stack(self) -> str:
        """The stack's name, from the URN (`urn:pulumi:STACK::PROJECT::TYPE::NAME`); "" where there is none."""
        head = self.urn.split("::", 1)[0]
        return head.removeprefix("urn:pulumi:") if head.startswith("urn:pulumi:") else ""

    @cached_property
    def project(self) -> str:
        """The Pulumi project, from the URN; "" where there is none."""
        parts = self.urn.split("::")
        return parts[1] if len(parts) > 1 else ""

    @cached_property
    def texts(self) -> tuple[tuple[str, str], ...]:
        """Every text in the properties with its path, and as it reads without escapes; no pickled provider's."""
        visible = {key: value for key, value in self.props.items() if not key.startswith("__")}
        found = tuple(texts(visible))
        return (*found, *((path, unescaped(text)) for path, text in found if "\\" in text))

    @property
    def in_our_component(self) -> bool:
        """Whether a component of ours declares it, by the chain of types in the URN or of its parent's."""
        return any(OUR_COMPONENTS in urn.rpartition("::")[0] for urn in (self.urn, self.parent))

    def read(self, view: Callable[[Resource], V]) -> V:
        """The resource seen through a reading function, which is called once however many rules ask."""
        if view not in self._views:
            self._views[view] = view(self)
        return cast(V, self._views[view])

    def __str__(self) -> str:
        return f"{self.type.rsplit(':', 1)[-1]} {self.name}"
