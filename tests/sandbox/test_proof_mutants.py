"""The proof of the proof: every mutant of the four credentials is caught, for the right reason."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from mongod_fixture import Cluster
from proof_mutants import Workshop

from atlas_access.proof.evidence import Proof
from atlas_access.proof.verdict import Verdict

# The tables over every collection are proven elsewhere; here each proof needs only those that mutants touch.
TOUCHED = frozenset({"agent_audit_log", "plans"})


def _narrowed(cluster: Cluster, user: str) -> Cluster:
    role = cluster.manifest.user(user).role
    grants = () if role.is_builtin else cluster.manifest.role(role.name).grants
    granted = {name for grant in grants for name in grant.collections}
    kept = tuple(each for each in cluster.manifest.collections if each.name in TOUCHED | granted)
    return replace(cluster, manifest=cluster.manifest.model_copy(update={"collections": kept}))


def _escaped(cluster: Cluster, user: str) -> tuple[int, list[tuple[str, Proof]]]:
    workshop = Workshop(_narrowed(cluster, user), user)
    mutants = list(workshop.mutants())
    proofs = [(mutant.what, workshop.escapes(mutant)) for mutant in mutants]
    return len(mutants), [(what, proof) for what, proof in proofs if proof is not None]


def test_every_mutant_is_caught_for_the_right_reason(
    cluster: Cluster, record_property: Callable[[str, object], None]
) -> None:
    started = time.monotonic()
    with ThreadPoolExecutor(len(cluster.manifest.users)) as pool:
        results = list(pool.map(lambda user: _escaped(cluster, user.name), cluster.manifest.users))
    total = sum(number for number, _ in results)
    escaped = [each for _, some in results for each in some]
    line = f"mutants caught {total - len(escaped)} of {total} in {time.monotonic() - started:.0f} s"
    record_property("says", line)
    assert [] == [(what, proof.verdict, proof.reason) for what, proof in escaped]
    assert total >= 400
    assert [Verdict.PROVEN] * 4 == [cluster.prove(user.name).verdict for user in cluster.manifest.users]
