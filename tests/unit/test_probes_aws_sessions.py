"""Sessions share no credentials."""

import pytest

from atlas_access.clients.aws import new_session


def test_each_session_has_its_own_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "from-the-environment")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "made-up")
    own = new_session(aws_access_key_id="given", aws_secret_access_key="made-up")
    keys = [session.get_credentials().access_key for session in (new_session(), own)]
    assert ["from-the-environment", "given"] == keys
