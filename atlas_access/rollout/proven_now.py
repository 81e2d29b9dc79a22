"""The versions that are proven today: what a definition is registered again with."""

from __future__ import annotations

import os

from atlas_access.base import Endpoints, SecretReference, Settings
from atlas_access.clients import CredentialsMissing, sign_in_from
from atlas_access.manifest import Consumer, load_manifest
from atlas_access.proof import Stack, Verdict, candidates, prove_candidates
from atlas_access.rollout.stack import PROJECT_FOLDER
from atlas_access.rollout.way_back import with_deprecated


def proven_now(stack: str, settings: Settings, endpoints: Endpoints) -> dict[str, SecretReference]:
    """Prove the stack's credentials now, the version that tasks hold first; the proven ones, by variable."""
    try:
        sign_in = sign_in_from(os.environ)
    except CredentialsMissing:
        sign_in = None
    manifest = load_manifest((PROJECT_FOLDER / "access.yaml").read_bytes())
    each = candidates(Stack(stack, manifest, settings, endpoints, sign_in))
    wanted = [one for one in each if one.variables and one.consumer is Consumer.SERVICE]
    proofs = prove_candidates(wanted, endpoints, lambda *_: None, lambda *_: None)
    proven = sorted(
        (one for one, proof in zip(wanted, proofs, strict=True) if proof.verdict is Verdict.PROVEN),
        key=lambda one: one.held,
    )
    named = {
        variable: SecretReference(one.request.secret_arn, version=one.request.secret_version)
        for one in proven
        for variable in one.variables
    }
    return with_deprecated(named, manifest.successors)
