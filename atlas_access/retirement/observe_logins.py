"""Who of some users logged in to a cluster, or tried to, in a span of time: Atlas' access history, read only.

Source: Atlas Admin API, listAccessLogsByClusterName (M10 and up, seven days, at most 20,000 lines). It must never take
a list that was cut, or a span that Atlas no longer keeps, for the whole.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from atlas_access.base import Endpoints, Unread
from atlas_access.clients import Patience, SignIn, Unanswered, session
from atlas_access.retirement.observed import LegacyLogin, SoakLogins

KEPT = timedelta(days=7)
MOST = 20_000
Found = SoakLogins | Unread
_ACCEPT = "application/vnd.atlas.2023-01-01+json"


def look(
    project: str,
    cluster: str,
    users: Collection[str],
    since: float,
    until: float,
    sign_in: SignIn,
    endpoints: Endpoints,
) -> Found:
    """The logins of `users` between two moments (Unix seconds, by the server's clock), failed attempts included."""
    what = f"access history of {cluster}"
    end = datetime.fromtimestamp(until, UTC)
    start = max(datetime.fromtimestamp(since, UTC), end - KEPT)
    query = urlencode({"start": _milliseconds(start), "end": _milliseconds(end) + 1, "nLogs": MOST})
    url = (
        f"{endpoints.atlas.rstrip('/')}/api/atlas/v2/groups/{quote(project, safe='')}"
        f"/dbAccessHistory/clusters/{quote(cluster, safe='')}?{query}"
    )
    patience = Patience()
    try:
        with session(endpoints) as http:
            auth = sign_in.auth(http, endpoints, patience)
            reply = patience.ask(http, "GET", url, repeat=True, headers={"Accept": _ACCEPT}, auth=auth)
    except Unanswered as unanswered:
        return Unread(what, unanswered.why)
    if reply.status != 200:
        return Unread(what, f"Atlas answered {reply.status}; tiers below M10 keep none")
    try:
        found: list[tuple[str, datetime]] = [_entry(each) for each in json.loads(reply.text)["accessLogs"]]
    except (ValueError, KeyError, TypeError):
        return Unread(what, "the answer has another form than documented")
    if len(found) >= MOST:
        return Unread(what, f"there are more than {MOST} logins: not all of them can be seen")
    legacy = []
    for user in sorted(users):
        times = [at for name, at in found if name == user]
        if times:
            legacy.append(LegacyLogin(user, len(times), max(times)))
    return SoakLogins(start, end, len(found), tuple(legacy))


def _entry(each: Any) -> tuple[str, datetime]:
    at = datetime.fromisoformat(str(each["timestamp"]).replace("Z", "+00:00"))
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return str(each["username"]), at.astimezone(UTC)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
