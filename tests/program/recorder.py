"""Runs the components against Pulumi's mocks and records what they register."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi.runtime import set_mocks
from pulumi.runtime.settings import SETTINGS
from pulumi.runtime.stack import run_pulumi_func

from atlas_access.base.settings import Settings, check_settings
from atlas_access.clients.ecs import RunningRevision
from atlas_access.manifest.load import load_manifest
from atlas_access.manifest.model import Manifest
from components.connection_secret import AdoptedSecret
from components.observed import Observed
from components.reference import reference_connection
from components.service_access import ServiceAccess, ServiceAccessArgs
from components.settings import read_files

ROOT = Path(__file__).parents[2]
MANIFEST = load_manifest((ROOT / "access.yaml").read_text(encoding="utf-8"))
ADDRESSES = {
    "standard": "mongodb://127.0.0.1:27117/?replicaSet=rs",
    "standardSrv": "mongodb+srv://askflorence-staging.example.mongodb.net",
    "privateEndpoints": [
        {
            "connectionString": "mongodb://127.0.0.2:27118/?directConnection=true",
            "srvConnectionString": "mongodb+srv://askflorence-staging-pl-0.example.mongodb.net",
        }
    ],
}


EVIDENCE = '{"conditions": []}'


@dataclass
class Recorder(pulumi.runtime.Mocks):
    """Registers nothing and remembers everything; `verdicts` decides what proofs record, by secret."""

    verdicts: Mapping[str, str] = field(default_factory=dict)
    cluster: Mapping[str, Any] = field(default_factory=lambda: ADDRESSES)
    received: Any = None
    version: str = "6.0.5"
    made: list[pulumi.runtime.MockResourceArgs] = field(default_factory=list)

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.made.append(args)
        outputs = dict(args.inputs)
        kind = args.typ.rsplit(":", 1)[-1]
        match kind:
            case "RandomPassword":
                outputs["result"] = f"Pw{len(args.name):030d}"
            case "Secret":
                outputs["arn"] = f"arn:aws:secretsmanager:us-east-1:111111111111:secret:{args.name}"
                return outputs["arn"], outputs
            case "SecretVersion":
                outputs["versionId"] = f"version-of-{args.name}"
            case "TaskDefinition":
                outputs["arn"] = f"arn:aws:ecs:us-east-1:111111111111:task-definition/{args.name}:8"
            case "PrivilegeProof":
                verdict = self.verdicts.get(args.name, "proven")
                reason = "" if verdict == "proven" else f"why {args.name}"
                outputs |= {
                    "proven_at": f"at {args.name}",
                    "verdict": verdict,
                    "reason": reason,
                    "attempts": 60,
                }
            case "PriorRevision":
                outputs["revision_arn"] = "arn:aws:ecs:us-east-1:111111111111:task-definition/app:7"
            case "Rollout":
                outputs["running_revision"] = outputs.get("wanted")
            case "RetirementGate":
                outputs["evidence"] = EVIDENCE
            case "StackReference":
                received = self.received
                if not isinstance(received, dict) or "referenceConnection" not in received:
                    received = {} if received is None else {"referenceConnection": received}
                outputs["outputs"] = received
        return f"{args.name}-id", outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        assert args.token == "mongodbatlas:index/getAdvancedCluster:getAdvancedCluster"
        return {"connectionStrings": self.cluster, "mongoDbVersion": self.version, "name": args.args["name"]}

    def of(self, kind: str) -> dict[str, dict[str, Any]]:
        """The inputs of every resource of that kind (the last part of its type), by name."""
        return {each.name: each.inputs for each in self.made if each.typ.endswith(f":{kind}")}


def definition(family: str, role: str, *names: str) -> dict[str, Any]:
    return {
        "family": family,
        "executionRoleArn": f"arn:aws:iam::111111111111:role/{role}",
        "requiresCompatibilities": ["FARGATE"],
        "containerDefinitions": [
            {"name": "app", "secrets": [{"name": name, "valueFrom": f"arn:legacy:{name}"} for name in names]}
        ],
    }


def observed(environment: str = "staging", **changes: Any) -> Observed:
    """The world before: both families bound to legacy secrets, the schema secret there to be adopted."""
    runtime = definition(
        "app", "runtime-execution", "MONGODB_URI", "MONGODB_URI_PLANS_WRITE", "HUBSPOT_TOKEN"
    )
    schema = definition("schema", "schema-execution", "MONGODB_URI_ADMIN_SCHEMA")
    found = {
        "kms_key_arn": "arn:aws:kms:us-east-1:111111111111:key/k",
        "running": RunningRevision("arn:app:7", runtime, 2, 2),
        "schema": RunningRevision("arn:schema:1", schema),
        "adopted": {f"{environment}/mongodb/admin-schema": AdoptedSecret("arn:admin", "version-of-admin")},
    }
    return Observed(**{**found, **changes})


def settings(stack: str = "staging", **changes: Any) -> Settings:
    return check_settings(stack, read_files(ROOT), sandbox=True, overrides=changes)


def program(
    stack: str = "staging",
    phase: str | None = None,
    world: Observed | None = None,
    manifest: Manifest = MANIFEST,
    grab: Callable[[ServiceAccess], None] = lambda _: None,
    **changes: Any,
) -> Callable[[], None]:
    """What one stack declares, with the settings of its file but for the phase and these changes."""

    def declare() -> None:
        settled = settings(stack, **({"phase": phase} if phase else {}), **changes)
        args = ServiceAccessArgs(
            environment=stack,
            manifest=manifest,
            settings=settled,
            observed=world or observed(stack),
            reference=reference_connection(manifest, stack, settled.reference_stack),
        )
        provider = aws.Provider("aws", region="us-east-1")
        grab(ServiceAccess(stack, args, pulumi.ResourceOptions(providers=[provider])))

    return declare


def run(recorder: Recorder, program: Callable[[], None], stack: str = "staging") -> Recorder:
    """Run a program to its end under the recorder; raises what the program raises."""

    # What a program that failed left waiting belongs to a loop that is gone.
    SETTINGS.rpc_manager.clear()
    SETTINGS.outputs.clear()

    async def whole() -> None:
        # The mocks' root stack belongs to the loop that runs the program.
        set_mocks(recorder, project="atlas-access", stack=stack, preview=False)
        await run_pulumi_func(program)

    asyncio.run(whole())
    return recorder
