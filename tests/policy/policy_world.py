"""Resources for the policy tests: a compliant staging stack, and ways to make one thing wrong."""

import json
import uuid
from dataclasses import replace

import pytest

from policy import adr, resource as types
from policy.config import Config, load_config
from policy.evaluate import Evaluator
from policy.model import Level, Outcome
from policy.resource import Resource
from policy.run import Run

PROJECT_ID = "69e31af12fd2c0aef51bbb41"
PROD_PROJECT_ID = "69dc20c64005b222804dafa4"
ACCOUNT = "111111111111"
PROD_ACCOUNT = "222222222222"
CLUSTER = "askflorence-staging"
FAMILY = "askflorence-staging-app"
SCHEMA_FAMILY = "askflorence-staging-schema"
RUNTIME_ROLE = "askflorence-staging-app-execution"
SCHEMA_ROLE = "askflorence-staging-schema-execution"
KEY_ARN = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
ALLOWED = {"FIND", "INSERT"}
RUNTIME = {
    "MONGODB_URI": "app-read-v2",
    "MONGODB_WRITE_URI": "app-write-v2",
    "MONGODB_AUDIT_WRITE_URI": "audit-write",
    "MONGODB_REFERENCE_URI": "reference-uri-v2",
}


def urn(type_token, name, stack="staging"):
    return f"urn:pulumi:{stack}::atlas-access::{type_token}::{name}"


def make(type_token, name, props, stack="staging", **options):
    return Resource(urn=urn(type_token, name, stack), type=type_token, name=name, props=props, **options)


def arn(last_part, env="staging", account=ACCOUNT):
    return f"arn:aws:secretsmanager:us-east-1:{account}:secret:{env}/mongodb/{last_part}-AbCdEf"


def version_of(last_part):
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, last_part))


def pinned(last_part):
    return f"{arn(last_part)}:::{version_of(last_part)}"


def password_of(name):
    return (name.replace("_", "") + "Z9" * 32)[:32]


def user(name="app_read", role="read", database="askflorence", *, stack="staging", options=None, **props):
    given = {
        "username": name,
        "projectId": PROJECT_ID,
        "authDatabaseName": "admin",
        "roles": [{"roleName": role, "databaseName": database}],
        "scopes": [{"name": CLUSTER, "type": "CLUSTER"}],
        "password": password_of(name),
    }
    given.update(props)
    return make(types.DATABASE_USER, name, given, stack, **(options or {}))


def without(resource, *keys):
    return replace(resource, props={key: value for key, value in resource.props.items() if key not in keys})


def grant(action, collection, database="askflorence", **more):
    return {"action": action, "resources": [{"collectionName": collection, "databaseName": database, **more}]}


def role(name="role_x", actions=None, *, stack="staging", **props):
    given = {"roleName": name, "projectId": PROJECT_ID}
    given["actions"] = [grant("FIND", "plans")] if actions is None else actions
    given.update(props)
    return make(types.CUSTOM_DB_ROLE, name, given, stack)


def audit_role(actions=None):
    frozen = [grant("FIND", "agent_audit_log"), grant("INSERT", "agent_audit_log")]
    return role("role_audit_writer", frozen if actions is None else actions)


def secret(name="staging/mongodb/app-read-v2", *, protect=True, stack="staging", **props):
    given = {"name": name, "kmsKeyId": KEY_ARN, "recoveryWindowInDays": 30}
    given.update(props)
    return make(types.SECRET, name.rsplit("/", 1)[-1], given, stack, protect=protect)


def proof(last_part, **props):
    given = {"secret_arn": arn(last_part), "secret_version": version_of(last_part), "verdict": "proven"}
    given.update(props)
    return make(types.PRIVILEGE_PROOF, f"proof-{last_part}", given)


def proofs():
    return [proof(part) for part in (*RUNTIME.values(), "admin-schema")]


def bindings(**changes):
    """The runtime's secrets; a change of None leaves the variable out, a text is its `valueFrom`."""
    sources = {variable: pinned(part) for variable, part in RUNTIME.items()}
    sources.update(changes)
    return [{"name": name, "valueFrom": source} for name, source in sources.items() if source is not None]


def task(secrets=None, *, family=FAMILY, environment=(), dependencies=None, **props):
    bound = bindings() if secrets is None else secrets
    container = {"name": "app", "image": "app:1", "secrets": bound, "environment": list(environment)}
    given = {"family": family, "containerDefinitions": json.dumps([container]), "skipDestroy": True}
    given.update(props)
    depends = tuple(entry.urn for entry in proofs()) if dependencies is None else dependencies
    return make(types.TASK_DEFINITION, family, given, dependencies=depends)


