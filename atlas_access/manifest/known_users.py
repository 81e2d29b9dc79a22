"""The list of known humans and break-glass users: who may have a database user besides those of access.yaml.

For: turning the text of `known-users.yaml` into frozen records, or into every mistake it has, as the manifest does.
Each entry names its roles, a reason and an end date; a break-glass user must also be temporary in Atlas.
Never: reads a file itself, or repeats what could be a secret.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from atlas_access.base import (
    Document,
    HeldRole,
    ManifestError,
    ManifestInvalid,
    dotted,
    read_yaml,
    suggestion,
)
from atlas_access.manifest.model import Manifest
from atlas_access.manifest.text import check_text, check_values, check_version

SOURCE = "known-users.yaml"


class KnownKind(StrEnum):
    """Whether a person uses the user day by day, or nobody does unless the house burns."""

    HUMAN = "human"
    BREAK_GLASS = "break-glass"


class SignIn(StrEnum):
    """How the user proves who it is; the values' words are those of SeenUser.sign_in."""

    PASSWORD = "password"  # noqa: S105 - the name of a way to sign in
    X509 = "X.509"
    AWS_IAM = "AWS IAM"
    LDAP = "LDAP"
    OIDC = "OIDC"


def _date(value: object) -> object:
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError("write the date as 2026-12-31") from None
    raise ValueError("write the date as 2026-12-31")


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

    version: int
    users: tuple[KnownUser, ...]


def load_known_users(
    text: str, manifest: Manifest, *, environment: str, source: str = SOURCE
) -> tuple[KnownUser, ...]:
    """Return the known users of one environment.

    Raises ManifestInvalid with every mistake of the file, those about other environments too.
    """
    secrets = check_text(text, source)
    document, unreadable = read_yaml(text, source)
    if document is None:
        raise ManifestInvalid([*secrets, *unreadable])
    stop = check_version(document, source)
    if stop is not None:
        raise ManifestInvalid([*secrets, stop])
    errors = [*secrets, *check_values(document, source)]
    errors += [
        ManifestError(source, each.line, dotted(each.path), "stands twice", "Keep one.")
        for each in document.repeated
    ]
    try:
        file = _File.model_validate(document.data)
    except ValidationError as error:
        raise ManifestInvalid([*errors, *_shape(error, document, source)]) from None
    errors += _meaning(file, document, manifest, source)
    if errors:
        raise ManifestInvalid(errors)
    return tuple(user for user in file.users if environment in user.on)


def _shape(error: ValidationError, document: Document, source: str) -> Iterator[ManifestError]:
    for each in error.errors(include_input=False, include_url=False, include_context=False):
        path = each["loc"]
        known = _File.model_fields if len(path) == 1 else KnownUser.model_fields
        where = dotted(path)
        if each["type"] == "missing":
            yield ManifestError(source, document.line(path), where, "is missing", "Add it; see the example.")
        elif each["type"] == "extra_forbidden":
            remedy = f"Remove it.{suggestion(str(path[-1]), known)}"
            yield ManifestError(source, document.line(path), where, "is not a key of this file", remedy)
        else:
            problem = each["msg"].removeprefix("Value error, ")
            yield ManifestError(
                source, document.line(path), where, "is not valid", f"{problem[:1].upper()}{problem[1:]}."
            )


def _meaning(file: _File, document: Document, manifest: Manifest, source: str) -> Iterator[ManifestError]:
    if file.version != 1:
        yield ManifestError(source, document.line(("version",)), "version", "is not 1", "Write `version: 1`.")
    seen: set[tuple[str, str]] = set()
    managed = {user.name for user in manifest.users}
    for index, user in enumerate(file.users):
        line = document.line(("users", index, "name"))
        where = f"users[{index}]"
        if not user.on:
            yield ManifestError(source, line, f"{where}.on", "is empty", "Name the environments.")
        for environment in user.on:
            if environment not in manifest.environments:
                known = ", ".join(manifest.environments)
                yield ManifestError(
                    source, line, f"{where}.on", "names an unknown environment", f"Known are {known}."
                )
            legacy = {each.name for each in manifest.legacy_on(environment)}
            if user.name in managed | legacy:
                yield ManifestError(
                    source, line, f"{where}.name", "is a user of access.yaml", "A user stands in one file."
                )
            if (user.name, environment) in seen:
                yield ManifestError(source, line, f"{where}.name", "stands twice", "Keep one entry.")
            seen.add((user.name, environment))
        if not user.roles:
            yield ManifestError(source, line, f"{where}.roles", "is empty", "Name each as role@database.")
