"""The list of known humans and break-glass users: who may have a database user besides those of access.yaml.

Each entry names its roles, a reason and an end date; a break-glass user must also be temporary in Atlas. The text
becomes frozen records, or every mistake it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints

from atlas_access.base import HeldRole, ManifestInvalid, Path, read_yaml
from atlas_access.manifest.model import Manifest
from atlas_access.manifest.shape import Mistake, Version, check_shape, report, wrong

SOURCE = "known-users.yaml"


class KnownKind(StrEnum):
    """Whether a person uses the user day by day, or nobody does unless the house burns."""

    HUMAN = "human"
    BREAK_GLASS = "break-glass"


class SignIn(StrEnum):
    """How the user proves who it is; the values' words are those of ObservedUser.sign_in."""

    PASSWORD = "password"  # noqa: S105 - the name of a way to sign in
    X509 = "X.509"
    AWS_IAM = "AWS IAM"
    LDAP = "LDAP"
    OIDC = "OIDC"


def _date(value: object) -> object:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise wrong("not a date", "Write the date as 2026-12-31.") from None


_Role = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}@[A-Za-z0-9_$-]{1,63}$")]
_Text = Annotated[str, StringConstraints(min_length=1, max_length=1024)]


class KnownUser(BaseModel):
    """One known user: on which environments, with which roles, why, and until the end of which day (UTC)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: _Text
    on: Annotated[tuple[str, ...], BeforeValidator(lambda value: value or ())]
    kind: KnownKind
    sign_in: SignIn = SignIn.PASSWORD
    roles: tuple[_Role, ...]
    reason: Annotated[str, StringConstraints(min_length=10, max_length=300)]
    until: Annotated[date, BeforeValidator(_date)]

    @property
    def held(self) -> frozenset[HeldRole]:
        """The roles that the user may hold."""
        return frozenset(HeldRole(*role.split("@", 1)) for role in self.roles)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    version: Version
    users: tuple[KnownUser, ...]


def load_known_users(
    text: str | bytes, manifest: Manifest, *, environment: str, source: str = SOURCE
) -> tuple[KnownUser, ...]:
    """Return the known users of one environment.

    Raises ManifestInvalid with every mistake of the file, those about other environments too.
    """
    document = read_yaml(text, source, secrets=True)
    file, errors = check_shape(_File, document)
    if file is not None:
        errors += report(document, _meaning(file, manifest))
    if errors or file is None:
        raise ManifestInvalid(errors)
    return tuple(user for user in file.users if environment in user.on)


def _meaning(file: _File, manifest: Manifest) -> Iterator[Mistake]:
    observed: set[tuple[str, str]] = set()
    for index, user in enumerate(file.users):
        path: Path = ("users", index)
        for environment in user.on:
            if environment not in manifest.environments:
                known = ", ".join(manifest.environments)
                yield (*path, "on"), "names an unknown environment", f"Known are {known}."
            if user.name in manifest.logins | {each.name for each in manifest.legacy_on(environment)}:
                yield (*path, "name"), "is a user of access.yaml", "List a user in one file."
            if (user.name, environment) in observed:
                yield (*path, "name"), "is listed twice", "Keep one entry."
            observed.add((user.name, environment))
        for name in ("on", "roles"):
            if not getattr(user, name):
                yield (*path, name), "is empty", "Name at least one."
