"""Whether tasks of a revision could start: each secret version is there, and the execution role reads and decrypts it.

The role may also read each parameter of Systems Manager that a variable names; whether it decrypts one is asked only
where the role itself is taken on.

Asked of the role, never of the caller: IAM's simulation of the role's policies, else a session of the role itself.
Where neither is to be had the answer is unknown, and unknown is a refusal. No value is kept, shown or compared.
Sources: AWS Secrets Manager API (DescribeSecret, ListSecretVersionIds), AWS IAM API (SimulatePrincipalPolicy).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from atlas_access.base import Endpoints, SecretReference, secret_references
from atlas_access.clients import CURRENT, AwsUnavailable, client, read_value, taken_on
from atlas_access.rollout.model import short

READ, DECRYPT, READ_PARAMETER = "secretsmanager:GetSecretValue", "kms:Decrypt", "ssm:GetParameters"
_MANAGED_KEY = "alias/aws/secretsmanager"
_FORBIDDEN = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")


def references(definition: Mapping[str, Any]) -> tuple[dict[str, SecretReference], tuple[str, ...]]:
    """The secrets that a definition names by variable, and the variables whose `valueFrom` is none."""
    read = {
        name: SecretReference.parse(value) for name, value in sorted(secret_references(definition).items())
    }
    named = {name: reference for name, reference in read.items() if reference is not None}
    return named, tuple(name for name in read if name not in named)


def rotated_by(secret: Mapping[str, Any]) -> str:
    """Who besides us replaces the value of a secret, as DescribeSecret shows it, and the remedy; "" for nobody.

    `RotationEnabled` is null where rotation was never configured; `Type` names the partner of an external secret.
    """
    owner = secret.get("OwningService") or secret.get("Type")
    if owner:
        return f"{owner} manages this secret and replaces its value: name another secret for this user in access.yaml"
    enabled = secret.get("RotationEnabled")
    if enabled in (None, False):
        return ""
    found = (
        "Secrets Manager rotates this secret by itself"
        if enabled is True
        else f"RotationEnabled is {enabled!r}"
    )
    return f"{found}: aws secretsmanager cancel-rotate-secret --secret-id {secret.get('Name', '')}, then update again"


def parameters(definition: Mapping[str, Any], region: str, role: str) -> dict[str, str]:
    """Variable to the ARN of the Systems Manager parameter that it is read from, in any container.

    ECS takes a parameter of its own region and account by its name alone (ECS API, Secret).
    """
    _, partition, _, _, account, *_ = role.split(":", 5)
    found = {}
    for each in definition.get("containerDefinitions") or ():
        for entry in each.get("secrets") or ():
            name = str(entry["valueFrom"])
            if not name.startswith("arn:"):
                name = f"arn:{partition}:ssm:{region}:{account}:parameter/{name.lstrip('/')}"
            if ":ssm:" in name:
                found[str(entry["name"])] = name
    return found


_Keys = Mapping[tuple[str, SecretReference], str | None]
"""Each variable with its reference, and the ARN of the key that encrypts the secret."""


@dataclass(frozen=True)
class Problem:
    """Why tasks could not start, or, where it is not `known`, why nobody knows whether they could."""

    text: str
    known: bool = True


@dataclass
class Readability:
    """Checks definitions against one account; what was asked once is not asked again."""

    region: str
    endpoints: Endpoints
    open_client: Callable[..., Any] = client
    _keys: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def refusals(self, revision: str, definition: Mapping[str, Any]) -> tuple[str, ...]:
        """Every reason why tasks of this revision could not start, or why nobody knows whether they could."""
        return tuple(each.text for each in self.problems(revision, definition))

    def problems(self, revision: str, definition: Mapping[str, Any]) -> tuple[Problem, ...]:
        """The same, each with whether it is known or only could not be asked."""
        label = short(revision)
        if definition.get("status") == "INACTIVE":
            return (Problem(f"{label} is INACTIVE: a deregistered revision cannot run again"),)
        named, foreign = references(definition)
        if not named and not foreign:
            return ()
        role = str(definition.get("executionRoleArn") or "")
        if not role.startswith("arn:"):
            return (Problem(f"{label} names secrets but no execution role that could read them"),)
        problems: list[Problem] = []
        keys: dict[tuple[str, SecretReference], str | None] = {}
        for variable, reference in named.items():
            try:
                keys[variable, reference] = self._key_of(reference)
            except (AwsUnavailable, _Unusable) as error:
                known = isinstance(error, _Unusable) or error.code == "ResourceNotFoundException"
                problems.append(Problem(f"{label}: {variable} from {reference.name}: {_why(error)}", known))
        found = parameters(definition, self.region, role)
        return (*dict.fromkeys(problems), *self._denied(label, role, keys, found))

    def rotated(self, arns: Iterable[str]) -> tuple[str, ...]:
        """The secrets whose value AWS or a partner replaces by itself, or of which nobody knows; each with a remedy."""
        problems = []
        store = self.open_client("secretsmanager", self.region, self.endpoints)
        for arn in dict.fromkeys(arns):
            name = (SecretReference.parse(arn) or SecretReference(arn)).name
            try:
                reason = rotated_by(store.describe_secret(SecretId=arn))
            except AwsUnavailable as error:
                reason = f"whether AWS rotates it is unknown: {_why(error)}"
            problems += [f"{name}: {reason}"] if reason else []
        return tuple(problems)

    def _key_of(self, reference: SecretReference) -> str | None:
        """The key's ARN of a secret that exists with the wanted version; None for the key that AWS manages."""
        cached = (reference.arn, f"{reference.version}/{reference.stage}")
        if cached in self._keys:
            return self._keys[cached]
        store = self.open_client("secretsmanager", self.region, self.endpoints)
        secret = store.describe_secret(SecretId=reference.arn)
        if secret.get("DeletedDate"):
            raise _Unusable("the secret is marked for deletion; restore it")
        stages: Mapping[str, list[str]] = secret.get("VersionIdsToStages") or {}
        wanted_stage = reference.stage or ("" if reference.version else CURRENT)
        there = [
            version
            for version, labels in stages.items()
            if reference.version in ("", version) and (not wanted_stage or wanted_stage in labels)
        ]
        unlabelled = reference.version and not reference.stage
        if not there and not (unlabelled and _kept_without_label(store, reference)):
            gone = f"version {reference.version or wanted_stage} is not there any more"
            raise _Unusable(f"{gone}; an update writes and proves a new one")
        key = str(secret.get("KmsKeyId") or "")
        self._keys[cached] = None if key in ("", _MANAGED_KEY) else self._usable_key(key)
        return self._keys[cached]

    def _usable_key(self, key: str) -> str:
        kms = self.open_client("kms", self.region, self.endpoints)
        found = kms.describe_key(KeyId=key)["KeyMetadata"]
        if found.get("KeyState", "Enabled") != "Enabled":
            raise _Unusable(f"its key is {found['KeyState']}, so it cannot be decrypted")
        return str(found["Arn"])

    def _denied(self, label: str, role: str, keys: _Keys, parameters: Mapping[str, str]) -> Iterator[Problem]:
        name = role.rpartition("/")[2]
        needed = [
            *((variable, each.name, READ, each.arn) for variable, each in keys),
            *((variable, each.name, DECRYPT, key) for (variable, each), key in keys.items() if key),
            *((variable, _named(arn), READ_PARAMETER, arn) for variable, arn in parameters.items()),
        ]
        try:
            decisions = self._simulated(role, needed)
        except AwsUnavailable as error:
            if error.code not in _FORBIDDEN:
                text = f"{label}: whether {name} reads its secrets is unknown: {_why(error)}"
                yield Problem(text, known=False)
                return
            yield from self._as_the_role(label, role, keys, parameters)
            return
        for variable, source, action, resource in needed:
            decision = decisions.get((action, resource), "unknown")
            if decision != "allowed":
                text = f"{label}: {name} may not {action} for {variable} ({source}): {decision}; grant it to the role"
                yield Problem(text, known=decision != "unknown")

    def _simulated(
        self, role: str, needed: Sequence[tuple[str, str, str, str]]
    ) -> dict[tuple[str, str], str]:
        iam = self.open_client("iam", self.region, self.endpoints)
        context = [
            {
                "ContextKeyName": "kms:ViaService",
                "ContextKeyValues": [f"secretsmanager.{self.region}.amazonaws.com"],
                "ContextKeyType": "string",
            }
        ]
        decisions: dict[tuple[str, str], str] = {}
        for action in dict.fromkeys(each[2] for each in needed):
            answer = iam.simulate_principal_policy(
                PolicySourceArn=role,
                ActionNames=[action],
                ResourceArns=sorted({resource for _, _, each, resource in needed if each == action}),
                ContextEntries=context,
            )
            for each in answer.get("EvaluationResults", ()):
                decisions[(action, str(each["EvalResourceName"]))] = str(each["EvalDecision"])
        return decisions

    def _as_the_role(
        self, label: str, role: str, keys: _Keys, parameters: Mapping[str, str]
    ) -> Iterator[Problem]:
        """Read as the role itself; the values are dropped at once."""
        name = role.rpartition("/")[2]
        try:
            session = taken_on(role, self.region, self.endpoints, "preflight")
        except AwsUnavailable as error:
            yield Problem(
                f"{label}: whether {name} reads its secrets is unknown: IAM refuses to simulate it, and the role "
                f"cannot be taken on ({error.why}); allow iam:SimulatePrincipalPolicy",
                known=False,
            )
            return
        store = self.open_client("secretsmanager", self.region, self.endpoints, session=session)
        for variable, reference in keys:
            try:
                read_value(store, reference.arn, reference.version)
            except AwsUnavailable as error:
                text = f"{label}: {name} cannot read {variable} ({reference.name}): {error.why}"
                yield Problem(text, known=error.code in _FORBIDDEN)
        for variable, arn in parameters.items():
            systems = self.open_client("ssm", self.region, self.endpoints, session=session)
            try:
                lost = systems.get_parameters(Names=[arn], WithDecryption=True).get("InvalidParameters")
            except AwsUnavailable as error:
                text = f"{label}: {name} cannot read {variable} ({_named(arn)}): {error.why}"
                yield Problem(text, known=error.code in _FORBIDDEN)
            else:
                if lost:
                    yield Problem(f"{label}: {variable} from {_named(arn)}: there is no such parameter")


def _kept_without_label(store: Any, reference: SecretReference) -> bool:
    """Whether a version that DescribeSecret leaves out, as no label is on it, is kept and can be read by its id."""
    more: dict[str, str] = {}
    while True:
        page = store.list_secret_version_ids(SecretId=reference.arn, IncludeDeprecated=True, **more)
        if any(each.get("VersionId") == reference.version for each in page.get("Versions", ())):
            return True
        if not page.get("NextToken"):
            return False
        more = {"NextToken": page["NextToken"]}


class _Unusable(Exception):
    """A secret exists but cannot serve; the message says why."""


def _named(parameter: str) -> str:
    return f"parameter {parameter.rpartition(':parameter')[2]}"


def _why(error: AwsUnavailable | _Unusable) -> str:
    if isinstance(error, AwsUnavailable) and error.code == "ResourceNotFoundException":
        return "there is no such secret"
    return str(error)
