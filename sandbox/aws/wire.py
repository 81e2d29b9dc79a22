"""Parses AWS requests and serializes answers in the service's protocol, by moto's serializers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import parse_qsl

from moto.core.serialize import XFormedAttributePicker, get_serializer_class
from moto.core.utils import get_service_model

from sandbox.aws.grants import AwsRefusal, Caller

_QUERY_SERVICES = frozenset({"iam", "sts", "ses"})


@dataclass(frozen=True)
class Call:
    """One signed request: the service and region it is signed for, its action, parameters and caller."""

    service: str
    region: str
    action: str
    parameters: Mapping[str, Any]
    caller: Caller

    @property
    def account(self) -> str:
        """The account in which the caller acts."""
        return self.caller.account


@dataclass(frozen=True)
class Signature:
    """What a request's signature claims: access key id, region, service."""

    access_key_id: str
    region: str
    service: str

    @classmethod
    def of(cls, environ: Mapping[str, Any]) -> "Signature | None":
        """Read the credential scope of a SigV4 header, or None when the request is not signed."""
        header = str(environ.get("HTTP_AUTHORIZATION", ""))
        _, found, rest = header.partition("Credential=")
        scope = rest.split(",")[0].strip().split("/")
        if not found or len(scope) != 5:
            return None
        return cls(scope[0], scope[2], scope[3].lower())


@dataclass(frozen=True)
class Answer:
    """Status, content type and body."""

    status: int
    content_type: str
    body: bytes
    error: str = ""

    def send(self, start_response: Any) -> list[bytes]:
        """Hand the answer to a WSGI server."""
        headers = [("Content-Type", self.content_type), ("Content-Length", str(len(self.body)))]
        if self.error:
            headers.append(("x-amzn-ErrorType", self.error))
        start_response(f"{self.status} {'OK' if self.status < 400 else 'Error'}", headers)
        return [self.body]


def malformed(service: str, status: int = 400) -> Answer:
    """Word what AWS says of a request that breaks the rules of HTTP."""
    refusal = AwsRefusal("MalformedHttpRequestException", "The request cannot be read as HTTP.", status)
    return error(service, refusal)


def read_call(environ: Mapping[str, Any], signature: Signature, caller: Caller) -> Call:
    """Read action and parameters of a request whose body was taken. Raises `AwsRefusal` when malformed."""
    stream: BytesIO = environ["wsgi.input"]
    body = stream.getvalue()
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    try:
        if signature.service in _QUERY_SERVICES:
            text = body.decode() or str(environ.get("QUERY_STRING", ""))
            parameters = dict(parse_qsl(text, keep_blank_values=True))
            action = parameters.get("Action", "")
        else:
            action = target.rpartition(".")[2]
            # NaN and Infinity are words of Python's, not of JSON: `int` refuses them.
            parameters = json.loads(body or b"{}", object_hook=_given, parse_constant=int)
        if not isinstance(parameters, dict):
            raise AwsRefusal("SerializationException", "The request is not an object.")
    except (ValueError, RecursionError):
        raise AwsRefusal("SerializationException", "The request cannot be parsed.") from None
    if action not in get_service_model(signature.service).operation_names:
        code = "InvalidAction" if signature.service in _QUERY_SERVICES else "UnknownOperationException"
        raise AwsRefusal(code, "Could not find the operation that the request names.")
    return Call(signature.service, signature.region, action, parameters, caller)


def result(call: Call, value: object) -> Answer:
    """Word a result (a mapping, or moto's own records) in the protocol of the call's service."""
    model = get_service_model(call.service)
    serializer = get_serializer_class(call.service, str(model.protocol))(
        operation_model=model.operation_model(call.action), value_picker=XFormedAttributePicker()
    )
    serialized = serializer.serialize(value)
    body = serialized["body"]
    return Answer(
        int(serialized["status_code"]),
        str(serialized["headers"].get("Content-Type", "text/xml")),
        body if isinstance(body, bytes) else body.encode(),
    )


def error(service: str, refusal: AwsRefusal) -> Answer:
    """Word an error in the protocol of the service."""
    if service in _QUERY_SERVICES:
        text = refusal.message.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>{refusal.code}</Code>"
            f"<Message>{text}</Message></Error><RequestId>sandbox</RequestId></ErrorResponse>"
        )
        return Answer(refusal.status, "text/xml", body.encode())
    document = {"__type": refusal.code, "message": refusal.message, "Message": refusal.message}
    return Answer(refusal.status, "application/x-amz-json-1.1", json.dumps(document).encode(), refusal.code)


def _given(members: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is null: to AWS it is not there."""
    return {name: value for name, value in members.items() if value is not None}
