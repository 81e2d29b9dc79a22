"""Whatever the properties are, no rule crashes; whatever is widened, some rule says so."""

from hypothesis import given, settings, strategies as st
from policy_world import audit_role, grant, judge, make, task, user, violations

from policy.rules import RULES
from policy.values import SECRET, UNKNOWN

NAMES = [
    "username", "roleName", "roles", "scopes", "password", "projectId", "actions", "resources", "action", "cluster",
    "collectionName", "databaseName", "inheritedRoles", "name", "kmsKeyId", "containerDefinitions", "family", "policy",
    "Statement", "Action", "Resource", "Effect", "secrets", "environment", "valueFrom", "value", "secret_arn",
    "secret_version", "evidence", "conditions", "policyArn", "inlinePolicies", "length", "special", "secretId",
]  # fmt: skip
TYPES = sorted({token for rule in RULES for token in rule.types} | {"mongodbatlas:index/x:X", "aws:x/y:Y"})
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.just(UNKNOWN),
    st.just(SECRET),
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
PROPS = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=8)
ACTIONS = [
    "FIND",
    "INSERT",
    "UPDATE",
    "REMOVE",
    "CREATE_INDEX",
    "DROP_COLLECTION",
    "BYPASS_DOCUMENT_VALIDATION",
]
BUILT_INS = [
    "read",
    "readWrite",
    "dbAdmin",
    "dbOwner",
    "userAdmin",
    "readAnyDatabase",
    "atlasAdmin",
    "root",
    "backup",
]
COLLECTIONS = ["plans", "agent_audit_log", "", "*", "system.users", "agents"]


def crashed(outcome):
    return [finding.message for finding in outcome.findings if "could not judge" in finding.message]


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TYPES), PROPS)
def test_no_properties_crash_a_rule(token, props):
    resource = make(token, "any", props)

    assert [] == crashed(judge(resource, whole=True))


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(user().props)), VALUES, min_size=1, max_size=2))
def test_no_change_to_a_compliant_user_crashes_a_rule(changes):
    assert [] == crashed(judge(user(**changes)))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60) | st.recursive(LEAVES, st.lists, max_leaves=4))
def test_no_container_definitions_crash_a_rule(containers):
    assert [] == crashed(judge(task(containerDefinitions=containers)))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.sampled_from(COLLECTIONS), st.booleans()), max_size=3))
def test_no_widening_of_a_custom_role_passes(more):
    frozen = audit_role().props["actions"]
    grants = [grant(action, collection) for action, collection, _ in more]
    for each, (_, _, cluster) in zip(grants, more, strict=True):
        each["resources"][0] |= {"cluster": True} if cluster else {}
    within = all(
        action in ("FIND", "INSERT") and collection == "agent_audit_log" and not cluster
        for action, collection, cluster in more
    )

    assert within == (set() == violations(judge(audit_role([*frozen, *grants]))))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ACTIONS), st.sampled_from(COLLECTIONS)), max_size=4))
def test_the_audit_role_passes_only_as_it_is(grants):
    exact = set(grants) == {(action, "agent_audit_log") for action in ("FIND", "INSERT")}

    outcome = judge(audit_role([grant(action, collection) for action, collection in grants]))

    assert exact == (set() == violations(outcome))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(BUILT_INS) | st.text(max_size=12), st.sampled_from(["askflorence", "admin", "local", "x"])
)
def test_no_role_but_the_laws_passes(name, database):
    outcome = judge(user("app_read", roles=[{"roleName": name, "databaseName": database}]))

    assert ((name, database) == ("read", "askflorence")) == (set() == violations(outcome))


@settings(max_examples=50, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=0, max_size=60))
def test_a_password_passes_only_when_it_is_long_and_alphanumeric(password):
    good = len(password) >= 32 and password.isascii() and password.isalnum()

    outcome = judge(user(password=password))

    assert good == (set() == violations(outcome))
