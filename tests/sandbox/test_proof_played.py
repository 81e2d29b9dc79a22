"""Servers that a proxy plays: newer versions, privileges that change in mid-proof, and answers that make no sense."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, strategies as st
from mongod_fixture import Cluster, cluster
from proof_proxy import Document, Rewriting

from atlas_access.base import Status
from atlas_access.proof.evidence import Proof
from atlas_access.proof.expectations import expectations
from atlas_access.proof.verdict import Outcome, Verdict

__all__ = ["cluster"]

LOG = "askflorence.agent_audit_log"
VERSIONS = ("6.0.5", "7.0.14", "8.0.4", "8.2.1", "9.0.2", "10.0.0")
SEARCH_READ = ("listSearchIndexes",)
SEARCH_WRITE = ("createSearchIndexes", "dropSearchIndex")
EIGHT = ("updateSearchIndex", "cleanupStructuredEncryptionData")
RAW = ("performRawDataOperations",)
ADDED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "app_read": {"6": (), "7": SEARCH_READ, "8.0": SEARCH_READ, "newer": SEARCH_READ + RAW},
    "app_write": {
        "6": (),
        "7": SEARCH_READ + SEARCH_WRITE,
        "8.0": SEARCH_READ + SEARCH_WRITE + EIGHT,
        "newer": SEARCH_READ + SEARCH_WRITE + EIGHT + RAW,
    },
}
"""What later majors add to the built-in roles (release notes of 7.0 to 9.0), by hand."""

MAY_WRITE_MANY = {"app_write": ("insert", "update", "delete"), "app_audit_writer": ("insert",)}
UNDOCUMENTED = frozenset(
    {
        *(
            "dropDatabase",
            "convertToCapped",
            "createUser",
            "updateUser",
            "dropUser",
            "createRole",
            "updateRole",
        ),
        *("dropRole", "grantRolesToUser", "grantRolesToRole", "grantPrivilegesToRole", "revokeRolesFromUser"),
        *("revokeRolesFromRole", "revokePrivilegesFromRole", "killOp", "killAllSessions", "setParameter"),
        *("setClusterParameter", "setDefaultRWConcern", "setFeatureCompatibilityVersion", "replSetReconfig"),
        *("replSetResizeOplog", "drop", "dropIndexes", "createIndexes", "collMod", "renameCollection"),
    }
)
More = tuple[dict[str, str], str]
REFUSED = {"ok": 0.0, "code": 13, "codeName": "Unauthorized", "errmsg": "not authorized on admin to execute"}


def added(user: str, version: str) -> list[More]:
    major = version.partition(".")[0]
    found = ADDED.get(user, {}).get(
        {"6": "6", "7": "7"}.get(major, "8.0" if version.startswith("8.0") else "newer"), ()
    )
    return [
        ({"db": "askflorence", "collection": name}, action) for name in ("", "system.js") for action in found
    ]


def playing(user: str, version: str, more: list[More]) -> Callable[[Document, Document], Document]:
    """A server of a version whose list of privileges holds more, and which has `bulkWrite` as the user may use it."""

    def change(command: Document, answer: Document) -> Document:
        match next(iter(command)):
            case "buildInfo":
                return {**answer, "version": version}
            case "connectionStatus":
                listed = answer["authInfo"]["authenticatedUserPrivileges"]
                listed += [{"resource": resource, "actions": [action]} for resource, action in more]
            case "aggregate" if (
                "$indexStats" in str(command["pipeline"]) and on_everything("indexStats")[0] in more
            ):
                cursor = {"id": 0, "firstBatch": [], "ns": f"askflorence.{command['aggregate']}"}
                return {"ok": 1.0, "cursor": cursor}
            case "bulkWrite":
                kinds = {next(iter(each)) for each in command["ops"]}
                cursor = {"id": 0, "firstBatch": [], "ns": "admin.$cmd.bulkWrite"}
                done = {"ok": 1.0, "nErrors": 0, "cursor": cursor}
                return done if kinds <= set(MAY_WRITE_MANY.get(user, ())) else REFUSED
        return answer

    return change


def through(cluster: Cluster, user: str, proxy: Rewriting, **changes: Any) -> Proof:
    text = cluster.uri(user, address=proxy.address)
    return cluster.prove(user, text=text, expected_hosts=(proxy.address,), **changes)


def played(
    cluster: Cluster, user: str, version: str, more: tuple[More, ...] = (), **changes: Any
) -> tuple[Proof, list[Document]]:
    change = playing(user, version, [*added(user, version), *more])
    with Rewriting("127.0.0.1", cluster.server.port, change) as proxy:
        return through(cluster, user, proxy, **changes), proxy.commands


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("user", ["app_read", "app_write", "app_audit_writer"])
def test_a_user_as_declared_is_proven_on_every_major_by_forms_that_are_documented_there(
    cluster: Cluster, user: str, version: str
) -> None:
    proof, commands = played(cluster, user, version)
    assert (Verdict.PROVEN, "") == (proof.verdict, proof.reason)
    six = version.startswith("6.")
    names = {next(iter(each)) for each in commands}
    assert six is any("collectionUUID" in each for each in commands)
    assert six is bool(UNDOCUMENTED & names)
    assert ("bulkWrite" in names) is (version.partition(".")[0] in ("8", "9", "10"))
    assert ["MongoDB 10.0.0 is newer than the documented sets"] * (version == "10.0.0") == [
        each.message.partition(":")[0] for each in proof.findings
    ]


@pytest.mark.parametrize("version", VERSIONS)
def test_changes_and_removals_of_the_audit_log_by_its_writer_are_attempted_on_every_major(
    cluster: Cluster, version: str
) -> None:
    proof, _ = played(cluster, "app_audit_writer", version)
    wanted = {"update", "update in a transaction", "findAndModify update"}
    wanted |= {"delete", "delete in a transaction"}
    found = {
        (each.operation, each.outcome, each.code)
        for each in proof.attempts
        if each.tried and each.namespace == LOG and each.operation in wanted
    }
    assert {(name, Outcome.DENIED, 13) for name in wanted} == found


def on_everything(action: str) -> tuple[More, ...]:
    return (({"db": "askflorence", "collection": ""}, action),)


@pytest.mark.parametrize(
    ("user", "action", "verdict", "says"),
    [
        ("app_read", "storageDetails", Verdict.PROVEN, "app_read also holds storageDetails (reads)"),
        ("app_read", "indexStats", Verdict.PROVEN, "app_read also holds indexStats (reads)"),
        ("app_read", "remove", Verdict.REFUTED, "app_read can erase documents"),
        (
            "app_read",
            "readFaster",
            Verdict.INCONCLUSIVE,
            "list readFaster under accepted_actions in access.yaml",
        ),
        ("app_audit_writer", "storageDetails", Verdict.REFUTED, "storageDetails"),
        ("app_audit_writer", "readFaster", Verdict.INCONCLUSIVE, "list readFaster under accepted_actions"),
    ],
)
def test_what_an_unknown_major_adds_is_judged_by_its_kind(
    cluster: Cluster, user: str, action: str, verdict: Verdict, says: str
) -> None:
    proof, _ = played(cluster, user, "10.0.0", on_everything(action))
    said = any(says in f"{each.message} {each.remedy}" for each in proof.findings)
    assert (verdict, True) == (proof.verdict, said)


@pytest.mark.parametrize("user", ["app_read", "app_audit_writer"])
def test_an_action_that_a_decision_accepts_is_shown_and_no_obstacle(cluster: Cluster, user: str) -> None:
    manifest = cluster.manifest.model_copy(update={"accepted_actions": ("readFaster",)})
    expected = expectations(manifest, user, "staging")
    proof, _ = played(cluster, user, "10.0.0", on_everything("readFaster"), expectations=expected)
    assert (Verdict.PROVEN, "") == (proof.verdict, proof.reason)
    shown = [each.message for each in proof.findings if each.status is Status.GOOD]
    assert f"accepted in access.yaml: {user} also holds readFaster (unknown)" in shown


@pytest.mark.parametrize("version", ["", "v7.0", "None", "-6"])
def test_a_version_that_is_none_is_inconclusive_and_no_reason_to_update_the_cluster(
    cluster: Cluster, version: str
) -> None:
    proof, _ = played(cluster, "app_audit_writer", version)
    assert ("the server did not say its version: its answer makes no sense", ()) == (
        proof.reason,
        proof.attempts,
    )


class Changing:
    """Adds a privilege to those answers about the login whose number is given, counted from 0."""

    def __init__(self, *numbers: int) -> None:
        self.numbers, self.asked = numbers, 0

    def __call__(self, command: Document, answer: Document) -> Document:
        if "connectionStatus" in command:
            if self.asked in self.numbers:
                extra = {"resource": {"db": "askflorence", "collection": "plans"}, "actions": ["remove"]}
                answer["authInfo"]["authenticatedUserPrivileges"].append(extra)
            self.asked += 1
        return answer


@pytest.mark.parametrize(("number", "verdict"), [(0, Verdict.REFUTED), (1, Verdict.INCONCLUSIVE)])
def test_privileges_that_change_are_not_proven(cluster: Cluster, number: int, verdict: Verdict) -> None:
    with Rewriting("127.0.0.1", cluster.server.port, Changing(number)) as proxy:
        proof = through(cluster, "app_audit_writer", proxy)
    assert verdict is proof.verdict
    assert "changed during the proof" in " ".join(each.message for each in proof.findings)


@pytest.mark.parametrize(
    ("dirty", "asked"),
    [((), 4), ((0, 1), 6), ((2, 3), 8), ((3,), 8)],
    ids=["at once", "late", "again", "half"],
)
def test_after_a_narrowing_two_clean_passes_in_a_row_are_needed(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, dirty: tuple[int, ...], asked: int
) -> None:
    monkeypatch.setattr("atlas_access.proof.run.NARROWING_POLL_SECONDS", 0.01)
    change = Changing(*dirty)
    with Rewriting("127.0.0.1", cluster.server.port, change) as proxy:
        proof = through(cluster, "app_audit_writer", proxy, narrowing=True, propagation_seconds=20.0)
    assert (Verdict.PROVEN, asked) == (proof.verdict, change.asked)


def test_a_narrowing_that_turns_dirty_in_the_end_is_not_proven(cluster: Cluster) -> None:
    with Rewriting("127.0.0.1", cluster.server.port, Changing(*range(2, 99))) as proxy:
        proof = through(cluster, "app_audit_writer", proxy, narrowing=True, propagation_seconds=0.1)
    assert Verdict.REFUTED is proof.verdict


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-1, 2**40), st.text(max_size=5), st.just([]), st.just({}), st.just([{}]),
    st.just(float("nan")), st.just(b""), st.sampled_from([REFUSED, {"ok": 1.0}, {"code": 13}, [{"code": 361}]]),
)  # fmt: skip
CELLS = frozenset(
    {"find", "insert", "update", "update in a transaction", "update outside a transaction", "listIndexes"}
)


def mutated(document: Document, path: list[int], value: object, remove: bool) -> Document:
    """A copy in which one field, found by walking down along `path`, is removed or another value."""
    if not document:
        return {"_": value}
    name = list(document)[path[0] % len(document)]
    inner = document[name]
    if path[1:] and isinstance(inner, list) and inner and isinstance(inner[0], dict):
        return {**document, name: [mutated(inner[0], path[1:], value, remove), *inner[1:]]}
    if path[1:] and isinstance(inner, dict) and inner:
        return {**document, name: mutated(inner, path[1:], value, remove)}
    rest = {key: each for key, each in document.items() if key != name}
    return rest if remove else {**rest, name: value}


@given(
    number=st.one_of(
        st.integers(0, 30), st.sampled_from(["connectionStatus", "buildInfo", "update", "explain"])
    ),
    path=st.lists(st.integers(0, 9), min_size=1, max_size=4),
    value=VALUES,
    remove=st.booleans(),
    raw=st.one_of(st.none(), st.none(), st.binary(max_size=40)),
)
def test_no_answer_however_odd_is_raised_or_makes_a_privilege_too_many_proven(
    too_many: Cluster, number: int | str, path: list[int], value: object, remove: bool, raw: bytes | None
) -> None:
    """One answer after the login is mutated, or each answer to one command."""
    observed = 0

    def change(command: Document, answer: Document) -> Document | bytes:
        nonlocal observed
        if next(iter(command)) in ("hello", "ismaster", "saslStart", "saslContinue", "isMaster"):
            return answer
        observed += 1
        if number not in (observed, next(iter(command))):
            return answer
        return mutated(answer, path, value, remove) if raw is None else raw

    whole = too_many.request("app_audit_writer").expectations
    cells = tuple(each for each in whole.table if each.operation in CELLS and each.place == whole.audit)
    with Rewriting("127.0.0.1", too_many.server.port, change) as proxy:
        few = replace(whole, table=cells)
        proof = through(too_many, "app_audit_writer", proxy, expectations=few, deadline_seconds=2.0)
    assert Verdict.PROVEN is not proof.verdict
    assert proof == Proof.from_json(proof.to_json())


@pytest.fixture(scope="module")
def too_many(cluster: Cluster) -> Any:
    declared = cluster.declared_privileges("role_audit_writer")
    update = {"resource": {"db": "askflorence", "collection": "agent_audit_log"}, "actions": ["update"]}
    cluster.set_role("role_audit_writer", [*declared, update])
    yield cluster
    cluster.set_role("role_audit_writer", declared)
