"""The WSGI front end of moto: authenticates, answers what moto lacks, forwards the rest. Foreign keys are refused."""

import logging
import time
from collections.abc import Callable
from functools import cache
from typing import Any

from moto.core.exceptions import ServiceException
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.exceptions import HTTPException

from sandbox.aws.ecs import EcsFront
from sandbox.aws.grants import AwsRefusal, caller_of, check_assume, simulate
from sandbox.aws.secret_store import SecretStore
from sandbox.aws.shapes import checked
from sandbox.aws.wire import Answer, Call, Signature, error, read_call, result
from sandbox.chance import Chance, Kind
from sandbox.ecs.agent import EcsAgent

_LOG = logging.getLogger(__name__)
_READS = ("Describe", "Get", "List")


class Front:
    """A WSGI application: our handlers first, then moto's."""

    def __init__(self, agent: EcsAgent, store: SecretStore, chance: Chance | None = None) -> None:
        self._chance = chance
        self._moto = DomainDispatcherApplication(create_backend_app)
        # It would list the folder of its services at every request; a host means one service for ever.
        self._moto.get_backend_for_host = cache(self._moto.get_backend_for_host)
        self._handlers: dict[str, Callable[[Call], object | None]] = {
            "ecs": EcsFront(agent).answer,
            "secretsmanager": store.answer,
            "iam": _iam,
            "sts": _sts,
        }

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer one request."""
        signature = Signature.of(environ)
        if signature is None:
            refusal = AwsRefusal("MissingAuthenticationToken", "Missing Authentication Token", 403)
            return error("sts", refusal).send(start_response)
        try:
            self._trouble(environ)
            answered = self._answer(environ, signature)
            if answered is None:
                return self._moto(environ, start_response)
        except ConnectionAbortedError:
            raise
        except AwsRefusal as refusal:
            answered = error(signature.service, refusal)
        except ServiceException as problem:
            answered = error(signature.service, AwsRefusal(problem.code, problem.message))
        except HTTPException as problem:
            # moto's older errors carry AWS's code and message on a werkzeug exception.
            code = getattr(problem, "error_type", "") or "InternalServiceError"
            answered = error(signature.service, AwsRefusal(code, str(getattr(problem, "message", code))))
        except Exception as problem:  # noqa: BLE001
            # A fault of the sandbox must reach the caller as an answer, and its log without any value.
            _LOG.error("%s failed: %s", signature.service, type(problem).__name__)
            fault = AwsRefusal("InternalServiceError", "The sandbox failed to answer: see its log.", 500)
            answered = error(signature.service, fault)
        return answered.send(start_response)

    def _trouble(self, environ: dict[str, Any]) -> None:
        """By chance wait, refuse, or raise `ConnectionAbortedError`, at which the server closes the connection."""
        trouble = self._chance.draw() if self._chance else None
        if trouble is None:
            return
        time.sleep(trouble.seconds)
        action = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
        if trouble.kind is Kind.REFUSED:
            raise AwsRefusal("ThrottlingException", "Rate exceeded")
        if trouble.kind is Kind.DROPPED and action.startswith(_READS):
            raise ConnectionAbortedError

    def _answer(self, environ: dict[str, Any], signature: Signature) -> Answer | None:
        caller = caller_of(signature.access_key_id)
        if caller is None:
            code = (
                "InvalidClientTokenId"
                if signature.service in ("iam", "sts")
                else "UnrecognizedClientException"
            )
            raise AwsRefusal(code, "The security token included in the request is invalid.", 403)
        handler = self._handlers.get(signature.service)
        if handler is None:
            return None
        call = checked(read_call(environ, signature, caller))
        value = handler(call)
        return None if value is None else result(call, value)


def _iam(call: Call) -> object | None:
    if call.action != "SimulatePrincipalPolicy":
        return None
    asked = call.parameters
    # A key that is named without a value is one that holds nothing.
    context = {
        entry["ContextKeyName"]: (entry.get("ContextKeyValues") or [""])[0]
        for entry in asked.get("ContextEntries", ())
        if "ContextKeyName" in entry
    }
    results = simulate(asked["PolicySourceArn"], asked["ActionNames"], asked.get("ResourceArns", []), context)
    return {"EvaluationResults": results, "IsTruncated": False}


def _sts(call: Call) -> None:
    if call.action == "AssumeRole":
        check_assume(call.caller, call.parameters["RoleArn"])
