"""The Pulumi program: settings, manifest, the world as found, one component, the exports."""

import os
from pathlib import Path

import pulumi
import pulumi_aws as aws

from atlas_access.base import Endpoints, Settings
from atlas_access.manifest import Manifest, judged, load_manifest
from components.observed import observe
from components.reference import crosses_over, reference_connection
from components.refusals import REFUSALS
from components.service_access import ServiceAccess, ServiceAccessArgs
from components.settings import load_settings

HERE = Path(__file__).parent


def main() -> None:
    """Declare one environment; whatever is wrong ends the program in plain sentences."""
    environment = pulumi.get_stack()
    try:
        endpoints = Endpoints.from_environment(os.environ)
        text = (HERE / "access.yaml").read_bytes()
        manifest, settings = judged(
            lambda: load_manifest(text), lambda: load_settings(environment, HERE, sandbox=endpoints.sandbox)
        )
        declare(environment, manifest, settings.with_address_form(endpoints.address_form), endpoints)
    except REFUSALS as error:
        raise pulumi.RunError(str(error)) from None


def declare(environment: str, manifest: Manifest, settings: Settings, endpoints: Endpoints) -> None:
    """The stack: one environment's access, and what it hands on."""
    account = aws.Provider("aws", region=settings.aws_region, allowed_account_ids=[settings.aws_account_id])
    access = ServiceAccess(
        environment,
        ServiceAccessArgs(
            environment=environment,
            manifest=manifest,
            settings=settings,
            observed=observe(settings, manifest, environment, endpoints),
            reference=reference_connection(manifest, environment, settings.reference_stack),
        ),
        pulumi.ResourceOptions(providers=[account]),
    )
    pulumi.export("phase", settings.phase.value)
    pulumi.export("proofs", access.verdicts)
    pulumi.export("revisions", access.revisions)
    handed_over = crosses_over(manifest, environment)
    if handed_over:
        user, address = handed_over
        generations = settings.users
        generation = generations.generation(user)
        pulumi.export("referenceConnection", access.cluster.connection(user, address, generation))
        pulumi.export("referencePublicAddress", access.cluster.public_address())
        pulumi.export("referenceGeneration", generation)
        pulumi.export("referenceRotationEnds", generations.ends and generations.rotating == user)


main()
