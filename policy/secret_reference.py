"""Parses `arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-SUFFIX[:KEY:STAGE:VERSION]`.

Forms: Amazon ECS's for `valueFrom`, Secrets Manager's for ARNs.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ARN = re.compile(
    r"arn:aws[a-z-]*:secretsmanager:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):secret:(?P<name>[^:]+)"
    r"(?::(?P<key>[^:]*):(?P<stage>[^:]*):(?P<version>[^:]*))?"
)
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")


@dataclass(frozen=True)
class SecretReference:
    """A parsed reference; `full_name` still carries the six characters that Secrets Manager appends, if given."""

    arn: str
    account: str
    full_name: str
    key: str
    stage: str
    version: str

    def names(self, secret: str, account: str = "") -> bool:
        """Whether this is the secret of that name, with or without the appended characters, in that account if any."""
        return secret in (self.full_name, self.name) and account in ("", self.account)

    @property
    def name(self) -> str:
        """The name without the appended characters."""
        return _SUFFIX.sub("", self.full_name)

    @property
    def has_suffix(self) -> bool:
        """Whether the ARN is complete: without its six characters a name like `…-schema` is ambiguous."""
        return _SUFFIX.search(self.full_name) is not None


def parse_secret_reference(text: str) -> SecretReference | None:
    """Parse a `valueFrom` or an IAM resource; None for anything that is not one secret's ARN."""
    match = _ARN.fullmatch(text)
    if match is None:
        return None
    base = text if match["version"] is None else text[: match.end("name")]
    key, stage, version = (match[each] or "" for each in ("key", "stage", "version"))
    return SecretReference(base, match["account"], match["name"], key, stage, version)
