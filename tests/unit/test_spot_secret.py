"""A secret that gives no connection string is named with the remedy, and nothing is proven by it."""

import pytest

from atlas_access.base.endpoints import Endpoints
from atlas_access.clients.errors import AwsUnavailable
from atlas_access.proof import run_spot as spot_proof
from atlas_access.proof.run_spot import SpotOrder
from atlas_access.proof.verdict import Verdict

ORDER = SpotOrder("staging/mongodb/app-raed", ("plans",), ("FIND",), (), "us-east-1")


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("ResourceNotFoundException", "there is no secret staging/mongodb/app-raed in us-east-1"),
        ("ParamValidationError", "staging/mongodb/app-raed is no secret's name"),
        ("InvalidRequestException", "is marked for deletion: restore it first"),
        ("AccessDeniedException", "these credentials may not read the secret staging/mongodb/app-raed"),
        ("NoCredentialsError", "no AWS credentials were found"),
        ("ThrottlingException", "describing the secret: AWS answered ThrottlingException"),
    ],
)
def test_a_secret_that_cannot_be_read_is_inconclusive_and_says_why(
    monkeypatch: pytest.MonkeyPatch, code: str, says: str
) -> None:
    def refused(*_: object, **__: object) -> str:
        raise AwsUnavailable("describing the secret", code)

    monkeypatch.setattr(spot_proof, "current_secret", refused)
    proof = spot_proof.spot_proof(ORDER, Endpoints(), lambda _: None)
    assert (Verdict.INCONCLUSIVE, True, True) == (proof.verdict, says in proof.reason, code in proof.reason)
