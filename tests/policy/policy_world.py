"""Resources for the policy tests: a compliant staging stack, and changes to it as data."""

import copy
import json
import uuid
from dataclasses import replace
from functools import cache
from pathlib import Path

from policy import resources as types
from policy.evaluate import Evaluator
from policy.law_file import DEFAULT_FILE, load_law
from policy.model import Level, Outcome
from policy.resources import Resource
from policy.rules.phases import RETIREMENT_CONDITIONS
from policy.run import Phase, Run
from policy.values import Marker

ROOT = Path(__file__).resolve().parents[2]
LAW = load_law()
LAW_TEXT = DEFAULT_FILE.read_text(encoding="utf-8")
PROJECT_ID = "69e31af12fd2c0aef51bbb41"
ACCOUNT = "111111111111"
CLUSTER = "askflorence-staging"
FAMILY = "askflorence-staging-app"
SCHEMA_FAMILY = "askflorence-staging-schema"
RUNTIME_ROLE = "askflorence-staging-app-execution"
KEY_ARN = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
RUNTIME = {
    "MONGODB_URI": "app-read-v2",
    "MONGODB_WRITE_URI": "app-write-v2",
    "MONGODB_AUDIT_WRITE_URI": "audit-write",
    "MONGODB_REFERENCE_URI": "reference-uri-v2",
}
USERS = {
    "app_read": ("read", "askflorence"),
    "app_write": ("readWrite", "askflorence"),
    "app_audit_writer": ("role_audit_writer", "admin"),
    "app_admin_schema": ("role_admin_schema", "admin"),
}
VALUES = {
    "app-read-v2": "app_read",
    "app-write-v2": "app_write",
    "audit-write": "app_audit_writer",
    "reference-uri-v2": "app_read",
}
INDEXED = ("agent_waitlist_submissions", "agent_survey_responses", "hubspot_sync_log")
DOCUMENTS = ("containerDefinitions", "policy", "inlinePolicy", "assumeRolePolicy", "evidence", "templateBody")
"""Properties that an engine is handed as JSON text; a program's changes reach into them."""


def urn(type_token, name, stack="staging"):
    return f"urn:pulumi:{stack}::atlas-access::{type_token}::{name}"


def make(type_token, name, props, stack="staging", **options):
    return Resource(urn=urn(type_token, name, stack), type=type_token, name=name, props=props, **options)


def ours(type_token, name, props, stack="staging", **options):
    """A resource that our component declares."""
    chain = f"pulumi:pulumi:Stack${types.SERVICE_ACCESS}${type_token}"
    return replace(make(type_token, name, props, stack, **options), urn=urn(chain, name, stack))


def arn(last_part, env="staging", account=ACCOUNT):
    return f"arn:aws:secretsmanager:us-east-1:{account}:secret:{env}/mongodb/{last_part}-AbCdEf"


def version_of(last_part):
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, last_part))


def pinned(last_part):
    return f"{arn(last_part)}:::{version_of(last_part)}"


def password_of(name):
    return (name.replace("_", "") + "Zu7canary9" * 4)[:32]


def uri_of(name, host="askflorence-staging.abcde.mongodb.net"):
    return f"mongodb+srv://{name}:{password_of(name)}@{host}/askflorence?retryWrites=true&w=majority"


def user(name="app_read", role=None, database=None, *, stack="staging", options=None, **props):
    held = USERS.get(name, ("read", "askflorence"))
    given = {
        "username": name,
        "projectId": PROJECT_ID,
        "authDatabaseName": "admin",
        "roles": [{"roleName": role or held[0], "databaseName": database or held[1]}],
        "scopes": [{"name": CLUSTER, "type": "CLUSTER"}],
        "password": password_of(name),
    }
    given.update(props)
    return ours(types.DATABASE_USER, name, given, stack, **{"protect": True, **(options or {})})


def without(resource, *keys):
    return replace(resource, props={key: value for key, value in resource.props.items() if key not in keys})


def grant(action, *collections, database="askflorence"):
    return {
        "action": action,
        "resources": [{"collectionName": each, "databaseName": database} for each in collections],
    }


def role(name, actions, *, stack="staging", **props):
    given = {"roleName": name, "projectId": PROJECT_ID, "actions": actions, **props}
    return ours(types.CUSTOM_DB_ROLE, name, given, stack, protect=True)


def audit_role(actions=None):
    frozen = [grant("FIND", "agent_audit_log"), grant("INSERT", "agent_audit_log")]
    return role("role_audit_writer", frozen if actions is None else actions)


def schema_role():
    return role(
        "role_admin_schema",
        [grant(each, *INDEXED) for each in ("FIND", "CREATE_INDEX", "LIST_INDEXES", "DROP_INDEX")],
    )


def secret(name="staging/mongodb/app-read-v2", *, protect=True, stack="staging", **props):
    given = {"name": name, "kmsKeyId": KEY_ARN, "recoveryWindowInDays": 30}
    given.update(props)
    return ours(types.SECRET, name.rsplit("/", 1)[-1], given, stack, protect=protect)


def version(last_part):
    given = {"secretId": arn(last_part), "secretString": uri_of(VALUES[last_part])}
    return ours(types.SECRET_VERSION, last_part, given)


def proof(last_part, **props):
    given = {
        "secret_arn": arn(last_part),
        "secret_version": version_of(last_part),
        "verdict": "proven",
        "attempts": 60,
    }
    return ours(types.PRIVILEGE_PROOF, f"proof-{last_part}", {**given, **props})


def proofs():
    return [proof(part) for part in (*RUNTIME.values(), "admin-schema")]


