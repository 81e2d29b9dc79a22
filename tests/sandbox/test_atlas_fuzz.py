"""Whatever is sent, the emulator answers in its own form: no 500 that was not asked for, no stack trace."""

import http.client
import json
import socket
import urllib.parse
from typing import Any

import pytest
from atlas_fixture import STAGING, V1, Atlas, role_body, user_body
from hypothesis import HealthCheck, assume, example, given, settings, strategies as st

from atlas_access.privileges.builtin_roles import BUILTIN_ROLES

RELAXED = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
METHODS = st.sampled_from(["GET", "POST", "PATCH", "PUT", "DELETE", "HEAD", "OPTIONS"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
SEGMENTS = st.sampled_from(
    [
        "databaseUsers",
        "admin",
        "app",
        "$external",
        "customDBRoles",
        "roles",
        "own",
        "clusters",
        "staging",
        "status",
        "events",
        "dbAccessHistory",
        "..",
        "",
        "%",
        "é",
    ]
) | st.text(max_size=12)


FIELDS = st.sampled_from(["grant_type", "token", "itemsPerPage", "eventType"]) | st.text(max_size=8)
# A few fields, perhaps many times over: more than a person sends, and more than a parser takes.
FORMS = st.builds(
    lambda pairs, times: urllib.parse.urlencode(pairs * times),
    st.lists(st.tuples(FIELDS, st.text(max_size=8)), min_size=1, max_size=3),
    st.integers(1, 400),
)
LATIN = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=40)
AUTHORIZATIONS = st.builds("{}{}".format, st.sampled_from(["Basic ", "Digest ", "Bearer ", ""]), LATIN)


DATABASES = st.sampled_from(["admin", "config", "local", "$external", "shop"]) | st.text(max_size=20)
ROLES = st.sampled_from(sorted(BUILTIN_ROLES)) | st.text(max_size=10)


def check(response: Any) -> None:
    assert response.status_code < 500
    assert "Traceback" not in response.text
    if response.content:
        json.loads(response.content)


@RELAXED
@given(
    method=METHODS,
    segments=st.lists(SEGMENTS, max_size=5),
    query=st.text(max_size=30),
    body=st.none() | VALUES,
)
def test_any_address_and_body(atlas: Atlas, method: str, segments: list[str], query: str, body: Any) -> None:
    path = "".join("/" + urllib.parse.quote(segment, safe="") for segment in segments)
    try:
        encoded = json.dumps(body).encode(errors="surrogatepass")
    except ValueError:
        return
    response = atlas.staging.session.request(
        method,
        f"{atlas.staging.url}/api/atlas/v2/groups/{STAGING}{path}?{urllib.parse.quote(query, safe='=&')}",
        data=encoded if body is not None else None,
        headers={"Accept": V1, "Content-Type": V1},
        auth=atlas.staging.auth,
        timeout=20,
    )
    check(response)


@RELAXED
@given(path=st.sampled_from(["", "/databaseUsers", "/events", "/clusters"]), query=FORMS)
def test_a_query_of_any_length(atlas: Atlas, path: str, query: str) -> None:
    check(atlas.staging.send("GET", f"{path}?{query}"))


@RELAXED
@given(body=FORMS | st.binary(max_size=60))
def test_any_form_at_the_token_s_address(atlas: Atlas, body: str | bytes) -> None:
    spec = atlas.specs[0]
    check(
        atlas.staging.session.post(
            f"{atlas.emulator.url}/api/oauth/token",
            data=body,
            auth=(spec.client_id, spec.client_secret),
            timeout=20,
        )
    )


@RELAXED
@given(path=st.sampled_from(["oauth/token", "atlas/v2/groups"]), value=AUTHORIZATIONS)
def test_any_way_to_sign_in(atlas: Atlas, path: str, value: str) -> None:
    connection = http.client.HTTPConnection(atlas.emulator.url.removeprefix("http://"), timeout=20)
    connection.request("POST", f"/api/{path}", b"", {"Authorization": value})
    response = connection.getresponse()
    assert (response.status < 500, isinstance(json.loads(response.read()), dict)) == (True, True)
    connection.close()


@RELAXED
@given(accept=LATIN, content=LATIN)
def test_any_media_type(atlas: Atlas, accept: str, content: str) -> None:
    headers = {"Accept": accept.strip(), "Content-Type": content.strip()}
    check(atlas.staging.send("POST", "/databaseUsers", {}, headers=headers))


@RELAXED
@given(field=st.sampled_from(sorted(user_body("app"))), value=VALUES)
def test_a_user_with_any_one_value_changed(atlas: Atlas, field: str, value: Any) -> None:
    check(atlas.staging.send("POST", "/databaseUsers", _plain({**user_body("app"), field: value})))
    check(atlas.staging.send("PATCH", "/databaseUsers/admin/app", _plain({field: value})))
    assert atlas.emulator.status()[STAGING]["refused"] == []


@RELAXED
@given(name=st.text(min_size=1, max_size=40), password=st.text(min_size=8, max_size=40))
def test_any_name_and_password_that_is_taken_can_log_in(atlas: Atlas, name: str, password: str) -> None:
    assume(not name.startswith("."))  # mongod itself makes such a user, and then never finds it at a login
    made = atlas.staging.send("POST", "/databaseUsers", user_body(name, password=password))
    check(made)
    if made.status_code == 201:
        assert atlas.applied()
        assert atlas.can_log_in(name, password)
        gone = atlas.staging.send("DELETE", f"/databaseUsers/admin/{urllib.parse.quote(name, safe='')}")
        assert gone.status_code == 204


@RELAXED
@example(database="$external", collection="", inherited="read")
@given(database=DATABASES, collection=st.text(max_size=20), inherited=ROLES)
def test_any_resource_that_is_taken_is_taken_by_the_server(
    atlas: Atlas, database: str, collection: str, inherited: str
) -> None:
    find = {"action": "FIND", "resources": [{"cluster": False, "db": database, "collection": collection}]}
    grant = {"databaseName": database or "shop", "roleName": inherited or "read"}
    for body in (
        role_body("own", actions=[find]),
        role_body("own", actions=[find], inheritedRoles=[{"db": database, "role": inherited or "read"}]),
    ):
        check(atlas.staging.send("POST", "/customDBRoles/roles", body))
        atlas.staging.send("DELETE", "/customDBRoles/roles/own")
    for held in (grant, {**grant, "collectionName": collection}):
        check(atlas.staging.add_user("app", roles=[held]))
        atlas.staging.send("DELETE", "/databaseUsers/admin/app")
    assert atlas.emulator.status()[STAGING]["refused"] == []


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"GET\r\n\r\n",
        b"BREW /api/atlas/v2/groups HTTP/1.1\r\nHost: x\r\n\r\n",
        b"POST /api/atlas/v2/groups HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/atlas/v2/groups HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /api/atlas/v2/groups HTTP/1.1\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"POST /api/atlas/v2/groups HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /api/atlas/v2/groups HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST /api/atlas/v2/groups HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nAuthorization: Digest \xff\r\n\r\n",
    ],
)
def test_what_is_no_proper_request_is_refused_in_json(atlas: Atlas, raw: bytes) -> None:
    host, port = atlas.emulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(raw)
        answer = connection.makefile("rb").read(2000) if b"\xff" not in raw else connection.recv(2000)
    assert b"HTTP/1.1 4" in answer
    assert b'"errorCode"' in answer


@pytest.mark.parametrize(
    "body",
    [
        b'Content-Length: 99\r\n\r\n{"seconds":7}',
        b'Transfer-Encoding: chunked\r\n\r\nff\r\n{"seconds":7}',
        b'Transfer-Encoding: chunked\r\n\r\nd\r\n{"seconds":7}\r\n',
        b'Transfer-Encoding: chunked\r\n\r\nd\r\n{"seconds":7}\r\n0\r\n',
    ],
)
def test_a_body_that_is_cut_short_is_refused_and_not_acted_upon(atlas: Atlas, body: bytes) -> None:
    host, port = atlas.emulator.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(b"POST /sandbox/atlas/propagation HTTP/1.1\r\nHost: x\r\n" + body)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.makefile("rb").read(2000)
    assert (answer.split(b"\r\n")[0], atlas.emulator.status()[STAGING]["propagationSeconds"]) == (
        b"HTTP/1.1 400 Bad Request",
        0.0,
    )


def _plain(body: Any) -> Any:
    """Leave out what JSON has no word for."""
    return json.loads(
        json.dumps(body, allow_nan=True)
        .replace("NaN", "1")
        .replace("-Infinity", "1")
        .replace("Infinity", "1")
    )
