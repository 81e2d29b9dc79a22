"""Task definitions, proofs and phases."""

import json
from dataclasses import replace

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
    offending,
    pinned,
    proof,
    proofs,
    retirement,
    role,
    root,
    schema_task,
    secret,
    task,
    unobserved,
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


def around(**container):
    """The proofs, and a compliant task whose container names a secret in one more place."""
    (own,) = json.loads(task().props["containerDefinitions"])
    return [*proofs(), task(containerDefinitions=json.dumps([{**own, **container}]))]


def bound(**changes):
    """The proofs, and a runtime task with these bindings changed."""
    return [*proofs(), task(bindings(**changes))]


def schema(**more):
    """The proofs, and a schema task with one more binding."""
    own = {"MONGODB_URI_ADMIN_SCHEMA": pinned("admin-schema"), **more}
    return [*proofs(), schema_task([{"name": name, "valueFrom": source} for name, source in own.items()])]


COMPLIANT = {
    "the runtime with its four bindings": ("bind", bound()),
    "aliases of the new secrets": ("bind", bound(MONGODB_URI_SURVEY_WRITE=pinned("app-write-v2"))),
    "the schema task": ("bind", schema()),
    "plain settings of the driver": (
        "bind",
        [
            *proofs(),
            task(environment=[plain("MONGODB_DB", "askflorence"), plain("MONGODB_MAX_POOL_SIZE", "20")]),
        ],
    ),
    "other variables": ("bind", [*proofs(), task(environment=[plain("NODE_ENV")])]),
    "a task of somebody else": ("bind", [task([{"name": "TOKEN", "valueFrom": "token"}], family="other")]),
    "a rollout in bind": ("bind", [ROLLOUT]),
    "an undo in provision": ("provision", [make(types.ROLLOUT, "rollout", {"undo": True})]),
    "a gated retirement": ("retire", [retirement()]),
    "new users in provision": ("provision", [user()]),
}

OFFENDING = {
    ("deprecated-env-vars", "bind"): {
        "bound to another new secret": bound(MONGODB_URI_PLANS_WRITE=pinned("app-read-v2")),
        "bound to a legacy secret": [
            proof("plans-write", secret_version=LEGACY.rsplit(":", 1)[-1]),
            *bound(MONGODB_URI_PLANS_WRITE=LEGACY),
        ],
        "as a plain variable": [*proofs(), task(environment=[plain("MONGODB_URI_AGENTS_ADMIN")])],
        "in the schema task": schema(MONGODB_URI_AUDIT_READ=pinned("app-read-v2")),
    },
    ("deprecated-env-vars", "retire"): {
        "still there in retire": bound(MONGODB_URI_PLANS_WRITE=pinned("app-write-v2"))
    },
    ("admin-schema-only-in-run-task", "bind"): {
        "in the runtime": bound(MONGODB_URI_ADMIN_SCHEMA=pinned("admin-schema")),
        "its secret under another name": bound(MONGODB_INDEX_URI=pinned("admin-schema")),
        "as a plain variable": [*proofs(), task(environment=[plain("MONGODB_URI_ADMIN_SCHEMA")])],
        "missing in the schema task": [schema_task([])],
        "a writer in the schema task": schema(MONGODB_WRITE_URI=pinned("app-write-v2")),
    },
    ("reference-uri-explicit", "bind"): {
        "missing": bound(MONGODB_REFERENCE_URI=None),
        "the reader's secret": bound(MONGODB_REFERENCE_URI=pinned("app-read-v2")),
    },
    ("four-runtime-bindings", "bind"): {
        "one missing": bound(MONGODB_WRITE_URI=None),
        "two swapped": bound(MONGODB_URI=pinned("app-write-v2"), MONGODB_WRITE_URI=pinned("app-read-v2")),
        "a fifth variable": bound(MONGODB_REPORTS_URI=pinned("app-read-v2")),
        "our secret under a name of no rule": bound(DATABASE=pinned("app-write-v2")),
        "another family": [*proofs(), task(family="cron")],
    },
    ("secrets-by-arn-and-version", "bind"): {
        "no version": bound(MONGODB_URI=arn("app-read-v2")),
        "a stage": bound(MONGODB_URI=arn("app-read-v2") + "::AWSCURRENT:"),
        "a parameter": bound(MONGODB_URI="arn:aws:ssm:us-east-1:111111111111:parameter/uri"),
        "a plain value": [
            *proofs(),
            task(bindings(MONGODB_URI=None), environment=[plain("MONGODB_URI", "mongodb://host/db")]),
        ],
        "a secret by way of a log driver": around(
            logConfiguration={"secretOptions": [{"name": "option", "valueFrom": pinned("app-write-v2")}]}
        ),
        "a secret by way of the registry's credentials": around(
            repositoryCredentials={"credentialsParameter": arn("audit-write")}
        ),
        "a secret by way of a plain variable": around(environment=[plain("SECRET", arn("app-write-v2"))]),
    },
    ("immutable-revisions", "bind"): {
        "skipDestroy absent": [*proofs(), without(task(), "skipDestroy")],
        "skipDestroy off": [*proofs(), task(skipDestroy=False)],
    },
    ("additive-provision", "provision"): {
        "a task definition": bound(),
        "a service": [make(types.ECS_SERVICE, "s", {})],
        "a rollout": [ROLLOUT],
        "a legacy user": [user("app_writer_plans")],
    },
    ("additive-provision", "bind"): {
        "a legacy role": [role("role_writer_plans")],
        "a legacy secret": [secret("staging/mongodb/plans-write")],
        "a new version of a legacy secret": [
            make(types.SECRET_VERSION, "v", {"secretId": arn("reference-uri")})
        ],
    },
    ("retire-gated", "retire"): {
        "a condition missing": [retirement(evidence(RETIREMENT_CONDITIONS[1:]))],
        "no evidence": [make(types.RETIREMENT, "r", {})],
        "a condition unmet": [retirement(evidence().replace("true", "false", 1))],
        "evidence that is no document": [retirement("all fine")],
    },
    ("retire-gated", "bind"): {"outside its phase": [retirement()]},
    ("proof-before-bind", "bind"): {
        "no proof at all": [task()],
        "a proof of another version": [*proofs(), proof("app-read-v2", secret_version="old"), task()],
        "the proof registered afterwards": [*proofs()[1:], task(), *proofs()[:1]],
    },
    ("project-isolation", "bind"): {
        "a secret of prod's account": bound(MONGODB_URI=arn("app-read-v2", "prod", PROD_ACCOUNT) + ":::v"),
        "a secret of prod's name in staging's account": bound(
            MONGODB_URI=arn("app-read-v2", "prod") + ":::v"
        ),
    },
    ("well-formed", "bind"): {
        "containers that are not JSON": [task(containerDefinitions="{")],
        "containers that are an object": [task(containerDefinitions=json.dumps({"name": "app"}))],
        "containers nested past reason": [task(containerDefinitions="[" * 200_000)],
        "secrets that are a text": [task(containerDefinitions=json.dumps([{"secrets": "MONGODB_URI"}]))],
        "roles that are a text": [user(roles="read")],
        "a role that is a number": [user(roles=[7])],
        "actions of a text": [role(actions="FIND")],
        "a policy that is a list": [make(types.ROLE_POLICY, "p", {"policy": "[]"})],
    },
}


