"""Asks everything that decides whether a generation may go: every reading account, the service, Atlas.

It only reads. What breaks while it is asked is unread, and unread never passes.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from atlas_access.base import (
    Endpoints,
    RotationStep,
    Settings,
    Unread,
    What,
    clock_for,
    login_of,
)
from atlas_access.clients import (
    CURRENT,
    AccountTarget,
    Atlas,
    AwsUnavailable,
    CredentialsMissing,
    client,
    every_version,
    read_or_unread,
    server_time,
    session_in,
    sign_in_from,
)
from atlas_access.manifest import Manifest
from atlas_access.retirement import (
    LegacyNames,
    SoakLogins,
    observe_bindings,
    observe_logins,
    open_ones,
)
from atlas_access.rollout import Preceding, Service, observed as soak_of, pinned, refusals, settings_of, short
from atlas_access.rotation.judge import ObservedEnd, ReadBy, conditions, followed, of_this_update
from atlas_access.rotation.labels import versions_of
from atlas_access.rotation.legal import Pending

_T = TypeVar("_T")


@dataclass(frozen=True)
class End:
    """A rotation that is to end, or to revoke: the user, which generation stays and which one leaves.

    `secrets` are, by environment, the names of the secrets that carry the credential in its account.
    """

    stack: str
    settings: Settings
    user: str
    generation: int
    leaving: int
    secrets: tuple[tuple[str, tuple[str, ...]], ...]

    @classmethod
    def of(cls, stack: str, settings: Settings, manifest: Manifest) -> End | None:
        """What the stack's settings ask for; None where no generation is to go or to be revoked."""
        asked = settings.users
        leaving = asked.leaving(asked.rotating)
        if leaving is None or not (asked.ends or asked.revokes):
            return None
        user = asked.rotating
        return cls(stack, settings, user, asked.generation(user), leaving, manifest.carriers(user, stack))

    @property
    def login(self) -> str:
        """The login name of the generation that leaves."""
        return login_of(self.user, self.leaving)


def pending(stack: str, settings: Settings, manifest: Manifest, endpoints: Endpoints) -> Pending:
    """Ask before anything is declared; nothing is asked where no generation is to go or to be revoked."""
    end = End.of(stack, settings, manifest)
    if end is None:
        return Pending()
    if _gone(end, endpoints):
        return Pending(over=True)
    if settings.rotation_step is RotationStep.REVOKE_NOW:
        return Pending()
    observed = observe(end, endpoints)
    if settings.users.revokes:
        others = (each for each in followed(observed) if not each.subject.endswith(f"_{stack}"))
        return Pending(open_ones(others))
    return Pending(
        tuple(each for each in open_ones(conditions(observed)) if not of_this_update(observed, each))
    )


def _gone(end: End, endpoints: Endpoints) -> bool:
    """Whether Atlas has no such user any more; where it does not answer, it has."""

    def asked() -> bool:
        with Atlas(end.settings.atlas_project_id, sign_in_from(os.environ), endpoints) as atlas:
            return end.login not in {each.name for each in atlas.users()}

    return _asked("database users", asked) is True


def observe(end: End, endpoints: Endpoints) -> ObservedEnd:
    """Ask every part, side by side."""
    own = end.settings
    with ThreadPoolExecutor(max_workers=4) as pool:
        soak = pool.submit(_asked, "the soak", partial(_soak, end, endpoints))
        parts = list(pool.map(lambda each: _reader(end, each[0], each[1], endpoints), end.secrets))
    moved = max((at for _, at in parts), default=0.0)
    stated = own.acknowledged(What.NO_LOGIN_HISTORY)
    return ObservedEnd(
        stack=end.stack,
        user=end.user,
        login=end.login,
        wanted=login_of(end.user, end.generation),
        readers=tuple(reader for reader, _ in parts),
        soak=soak.result(),
        logins=_logins(end, moved, endpoints),
        since=moved,
        no_history=stated.at if stated else None,
    )


def _reader(end: End, environment: str, names: tuple[str, ...], endpoints: Endpoints) -> tuple[ReadBy, float]:
    """What one environment uses, and when it was moved last (Unix seconds, AWS's clock)."""
    what = f"what {environment} uses"
    found = _asked(what, lambda: _read(end, environment, names, endpoints))
    return (ReadBy(environment, found, found, found), 0.0) if isinstance(found, Unread) else found


def _read(end: End, environment: str, names: tuple[str, ...], endpoints: Endpoints) -> tuple[ReadBy, float]:
    own = environment == end.stack
    theirs = end.settings if own else settings_of(environment, endpoints)
    place = AccountTarget.of(environment, theirs, "" if own else end.settings.looks_as)
    session = session_in(place, endpoints, "rotation")
    store = client("secretsmanager", place.region, endpoints, session=session)
    others: set[str] = set()
    moved = 0.0
    current_is_wanted = True
    for name in names:
        try:
            every = every_version(store, name)
        except AwsUnavailable as error:
            if own or error.code != "ResourceNotFoundException":
                raise
            continue  # that stack was never provisioned: it holds no version of the credential
        wanted = versions_of(every, end.stack, end.user, end.generation)
        others |= every.keys() - wanted
        current_is_wanted &= any(CURRENT in every[each] for each in wanted)
        # Where no service receives it, the move of the label is what moved the credential.
        moved = max(moved, store.describe_secret(SecretId=name)["LastChangedDate"].timestamp())
    users = frozenset({end.login})
    account = observe_bindings.observe(place, LegacyNames(frozenset(others), users), endpoints)
    service = Service(client("ecs", place.region, endpoints, session=session), place.cluster, place.service)
    state, tags = service.observe_tagged()
    recorded = ""
    way_back = [] if tags.bound is None else [service.definition(tags.bound.prior)]
    if tags.bound is not None and others & frozenset().union(*pinned(way_back).values()):
        recorded = short(tags.bound.prior)
    moved = max(moved, state.primary.changed if state.primary else 0.0)
    return ReadBy(environment, account, current_is_wanted, recorded), moved


def _soak(end: End, endpoints: Endpoints) -> tuple[str, ...] | Unread:
    own = end.settings
    before = Preceding.itself(end.stack, own)
    found = soak_of(before, own.aws_account_id, endpoints, clock_for(os.environ, endpoints))
    return Unread("the soak", found) if isinstance(found, str) else refusals(found, own.soak_minutes)


def _logins(end: End, since: float, endpoints: Endpoints) -> SoakLogins | Unread:
    def asked() -> SoakLogins | Unread:
        own = end.settings
        try:
            sign_in = sign_in_from(os.environ)
        except CredentialsMissing as error:
            return Unread("access history", str(error))
        until = server_time(own.aws_region, endpoints)
        return observe_logins.observe(
            own.atlas_project_id, own.atlas_cluster, [end.login], since, until, sign_in, endpoints
        )

    return _asked("access history", asked)


def _asked(what: str, read: Callable[[], _T | Unread]) -> _T | Unread:
    try:
        return read_or_unread(read, what)
    except Exception as error:  # noqa: BLE001 - what cannot be asked keeps the generation
        return Unread(what, f"it could not be asked ({type(error).__name__}: {error})")
