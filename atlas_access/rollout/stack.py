"""A stack's own service, settings and baseline: what every part of a rollout starts from."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from atlas_access.base import Endpoints, Settings, SettingsInvalid, check_settings, stack_files
from atlas_access.clients import client
from atlas_access.rollout.gates import baseline_file
from atlas_access.rollout.service import Service

PROJECT_FOLDER = Path(__file__).parents[2]
"""Where `Pulumi.<stack>.yaml`, the baselines and the Terraform files are looked for."""


def service_of(props: Mapping[str, Any], endpoints: Endpoints) -> Service:
    """The service that a resource is about."""
    return Service(
        client("ecs", str(props["region"]), endpoints), str(props["cluster"]), str(props["service"])
    )


def own_settings(props: Mapping[str, Any], endpoints: Endpoints) -> Settings:
    """The settings that the program has handed on; those of the file for a resource of an earlier version's state.

    Raises `SettingsInvalid`, and `ValueError` for a record that is none.
    """
    record = props.get("settings")
    return Settings.from_json(str(record)) if record else settings_of(str(props["stack"]), endpoints)


def settings_of(stack: str, endpoints: Endpoints, folder: Path = PROJECT_FOLDER) -> Settings:
    """A stack's settings from its own file. Raises `SettingsInvalid`."""
    files = {name: path.read_text(encoding="utf-8") for name, path in stack_files(folder).items()}
    return check_settings(stack, files, sandbox=endpoints.sandbox)


def follower(stack: str, endpoints: Endpoints, folder: Path = PROJECT_FOLDER) -> Settings | None:
    """The settings of the stack that waits for this one's soak, of several the one that waits longest.

    A stack whose settings are not complete yet waits for nobody.
    """
    found = []
    for name in stack_files(folder):
        with suppress(SettingsInvalid):
            found.append(settings_of(name, endpoints, folder))
    after = [each for each in found if each.goes_after == stack]
    return max(after, key=lambda each: each.soak_minutes, default=None)


def has_baseline(stack: str, settings: Settings, *, allow_ungated: bool) -> bool:
    """Whether the smoke gates are to judge this stack: a baseline is configured, or was captured and is not waived."""
    captured = not allow_ungated and baseline_file(stack, "", PROJECT_FOLDER).is_file()
    return captured or bool(settings.smoke_baseline)


def say(line: str) -> None:
    """Progress on the stack's row; a closed pipe is no reason to stop half-way."""
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
    except (OSError, ValueError):
        return