def schema_task(secrets=None, **props):
    bound = [{"name": "MONGODB_URI_ADMIN_SCHEMA", "valueFrom": pinned("admin-schema")}]
    return task(bound if secrets is None else secrets, family=SCHEMA_FAMILY, **props)


def role_policy(statements, role_name=RUNTIME_ROLE):
    document = {"Version": "2012-10-17", "Statement": statements}
    return make(types.ROLE_POLICY, "read", {"role": role_name, "policy": json.dumps(document)})


def read_grant(*last_parts):
    resources = [arn(part) for part in last_parts]
    return {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue"], "Resource": resources}


def root(stack="staging", **outputs):
    return make(types.STACK, f"atlas-access-{stack}", outputs, stack)


def evidence(met=adr.RETIREMENT_CONDITIONS):
    return json.dumps({"conditions": [{"name": name, "met": True, "evidence": "observed"} for name in met]})


def retirement(document=None):
    return make(types.RETIREMENT, "legacy", {"evidence": evidence() if document is None else document})


def compliant_stack():
    """Everything that our own staging stack declares in phase bind, in the order of registration."""
    return [
        root(),
        make(types.SERVICE_ACCESS, "staging", {"phase": "bind"}),
        audit_role(),
        role(
            "role_admin_schema",
            [grant(a, "hubspot_sync_log") for a in ("FIND", "CREATE_INDEX", "DROP_INDEX")],
        ),
        *(
            make(types.RANDOM_PASSWORD, name, {"length": 32, "special": False})
            for name in ("app_read", "app_write", "app_audit_writer")
        ),
        user("app_read"),
        user("app_write", "readWrite"),
        user("app_audit_writer", "role_audit_writer", "admin"),
        without(
            user("app_admin_schema", "role_admin_schema", "admin", options={"ignore_changes": ("password",)}),
            "password",
        ),
        *(secret(f"staging/mongodb/{part}") for part in (*RUNTIME.values(), "admin-schema")),
        make(
            types.SECRET_VERSION,
            "app-read-v2",
            {
                "secretId": arn("app-read-v2"),
                "secretString": "mongodb+srv://app_read:canaryPassword@host/askflorence",
            },
        ),
        role_policy(
            [read_grant(*RUNTIME.values()), {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY_ARN}]
        ),
        make(types.ROLE_POLICY, "schema", {"role": SCHEMA_ROLE, "policy": _schema_policy()}),
        *proofs(),
        task(
            bindings(
                MONGODB_URI_PLANS_WRITE=pinned("app-write-v2"), MONGODB_URI_AUDIT_READ=pinned("app-read-v2")
            )
        ),
        schema_task(),
        make(types.ROLLOUT, "rollout", {"undo": False}),
    ]


def _schema_policy():
    return json.dumps({"Version": "2012-10-17", "Statement": [read_grant("admin-schema")]})


def judge(*resources, phase="bind", stack=None, config: Config | None = None) -> Outcome:
    """Everything said about resources registered in this order, as one outcome."""
    name = stack or resources[0].stack
    run = Run(config or load_config(), name, adr.Phase(phase) if phase else None)
    evaluator = Evaluator(run)
    outcomes = [evaluator.resource(entry) for entry in resources]
    return _join(outcomes)


def judge_stack(*resources, phase="bind", config: Config | None = None) -> Outcome:
    """What the stack rules say."""
    run = Run(config or load_config(), resources[0].stack, adr.Phase(phase) if phase else None)
    return Evaluator(run).stack(list(resources))


def violations(outcome: Outcome):
    """The names of the rules that stop the deployment."""
    return {finding.rule for finding in outcome.findings if finding.level is Level.MANDATORY}


def advised(outcome: Outcome):
    return {finding.rule for finding in outcome.findings if finding.level is Level.ADVISORY}


def unobserved(outcome: Outcome):
    return {(item.rule, item.path) for item in outcome.not_evaluated}


def offending(table):
    """A table of rules, each with its offending cases by name, as the parameters of a test."""
    return [
        pytest.param(rule, resources, id=f"{rule}: {name}")
        for rule, cases in table.items()
        for name, resources in cases.items()
    ]


def _join(outcomes):
    return Outcome(
        tuple(finding for outcome in outcomes for finding in outcome.findings),
        tuple(item for outcome in outcomes for item in outcome.not_evaluated),
    )
