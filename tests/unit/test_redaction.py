"""No secret passes, in whatever encoding; what is not secret stays readable."""

import base64
import html
import json
import logging
import re
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given, settings, strategies as st

from atlas_access.base.connection import compose
from atlas_access.base.redaction import Redactor, redact, redact_server_message

CANARIES = ['p@ss:w%2F"', "it's <b>&amp;\\n", "Zx9kQw3vRtPl8sUd2mNb6yHc4eGf7aJ1"]
CANARIES += ["pä$$wörd", "tab\there", "sp ace+plus"]
ENCODINGS = {
    "plain": lambda s: s,
    "percent": lambda s: quote(s, safe=""),
    "percent, lower case": lambda s: "".join(
        c.lower() if p in "%" or q == "%" else c
        for p, q, c in zip(" " + quote(s, safe=""), "  " + quote(s, safe=""), quote(s, safe=""), strict=False)
    ),
    "percent, all characters": lambda s: "".join(f"%{byte:02x}" for byte in s.encode()),
    "percent, twice": lambda s: quote(quote(s, safe=""), safe=""),
    "percent, thrice": lambda s: quote(quote(quote(s, safe=""), safe=""), safe=""),
    "form": quote_plus,
    "JSON": lambda s: json.dumps({"value": s}),
    "JSON, twice": lambda s: json.dumps(json.dumps({"value": s})),
    "JSON, characters kept": lambda s: json.dumps(s, ensure_ascii=False),
    "JSON, escaped throughout": lambda s: re.sub("(....)", r"\\u\1", s.encode("utf-16-be").hex()),
    "repr": repr,
    "repr of bytes": lambda s: repr(s.encode()),
    "ascii": ascii,
    "HTML": html.escape,
    "HTML, twice": lambda s: html.escape(html.escape(s)),
    "HTML, decimal": lambda s: "".join(f"&#{ord(c)};" for c in s),
    "HTML, hexadecimal": lambda s: "".join(f"&#x{ord(c):X};" for c in s),
    "shell": lambda s: "".join(c if c.isalnum() else "\\" + c for c in s),
    "hexadecimal": lambda s: s.encode().hex(),
    "base64": lambda s: base64.b64encode(s.encode()).decode(),
    "base64, shifted by one": lambda s: base64.b64encode(b"x" + s.encode() + b"yz").decode(),
    "base64, shifted by two": lambda s: base64.b64encode(b"xy" + s.encode() + b"z").decode(),
    "base64 for URLs": lambda s: base64.urlsafe_b64encode(b"\xff\xfe" + s.encode() + b"\xff").decode(),
    "base64 of a connection string": lambda s: base64.b64encode(
        compose("mongodb://h:1", "u", s, "db").encode()
    ).decode(),
    "a connection string": lambda s: compose("mongodb://h:1", "u", s, "db"),
}

VISIBLE = st.one_of(
    st.characters(min_codepoint=33, max_codepoint=126),
    st.characters(min_codepoint=161, max_codepoint=0x1FFFF, exclude_categories=("C", "Z")),
)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("canary", CANARIES)
def test_a_known_secret_is_masked_in_every_encoding(canary, encoding):
    encoded = ENCODINGS[encoding](canary)
    cleaned = redact(f"before {encoded} after", [canary])
    assert encoded not in cleaned
    assert canary not in cleaned
    assert "***" in cleaned
    assert cleaned.startswith("before ")
    assert cleaned.endswith(" after")


@pytest.mark.thorough
@settings(max_examples=80, deadline=None)
@given(st.text(VISIBLE, min_size=8, max_size=24), st.sampled_from(sorted(ENCODINGS)), st.integers(0, 2))
def test_any_secret_is_masked_in_any_encoding(secret, encoding, pad):
    assume("***" not in secret)
    encoded = ENCODINGS[encoding](secret)
    cleaned = redact("x" * pad + " " + encoded, [secret])
    assert encoded not in cleaned
    assert secret not in cleaned


@settings(max_examples=80, deadline=None)
@given(st.text(alphabet="abc:/@%&\\\"'{}[]= 4025mongodbpassword", max_size=80))
def test_masking_again_changes_nothing(text):
    once = redact(text, ["abcd"])
    assert once == redact(once, ["abcd"])


def test_the_password_within_a_known_connection_string_is_masked_by_itself():
    uri = compose("mongodb://h:1", "app", CANARIES[0], "db")
    assert "the password is *** indeed" == redact(f"the password is {CANARIES[0]} indeed", [uri])


