"""Reads what the legacy inventory needs: the project's users, roles and logins, the account's secrets, who binds them.

Metadata only; nothing is written. What cannot be read becomes an `Unread`, never an empty list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

from atlas_access.base import Endpoints, Settings, Unread
from atlas_access.clients import (
    AccountTarget,
    Atlas,
    Retry,
    SignIn,
    account_unread,
    client,
    items,
    read_or_unread,
)
from atlas_access.drift import ObservedSecret
from atlas_access.manifest import Manifest
from atlas_access.retirement.observe_revisions import read_revisions
from atlas_access.retirement.observed import ObservedLegacy, ObservedRevision

T = TypeVar("T")


def observe_legacy(
    manifest: Manifest,
    stack: str,
    settings: Mapping[str, Settings],
    sign_in: SignIn,
    endpoints: Endpoints,
    retry: Retry | None = None,
) -> ObservedLegacy:
    """Read one stack's inventory; `settings` are those of every environment. Raises nothing but `EndpointRefused`."""
    own = settings[stack]
    environments = [stack, *(name for name in manifest.environments if name != stack)]
    with (
        ThreadPoolExecutor(max_workers=3) as pool,
        Atlas(own.atlas_project_id, sign_in, endpoints, retry) as atlas,
    ):
        account = account_unread(own, endpoints)
        secrets = pool.submit(_own, account, "secrets", partial(_secrets, manifest, stack, own, endpoints))
        revisions = [
            pool.submit(
                _own,
                account,
                f"task definitions of {name}",
                partial(_revisions, name, stack, settings, endpoints),
            )
            for name in environments
        ]
        users, roles = read_or_unread(atlas.users), read_or_unread(atlas.roles)
        logins = read_or_unread(lambda: atlas.logins(own.atlas_cluster))
        parts = tuple(each.result() for each in revisions)
        return ObservedLegacy(users, roles, secrets.result(), parts, logins)


def _revisions(
    environment: str, stack: str, settings: Mapping[str, Settings], endpoints: Endpoints
) -> tuple[ObservedRevision, ...] | Unread:
    role = "" if environment == stack else settings[stack].looks_as or ""
    place = AccountTarget.of(environment, settings[environment], role)
    return read_revisions(place, endpoints)


def _own(elsewhere: Unread | None, what: str, read: Callable[[], T | Unread]) -> T | Unread:
    """Read only when the credentials act in the stack's own account."""
    return read() if elsewhere is None else Unread(what, elsewhere.why)


def _secrets(
    manifest: Manifest, stack: str, settings: Settings, endpoints: Endpoints
) -> tuple[ObservedSecret, ...] | Unread:
    """Every secret of the account under `<stack>/mongodb/`, and legacy ones elsewhere, in recovery windows too."""
    store = client("secretsmanager", settings.aws_region, endpoints)
    prefix = f"{stack}/mongodb/"
    legacy = {each.name for user in manifest.legacy for each in user.secrets if each.environment == stack}
    elsewhere = sorted(name for name in legacy if not name.startswith(prefix))
    filters = [{"Key": "name", "Values": [prefix, *elsewhere]}]
    entries = read_or_unread(
        lambda: list(items(store.list_secrets, "SecretList", Filters=filters, IncludePlannedDeletion=True)),
        "secrets",
    )
    if isinstance(entries, Unread):
        return entries
    return tuple(
        ObservedSecret(
            str(each["Name"]), exists=True, arn=str(each["ARN"]), deleted_at=_moment(each.get("DeletedDate"))
        )
        for each in entries
        if str(each["Name"]).startswith(prefix) or each["Name"] in legacy
    )


def _moment(value: object) -> datetime | None:
    return value.astimezone(UTC) if isinstance(value, datetime) else None