def task(secrets=None, *, family=FAMILY, dependencies=None, **props):
    bound = [{"name": name, "valueFrom": pinned(part)} for name, part in RUNTIME.items()]
    aliases = {"MONGODB_URI_PLANS_WRITE": "app-write-v2", "MONGODB_URI_AUDIT_READ": "app-read-v2"}
    bound += [{"name": name, "valueFrom": pinned(part)} for name, part in aliases.items()]
    given = {
        "family": family,
        "containerDefinitions": [
            {
                "name": "app",
                "image": "app:1",
                "secrets": bound if secrets is None else secrets,
                "environment": [{"name": "NODE_ENV", "value": "production"}],
            }
        ],
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/{family}-execution",
        "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/askflorence-staging-app-task",
        "skipDestroy": True,
        **props,
    }
    depends = tuple(entry.urn for entry in proofs()) if dependencies is None else dependencies
    return ours(types.TASK_DEFINITION, family, given, dependencies=depends)


def schema_task():
    return task(
        [{"name": "MONGODB_URI_ADMIN_SCHEMA", "valueFrom": pinned("admin-schema")}], family=SCHEMA_FAMILY
    )


def reads(role_name, *parts):
    statements = [
        {
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue"],
            "Resource": [arn(part) for part in parts],
        },
        {"Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": [KEY_ARN]},
    ]
    props = {"role": role_name, "policy": {"Version": "2012-10-17", "Statement": statements}}
    return ours(types.ROLE_POLICY, role_name, props)


def evidence(met=RETIREMENT_CONDITIONS):
    listed = [{"name": name, "met": True, "standing": "met", "evidence": "observed"} for name in met]
    return {"stack": "staging", "conditions": listed}


def retirement():
    return ours(types.RETIREMENT, "legacy", {"evidence": evidence()})


def compliant_stack(phase="bind"):
    """Everything that our own staging stack declares, in the order of registration."""
    made = _compliant_stack(phase)
    _COMPLIANT.update((id(each), handed(each)) for each in made)
    return list(made)


@cache
def _compliant_stack(phase):
    adopted = user("app_admin_schema", options={"ignore_changes": ("password",)})
    return [
        make(types.STACK, "atlas-access-staging", {}),
        make("pulumi:providers:aws", "aws", {"region": "us-east-1"}),
        make(types.SERVICE_ACCESS, "staging", {"phase": phase}),
        audit_role(),
        schema_role(),
        *(
            ours(types.RANDOM_PASSWORD, name, {"length": 32, "special": False})
            for name in ("app_read", "app_write", "app_audit_writer")
        ),
        *(user(name) for name in ("app_read", "app_write", "app_audit_writer")),
        without(adopted, "password"),
        *(secret(f"staging/mongodb/{part}") for part in (*RUNTIME.values(), "admin-schema")),
        *(version(part) for part in VALUES),
        reads(RUNTIME_ROLE, *RUNTIME.values()),
        reads("askflorence-staging-schema-execution", "admin-schema"),
        *proofs(),
        *(
            [task(), schema_task(), ours(types.ROLLOUT, "rollout", {"undo": False})]
            if phase != "provision"
            else []
        ),
        *([retirement()] if phase == "retire" else []),
    ]


def handed(resource):
    """A resource as an engine hands it on: documents as JSON text, but where a part of one is not known."""
    if id(resource) in _COMPLIANT:
        return _COMPLIANT[id(resource)]
    props = dict(resource.props)
    for key in DOCUMENTS:
        if isinstance(props.get(key), list | dict) and not _unknown(props[key]):
            props[key] = json.dumps(props[key])
    return replace(resource, props=props, _views={})


def _unknown(value):
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return isinstance(value, Marker) or any(map(_unknown, parts))


_COMPLIANT = {}
"""The compliant stacks' resources as they are handed on, by identity: what no case changes is read once."""

_JUDGED = {}
"""By the beginning of a program that is compliant: what was said about it, and what is remembered of it."""


def _copied(history):
    return copy.deepcopy(history, {id(each): each for each in history.accounts.values()})


def judge(*resources, phase="bind", law=LAW, stack=None, whole=False, rotating="", removing=()):
    """Everything said about resources registered in this order, and about the whole stack where asked."""
    settings = {"rotating": rotating, "removing": frozenset(removing)}
    given = [handed(each) for each in resources]
    key = law.fail_unknown, stack or given[0].stack, phase, rotating, tuple(removing)
    shipped = law == replace(LAW, fail_unknown=law.fail_unknown)
    run = Run(law, stack or given[0].stack, Phase(phase) if phase else None, **settings)
    outcomes = []
    for at in range(len(given), 0, -1) if shipped else ():
        if found := _JUDGED.get((*key, *map(id, given[:at]))):
            outcomes, run.history = list(found[0]), _copied(found[1])
            break
    evaluator = Evaluator(run)
    for at, entry in enumerate(given[len(outcomes) :], start=len(outcomes) + 1):
        outcomes.append(evaluator.resource(entry))
        if shipped and all(id(each) in _COMPLIANT for each in resources[:at]):
            _JUDGED[*key, *map(id, given[:at])] = tuple(outcomes), _copied(run.history)
    if whole:
        outcomes.append(evaluator.stack(given))
    return Outcome(
        tuple(finding for outcome in outcomes for finding in outcome.findings),
        tuple(item for outcome in outcomes for item in outcome.not_evaluated),
    )


def violations(outcome):
    """The names of the rules that stop the deployment."""
    return {finding.rule for finding in outcome.findings if finding.level is Level.MANDATORY}


def advised(outcome):
    return {finding.rule for finding in outcome.findings if finding.level is Level.ADVISORY}


def unobserved(outcome):
    return {(item.rule, item.path) for item in outcome.not_evaluated}
