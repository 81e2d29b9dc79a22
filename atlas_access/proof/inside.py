"""The proof as a one-off ECS task makes it: `python -m atlas_access.proof.inside`.

The connection string arrives as ECS gave it to the container, so that the execution role has read and decrypted it.
The answer goes to standard output, which is the task's log, in lines of JSON that carry the asker's nonce. It must
never print anything else of what it holds, and redacts the whole answer with the very password it used.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping

from atlas_access.base import ConnectionInvalid, ConnectionString, EndpointRefused, Endpoints, redact
from atlas_access.proof.evidence import Subject
from atlas_access.proof.request import ProofRequest, pack
from atlas_access.proof.run import prove, unproven
from atlas_access.proof.verdict import Verdict

REQUEST = "ATLAS_ACCESS_PROOF_REQUEST"
NONCE = "ATLAS_ACCESS_PROOF_NONCE"
CONNECTION = "ATLAS_ACCESS_PROOF_CONNECTION"
MARK = "atlasAccessProof"
PART = 48_000
"""Characters of one line: the awslogs driver splits what is longer than 64 KiB, and CloudWatch refuses 256 KiB."""


def answer(environment: Mapping[str, str]) -> tuple[str, int]:
    """Prove what the environment asks for; the evidence as JSON, and the exit code.

    Raises ValueError when that is no request.
    """
    request = ProofRequest.unpack(environment.get(REQUEST, ""))
    text = environment.get(CONNECTION, "")
    try:
        proof = (
            # atlas-access: allow env-var-coverage: the task that proves receives its connection by this name
            prove(request, Endpoints.from_environment(environment), read_secret=lambda: text)
            if text
            else unproven(request, Subject.SECRET, f"the task received no {CONNECTION}")
        )
    except EndpointRefused as refused:
        proof = unproven(request, Subject.RUNNER, str(refused))
    code = {Verdict.PROVEN: 0, Verdict.REFUTED: 1, Verdict.INCONCLUSIVE: 3}[proof.verdict]
    return redact(proof.to_json(), _secrets(text)), code


def lines(evidence: str, nonce: str) -> Iterator[str]:
    """The evidence as log lines, each with the nonce, its number and how many there are."""
    packed = pack(evidence)
    parts = [packed[start : start + PART] for start in range(0, len(packed), PART)]
    for number, part in enumerate(parts, start=1):
        yield json.dumps({MARK: nonce, "part": number, "of": len(parts), "data": part}, separators=(",", ":"))


def main() -> int:
    """Answer the request in the environment."""
    try:
        evidence, code = answer(os.environ)
    except ValueError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for line in lines(evidence, os.environ.get(NONCE, "")):
        sys.stdout.write(line + "\n")
    sys.stdout.flush()
    return code


def _secrets(text: str) -> list[str]:
    try:
        password = ConnectionString.parse(text).password
    except ConnectionInvalid:
        return [text]
    return [text, *([password.reveal()] if password is not None else [])]


if __name__ == "__main__":
    sys.exit(main())
