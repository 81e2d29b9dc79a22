"""The whole proof of one credential: login, equality, behaviour, the audit log, and the login's privileges again.

The answer is always a record: what went wrong is a finding in it. Nothing that is not proven comes out as proven. While
a narrowing propagates the server is asked again, and then two clean passes in a row are needed.
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from atlas_access.base import (
    ConnectionInvalid,
    ConnectionString,
    EndpointRefused,
    Endpoints,
    Finding,
    Secret,
    Status,
    compose,
    redact,
)
from atlas_access.clients import (
    Answer,
    AwsUnavailable,
    Failure,
    Login,
    Server,
    ServerUnusable,
    judge_login,
)
from atlas_access.privileges import IDENTITY_COMMAND, Identity, Privilege, read_identity, version_numbers
from atlas_access.proof.attempt import LATE, LOST, About, Nonce, attempt_all, unanswered
from atlas_access.proof.compare import compare, excess_of
from atlas_access.proof.evidence import Attempt, Proof, Subject, doubtful, refuted
from atlas_access.proof.judge_secret import judge_secret
from atlas_access.proof.observe_audit_log import Presence, observe
from atlas_access.proof.request import PRIVATE, ProofRequest
from atlas_access.proof.verdict import Verdict

__all__ = ["ProofRequest", "prove", "unproven"]

ANSWER_SECONDS = 5.0
REACH_SECONDS = 3.0
NARROWING_POLL_SECONDS = 0.5
CLEAN_PASSES = 2
MAX_CONCURRENT = 16
MISDIRECTED = (Failure.NAME, Failure.TLS, Failure.REPLICA_SET)
AWAY = (Failure.NETWORK, Failure.TIMEOUT, Failure.NAME)
_UNANSWERED = (
    "Find what locks the server (db.currentOp, fsyncLock) or fills its connections; then prove again."
)
PART = 256
"""How many attempts are made between two words of progress."""

Progress = Callable[[str], None]
ReadSecret = Callable[[], str]


def _silent(_: str) -> None:
    return


@dataclass
class _Run:
    """One proof under way."""

    request: ProofRequest
    endpoints: Endpoints
    progress: Progress
    started: float = field(default_factory=time.monotonic)
    attempts: list[Attempt] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    residue: list[str] = field(default_factory=list)
    version: str = ""
    presence: Presence = field(default_factory=Presence)
    secrets: tuple[Secret, ...] = ()
    own_address: bool = True
    logged_in: bool = False
    unreached: str = ""

    def left(self) -> float:
        return self.started + self.request.deadline_seconds - time.monotonic()

    def propagating(self) -> float:
        spent = time.monotonic() - self.started
        return min(self.left(), self.request.propagation_seconds - spent)

    def refute(self, subject: Subject, text: str, remedy: str = "") -> None:
        self.findings.append(refuted(subject, text, remedy))

    def doubt(self, subject: Subject, text: str, remedy: str = "") -> None:
        self.findings.append(doubtful(subject, text, remedy))


def prove(
    request: ProofRequest,
    endpoints: Endpoints,
    *,
    read_secret: ReadSecret | None = None,
    progress: Progress = _silent,
    unreached: str = "",
) -> Proof:
    """Prove one credential; returns a proof whatever happens on the way.

    `read_secret` gives the connection string; without it, the version is read from Secrets Manager. `unreached` is
    added to the finding that the cluster does not answer. Raises
    `EndpointRefused` when an address is not permitted: that is a mistake of the caller's, not an answer.
    """
    run = _Run(request, endpoints, progress, unreached=unreached)
    connection = _connection(run, read_secret)
    if connection is not None:
        try:
            _observe(run, _reachable(run, connection))
        except EndpointRefused:
            raise
        except Exception as error:  # noqa: BLE001 - a raise would leave an old "proven" in the state
            run.doubt(Subject.SERVER, f"an answer could not be read ({type(error).__name__})", "Prove again.")
    return _proof(run)


def unproven(request: ProofRequest, subject: Subject, text: str, *, refuted: bool = False) -> Proof:
    """The proof of a credential that nothing could be asked about, and why; `text` holds no secret."""
    run = _Run(request, Endpoints(), _silent)
    (run.refute if refuted else run.doubt)(subject, text)
    return _proof(run)


def _connection(run: _Run, read_secret: ReadSecret | None) -> ConnectionString | None:
    request = run.request
    try:
        if read_secret is None:
            # Only here: who has the connection string already needs no client of AWS.
            from atlas_access.clients import read_connection_string

            text = read_connection_string(
                request.secret_arn, request.secret_version, region=request.region, endpoints=run.endpoints
            )
        else:
            text = read_secret()
        run.secrets = (Secret(text),)
        connection = ConnectionString.parse(text)
    except AwsUnavailable as error:
        run.doubt(Subject.SECRET, str(error))
        return None
    except ConnectionInvalid as error:
        run.refute(Subject.SECRET, f"the secret holds no usable connection string: {error}")
        return None
    run.findings += judge_secret(request, connection)
    return None if any(each.status is Status.BAD for each in run.findings) else connection


def _reachable(run: _Run, connection: ConnectionString) -> ConnectionString:
    """The connection itself, or by the public address where a private one does not answer from here.

    A login is the question, so that an address that answers is asked what it knows of the credential.
    """
    request = run.request
    if request.address != PRIVATE or not request.public_address:
        return connection
    try:
        with Server(connection, run.endpoints, wait_seconds=min(REACH_SECONDS, run.left())) as server:
            failure = server.command("admin", {"ping": 1}).answer.failure
    except ServerUnusable:  # its hosts cannot be found by name from here
        failure = Failure.NETWORK
    if failure not in AWAY:
        return connection
    run.own_address = False
    run.progress(f"{request.expectations.user}: the private address does not answer here, by the public one")
    user, password = connection.username or "", connection.password or Secret("")
    return ConnectionString.parse(
        compose(request.public_address, user, password, request.expectations.database)
    )


def _observe(run: _Run, connection: ConnectionString) -> None:
    try:
        server = Server(connection, run.endpoints, wait_seconds=min(ANSWER_SECONDS, run.left()))
    except ServerUnusable as error:
        run.doubt(Subject.LOGIN, str(error), error.remedy)
        return
    before = len(run.findings)
    clean = 0
    with server:
        while _logged_in(run, server, connection.hosts):
            _pass(run, server)
            clean = 0 if _speaks_against(run) else clean + 1
            if not _narrows_still(run, clean):
                return
            if not clean:  # a clean pass took long enough by itself
                time.sleep(min(NARROWING_POLL_SECONDS, max(0.0, run.propagating())))
            run.attempts.clear()
            del run.findings[before:]


def _logged_in(run: _Run, server: Server, hosts: tuple[str, ...]) -> bool:
    run.progress(f"{run.request.expectations.user}: logging in")
    reply = server.login(run.propagating)
    login = judge_login(reply.answer)
    if login is not Login.DONE:
        text = _login_text(run.request.expectations.user, login, reply.answer)
        text += f" ({', '.join(hosts)})" if reply.answer.failure in MISDIRECTED else ""
        run.doubt(Subject.LOGIN, f"{text}{run.unreached}" if reply.answer.failure in AWAY else text)
        return False
    run.logged_in = True
    about = server.command("admin", {"buildInfo": 1})
    run.version = str(about.document.get("version", ""))
    if not about.answer.ok or not _is_version(run.version):
        run.doubt(Subject.SERVER, f"the server did not say its version: {_said(about.answer)}")
        return False
    return True


def _is_version(text: str) -> bool:
    try:
        return bool(version_numbers(text))
    except ValueError:
        return False


def _pass(run: _Run, server: Server) -> None:
    """Compare, observe and try everything once; the privileges must be the same afterwards."""
    request, expected = run.request, run.request.expectations
    identity = _identity(run, server)
    if identity is None:
        return
    if request.equality:
        run.findings.extend(compare(expected, identity, run.version))
    elif identity.user not in expected.logins:
        run.refute(Subject.LOGIN, f"logged in as {identity.user or 'nobody'}, not as {expected.login}")
    run.presence = observe(server, expected)
    run.findings.extend(run.presence.findings(expected, request.audit_uuid, request.accepted_audit_uuid))
    _try_all(run, server, identity)
    if run.left() > 0 and (after := _identity(run, server)) is not None and after != identity:
        text = f"the roles or privileges of {expected.user} changed during the proof"
        run.doubt(Subject.ROLES, text, "Prove again when nobody changes them.")


def _identity(run: _Run, server: Server) -> Identity | None:
    identity = server.ask(IDENTITY_COMMAND, read_identity)
    if isinstance(identity, Identity):
        return identity
    run.doubt(Subject.SERVER, f"the server did not list the privileges: {_said(identity)}")
    return None


def _try_all(run: _Run, server: Server, identity: Identity) -> None:
    expected, total = run.request.expectations, len(run.request.expectations.table)
    try:
        declared, tolerated = expected.declared(run.version), expected.tolerated(run.version)
        newer = excess_of(expected, identity, declared | tolerated, run.version).newer
        listed = declared, declared | tolerated | newer
    except ValueError:
        listed = frozenset[Privilege](), frozenset[Privilege]()
    nonce = Nonce(f"_probe_{uuid.uuid4().hex}", uuid.uuid4())
    about = About(version_numbers(run.version), run.presence.kinds, identity.privileges, *listed, nonce)
    lost = ""
    for start in range(0, total, PART):
        cells = expected.table[start : start + PART]
        if not lost and run.left() <= 0:
            lost = LATE
        if lost:
            run.attempts.extend(unanswered(cell, lost) for cell in cells)
            continue
        for tried in attempt_all(server, cells, expected, about, run.left):
            run.attempts.append(tried.attempt)
            run.residue += [tried.residue] if tried.residue else []
            if tried.lost:
                lost = LATE if run.left() <= 0 else LOST
        run.progress(f"{expected.user}: {len(run.attempts)} of {total} attempts")
    if lost:
        run.doubt(Subject.SERVER, f"the server did not answer every attempt: {lost}", _UNANSWERED)


def _narrows_still(run: _Run, clean: int) -> bool:
    """Whether to ask again: a narrowing reaches one node after another, so that one clean pass may be luck."""
    due = run.propagating() > 0 or (clean > 0 and run.left() > 0)
    return run.request.narrowing and due and not run.residue and clean < CLEAN_PASSES


def _speaks_against(run: _Run) -> bool:
    return any(each.status is not Status.GOOD for each in run.findings) or any(
        each.verdict is not Verdict.PROVEN for each in run.attempts
    )


def _proof(run: _Run) -> Proof:
    request, expected = run.request, run.request.expectations
    secrets = [secret.reveal() for secret in run.secrets]
    return Proof(
        user=expected.user,
        environment=request.environment,
        cluster=expected.cluster,
        address=request.address,
        secret_version=request.secret_version,
        expectations_digest=expected.digest,
        server_version=run.version,
        attempts=tuple(run.attempts),
        findings=tuple(replace(each, message=redact(each.message, secrets)) for each in run.findings),
        residue=tuple(run.residue),
        audit_uuid=run.presence.audit.uuid if run.presence.audit is not None else "",
        proven_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        ms=round((time.monotonic() - run.started) * 1000, 1),
        address_proven=run.logged_in and run.own_address,
    )


def _login_text(user: str, login: Login, answer: Answer) -> str:
    if login is Login.REFUSED:
        remedy = "is the password the one of this secret version, and has Atlas applied the user?"
        return f"{user} could not log in ({_said(answer)}): {remedy}"
    return f"{user} could not log in: {_said(answer)}"


def _said(answer: Answer) -> str:
    if answer.failure is not None:
        return str(answer.failure)
    if answer.ok:
        return "its answer makes no sense"
    return f"code {answer.code} {answer.code_name}".rstrip()
