"""Versions and pages of the Admin API."""

import pytest
from hypothesis import given, strategies as st

from sandbox.atlas.errors import AtlasError
from sandbox.atlas.negotiation import Query, agreed, page, resolve
from sandbox.atlas.routes import find_route

FIRST = ("2023-01-01",)
TWO = ("2023-02-01", "2024-08-05")


@pytest.mark.parametrize(
    ("header", "versions", "expected"),
    [
        ("application/vnd.atlas.2023-01-01+json", FIRST, "2023-01-01"),
        ("application/vnd.atlas.2025-03-12+json", FIRST, "2023-01-01"),
        ("application/vnd.atlas.2024-08-04+json", TWO, "2023-02-01"),
        ("application/vnd.atlas.2024-08-05+json; charset=utf-8", TWO, "2024-08-05"),
        ("text/html, application/vnd.atlas.2023-01-01+json", FIRST, "2023-01-01"),
        ("application/vnd.atlas.2022-12-31+json", FIRST, None),
        ("application/json", FIRST, None),
        ("*/*", FIRST, None),
        ("", FIRST, None),
    ],
)
def test_the_newest_version_not_younger_than_the_date_serves(
    header: str, versions: tuple[str, ...], expected: str | None
) -> None:
    assert resolve(header, versions) == expected


def test_plain_json_is_refused_on_both_sides() -> None:
    with pytest.raises(AtlasError) as accept:
        agreed("application/json", FIRST, "NOT_ACCEPTABLE")
    with pytest.raises(AtlasError) as content:
        agreed("application/json", FIRST, "UNSUPPORTED_MEDIA_TYPE")
    assert (accept.value.status, content.value.status) == (406, 415)


def test_a_page_links_to_the_pages_beside_it_and_counts_all_items() -> None:
    shown = page(Query("pageNum=2&itemsPerPage=2"), "http://a/x", [1, 2, 3, 4, 5])
    links = [link["rel"] for link in shown["links"]]
    assert (links, shown["results"], shown["totalCount"]) == (["self", "previous", "next"], [3, 4], 5)


def test_a_page_past_the_end_is_empty() -> None:
    assert page(Query("pageNum=9"), "http://a/x", [1])["results"] == []


def test_the_count_is_left_out_on_request() -> None:
    assert "totalCount" not in page(Query("includeCount=false"), "http://a/x", [1])


@pytest.mark.parametrize(
    "query",
    ["pageNum=0", "pageNum=x", "itemsPerPage=501", "itemsPerPage=-1", "includeCount=maybe", "pageNum=²"],
)
def test_a_query_of_another_form_is_refused(query: str) -> None:
    with pytest.raises(AtlasError) as refusal:
        page(Query(query), "http://a/x", [1])
    assert refusal.value.code == "INVALID_QUERY_PARAMETER"


@pytest.mark.parametrize(("count", "expected"), [(200, "taken"), (201, "VALIDATION_ERROR")])
def test_a_query_of_two_hundred_parameters_is_read_and_no_longer_one(count: int, expected: str) -> None:
    verdict = "taken"
    try:
        page(Query("&".join(["a=1"] * count)), "http://a/x", [1])
    except AtlasError as error:
        verdict = error.code
    assert verdict == expected


def test_a_name_in_an_address_is_unescaped_once() -> None:
    _, names = find_route("GET", "/api/atlas/v2/groups/g/databaseUsers/%24external/CN%3Da%2Fb%2525")
    assert names == {"groupId": "g", "databaseName": "$external", "username": "CN=a/b%25"}


def test_an_address_without_a_method_names_those_it_has() -> None:
    with pytest.raises(AtlasError) as refusal:
        find_route("PUT", "/api/atlas/v2/groups/g/databaseUsers")
    assert (refusal.value.status, refusal.value.headers) == (405, {"Allow": "GET, POST"})


@given(st.text(max_size=80))
def test_any_text_is_a_query_or_is_refused(text: str) -> None:
    status = 200
    try:
        page(Query(text), "http://a/x", [1])
        Query(text).only("pageNum")
    except AtlasError as error:
        status = error.status
    assert status in {200, 400}
