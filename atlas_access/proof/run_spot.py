"""The migration's own small probe: any connection string in Secrets Manager, tried for what it may and may not do.

One row is written into the audit log, and only where a caller asks for it by name, because nobody of the application
may ever remove it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from atlas_access.base import ConnectionInvalid, ConnectionString, Endpoints
from atlas_access.clients import AwsUnavailable, Server, current_secret, read_connection_string
from atlas_access.proof.evidence import Proof, Subject
from atlas_access.proof.expectations import Place
from atlas_access.proof.request import ProofRequest
from atlas_access.proof.run import prove, unproven
from atlas_access.proof.spot import Named, spot_expectations
from atlas_access.proof.verdict import Outcome

THE_SERVER = "the server"
_WAIT_SECONDS = 10.0


@dataclass(frozen=True)
class SpotOrder:
    """Which secret, and which actions on which collections it must and must not allow.

    `database` "" means the connection string's own. `version` "" means the current one.
    """

    secret_id: str
    collections: tuple[str, ...]
    allow: tuple[str, ...]
    deny: tuple[str, ...]
    region: str
    database: str = ""
    version: str = ""
    deadline_seconds: float = 60.0


def spot_proof(order: SpotOrder, endpoints: Endpoints, progress: Callable[[str], None]) -> Proof:
    """Prove what is named; a record comes back whatever happens. Raises SpotInvalid and `EndpointRefused`."""
    named = _named(order, order.database or "database")
    blank = spot_expectations("the credential", THE_SERVER, named, ())
    request = ProofRequest.of(
        {**vars(order), "secret_arn": order.secret_id, "secret_version": order.version},
        expectations=blank,
        environment="",
        propagation_seconds=0.0,
        equality=False,
    )
    try:
        version = (
            order.version
            or current_secret(order.secret_id, region=order.region, endpoints=endpoints).version_id
        )
        text = read_connection_string(order.secret_id, version, region=order.region, endpoints=endpoints)
        connection = ConnectionString.parse(text)
    except AwsUnavailable as error:
        return unproven(request, Subject.SECRET, _unread(order, error))
    except ConnectionInvalid as error:
        return unproven(request, Subject.SECRET, f"the secret holds no usable connection string: {error}")
    database = order.database or connection.database or ""
    if not database:
        text = "the connection string names no database: say which with --database"
        return unproven(request, Subject.SECRET, text)
    expected = spot_expectations(connection.username or "", THE_SERVER, _named(order, database), ())
    whole = replace(request, expectations=expected, secret_version=version)
    return prove(whole, endpoints, read_secret=connection.reveal, progress=progress)


def leave_row(request: ProofRequest, place: Place, endpoints: Endpoints) -> str:
    """Write `{_probe: true}` into a collection with the request's credential; "" when done, else why not.

    The row stays: on the audit log no user of the application can remove it (ADR 0002).
    """
    try:
        text = read_connection_string(
            request.secret_arn, request.secret_version, region=request.region, endpoints=endpoints
        )
        with Server(ConnectionString.parse(text), endpoints, wait_seconds=_WAIT_SECONDS) as server:
            answer = server.command(
                place.database, {"insert": place.collection, "documents": [{"_probe": True}]}
            ).answer
    except (AwsUnavailable, ConnectionInvalid) as error:
        return str(error)
    if answer.ok:
        return ""
    return str(answer.failure) if answer.failure else f"code {answer.code} {answer.code_name}".rstrip()


def _unread(order: SpotOrder, error: AwsUnavailable) -> str:
    """Why the secret gave no connection string, and the remedy (AWS Secrets Manager API, errors of GetSecretValue)."""
    here = f"{order.secret_id} in {order.region}"
    meaning = {
        "ResourceNotFoundException": f"there is no secret {here}, in the account of these credentials, or no such "
        "version: check the name, --version, --region and the credentials",
        "ParamValidationError": f"{order.secret_id} is no secret's name, or {order.version or 'its version'} no "
        "version's id: a version id is 32 to 64 characters long",
        "InvalidRequestException": f"the secret {here} is marked for deletion: restore it first",
        "AccessDeniedException": f"these credentials may not read the secret {here}, or not decrypt it",
        "NoCredentialsError": f"no AWS credentials were found to read the secret {here} with",
    }.get(error.code)
    return f"{meaning} ({error.code})" if meaning else str(error)


def _named(order: SpotOrder, database: str) -> list[Named]:
    return [
        Named(action, Place(database, collection), outcome)
        for outcome, actions in ((Outcome.ALLOWED, order.allow), (Outcome.DENIED, order.deny))
        for action in actions
        for collection in order.collections
    ]
