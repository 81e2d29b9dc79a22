"""Task definitions, proofs and phases."""

import json

import pytest
from policy_world import (
    KEY_ARN,
    PROD_ACCOUNT,
    arn,
    bindings,
    evidence,
    judge,
    judge_stack,
    make,
    pinned,
    proof,
    proofs,
    retirement,
    role,
    root,
    schema_task,
    secret,
    task,
    unseen,
    user,
    violations,
    without,
)

from policy import resource as types
from policy.adr import RETIREMENT_CONDITIONS
from policy.values import UNKNOWN

LEGACY = arn("plans-write") + ":::11111111-1111-1111-1111-111111111111"
ROLLOUT = make(types.ROLLOUT, "rollout", {})


def plain(name, value="x"):
    return {"name": name, "value": value}


def plain_option(last_part):
    return {"name": "option", "valueFrom": pinned(last_part)}


def around(**container):
    """A compliant task whose container names a secret in one more place."""
    (own,) = json.loads(task().props["containerDefinitions"])
    return task(containerDefinitions=json.dumps([{**own, **container}]))


def with_proof_of(source, last_part):
    """The proofs, and one for a secret that only an offending task binds."""
    return [*proofs(), proof(last_part, secret_version=source.rsplit(":", 1)[-1])]


COMPLIANT = {
    "the runtime with its four bindings": ("bind", [*proofs(), task()]),
    "aliases of the new secrets": (
        "bind",
        [*proofs(), task(bindings(MONGODB_URI_SURVEY_WRITE=pinned("app-write-v2")))],
    ),
    "the schema task": ("bind", [*proofs(), schema_task()]),
    "other variables": ("bind", [*proofs(), task(environment=[plain("NODE_ENV")])]),
    "a task of somebody else": ("bind", [task([{"name": "TOKEN", "valueFrom": "token"}], family="other")]),
    "a rollout in bind": ("bind", [ROLLOUT]),
    "an undo in provision": ("provision", [make(types.ROLLOUT, "rollout", {"undo": True})]),
    "a gated retirement": ("retire", [retirement()]),
    "new users in provision": ("provision", [user()]),
}