@pytest.mark.parametrize(("phase", "resources"), COMPLIANT.values(), ids=COMPLIANT.keys())
def test_a_compliant_case_passes(phase, resources):
    assert set() == violations(judge(*resources, phase=phase))


@pytest.mark.parametrize(("rule", "resources"), offending(OFFENDING))
def test_an_offending_case_is_stopped_by_exactly_its_rule(rule, resources):
    name, phase = rule
    assert {name} == violations(judge(*resources, phase=phase))


def test_a_task_that_does_not_depend_on_its_proofs_is_a_finding_of_the_stack():
    assert {"proof-before-bind"} == violations(judge_stack(root(), *proofs(), task(dependencies=())))


def test_a_task_that_depends_on_a_refuted_proof_is_a_finding_of_the_stack():
    refuted = [*proofs()[1:], proof("app-read-v2", verdict="refuted")]

    assert {"proof-before-bind"} == violations(judge_stack(root(), *refuted, task()))


def test_a_task_may_depend_on_its_proofs_through_a_component():
    component = make("atlas-access:index:ConnectionSecret", "c", {})
    inside = [replace(entry, parent=component.urn) for entry in proofs()]

    assert set() == violations(judge_stack(root(), component, *inside, task(dependencies=(component.urn,))))


def test_siblings_in_the_same_component_are_no_dependency():
    component = make(types.SERVICE_ACCESS, "staging", {"phase": "bind"})
    inside = [replace(entry, parent=component.urn) for entry in (*proofs(), task(dependencies=()))]

    outcome = judge_stack(root(), component, *inside)

    assert "proof-before-bind" in violations(outcome)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (
            judge_stack,
            [root(), *(replace(each, props={**each.props, "verdict": UNKNOWN}) for each in proofs())],
        ),
        (judge, [*proofs()[1:], proof("app-read-v2", secret_version=UNKNOWN)]),
    ],
    ids=["verdict", "version"],
)
def test_a_proof_of_which_something_is_not_known_yet_is_not_evaluated(asked, found):
    outcome = asked(*found, task())

    named = {rule for rule, _ in unobserved(outcome)}
    assert (set(), True) == (violations(outcome), "proof-before-bind" in named)


def test_unknown_containers_are_named_for_every_rule_that_needs_them():
    outcome = judge(task(containerDefinitions=UNKNOWN))
    named = {rule for rule, path in unobserved(outcome) if path == "containerDefinitions"}

    assert named == {
        "deprecated-env-vars",
        "admin-schema-only-in-run-task",
        "reference-uri-explicit",
        "four-runtime-bindings",
        "secrets-by-arn-and-version",
        "proof-before-bind",
    }


def test_retire_without_a_retirement_is_a_finding_of_the_stack():
    access = make(types.SERVICE_ACCESS, "staging", {"phase": "retire"})
    stack = [root(), access, user("app_write", "readWrite")]

    assert {"retire-gated"} == violations(judge_stack(*stack, phase="retire"))


def test_a_key_grant_beside_a_schema_role_is_judged_by_exact_arn():
    statement = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY_ARN + "*"}
    wrong = make(types.ROLE_POLICY, "p", {"role": "r", "policy": {"Statement": [statement]}})

    assert {"execution-role-least-privilege"} == violations(judge(wrong))
