"""The legacy users, and a server that does not take them."""

from typing import Any

import pytest

from sandbox.atlas import EmulatorError
from sandbox.atlas_part import make_users, new_passwords
from sandbox.estate import Estate


class Propagation:
    """Changes that never reach a server."""

    seconds = 7.0

    def settle(self) -> bool:
        return False


class Project:
    """A project that takes everything, in front of a server that takes nothing."""

    def __init__(self, estate: Estate) -> None:
        here = estate.by_name["staging"]
        self.propagation = Propagation()
        self.spec = type("Spec", (), {"project_id": here.project_id, "cluster_name": here.cluster})

    def add_role(self, *_: Any) -> None:
        """Take it."""

    def add_user(self, *_: Any) -> None:
        """Take it."""


def test_users_that_a_server_did_not_take_in_time_are_not_said_to_be_there() -> None:
    estate = Estate.load()
    project: Any = Project(estate)
    with pytest.raises(EmulatorError, match="has not taken the legacy users"):
        make_users(project, estate, "staging", new_passwords(estate))
    assert 7.0 == project.propagation.seconds
