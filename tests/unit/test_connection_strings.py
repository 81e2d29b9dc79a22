"""In which forms a connection string with a password is found, and what stands for a password and is none."""

import base64

import pytest

from atlas_access.guards.content import archive_of, decoded, wanted
from atlas_access.guards.no_uri_in_git import credentials_in

PASSWORD = "hR7" + "kq2Zt9XwLm"
HOST = "c.ab1cd.mongodb.net"
URI = f"mongodb+srv://app:{PASSWORD}@{HOST}/askflorence"


def packed(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    "text",
    [
        f"mongodb://app:{PASSWORD}@h1.ab1cd.mongodb.net:27017,h2.ab1cd.mongodb.net/db",
        f"mongodb+srv://app:{PASSWORD}@{HOST}",
        f"MONGODB+SRV://app:{PASSWORD}@{HOST}",
        f'"mongodb:\\/\\/app:{PASSWORD}@{HOST}"',
        f"mongodb%2Bsrv%3A%2F%2Fapp%3A{PASSWORD}%40{HOST}",
        f"uri = 'mongodb://app:{PASSWORD}@10.0.0.7/db'",
        f"mongodb://app:{PASSWORD[:5]}%40{PASSWORD[5:]}@{HOST}",
        f"mongodb://app:{PASSWORD}@localhost:27017",
        f"mongodb+srv://app:{PASSWORD[:3]}%24{PASSWORD[3:]}@{HOST}",
        f"mongodb+srv://app:{PASSWORD[:3]}${PASSWORD[3:]}@{HOST}",
        f"mongodb+srv://app:{PASSWORD[:3]}'{PASSWORD[3:]}@{HOST}",
        f"mongodb+srv://app:p@{PASSWORD}@{HOST}",
        f"mongodb+srv://app:${{MONGODB_PASSWORD:-{PASSWORD}}}@{HOST}",
        f"mongodb+srv%3A%2F%2Fapp%3A{PASSWORD[:3]}%2524{PASSWORD[3:]}%40{HOST}",
        f"mongodb%253A%252F%252Fapp:{PASSWORD}%2540{HOST}",
        f'"mongodb+srv://app:{PASSWORD}\\u0040{HOST}"',
        f'"mongodb+srv\\u003a\\u002f\\u002fapp\\u003a{PASSWORD}\\u0040{HOST}"',
        f'"mongodb+srv://app:{PASSWORD}\\x40{HOST}"',
        f"<uri>mongodb+srv://app:{PASSWORD}&#64;{HOST}</uri>",
    ],
)
def test_a_password_is_found_however_it_is_encoded(text: str) -> None:
    assert [(2, "app")] == list(credentials_in(f"first line\n{text}\n"))


@pytest.mark.parametrize(
    "rest", ["@${HOST}/db", "@$HOST/db", "@{host}/db", '@" + host', "@%s/db", f"@host,{HOST}/db", "@"]
)
def test_a_real_password_is_found_where_the_host_is_put_in_at_run_time(rest: str) -> None:
    assert [(1, "app")] == list(credentials_in(f'"mongodb+srv://app:{PASSWORD}{rest}'))


@pytest.mark.parametrize("before", ["", "x", "xy"])
def test_a_string_in_base64_is_found_wherever_in_the_text_it_begins(before: str) -> None:
    assert [(1, "app")] == list(credentials_in(f"uri: {packed(before + URI)}\n"))


def test_base64_that_is_broken_into_lines_is_read_as_one() -> None:
    text = packed(URI)
    assert [(1, "app")] == list(credentials_in(f"{text[:40]}\n  {text[40:76]}\n  {text[76:]}\n"))


@pytest.mark.parametrize(
    "text",
    [
        "mongodb://localhost:27017/askflorence",
        "mongodb+srv://c.ab1cd.mongodb.net/askflorence",
        "mongodb+srv://user:<password>@c.ab1cd.mongodb.net",
        "mongodb+srv://user:${PASSWORD}@c.ab1cd.mongodb.net",
        "mongodb+srv://user:$PW@c.ab1cd.mongodb.net",
        "mongodb+srv://user:{password}@c.ab1cd.mongodb.net",
        "mongodb+srv://user:***@c.ab1cd.mongodb.net",
        "mongodb+srv://user:your-password@c.ab1cd.mongodb.net",
        "mongodb+srv://user:password@c.ab1cd.mongodb.net",
        f"mongodb+srv://user:{PASSWORD}@cluster.example.com",
        f"mongodb://user:{PASSWORD}@db.invalid:27017",
        "mongodb://user:pw@host",
        f"postgres://user:{PASSWORD}@c.ab1cd.example.net",
        packed("mongodb+srv://app:<password>@c.ab1cd.mongodb.net"),
        "bW9uZ29kY",
        "mongodb+srv%3A%2F%2Fapp%3A%24%7BMONGODB_PASSWORD%7D%40c.ab1cd.mongodb.net",
        "mongodb+srv://app:%3Cyour-password%3E@c.ab1cd.mongodb.net",
        "mongodb+srv://app:$MONGODB_PASSWORD@$HOST",
        "mongodb+srv://app:${MONGODB_PASSWORD:-changeme}@$HOST",
        "mongodb+srv://app:••••••••••@c.ab1cd.mongodb.net",
        "mongodb+srv://app:x-${MONGODB_PASSWORD}@${HOST}",
        "mongodb+srv://{quote(user)}:{quote(password)}@{host}",
        '"mongodb+srv://app:"+password+"@"+host',
        "'mongodb://app:'+encodeURIComponent(password)+'@'+host",
        r"re.compile('mongodb://[^:@/]+:[^@/]{1,200}@')",
        f"mongodb://app:{PASSWORD}@host,db.example.com",
    ],
)
def test_what_stands_for_a_password_or_a_host_is_no_credential(text: str) -> None:
    assert [] == list(credentials_in(text))


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-16", "utf-32"])
@pytest.mark.parametrize("before", [b"", b"\1"])
def test_wide_text_is_read_with_and_without_a_mark_and_at_any_place(encoding: str, before: bytes) -> None:
    data = before + f"é\n{URI}\n".encode(encoding)
    assert (True, ["app"]) == (wanted(data), [user for _, user in credentials_in(decoded(data)[0])])


@pytest.mark.parametrize(
    ("beginning", "expected"),
    [(b"\x1f\x8b\x08", "gzip"), (b"PK\x03\x04", "zip"), (b"BZh9", "bzip2"), (b"MZ\x90", ""), (b"", "")],
)
def test_an_archive_is_known_by_its_first_bytes(beginning: bytes, expected: str) -> None:
    assert expected == archive_of(beginning)
