"""The values that a running revision's variables are bound to, read at the moment of use.

A value is returned to the one caller that uses and drops it; it is never kept, shown or raised.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from botocore.session import Session

from atlas_access.base import Endpoints, SecretReference, secret_references
from atlas_access.clients import AwsUnavailable, client, log_groups, read_value, running_revision


@dataclass(frozen=True)
class Place:
    """Where a stack's service runs, and the session that may look there (None: this process's own credentials)."""

    stack: str
    cluster: str
    service: str
    container: str
    region: str
    session: Session | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class RunningTask:
    """What the running revision binds: variable to ECS reference; and its log group, "" where it has none."""

    revision: str
    references: Mapping[str, str] = field(repr=False)
    log_group: str
    place: Place

    @classmethod
    def of(cls, place: Place, endpoints: Endpoints) -> RunningTask:
        """Ask ECS. Raises `AwsUnavailable`."""
        found = running_revision(
            place.cluster, place.service, region=place.region, endpoints=endpoints, session=place.session
        )
        return cls(
            revision=found.arn.rpartition("/")[2],
            references=secret_references(found.definition, place.container),
            log_group=next(iter(log_groups(found.definition, place.container)), ""),
            place=place,
        )

    def first_bound(self, variables: Sequence[str]) -> str:
        """The first of these variables that is bound; "" when none is."""
        return next((each for each in variables if each in self.references), "")

    def read(self, variable: str, endpoints: Endpoints) -> str:
        """The value that tasks receive in a variable. Raises `AwsUnavailable`; the value is the caller's to drop."""
        what = f"reading the secret of {variable}"
        bound = SecretReference.parse(self.references.get(variable, ""))
        if bound is None:
            raise AwsUnavailable(what, "no reference to Secrets Manager")
        store = client("secretsmanager", self.place.region, endpoints, session=self.place.session)
        value: Any = read_value(store, bound.arn, bound.version, bound.stage)
        if bound.key:
            try:
                value = json.loads(value)[bound.key]
            except (ValueError, KeyError, TypeError):
                value = None
        if not isinstance(value, str) or not value:
            raise AwsUnavailable(what, "no text value")
        return value
