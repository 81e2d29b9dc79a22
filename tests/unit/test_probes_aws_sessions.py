"""Sessions share the descriptions of the AWS APIs and nothing else."""

import pytest

from atlas_access.clients.aws import _descriptions, new_session


def test_each_session_has_its_own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    own = new_session(aws_access_key_id="given", aws_secret_access_key="made-up")
    keys = [session.get_credentials().access_key for session in (new_session(), own)]
    assert ["from-the-environment", "given"] == keys


def test_sessions_add_no_folder_to_look_in_again_and_again() -> None:
    counts = set()
    for _ in range(3):
        new_session()
        counts.add(len(_descriptions().search_paths))
    assert 1 == len(counts)
