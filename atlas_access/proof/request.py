"""What is to be proven of which secret's version, as a record that can be sent to where the proof is made.

It holds no connection string: whoever proves reads it at the moment of use.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from atlas_access.proof.expectations import Expectations

PRIVATE = "private"
LARGEST = 4 * 1024 * 1024
"""How many bytes a packed request or answer may unfold to."""

DECIDES = {"decides": True}
"""Of a field: its change makes a proof stale. Every other field is about how the proof is made."""


@dataclass(frozen=True)
class ProofRequest:
    """What is to be proven, of which secret's version, within which limits: every parameter of a proof.

    `environment` is whose consumer receives the credential. `expected_hosts` are the hosts that the connection string
    must name, () when they are not known. `propagation_seconds` bounds how long a refused login, or after a
    `narrowing` a refutation, is asked again. `audit_uuid` is the audit log's UUID as last proven,
    `accepted_audit_uuid` one that an operator accepts instead. `public_address` is the cluster's own connection string
    without a user, by which a credential is proven whose private address does not answer here; "" when there is none.
    Without `equality` only what is named is tried, and the server's whole list is not compared.
    """

    expectations: Expectations
    environment: str
    secret_arn: str = field(default="", metadata=DECIDES)
    secret_version: str = field(default="", metadata=DECIDES)
    region: str = ""
    address: str = field(default="public", metadata=DECIDES)
    expected_hosts: tuple[str, ...] = field(default=(), metadata=DECIDES)
    deadline_seconds: float = 60.0
    propagation_seconds: float = 30.0
    narrowing: bool = False
    audit_uuid: str = ""
    accepted_audit_uuid: str = field(default="", metadata=DECIDES)
    public_address: str = ""
    equality: bool = True

    @classmethod
    def of(cls, given: Mapping[str, Any], **decided: Any) -> "ProofRequest":
        """Make a request of a proof's inputs, as a program or a state holds them; `decided` goes before them.

        The one place that does: inputs of other names are ignored, those not given keep their default. Raises
        `ValueError` for expectations that are none.
        """
        found = {name: given[name] for name in _FIELDS if given.get(name) is not None} | decided
        if isinstance(found["expectations"], str):
            found["expectations"] = Expectations.from_json(found["expectations"])
        hosts = tuple(str(host) for host in found.pop("expected_hosts", ()))
        return cls(**found, expected_hosts=hosts)

    def record(self) -> dict[str, Any]:
        """Return every field by its name, the expectations as JSON."""
        return {**vars(self), "expectations": self.expectations.to_json()}

    def pack(self) -> str:
        """Return the request as short text."""
        return pack(json.dumps(self.record()))

    @classmethod
    def unpack(cls, text: str) -> "ProofRequest":
        """Read what `pack` wrote; raises `ValueError` for anything else."""
        record = json.loads(unpack(text))
        if not isinstance(record, dict) or set(record) != set(_FIELDS):
            raise ValueError("not the request of a proof, or one of another version")
        try:
            return cls.of(record)
        except (TypeError, AttributeError) as error:
            raise ValueError("not the request of a proof") from error


_FIELDS = tuple(each.name for each in fields(ProofRequest))


def pack(text: str) -> str:
    """Compress a text into letters that a variable or a log line can carry."""
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def unpack(text: str) -> str:
    """Return what `pack` took; raises `ValueError` for anything else, and for more than LARGEST bytes."""
    try:
        reader = zlib.decompressobj()
        plain = reader.decompress(base64.b64decode(text, validate=True), LARGEST)
        if not reader.eof:
            raise ValueError("a packed text is cut short or too large")
        return plain.decode()
    except (zlib.error, binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("not a packed text") from error
