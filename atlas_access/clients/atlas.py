"""The read-only client of the Atlas Admin API that the drift check asks: users, roles, the cluster, and events.

Source: Atlas Administration API 2.0 (versioned media types, pagination, Retry-After). It must never send anything but
GET (and the request for a token), wait past its deadline, take a part of a list for the whole, or put an answer's text
into an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ValidationError

from atlas_access.base import Endpoints
from atlas_access.clients.atlas_answers import (
    ClusterAnswer,
    CustomRoleAnswer,
    EventAnswer,
    LoginAnswer,
    UserAnswer,
)
from atlas_access.clients.atlas_sign_in import ServiceAccount, SignIn
from atlas_access.clients.http import session
from atlas_access.clients.model import EVENT_TYPES, SeenCluster, SeenEvent, SeenLogins, SeenRole, SeenUser
from atlas_access.clients.retry import HttpReply, Patience, Unanswered

PAGE_SIZE = 500
"""The largest page that Atlas gives: a project's 100 users fit into one."""

MAX_PAGES = 40
MOST_LOGINS = 20_000
"""The longest list of logins that Atlas gives."""

_HISTORY = timedelta(days=7)
_V1 = "application/vnd.atlas.2023-01-01+json"
_V_CLUSTER = "application/vnd.atlas.2024-08-05+json"
_GARBLED_TRIES = 2
_AnswerT = TypeVar("_AnswerT", bound=BaseModel)
_ReadT = TypeVar("_ReadT")
_Key = Callable[[Any], Hashable]
_REFUSALS = {
    400: "Atlas refused the request",
    401: "Atlas refused the credentials, or they have no access to this project; check the key and its project",
    403: "Atlas forbids it; the key needs Project Read Only, and its access list this machine's address",
    404: "Atlas does not find it; check atlas-access:atlasProjectId and atlas-access:atlasCluster",
    406: "Atlas no longer serves this version of its API; update atlas-access",
}


class AtlasUnread(Exception):
    """Something could not be read from Atlas: `what` it is and `why` not, in one plain line without a secret."""

    def __init__(self, what: str, why: str) -> None:
        self.what, self.why = what, why
        super().__init__(f"{what}: {why}")


class _Garbled(Exception):
    pass