def test_a_secret_comes_back_decoded_and_is_masked():
    assert "***" == redact('p@ss:w/"', ['p@ss:w%2F"'])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mongodb://app:secret@host/db?w=majority", "mongodb://app:***@host/db?w=majority"),
        ('mongodb://u:p@ss:w%2F"@host/db', "mongodb://u:***@host/db"),
        ("mongodb+srv://u:a/b?c#d@h.x.y/db", "mongodb+srv://u:***@h.x.y/db"),
        ("mongodb:\\/\\/u:secret@host", "mongodb:\\/\\/u:***@host"),
        ("mongodb%3A%2F%2Fuser%3Ap%40ss%40host", "mongodb%3A%2F%2F***%40host"),
        ('{"a":"mongodb://u:pw@h/x","mail":"x@y"}', '{"a":"mongodb://u:***@h/x","mail":"x@y"}'),
        ("see https://ghtoken@github.com/x", "see https://***@github.com/x"),
        ("postgres://u:p@h and redis://:pw@h", "postgres://u:***@h and redis://:***@h"),
        ('password: "two words"', 'password: "***"'),
        ("pwd='x' next", "pwd='***' next"),
        ("AWS_SECRET_ACCESS_KEY=abc/def+1 x", "AWS_SECRET_ACCESS_KEY=*** x"),
        ('{\\"password\\": \\"abc\\"}', '{\\"password\\": \\"***\\"}'),
        ("Authorization: Bearer eyJhbGciOi.abc", "Authorization: Bearer ***"),
        ('Authorization: Digest username="k", response="0f"', "Authorization: Digest ***"),
        ("key AKIAIOSFODNN7EXAMPLE here", "key *** here"),
    ],
)
def test_credentials_are_masked_by_their_place(text, expected):
    assert expected == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "plain words, nothing else",
        "https://127.0.0.1:8080/users/a@b?c=d",
        "write to ops@example.com",
        '{"command": {"update": "plans"}, "documents": [1]}',
        "app_audit_writer may FIND, INSERT on askflorence.agent_audit_log",
        "arn:aws:secretsmanager:us-east-1:111111111111:secret:staging/mongodb/app-read-v2-AbCdEf",
        "mongodb://127.0.0.1:27017/db",
        "the password and its secret stay untouched",
    ],
)
def test_what_is_not_secret_stays(text):
    assert text == redact(text)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            'not authorized on askflorence to execute command { update: "agent_audit_log", updates: [ { q: { name:'
            ' "Jane }" }, u: { $set: { ssn: "123" } } } ], lsid: { id: UUID("0-0") }, $db: "askflorence" }',
            'not authorized on askflorence to execute command { update: "agent_audit_log", … }',
        ),
        (
            'E11000 duplicate key error collection: a.b index: email_1 dup key: { email: "jane@example.com" }',
            "E11000 duplicate key error collection: a.b index: email_1 dup key: { … }",
        ),
        ("refused, full error: {'ok': 0.0, 'errmsg': \"x { y\", 'code': 13}", "refused, full error: { … }"),
        (
            'execute command { insert: "plans", documents: [ { a: "cut of',
            'execute command { insert: "plans", … }',
        ),
        ("no braces: not authorized", "no braces: not authorized"),
    ],
)
def test_documents_that_a_server_quotes_are_masked(message, expected):
    assert expected == redact_server_message(message)
    assert expected == redact(message)


def test_short_texts_are_no_secrets():
    assert "a cab" == redact("a cab", ["", "a", "cab"])


def test_a_log_record_is_masked_with_its_exception():
    failure = ValueError(f"cannot use {CANARIES[0]}")
    record = logging.LogRecord(
        "x", 20, "f", 1, "to %s", (CANARIES[0],), (type(failure), failure, failure.__traceback__)
    )
    assert Redactor([CANARIES[0]]).filter(record)
    assert "to ***" == record.getMessage()
    assert CANARIES[0] not in logging.Formatter().format(record)
    assert "ValueError: cannot use ***" in record.exc_text


def test_a_redactor_does_not_show_its_secrets():
    redactor = Redactor().also(CANARIES[2])
    assert "Redactor(1 secrets)" == repr(redactor)
    assert "***" == redactor(CANARIES[2])


@pytest.mark.parametrize(
    "unit",
    [
        "a://b:",
        "\\",
        "a.a-",
        "%25",
        "password='",
        "command: {",
        "mongodb://u:p@h ",
        "&amp;",
        "x ",
        "AAAA",
        "\"'",
    ],
)
def test_a_long_hostile_text_is_masked_in_linear_time(unit):
    text = unit * (60_000 // len(unit))
    started = time.perf_counter()
    redact(text, CANARIES[:3])
    assert time.perf_counter() - started < 2
