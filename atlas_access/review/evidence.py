"""Reads evidence files: what deployments found, as `sandbox deploy --json` writes it, for the access matrix.

A file that is not understood is an error, not an empty answer.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from atlas_access.proof import Standing
from atlas_access.review.deployment import Proof
from atlas_access.review.matrix import Observation


class EvidenceInvalid(ValueError):
    """A file is not evidence; the message names it, what is wrong, and how evidence is written."""


class _Read(BaseModel):
    model_config = ConfigDict(extra="ignore", alias_generator=to_camel, frozen=True)


class _Proof(_Read):
    name: str
    user: str
    environment: str
    cluster: str
    verdict: Literal["proven", "refuted", "inconclusive"]
    reason: str
    attempts: int
    inconclusive: int
    residue: int
    proven_at: str
    live: Standing


class _Deployment(_Read):
    version: Literal[1]
    proofs: tuple[_Proof, ...]


_FILE: TypeAdapter[_Deployment | tuple[_Deployment, ...]] = TypeAdapter(_Deployment | tuple[_Deployment, ...])


def observations(text: str, source: str) -> tuple[Observation, ...]:
    """What the proofs in an evidence file found: one deployment's JSON or a list of them, the newest last.

    Raises EvidenceInvalid when `text` is anything else.
    """
    try:
        read = _FILE.validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][1:]) or "the file"
        raise EvidenceInvalid(
            f"{source} is not evidence: {where}: {first['msg']}. "
            "Write it with: atlas-access sandbox deploy STACK --json > FILE."
        ) from None
    runs = read if isinstance(read, tuple) else (read,)
    return tuple(Proof(**proof.model_dump()).observation for run in runs for proof in run.proofs)
