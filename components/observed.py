"""What a stack must know of the world before it declares anything: read once, concurrently, then frozen.

Only reads: account, key, the revision that runs, the secrets that are adopted (never their values), the baseline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from atlas_access.base import DefinitionUnusable, Endpoints, Phase, Settings
from atlas_access.clients import (
    RunningRevision,
    StoredSecret,
    client,
    current_secret,
    describe_definition,
    key_behind,
    latest_revision,
    running_revision,
    stored_secret,
    wrong_account,
)
from atlas_access.manifest import Consumer, Manifest
from atlas_access.rollout import baseline_digest, definitions, read_service_tags, spent_by, unlabelled
from atlas_access.rotation import Pending, first_generation, generation_in, refusals
from components.connection_secret import AdoptedSecret
from components.taken_over import Existing, observe_existing

PROJECT_FOLDER = Path(__file__).parents[1]


class WrongAccount(RuntimeError):
    """The credentials at hand act in another AWS account than the stack's."""


class SecretsLeaving(RuntimeError):
    """Secrets of ours are scheduled for deletion, so that none of their names can be used."""


class IllegalGeneration(RuntimeError):
    """The settings want a generation of a user that is not one step from the one that its secret records."""


@dataclass(frozen=True)
class Observed:
    """The world as a stack finds it.

    `stored` are, where they are to be taken over, the ARNs of the secrets that this program made before, by name;
    `existing` the users and roles.
    `baseline` is the digest of the smoke baseline, `ungated` why a first `provision` has no gates to end with,
    `repair_spent_by` the revision that has spent the configured repair, `rotation` what the end of one waits for,
    `unlabelled` the versions of our secrets that the running or the recorded revision pins and that bear no label.
    """

    kms_key_arn: str
    running: RunningRevision
    schema: RunningRevision | None
    adopted: Mapping[str, AdoptedSecret]
    stored: Mapping[str, str] = field(default_factory=dict)
    existing: Existing = field(default_factory=Existing)
    baseline: str = ""
    ungated: tuple[str, ...] = ()
    repair_spent_by: str = ""
    rotation: Pending = field(default_factory=Pending)
    unlabelled: tuple[str, ...] = ()

    def consumers(self, manifest: Manifest, environment: str) -> dict[Consumer, Mapping[str, Any]]:
        """The definition of each consumer that the stack has: the service, and the schema task where a family is set.

        Raises:
            DefinitionUnusable: no family is set for a schema task that has bindings.
        """
        found = {Consumer.SERVICE: self.running.definition}
        bound = manifest.bindings_for(environment, Consumer.SCHEMA_TASK)
        if self.schema is not None:
            found[Consumer.SCHEMA_TASK] = self.schema.definition
        elif bound:
            raise DefinitionUnusable(
                f"access.yaml binds {bound[0].variable} to the schema task, but no family runs it. "
                f"Set atlas-access:schemaFamily in Pulumi.{environment}.yaml."
            )
        return found


def observe(settings: Settings, manifest: Manifest, environment: str, endpoints: Endpoints) -> Observed:
    """Inspect everything that the stack builds on.

    Raises:
        WrongAccount: before anything else is asked of that account.
        SecretsLeaving: with the command that takes them back.
        NotOurs: a user or role that is to be taken over is none of ours.
        AwsUnavailable: what was asked, and AWS's answer.
    """
    region, bindings = settings.aws_region, manifest.credentials_for(environment)
    stages: dict[str, Mapping[str, Sequence[str]]] = {}
    elsewhere = wrong_account(environment, settings.aws_account_id, region, endpoints)
    if elsewhere:
        raise WrongAccount(
            f"{elsewhere}. Sign in to the right account, or correct atlas-access:awsAccountId."
        )

    def adopt(name: str) -> AdoptedSecret:
        secret = current_secret(name, region=region, endpoints=endpoints)
        stages[name] = secret.stages
        user = next(each.user for each in bindings if each.secret_name == name)
        first = first_generation(secret.stages, environment, user)
        return AdoptedSecret(secret.arn, first or secret.version_id)

    def first_ungated() -> tuple[str, ...]:
        from atlas_access.rollout import ungated  # only here: it takes longer to import than a preview

        return ungated(environment, settings, endpoints)

    def pending_now() -> Pending:
        from atlas_access.rotation import pending  # only here: it takes longer to import than a preview

        return pending(environment, settings, manifest, endpoints)

    names = [user.secret_name(environment) for user in manifest.users if user.secret_adopted]
    with ThreadPoolExecutor(max_workers=4) as pool:
        key = pool.submit(key_behind, settings.kms_alias, region=region, endpoints=endpoints)
        running = pool.submit(
            running_revision, settings.ecs_cluster, settings.ecs_service, region=region, endpoints=endpoints
        )
        family = settings.schema_family
        schema = pool.submit(latest_revision, family, region=region, endpoints=endpoints) if family else None
        own = {
            each.secret_name: pool.submit(stored_secret, each.secret_name, region=region, endpoints=endpoints)
            for each in bindings
            if each.secret_name not in names
        }
        adopted = {name: pool.submit(adopt, name) for name in names}
        ending = pool.submit(pending_now) if settings.users.rotating else None
        stored = [found for each in own.values() if (found := each.result())]
        refuse_leaving(environment, stored)
        taken = {name: each.result() for name, each in adopted.items()}
        stages |= {each.name: each.stages for each in stored}
        refuse_jumps(environment, manifest, settings, stages)
        bound, ecs = read_service_tags(running.result().tags).bound, client("ecs", region, endpoints)
        recorded = definitions(partial(describe_definition, ecs), [bound.prior] if bound is not None else [])
        first = settings.phase is Phase.PROVISION and own and not stored
        return Observed(
            kms_key_arn=key.result().arn,
            running=running.result(),
            schema=schema.result() if schema else None,
            adopted=taken,
            baseline=baseline_digest(environment, settings.smoke_baseline, PROJECT_FOLDER),
            stored={each.name: each.arn for each in stored if each.made_here and settings.take_over},
            existing=observe_existing(settings, manifest, endpoints),
            ungated=first_ungated() if first and running.result().desired else (),
            rotation=ending.result() if ending else Pending(),
            repair_spent_by=spent_by(ecs, running.result().arn, settings.repair) if settings.repair else "",
            unlabelled=unlabelled(stored, [running.result().definition, *recorded]),
        )


def refuse_leaving(environment: str, stored: Iterable[StoredSecret]) -> None:
    """Raise SecretsLeaving where any is scheduled for deletion: nothing else can have its name until it is gone."""
    if leaving := sorted(each.name for each in stored if each.leaving):
        raise SecretsLeaving(
            f"{', '.join(leaving)}: scheduled for deletion, so that the name is taken. Take back with: "
            f"atlas-access secrets restore {environment}, and set atlas-access:takeOver for the next update."
        )


def refuse_jumps(
    environment: str,
    manifest: Manifest,
    settings: Settings,
    stages: Mapping[str, Mapping[str, Sequence[str]]],
) -> None:
    """Raise `IllegalGeneration` where the settings want a generation that is not one step from the recorded one."""
    recorded: dict[str, int] = {}
    for each in manifest.credentials_for(environment):
        if each.cluster == environment and each.secret_name in stages:
            now = generation_in(stages[each.secret_name], environment, each.user)
            recorded[each.user] = min(now, recorded.get(each.user, now))
    against = tuple(refusals(environment, manifest, settings.users, recorded))
    if against:
        raise IllegalGeneration("\n".join(against))
