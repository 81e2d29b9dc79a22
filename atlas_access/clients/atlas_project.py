"""Requests to one project of the Atlas Admin API: its address, versions, sign-in, pages, retries and errors.

Source: Atlas Administration API 2.0 (versioned media types, pagination, Retry-After, errors). A list is read whole or
not at all, within the deadline.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ValidationError

from atlas_access.base import Endpoints, redact
from atlas_access.clients.atlas_sign_in import ServiceAccount, SignIn
from atlas_access.clients.errors import AtlasUnread
from atlas_access.clients.http import session
from atlas_access.clients.retry import HttpReply, Retry, Unanswered

PAGE_SIZE = 500
"""The largest page that Atlas gives: a project's 100 users fit into one."""

MAX_PAGES = 40
V_2023 = "application/vnd.atlas.2023-01-01+json"
V_2024 = "application/vnd.atlas.2024-08-05+json"
_GARBLED_TRIES = 2
_AnswerT = TypeVar("_AnswerT", bound=BaseModel)
_ReadT = TypeVar("_ReadT")
_REFUSALS = {
    400: "Atlas refused the request",
    401: "Atlas refused the credentials, or they have no access to this project; check the key and its project",
    403: (
        "Atlas forbids it; the key needs Project Read Only to read and Project Database Access Admin to change, "
        "and its access list this machine's address"
    ),
    404: "Atlas does not find it; check atlas-access:atlasProjectId and atlas-access:atlasCluster",
    406: "Atlas no longer serves this version of its API; update atlas-access",
}


class Garbled(Exception):
    """An answer has another form than documented; the message says where."""


class AtlasProject:
    """A client of one project; `requests` counts the questions that were answered, sign-in and repetitions aside."""

    def __init__(
        self, project_id: str, sign_in: SignIn, endpoints: Endpoints, retry: Retry | None = None
    ) -> None:
        self.requests = 0
        self.project = project_id
        self.retry = retry or Retry()
        self._session = session(endpoints)
        self.sign_in = sign_in
        self._secret = sign_in.secret
        self._auth = sign_in.auth(self._session, endpoints, self.retry)
        self._root = f"{endpoints.atlas.rstrip('/')}/api/atlas/v2"
        self._base = f"{self._root}/groups/{quote(project_id, safe='')}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()

    def pages(
        self, what: str, path: str, model: type[_AnswerT], key: Callable[[_AnswerT], Hashable]
    ) -> Sequence[_AnswerT]:
        """Read a list page by page until it is whole; a list that changed meanwhile is read once more."""
        for _ in range(2):
            found, total = self._walk(what, path, model, key)
            if total is None or len(found) == total:
                return list(found.values())
        raise AtlasUnread(what, f"the list is not whole: {len(found)} of {total} came")

    def _walk(
        self, what: str, path: str, model: type[_AnswerT], key: Callable[[_AnswerT], Hashable]
    ) -> tuple[dict[Hashable, _AnswerT], int | None]:
        found: dict[Hashable, _AnswerT] = {}
        for number in range(1, MAX_PAGES + 1):
            query = urlencode({"itemsPerPage": PAGE_SIZE, "pageNum": number, "includeCount": "true"})

            def read(answer: Any) -> tuple[list[_AnswerT], int | None, bool]:
                items = [modelled(model, each) for each in results(answer)]
                return items, _total(answer), _has_next(answer)

            items, total, more = self.get(what, f"{path}?{query}", read)
            found |= {key(item): item for item in items}
            if not more and (total is None or len(found) >= total or not items):
                return found, total
            if more and not items:
                raise AtlasUnread(what, f"page {number} is empty, yet another one is to follow")
        raise AtlasUnread(what, f"the list has more than {MAX_PAGES} pages")

    def get(self, what: str, path: str, read: Callable[[Any], _ReadT], version: str = V_2023) -> _ReadT:
        """Ask once, and once more when the answer cannot be understood: it may have been cut on its way.

        An empty path is the API's own root.
        """
        why = ""
        for _ in range(_GARBLED_TRIES):
            reply = self.send(what, "GET", path, version=version)
            try:
                return read(json.loads(reply.text))
            except RecursionError:
                why = "the answer is nested too deeply"
            except ValueError:
                why = "the answer is not JSON"
            except Garbled as garbled:
                why = str(garbled)
        raise AtlasUnread(what, why)

    def send(
        self, what: str, method: str, path: str, body: object = None, *, version: str = V_2023
    ) -> HttpReply:
        """Send a request that may be repeated, and return its answer. Raises `AtlasUnread` unless it is a success."""
        reply = self._send(what, method, path, body, version)
        if reply.status == 401 and isinstance(self._auth, ServiceAccount):
            self._auth.forget()
            reply = self._send(what, method, path, body, version)
        self.requests += 1
        if not 200 <= reply.status < 300:
            code, message = _said(reply)
            message = redact(message, (self._secret,))
            why = _REFUSALS.get(reply.status, f"Atlas answered {reply.status}")
            raise AtlasUnread(what, why, code=code, message=message, status=reply.status)
        return reply

    def _send(self, what: str, method: str, path: str, body: object, version: str) -> HttpReply:
        headers, more = {"Accept": version}, {}
        if body is not None:
            headers["Content-Type"], more["data"] = version, json.dumps(body)
        url = f"{self._base}/{path}" if path else self._root
        try:
            return self.retry.ask(
                self._session, method, url, repeat=True, headers=headers, auth=self._auth, **more
            )
        except Unanswered as unanswered:
            raise AtlasUnread(what, unanswered.why, status=unanswered.status) from None

    def require_own(self, what: str, groups: Iterable[str]) -> None:
        """Raise `AtlasUnread` unless all of these are our project."""
        if any(group != self.project for group in groups):
            raise AtlasUnread(what, "Atlas answered with another project's data; nothing of it was used")


def modelled(model: type[_AnswerT], answer: Any) -> _AnswerT:
    """An answer as its model. Raises `Garbled`."""
    try:
        return model.model_validate(answer)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "an item"
        raise Garbled(f"{where} is missing or has another form than the API documents") from None


def results(answer: Any) -> list[Any]:
    """The items of a page. Raises `Garbled`."""
    found = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(found, list):
        raise Garbled("the answer has no list of results")
    return found


def _said(reply: HttpReply) -> tuple[str, str]:
    """Atlas's own code and message of a refusal (schema ApiError), "" where there is none."""
    try:
        answer = json.loads(reply.text)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(answer, dict):
        return "", ""
    code, detail = answer.get("errorCode"), answer.get("detail")
    return (code if isinstance(code, str) else ""), (detail if isinstance(detail, str) else "")


def _total(answer: dict[str, Any]) -> int | None:
    total = answer.get("totalCount")
    return total if isinstance(total, int) and not isinstance(total, bool) and total >= 0 else None


def _has_next(answer: dict[str, Any]) -> bool:
    links = answer.get("links")
    return isinstance(links, list) and any(
        isinstance(link, dict) and link.get("rel") == "next" for link in links
    )
