"""How many requests failed is asked of whoever counts; whatever else happens, the answer is unknown and never 0."""

import pytest
from drift_fixture import endpoints
from http_fixture import Answered, serving

from atlas_access.clients.balanced import VARIABLE, failed_requests


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Answered({"failed": 0}), 0),
        (Answered({"failed": 7}), 7),
        (Answered({"failed": "7"}), None),
        (Answered({}), None),
        (Answered([]), None),
        (Answered({"failed": 7}, 503), None),
        (Answered(drop=True), None),
    ],
)
def test_only_a_count_is_a_count(answer: Answered, expected: int | None) -> None:
    with serving(lambda _: answer) as url:
        assert expected == failed_requests(60.0, endpoints(url), {VARIABLE: f"{url}/balanced/staging"})


def test_where_nobody_counts_nobody_is_asked() -> None:
    assert None is failed_requests(60.0, endpoints("http://127.0.0.1:9"), {})


def test_another_machine_is_never_asked() -> None:
    assert None is failed_requests(60.0, endpoints("http://127.0.0.1:9"), {VARIABLE: "https://example.com/x"})
