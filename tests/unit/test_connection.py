"""Connection strings are read strictly, composed by the rules, and never shown with their password."""

import copy
import pickle
import string

import pytest
from hypothesis import given, settings, strategies as st

from atlas_access.base.connection import ConnectionInvalid, ConnectionString, Secret, compose

CANARY = 'p@ss:w%2F"'
SRV = "mongodb+srv://askflorence-staging.efsikmv.mongodb.net"
STANDARD = "mongodb://a-00.x.mongodb.net:27017,a-01.x.mongodb.net:27017/?ssl=true&authSource=admin&replicaSet=atlas-1"
PRIVATE = "mongodb://pl-0.x.mongodb.net:1024,pl-0.x.mongodb.net:1025/?ssl=true&replicaSet=atlas-1"


@pytest.mark.parametrize(
    ("base", "expected"),
    [
        (SRV, "mongodb+srv://u:pw@askflorence-staging.efsikmv.mongodb.net/db?retryWrites=true&w=majority"),
        (
            SRV + "/",
            "mongodb+srv://u:pw@askflorence-staging.efsikmv.mongodb.net/db?retryWrites=true&w=majority",
        ),
        (
            STANDARD,
            "mongodb://u:pw@a-00.x.mongodb.net:27017,a-01.x.mongodb.net:27017/db"
            "?ssl=true&authSource=admin&replicaSet=atlas-1&retryWrites=true&w=majority",
        ),
        (
            PRIVATE,
            "mongodb://u:pw@pl-0.x.mongodb.net:1024,pl-0.x.mongodb.net:1025/db"
            "?ssl=true&replicaSet=atlas-1&retryWrites=true&w=majority&authSource=admin",
        ),
        (
            "mongodb://h:1/?RetryWrites=false&w=1&authsource=other",
            "mongodb://u:pw@h:1/db?retryWrites=true&w=majority&authSource=admin",
        ),
        (
            "mongodb://[::1]:27017",
            "mongodb://u:pw@[::1]:27017/db?retryWrites=true&w=majority&authSource=admin",
        ),
    ],
)
def test_a_string_keeps_its_base_and_gets_our_options(base, expected):
    assert expected == compose(base, "u", "pw", "db")


def test_a_password_is_percent_encoded_and_comes_back():
    text = compose(STANDARD, "app_read", CANARY, "askflorence")
    assert "app_read:p%40ss%3Aw%252F%22@" in text
    parsed = ConnectionString.parse(text)
    assert ("app_read", CANARY) == (parsed.username, parsed.password.reveal())


