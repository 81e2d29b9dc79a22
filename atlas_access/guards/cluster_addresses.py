"""Asks Atlas for one cluster's connection strings, read only, to know which hosts a stored value may name.

Source: Atlas Administration API 2.0, `GET …/clusters/{name}`. It must never send anything but GET (and the request for
a token), or put an answer's text into an error.
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

import requests

from atlas_access.base import ClusterAddresses, Endpoints, PrivateEndpoint
from atlas_access.clients import Patience, SignIn, session

_ACCEPT = "application/vnd.atlas.2024-08-05+json"
_SECONDS = 20.0


class AddressesUnread(Exception):
    """Atlas did not tell a cluster's addresses; the message says why in one line."""


def read_addresses(project: str, cluster: str, sign_in: SignIn, endpoints: Endpoints) -> ClusterAddresses:
    """Return a cluster's connection strings. Raises AddressesUnread."""
    path = f"groups/{quote(project, safe='')}/clusters/{quote(cluster, safe='')}"
    url = f"{endpoints.atlas.rstrip('/')}/api/atlas/v2/{path}"
    with session(endpoints) as opened:
        try:
            answer = opened.get(
                url,
                headers={"Accept": _ACCEPT},
                auth=sign_in.auth(opened, endpoints, Patience(_SECONDS)),
                timeout=_SECONDS,
            )
        except requests.RequestException as error:
            raise AddressesUnread(f"Atlas could not be asked ({type(error).__name__})") from None
    if answer.status_code != requests.codes.ok:
        raise AddressesUnread(f"Atlas answered {answer.status_code}")
    try:
        strings: Any = json.loads(answer.text)["connectionStrings"]
        return ClusterAddresses(
            cluster,
            str(strings.get("standard") or ""),
            str(strings.get("standardSrv") or ""),
            tuple(
                PrivateEndpoint(
                    str(each.get("connectionString") or ""), str(each.get("srvConnectionString") or "")
                )
                for each in strings.get("privateEndpoint") or ()
            ),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AddressesUnread("Atlas's answer could not be understood") from None