OFFENDING = [
    (
        "deprecated-env-vars",
        "bound to another new secret",
        "bind",
        [*proofs(), task(bindings(MONGODB_URI_PLANS_WRITE=pinned("app-read-v2")))],
    ),
    (
        "deprecated-env-vars",
        "bound to a legacy secret",
        "bind",
        [*with_proof_of(LEGACY, "plans-write"), task(bindings(MONGODB_URI_PLANS_WRITE=LEGACY))],
    ),
    (
        "deprecated-env-vars",
        "still there in retire",
        "retire",
        [*proofs(), task(bindings(MONGODB_URI_PLANS_WRITE=pinned("app-write-v2")))],
    ),
    (
        "deprecated-env-vars",
        "as a plain variable",
        "bind",
        [*proofs(), task(environment=[plain("MONGODB_URI_AGENTS_ADMIN")])],
    ),
    (
        "deprecated-env-vars",
        "in the schema task",
        "bind",
        [
            *proofs(),
            schema_task(
                [
                    {"name": "MONGODB_URI_ADMIN_SCHEMA", "valueFrom": pinned("admin-schema")},
                    {"name": "MONGODB_URI_AUDIT_READ", "valueFrom": pinned("app-read-v2")},
                ]
            ),
        ],
    ),
    (
        "admin-schema-only-in-run-task",
        "in the runtime",
        "bind",
        [*proofs(), task(bindings(MONGODB_URI_ADMIN_SCHEMA=pinned("admin-schema")))],
    ),
    (
        "admin-schema-only-in-run-task",
        "its secret under another name",
        "bind",
        [*proofs(), task(bindings(MONGODB_INDEX_URI=pinned("admin-schema")))],
    ),
    (
        "admin-schema-only-in-run-task",
        "as a plain variable",
        "bind",
        [*proofs(), task(environment=[plain("MONGODB_URI_ADMIN_SCHEMA")])],
    ),
    ("admin-schema-only-in-run-task", "missing in the schema task", "bind", [schema_task([])]),
    (
        "admin-schema-only-in-run-task",
        "a writer in the schema task",
        "bind",
        [
            *proofs(),
            schema_task(
                [
                    {"name": "MONGODB_URI_ADMIN_SCHEMA", "valueFrom": pinned("admin-schema")},
                    {"name": "MONGODB_WRITE_URI", "valueFrom": pinned("app-write-v2")},
                ]
            ),
        ],
    ),
    ("reference-uri-explicit", "missing", "bind", [*proofs(), task(bindings(MONGODB_REFERENCE_URI=None))]),
    (
        "reference-uri-explicit",
        "the reader's secret",
        "bind",
        [*proofs(), task(bindings(MONGODB_REFERENCE_URI=pinned("app-read-v2")))],
    ),
    ("four-runtime-bindings", "one missing", "bind", [*proofs(), task(bindings(MONGODB_WRITE_URI=None))]),
    (
        "four-runtime-bindings",
        "two swapped",
        "bind",
        [
            *proofs(),
            task(bindings(MONGODB_URI=pinned("app-write-v2"), MONGODB_WRITE_URI=pinned("app-read-v2"))),
        ],
    ),
    (
        "four-runtime-bindings",
        "a fifth variable",
        "bind",
        [*proofs(), task(bindings(MONGODB_REPORTS_URI=pinned("app-read-v2")))],
    ),
    (
        "four-runtime-bindings",
        "our secret under a name of no rule",
        "bind",
        [*proofs(), task(bindings(DATABASE=pinned("app-write-v2")))],
    ),
    ("four-runtime-bindings", "another family", "bind", [*proofs(), task(family="cron")]),
    (
        "secrets-by-arn-and-version",
        "no version",
        "bind",
        [*proofs(), task(bindings(MONGODB_URI=arn("app-read-v2")))],
    ),
    (
        "secrets-by-arn-and-version",
        "a stage",
        "bind",
        [*proofs(), task(bindings(MONGODB_URI=arn("app-read-v2") + "::AWSCURRENT:"))],
    ),
    (
        "secrets-by-arn-and-version",
        "a parameter",
        "bind",
        [*proofs(), task(bindings(MONGODB_URI="arn:aws:ssm:us-east-1:111111111111:parameter/uri"))],
    ),
    (
        "secrets-by-arn-and-version",
        "a plain value",
        "bind",
        [
            *proofs(),
            task(bindings(MONGODB_URI=None), environment=[plain("MONGODB_URI", "mongodb://host/db")]),
        ],
    ),
    ("immutable-revisions", "skipDestroy absent", "bind", [*proofs(), without(task(), "skipDestroy")]),
    ("immutable-revisions", "skipDestroy off", "bind", [*proofs(), task(skipDestroy=False)]),
    ("additive-provision", "a task definition", "provision", [*proofs(), task()]),
    ("additive-provision", "a service", "provision", [make(types.ECS_SERVICE, "s", {})]),
    ("additive-provision", "a rollout", "provision", [ROLLOUT]),
    ("additive-provision", "a legacy user", "provision", [user("app_writer_plans")]),
    ("additive-provision", "a legacy role", "bind", [role("role_writer_plans")]),
    ("additive-provision", "a legacy secret", "bind", [secret("staging/mongodb/plans-write")]),
    (
        "additive-provision",
        "a new version of a legacy secret",
        "bind",
        [make(types.SECRET_VERSION, "v", {"secretId": arn("reference-uri")})],
    ),
    ("retire-gated", "a condition missing", "retire", [retirement(evidence(RETIREMENT_CONDITIONS[1:]))]),
    ("retire-gated", "no evidence", "retire", [make(types.RETIREMENT, "r", {})]),
    ("retire-gated", "a condition unmet", "retire", [retirement(evidence().replace("true", "false", 1))]),
    ("retire-gated", "evidence that is no document", "retire", [retirement("all fine")]),
    ("retire-gated", "outside its phase", "bind", [retirement()]),
    ("proof-before-bind", "no proof at all", "bind", [task()]),
    (
        "proof-before-bind",
        "a proof of another version",
        "bind",
        [*proofs(), proof("app-read-v2", secret_version="old"), task()],
    ),
    ("proof-before-bind", "the proof registered afterwards", "bind", [*proofs()[1:], task(), *proofs()[:1]]),
    (
        "project-isolation",
        "a secret of prod's account",
        "bind",
        [*proofs(), task(bindings(MONGODB_URI=arn("app-read-v2", "prod", PROD_ACCOUNT) + ":::v"))],
    ),
    (
        "project-isolation",
        "a secret of prod's name in staging's account",
        "bind",
        [*proofs(), task(bindings(MONGODB_URI=arn("app-read-v2", "prod") + ":::v"))],
    ),
    *(
        ("secrets-by-arn-and-version", f"a secret by way of {name}", "bind", [*proofs(), around(**way)])
        for name, way in {
            "a log driver": {"logConfiguration": {"secretOptions": [plain_option("app-write-v2")]}},
            "the registry's credentials": {
                "repositoryCredentials": {"credentialsParameter": arn("audit-write")}
            },
            "a plain variable": {"environment": [plain("SECRET", arn("app-write-v2"))]},
        }.items()
    ),
    ("well-formed", "containers that are not JSON", "bind", [task(containerDefinitions="{")]),
    (
        "well-formed",
        "containers that are an object",
        "bind",
        [task(containerDefinitions=json.dumps({"name": "app"}))],
    ),
    ("well-formed", "containers nested past reason", "bind", [task(containerDefinitions="[" * 200_000)]),
    (
        "well-formed",
        "secrets that are a text",
        "bind",
        [task(containerDefinitions=json.dumps([{"secrets": "MONGODB_URI"}]))],
    ),
    ("well-formed", "roles that are a text", "bind", [user(roles="read")]),
    ("well-formed", "a role that is a number", "bind", [user(roles=[7])]),
    ("well-formed", "actions of a text", "bind", [role(actions="FIND")]),
    ("well-formed", "a policy that is a list", "bind", [make(types.ROLE_POLICY, "p", {"policy": "[]"})]),
]