@settings(max_examples=150, deadline=None)
@given(
    username=st.text(min_size=1, max_size=20).filter(lambda text: text.isprintable()),
    password=st.text(min_size=1, max_size=40).filter(lambda text: "\ud800" not in text),
    base=st.sampled_from([SRV, STANDARD, PRIVATE]),
)
def test_whatever_is_composed_is_read_back_the_same(username, password, base):
    text = compose(base, username, password, "askflorence")
    parsed = ConnectionString.parse(text)
    assert (username, password, text) == (parsed.username, parsed.password.reveal(), parsed.reveal())
    assert base.split("://")[0] == parsed.scheme
    assert parsed == ConnectionString.parse(parsed.reveal())


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=string.printable, max_size=60))
def test_any_other_text_is_read_or_refused(text):
    for candidate in (text, f"mongodb://{text}", f"mongodb://u:{text}@h/db", f"mongodb://h/db?{text}"):
        try:
            parsed = ConnectionString.parse(candidate)
        except ConnectionInvalid:
            continue
        assert parsed == ConnectionString.parse(parsed.reveal())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "mongodb://",
        "http://u:p@h0st/db",
        "MONGODB://h0st",
        "mongodb:/h0st",
        "mongodb://u:p@",
        "mongodb://u:p@ss@h0st/db",
        "mongodb://u:p:q@h0st/db",
        "mongodb://u:p/q@h0st/db",
        "mongodb://u:p?q@h0st/db",
        "mongodb://u:p#q@h0st/db",
        "mongodb://u:p%zz@h0st/db",
        "mongodb://u:p%ff@h0st/db",
        "mongodb://:p@h0st/db",
        "mongodb://u:p@h0st:0/db",
        "mongodb://u:p@h0st:65536/db",
        "mongodb://u:p@h0st:x/db",
        "mongodb://u:p@h0st:1:2/db",
        "mongodb://u:p@ho st/db",
        "mongodb://u:p@h0st\\evil/db",
        "mongodb://u:p@h0st,/db",
        "mongodb://u:p@h0st,h0st/db",
        "mongodb://u:p@[::1/db",
        "mongodb://u:p@[1.2.3.4]/db",
        "mongodb://u:p@-h0st/db",
        "mongodb://u:p@%2Ftmp%2Fmongodb.sock/db",
        "mongodb://u:p@h0st/d$b",
        "mongodb://u:p@h0st/a%20b",
        "mongodb://u:p@h0st/a%2Fb",
        "mongodb://u:p@h0st/a.b",
        "mongodb://u:p@h0st/db?w",
        "mongodb://u:p@h0st/db?=1",
        "mongodb://u:p@h0st/db?w=1;j=true",
        "mongodb://u:p@h0st/db?w=1&&j=true",
        "mongodb://u:p@h0st/db#fragment",
        "mongodb://u:p@h0st/db\n",
        "mongodb://u:p@h0st/d\u00e9",
        "mongodb+srv://u:p@a.b.example,c.b.example/db",
        "mongodb+srv://u:p@a.b.example:27017/db",
        "mongodb://u:p@h0st/db?w=" + "x" * 9000,
    ],
)
def test_a_string_that_is_odd_is_refused_without_quoting_it(text):
    with pytest.raises(ConnectionInvalid) as caught:
        ConnectionString.parse(text)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert not any(part in str(caught.value) for part in ("h0st", "u:p", "%zz", "$b", "evil"))


@pytest.mark.parametrize(
    ("base", "username", "password", "database"),
    [
        ("mongodb://old:pw@h:1/", "u", "pw", "db"),
        (SRV, "", "pw", "db"),
        (SRV, "u", "", "db"),
        (SRV, "u", "pw", ""),
        (SRV, "u", "pw", "a b"),
        (SRV, "u", "\ud800", "db"),
        ("not a base", "u", "pw", "db"),
    ],
)
def test_nothing_is_composed_from_a_wrong_part(base, username, password, database):
    with pytest.raises(ConnectionInvalid):
        compose(base, username, password, database)


def test_a_password_never_shows():
    parsed = ConnectionString.parse(compose(STANDARD, "u", CANARY, "db"))
    shown = f"{parsed} {parsed!r} {parsed.password} {parsed.password!r} {parsed.password:>40} {vars(parsed)}"
    for form in (CANARY, "p%40ss", "p@ss"):
        assert form not in shown
    assert "mongodb://u:***@" in parsed.redacted()


def test_an_option_that_could_hold_a_secret_is_masked():
    text = "mongodb://h:1/?tlsCertificateKeyFilePassword=canary&authMechanismProperties=AWS_SESSION_TOKEN:canary&w=1"
    parsed = ConnectionString.parse(text)
    assert "canary" not in f"{parsed} {parsed!r}"
    assert "w=1" in parsed.redacted()


def test_a_secret_is_neither_pickled_nor_changed():
    secret = Secret(CANARY)
    with pytest.raises(TypeError, match="not pickled"):
        pickle.dumps(secret)
    with pytest.raises(AttributeError):
        secret.other = 1
    assert secret is copy.deepcopy(secret)


def test_secrets_compare_by_value():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert 1 == len({Secret("a"), Secret("a")})


def test_an_option_is_found_in_any_case():
    assert "admin" == ConnectionString.parse(STANDARD).option("AUTHSOURCE")
    assert None is ConnectionString.parse(STANDARD).option("tls")


def test_hosts_are_in_lower_case_and_srv_is_known():
    assert ("h.example.com:27017",) == ConnectionString.parse("mongodb://H.Example.com:27017").hosts
    assert ConnectionString.parse(SRV).is_srv
