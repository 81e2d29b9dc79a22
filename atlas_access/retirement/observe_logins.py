"""Who of some users logged in to a cluster, or tried to, in a span of time: Atlas' access history, read only.

A list that was cut, or a span that Atlas no longer keeps, is unread.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

from atlas_access.base import Endpoints, Unread
from atlas_access.clients import HISTORY, MOST_LOGINS, Atlas, SignIn, read_or_unread
from atlas_access.retirement.observed import LegacyLogin, SoakLogins

Found = SoakLogins | Unread


def observe(
    project: str,
    cluster: str,
    users: Collection[str],
    since: float,
    until: float,
    sign_in: SignIn,
    endpoints: Endpoints,
) -> Found:
    """The logins of `users` between two moments (Unix seconds, by the server's clock), failed attempts included."""
    end = datetime.fromtimestamp(until, UTC)
    start = max(datetime.fromtimestamp(since, UTC), end - HISTORY)
    with Atlas(project, sign_in, endpoints) as atlas:
        log = read_or_unread(lambda: atlas.access_log(cluster, start, end))
    if isinstance(log, Unread):
        return log
    if not log.whole:
        what = f"access history of {cluster}"
        return Unread(what, f"there are more than {MOST_LOGINS} logins: not all of them can be observed")
    legacy = []
    for user in sorted(users):
        times = [at for name, at in log.attempts if name == user]
        if times:
            legacy.append(LegacyLogin(user, len(times), max(times)))
    return SoakLogins(start, end, len(log.attempts), tuple(legacy))
