"""The client of the Atlas Admin API: users, roles, the cluster, its status, events and access history.

Source: Atlas Administration API 2.0. Every request can be repeated. It sends no password, and changes only users and
roles that its caller has named.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

from atlas_access.base import HeldRole
from atlas_access.clients.atlas_answers import (
    ClusterAnswer,
    CustomRoleAnswer,
    EventAnswer,
    LoginAnswer,
    ServiceAccountAnswer,
    StatusAnswer,
    SystemStatusAnswer,
    UserAnswer,
)
from atlas_access.clients.atlas_project import (
    PAGE_SIZE,
    V_2024,
    AtlasProject,
    Garbled,
    modelled,
    results,
)
from atlas_access.clients.errors import AtlasUnread
from atlas_access.clients.model import (
    EVENT_TYPES,
    AccessLog,
    ObservedCluster,
    ObservedCredentials,
    ObservedEvent,
    ObservedLogins,
    ObservedRole,
    ObservedUser,
)

MOST_LOGINS = 20_000
"""The longest list of logins that Atlas gives."""

HISTORY = timedelta(days=7)
"""How long Atlas keeps logins."""


class Atlas(AtlasProject):
    """A client of one project. Each method raises `AtlasUnread` when Atlas gives no usable answer."""

    def users(self) -> tuple[ObservedUser, ...]:
        """Return every database user of the project."""
        what = "database users"
        answers = self.pages(
            what, "databaseUsers", UserAnswer, lambda user: (user.database_name, user.username)
        )
        self.require_own(what, (user.group_id for user in answers))
        return tuple(user.observed() for user in answers)

    def user(self, name: str) -> ObservedUser:
        """Return one database user of `admin`."""
        what = f"reading the user {name}"
        answer = self.get(what, _user_path(name), lambda it: modelled(UserAnswer, it))
        self.require_own(what, [answer.group_id])
        return answer.observed()

    def change_user(self, name: str, roles: Iterable[HeldRole], labels: Iterable[tuple[str, str]]) -> None:
        """Replace the roles and labels of a database user of `admin`, in one request."""
        body = {
            "databaseName": "admin",
            "groupId": self.project,
            "username": name,
            "labels": [{"key": key, "value": value} for key, value in labels],
            "roles": [_role(each) for each in roles],
        }
        self.send(f"changing the roles of {name}", "PATCH", _user_path(name), body)

    def delete_user(self, name: str) -> None:
        """Delete a database user of `admin`."""
        self.send(f"deleting the user {name}", "DELETE", _user_path(name))

    def roles(self) -> tuple[ObservedRole, ...]:
        """Return every custom role of the project: one list without pages."""
        what = "custom roles"

        def read(answer: Any) -> tuple[ObservedRole, ...]:
            if not isinstance(answer, list):
                raise Garbled("the answer is no list")
            return tuple(modelled(CustomRoleAnswer, each).observed() for each in answer)

        roles = self.get(what, "customDBRoles/roles", read)
        if len({role.name for role in roles}) != len(roles):
            raise AtlasUnread(what, "the list names a role twice")
        return roles

    def create_role(self, name: str, actions: Sequence[Mapping[str, Any]]) -> None:
        """Create a custom role that inherits none; `actions` as the API writes them."""
        body = {"roleName": name, "actions": actions, "inheritedRoles": []}
        self.send(f"creating the role {name}", "POST", "customDBRoles/roles", body)

    def delete_role(self, name: str) -> None:
        """Delete a custom role."""
        self.send(f"deleting the role {name}", "DELETE", f"customDBRoles/roles/{quote(name, safe='')}")

    def cluster(self, name: str) -> ObservedCluster:
        """Return one cluster of the project."""
        what = f"cluster {name}"
        path = f"clusters/{quote(name, safe='')}"
        answer = self.get(what, path, lambda it: modelled(ClusterAnswer, it), V_2024)
        self.require_own(what, [answer.group_id])
        if answer.name != name:
            raise AtlasUnread(what, "Atlas answered with another cluster")
        return answer.observed()

    def credentials(self) -> ObservedCredentials:
        """Return what the credentials at hand may do, and when they end: a service account's secret does.

        Source: getGroupServiceAccount; getSystemStatus, which shows an API key its own roles.
        """
        name = self.sign_in.name
        if self.sign_in.service_account:
            path = f"serviceAccounts/{quote(name, safe='')}"
            found = self.get(
                "the service account", path, lambda it: modelled(ServiceAccountAnswer, it), V_2024
            )
            return found.observed(self.project)
        answer = self.get("the API key's roles", "", lambda it: modelled(SystemStatusAnswer, it))
        return answer.observed()

    def applied(self, cluster: str) -> bool:
        """Whether a cluster has applied every change of users and roles."""
        path = f"clusters/{quote(cluster, safe='')}/status"
        answer = self.get(f"status of {cluster}", path, lambda it: modelled(StatusAnswer, it))
        return answer.change_status == "APPLIED"

    def events(self) -> tuple[ObservedEvent, ...]:
        """Return the newest events about users and roles, one page of them."""
        what = "events"
        query = urlencode(
            [("eventType", each) for each in EVENT_TYPES]
            + [("itemsPerPage", PAGE_SIZE), ("includeRaw", "true")]
        )

        def read(answer: Any) -> list[EventAnswer]:
            return [modelled(EventAnswer, each) for each in results(answer)]

        answers = self.get(what, f"events?{query}", read)
        self.require_own(what, (event.group_id for event in answers if event.group_id))
        return tuple(event.observed() for event in answers)

    def logins(self, cluster: str) -> ObservedLogins:
        """Return each user's last successful login of the seven days that Atlas keeps (M10 and up)."""
        end = self.retry.now()
        log = self.access_log(cluster, end - HISTORY, end, succeeded=True)
        # A full list holds the newest ones only: it reaches back to its oldest, and no further.
        oldest = min((at for _, at in log.attempts), default=log.start)
        last: dict[str, datetime] = {}
        for name, at in log.attempts:
            last[name] = max(at, last.get(name, at))
        return ObservedLogins(log.start if log.whole else oldest, last)

    def access_log(
        self, cluster: str, start: datetime, end: datetime, *, succeeded: bool | None = None
    ) -> AccessLog:
        """Return the attempts to log in to a cluster between two moments, all of them or those that succeeded or not.

        Source: listAccessLogsByClusterName; tiers below M10 keep no history.
        """
        what = f"access history of {cluster}"
        query: dict[str, object] = {
            "start": _milliseconds(start),
            "end": _milliseconds(end) + 1,
            "nLogs": MOST_LOGINS,
        }
        if succeeded is not None:
            query["authResult"] = str(succeeded).lower()

        def read(answer: Any) -> list[LoginAnswer]:
            found = answer.get("accessLogs") if isinstance(answer, dict) else None
            if not isinstance(found, list):
                raise Garbled("the answer has no list of logins")
            return [modelled(LoginAnswer, each) for each in found]

        path = f"dbAccessHistory/clusters/{quote(cluster, safe='')}?{urlencode(query)}"
        logs = self.get(what, path, read)
        self.require_own(what, (log.group_id for log in logs if log.group_id))
        attempts = tuple((log.username, log.timestamp) for log in logs)
        return AccessLog(start, end, attempts, whole=len(logs) < MOST_LOGINS)


def _user_path(user: str) -> str:
    return f"databaseUsers/admin/{quote(user, safe='')}"


def _role(role: HeldRole) -> dict[str, str]:
    named = {"roleName": role.name, "databaseName": role.database}
    return named | ({"collectionName": role.collection} if role.collection else {})


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