@pytest.mark.parametrize(("phase", "resources"), COMPLIANT.values(), ids=COMPLIANT.keys())
def test_a_compliant_case_passes(phase, resources):
    assert set() == violations(judge(*resources, phase=phase))


@pytest.mark.parametrize(
    ("rule", "phase", "resources"),
    [(r, p, c) for r, _, p, c in OFFENDING],
    ids=[f"{r}: {n}" for r, n, _, _ in OFFENDING],
)
def test_an_offending_case_is_stopped_by_exactly_its_rule(rule, phase, resources):
    assert {rule} == violations(judge(*resources, phase=phase))


def test_a_task_that_does_not_depend_on_its_proofs_is_a_finding_of_the_stack():
    assert {"proof-before-bind"} == violations(judge_stack(root(), *proofs(), task(dependencies=())))


def test_a_task_that_depends_on_a_refuted_proof_is_a_finding_of_the_stack():
    refuted = [*proofs()[1:], proof("app-read-v2", verdict="refuted")]

    assert {"proof-before-bind"} == violations(judge_stack(root(), *refuted, task()))


def test_a_task_may_depend_on_its_proofs_through_a_component():
    component = make("atlas-access:index:ConnectionSecret", "c", {})
    inside = [without(entry) for entry in proofs()]
    inside = [type(entry)(**{**_fields(entry), "parent": component.urn}) for entry in inside]

    assert set() == violations(judge_stack(root(), component, *inside, task(dependencies=(component.urn,))))


def test_siblings_in_the_same_component_are_no_dependency():
    component = make(types.SERVICE_ACCESS, "staging", {"phase": "bind"})
    inside = [
        type(entry)(**{**_fields(entry), "parent": component.urn})
        for entry in (*proofs(), task(dependencies=()))
    ]

    outcome = judge_stack(root(), component, *inside)

    assert "proof-before-bind" in violations(outcome)


def test_a_verdict_that_is_not_known_yet_is_not_evaluated():
    undecided = [proof(part.name.removeprefix("proof-"), verdict=UNKNOWN) for part in proofs()]

    outcome = judge_stack(root(), *undecided, task())

    assert (set(), True) == (violations(outcome), any(r == "proof-before-bind" for r, _ in unseen(outcome)))


def test_a_proof_of_a_version_that_is_not_known_yet_is_not_evaluated():
    open_proofs = [*proofs()[1:], proof("app-read-v2", secret_version=UNKNOWN)]

    outcome = judge(*open_proofs, task())

    assert (set(), True) == (violations(outcome), any(r == "proof-before-bind" for r, _ in unseen(outcome)))


def test_unknown_containers_are_named_for_every_rule_that_needs_them():
    named = {
        rule
        for rule, path in unseen(judge(task(containerDefinitions=UNKNOWN)))
        if path == "containerDefinitions"
    }

    assert named == {
        "deprecated-env-vars",
        "admin-schema-only-in-run-task",
        "reference-uri-explicit",
        "four-runtime-bindings",
        "secrets-by-arn-and-version",
        "proof-before-bind",
    }


def test_retire_without_a_retirement_is_a_finding_of_the_stack():
    stack = [
        root(),
        make(types.SERVICE_ACCESS, "staging", {"phase": "retire"}),
        user("app_write", "readWrite"),
    ]

    assert {"retire-gated"} == violations(judge_stack(*stack, phase="retire"))


def test_a_key_grant_beside_a_schema_role_is_judged_by_exact_arn():
    wrong = make(
        types.ROLE_POLICY,
        "p",
        {
            "role": "r",
            "policy": {
                "Statement": [{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY_ARN + "*"}]
            },
        },
    )

    assert {"execution-role-least-privilege"} == violations(judge(wrong))


def _fields(entry):
    keep = ("urn", "type", "name", "props", "protect", "ignore_changes", "dependencies", "parent")
    return {name: getattr(entry, name) for name in keep}
