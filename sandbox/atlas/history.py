"""The access history of a cluster, read from the log of its `mongod`. Internal and emulator logins are left out.

Source: schema MongoDBAccessLogs and the parameters of dbAccessHistory; log messages of MongoDB 6 (ids 20249, 20250)
and of later versions (5286306, 5286307). A user excluded from the cluster by its scopes (20240, or a wrong password)
is reported as unknown to the cluster, as Atlas does.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sandbox.atlas.models import timestamp

KEPT = timedelta(days=7)
_SUCCEEDED = {20250, 5286306}
_FAILED = {20249, 5286307}
_KEPT_OUT = 20240
_UNKNOWN = 'UserNotFound: Could not find user "{}" for db "{}"'
_ACCEPTED = re.compile(r'"id":22943,.*"remote":"([^"]+)".*"connectionId":(\d+)')
_SERVERS_OWN = frozenset({"__system", ""})


@dataclass(frozen=True)
class Login:
    """One authentication attempt."""

    moment: datetime
    username: str
    database: str
    address: str
    succeeded: bool
    reason: str
    line: str

    def json_object(self, group_id: str, hostname: str) -> dict[str, Any]:
        """Return the attempt as the API writes it."""
        written = {
            "authResult": self.succeeded,
            "authSource": self.database,
            "groupId": group_id,
            "hostname": hostname,
            "ipAddress": self.address,
            "logLine": self.line,
            "timestamp": timestamp(self.moment),
            "username": self.username,
        }
        return written if self.succeeded else {**written, "failureReason": self.reason}


def logins(
    log: Path | None, *, hidden: Collection[str] = (), kept_out: Collection[str] = (), now: datetime
) -> Iterator[Login]:
    """Yield the attempts of the last seven days, oldest first; no log, no attempts."""
    if log is None or not log.is_file():
        return
    remotes: dict[str, str] = {}
    with log.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            if accepted := _ACCEPTED.search(line):
                remotes[f"conn{accepted[2]}"] = accepted[1]
            if '"c":"ACCESS"' not in line:
                continue
            login = read_line(line, remotes, kept_out)
            if login and login.username not in hidden and login.moment >= now - KEPT:
                yield login


def read_line(
    line: str, remotes: Mapping[str, str] | None = None, kept_out: Collection[str] = ()
) -> Login | None:
    """Return the login attempt in a log line, or None; `kept_out` are users whom the cluster does not admit."""
    try:
        entry = json.loads(line)
        if entry["id"] == _KEPT_OUT:
            entry = _as_unknown(entry, remotes or {})
            line = json.dumps(entry, separators=(",", ":"))
        said: Mapping[str, Any] = entry.get("attr", {})
        if entry["id"] not in _SUCCEEDED | _FAILED:
            return None
        username = str(said.get("principalName", said.get("user", "")))
        database = str(said.get("authenticationDatabase", said.get("db", "")))
        if entry["id"] in _FAILED and username in kept_out:
            said = {**said, "error": _UNKNOWN.format(username, database)}
            line = json.dumps({**entry, "attr": said}, separators=(",", ":"))
        moment = datetime.fromisoformat(entry["t"]["$date"]).astimezone(UTC)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if username in _SERVERS_OWN:
        return None
    address = str(said.get("remote", said.get("client", ""))).rpartition(":")[0]
    return Login(
        moment=moment,
        username=username,
        database=database,
        address=address.strip("[]"),
        succeeded=entry["id"] in _SUCCEEDED,
        reason=str(said.get("error", "")),
        line=line.strip(),
    )


def _as_unknown(entry: Mapping[str, Any], remotes: Mapping[str, str]) -> dict[str, Any]:
    """Word a refusal by authentication restrictions as the server words that of an unknown user."""
    name, database = entry["attr"]["user"]["user"], entry["attr"]["user"]["db"]
    attributes = {
        "principalName": name,
        "authenticationDatabase": database,
        "remote": remotes.get(entry["ctx"], ""),
        "error": _UNKNOWN.format(name, database),
    }
    return {**entry, "id": 20249, "msg": "Authentication failed", "attr": attributes}