class Atlas:
    """A client of one project; `requests` counts the questions that were answered, sign-in and repetitions aside."""

    def __init__(
        self, project_id: str, sign_in: SignIn, endpoints: Endpoints, patience: Patience | None = None
    ) -> None:
        self.requests = 0
        self._project = project_id
        self._patience = patience or Patience()
        self._session = session(endpoints)
        self._auth = sign_in.auth(self._session, endpoints, self._patience)
        self._base = f"{endpoints.atlas.rstrip('/')}/api/atlas/v2/groups/{quote(project_id, safe='')}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def users(self) -> tuple[SeenUser, ...]:
        """Return every database user of the project. Raises `AtlasUnread`."""
        what = "database users"
        answers = self._pages(
            what, "databaseUsers", UserAnswer, lambda user: (user.database_name, user.username)
        )
        self._ours(what, (user.group_id for user in answers))
        return tuple(user.seen() for user in answers)

    def roles(self) -> tuple[SeenRole, ...]:
        """Return every custom role of the project: one list without pages. Raises `AtlasUnread`."""
        what = "custom roles"

        def read(answer: Any) -> tuple[SeenRole, ...]:
            if not isinstance(answer, list):
                raise _Garbled("the answer is no list")
            return tuple(_model(CustomRoleAnswer, each).seen() for each in answer)

        roles = self._get(what, "customDBRoles/roles", _V1, read)
        if len({role.name for role in roles}) != len(roles):
            raise AtlasUnread(what, "the list names a role twice")
        return roles

    def cluster(self, name: str) -> SeenCluster:
        """Return one cluster of the project. Raises `AtlasUnread`."""
        what = f"cluster {name}"
        answer = self._get(
            what, f"clusters/{quote(name, safe='')}", _V_CLUSTER, lambda it: _model(ClusterAnswer, it)
        )
        self._ours(what, [answer.group_id])
        if answer.name != name:
            raise AtlasUnread(what, "Atlas answered with another cluster")
        return answer.seen()

    def events(self) -> tuple[SeenEvent, ...]:
        """Return the newest events about users and roles, one page of them. Raises `AtlasUnread`."""
        what = "events"
        query = urlencode(
            [("eventType", each) for each in EVENT_TYPES]
            + [("itemsPerPage", PAGE_SIZE), ("includeRaw", "true")]
        )

        def read(answer: Any) -> list[EventAnswer]:
            return [_model(EventAnswer, each) for each in _results(answer)]

        answers = self._get(what, f"events?{query}", _V1, read)
        self._ours(what, (event.group_id for event in answers if event.group_id))
        return tuple(event.seen() for event in answers)

    def logins(self, cluster: str) -> SeenLogins:
        """Return each user's last successful login of the seven days that Atlas keeps (M10 and up).

        Raises `AtlasUnread`, also where the tier keeps no history.
        """
        what = f"access history of {cluster}"
        end = self._patience.now()
        since = end - _HISTORY
        query = urlencode(
            {
                "authResult": "true",
                "start": _milliseconds(since),
                "end": _milliseconds(end),
                "nLogs": MOST_LOGINS,
            }
        )

        def read(answer: Any) -> SeenLogins:
            found = answer.get("accessLogs") if isinstance(answer, dict) else None
            if not isinstance(found, list):
                raise _Garbled("the answer has no list of logins")
            logs = [_model(LoginAnswer, each) for each in found]
            self._ours(what, (log.group_id for log in logs if log.group_id))
            # A full list holds the newest ones only: it reaches back to its oldest, and no further.
            oldest = min((log.timestamp for log in logs), default=since)
            last: dict[str, datetime] = {}
            for log in logs:
                last[log.username] = max(log.timestamp, last.get(log.username, log.timestamp))
            return SeenLogins(oldest if len(logs) >= MOST_LOGINS else since, last)

        path = f"dbAccessHistory/clusters/{quote(cluster, safe='')}?{query}"
        return self._get(what, path, _V1, read)

    def _pages(self, what: str, path: str, model: type[_AnswerT], key: _Key) -> Sequence[_AnswerT]:
        """Read a list page by page until it is whole; a list that changed meanwhile is read once more."""
        for _ in range(2):
            found, total = self._walk(what, path, model, key)
            if total is None or len(found) == total:
                return list(found.values())
        raise AtlasUnread(what, f"the list is not whole: {len(found)} of {total} came")

    def _walk(
        self, what: str, path: str, model: type[_AnswerT], key: _Key
    ) -> tuple[dict[Hashable, _AnswerT], int | None]:
        found: dict[Hashable, _AnswerT] = {}
        for number in range(1, MAX_PAGES + 1):
            query = urlencode({"itemsPerPage": PAGE_SIZE, "pageNum": number, "includeCount": "true"})

            def read(answer: Any) -> tuple[list[_AnswerT], int | None, bool]:
                items = [_model(model, each) for each in _results(answer)]
                return items, _total(answer), _has_next(answer)

            items, total, more = self._get(what, f"{path}?{query}", _V1, read)
            found |= {key(item): item for item in items}
            if not more and (total is None or len(found) >= total or not items):
                return found, total
            if more and not items:
                raise AtlasUnread(what, f"page {number} is empty, yet another one is to follow")
        raise AtlasUnread(what, f"the list has more than {MAX_PAGES} pages")

    def _get(self, what: str, path: str, accept: str, read: Callable[[Any], _ReadT]) -> _ReadT:
        """Ask once, and once more when the answer cannot be understood: it may have been cut on its way."""
        why = ""
        for _ in range(_GARBLED_TRIES):
            reply = self._ask(what, path, accept)
            try:
                return read(json.loads(reply.text))
            except RecursionError:
                why = "the answer is nested too deeply"
            except ValueError:
                why = "the answer is not JSON"
            except _Garbled as garbled:
                why = str(garbled)
        raise AtlasUnread(what, why)

    def _ask(self, what: str, path: str, accept: str) -> HttpReply:
        reply = self._send(what, path, accept)
        if reply.status == 401 and isinstance(self._auth, ServiceAccount):
            self._auth.forget()
            reply = self._send(what, path, accept)
        self.requests += 1
        if reply.status != 200:
            raise AtlasUnread(what, _REFUSALS.get(reply.status, f"Atlas answered {reply.status}"))
        return reply

    def _send(self, what: str, path: str, accept: str) -> HttpReply:
        url, headers = f"{self._base}/{path}", {"Accept": accept}
        try:
            return self._patience.ask(
                self._session, "GET", url, repeat=True, headers=headers, auth=self._auth
            )
        except Unanswered as unanswered:
            raise AtlasUnread(what, unanswered.why) from None

    def _ours(self, what: str, groups: Iterable[str]) -> None:
        if any(group != self._project for group in groups):
            raise AtlasUnread(what, "Atlas answered with another project's data; nothing of it was used")


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _model(model: type[_AnswerT], answer: Any) -> _AnswerT:
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "an item"
        raise _Garbled(f"{where} is missing or has another form than the API documents") from None


def _results(answer: Any) -> list[Any]:
    results = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(results, list):
        raise _Garbled("the answer has no list of results")
    return results


def _total(answer: dict[str, Any]) -> int | None:
    total = answer.get("totalCount")
    return total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None


def _has_next(answer: dict[str, Any]) -> bool:
    links = answer.get("links")
    return isinstance(links, list) and any(
        isinstance(link, dict) and link.get("rel") == "next" for link in links
    )
