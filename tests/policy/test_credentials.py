"""Each detector of credentials is held to the same cases: the policy pack, the guard of the source, the redaction."""

import base64
import html
import json
import re
import time
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from hypothesis import example, given, settings, strategies as st

from atlas_access.base import redact
from atlas_access.guards.no_uri_in_git import credentials_in
from policy.credentials import Kind, Password, found, leaks

CORPUS = yaml.safe_load(Path(__file__).with_name("credential_cases.yaml").read_text(encoding="utf-8"))
CASES = [case | {"given": case.get("text", case.get("value"))} for case in CORPUS["cases"]]
KNOWN = tuple(Password.of(each) for each in CORPUS["known"])
KINDS = {"uri": {Kind.URI}, "user-info": {Kind.USER_INFO}, "password": {Kind.PASSWORD}, "nothing": set()}

ENCODINGS = {
    "plain": lambda text: text,
    "percent": lambda text: quote(text, safe=""),
    "JSON": lambda text: json.dumps({"a": [text]}),
    "JSON escapes": lambda text: re.sub("(....)", r"\\u\1", text.encode("utf-16-be").hex()),
    "HTML": html.escape,
    "HTML numbers": lambda text: "".join(f"&#{ord(char)};" for char in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 for URLs": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
    "base64 in the middle": lambda text: base64.b64encode(f"x: {text}\n".encode()).decode(),
    "hex": lambda text: text.encode().hex(),
}
CHARACTERS = st.characters(min_codepoint=33, max_codepoint=0x1FFFF, exclude_categories=("C", "Z"))
PASSWORDS = st.text(CHARACTERS, min_size=10).map(lambda text: f"k{text}9")
"""Whatever is between, these are no placeholder."""


def text_of(case):
    return case["given"] if isinstance(case["given"], str) else json.dumps(case["given"], ensure_ascii=False)


def found_in(value):
    return {kind for _, kind in leaks({"property": value}, KNOWN)}


def test_the_pack_finds_each_credential_and_nothing_else():
    assert len(CASES) >= 80
    assert {c["why"]: KINDS[c["found"]] for c in CASES} == {c["why"]: found_in(c["given"]) for c in CASES}


def test_the_guard_of_the_source_finds_each_connection_string_and_nothing_else():
    cases = [c for c in CASES if c["found"] in ("uri", "nothing")]

    expected = {c["why"]: c["found"] == "uri" and "guard" not in c.get("not_by", ()) for c in cases}
    assert expected == {c["why"]: any(credentials_in(text_of(c))) for c in cases}


def test_the_redaction_leaves_no_credential_and_changes_nothing_else():
    secrets = [*CORPUS["known"], *CORPUS["others"]]
    for case in CASES:
        clean = redact(text_of(case), secrets)
        if case["found"] != "nothing" and "redaction" not in case.get("not_by", ()):
            assert (case["why"], ()) == (case["why"], found(clean, KNOWN))
        elif case["found"] == "nothing" and not case.get("masked"):
            assert text_of(case) == clean


@pytest.mark.thorough
@settings(max_examples=60, deadline=None)
@given(PASSWORDS, st.lists(st.sampled_from(sorted(ENCODINGS)), max_size=2))
@example("%41\\u0041&amp;\"'", ["JSON", "HTML"])
def test_any_password_is_found_in_a_connection_string_in_any_encoding(password, encodings):
    text = f"mongodb+srv://app:{quote(password, safe='')}@shop.example.com/shop"
    for encoding in encodings:
        text = ENCODINGS[encoding](text)
    assert (Kind.URI,) == found(text)


@pytest.mark.thorough
@settings(max_examples=60, deadline=None)
@given(PASSWORDS, st.lists(st.sampled_from(sorted(ENCODINGS)), max_size=2))
def test_any_known_password_is_found_alone_in_any_encoding(password, encodings):
    text = password
    for encoding in encodings:
        text = ENCODINGS[encoding](text)
    assert Kind.PASSWORD in found(text, [Password.of(password)])


def test_the_path_of_a_credential_is_that_of_its_first_part():
    uri = "mongodb://app:fV4nTq8Lw2Xz@shop.example.com/"
    props = {
        "tags": {"note": uri, uri: "x"},
        "list": [
            {"name": "A", "value": "mongodb://app:"},
            {"name": "B", "value": "fV4nTq8Lw2Xz@shop.example.com"},
        ],
        "first": "mongodb://app:",
        "second": "fV4nTq8Lw2Xz@shop.example.com",
        "__provider": uri,
    }

    assert ["first", "list[0].value", "tags.<key>", "tags.note"] == sorted(path for path, _ in leaks(props))


@pytest.mark.parametrize(
    "piece",
    [
        *("some words of prose, ", "arn:aws:iam::111111111111:role/app-execution ", "a", "mongodb://a:"),
        *('{"a": "mongodb://h:1/@"},', "%2525", "\\\\u0041", '"mongodb://" + '),
    ],
)
def test_a_long_text_is_searched_in_time_that_grows_with_its_length(piece):
    text = piece * (1_000_000 // len(piece))
    before = time.process_time()
    assert () == found(text, KNOWN[:1])
    assert time.process_time() - before < 1.0
