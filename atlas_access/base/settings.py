"""The stack's settings as a frozen record, and the check of the text that holds them, all mistakes at once.

Per-environment facts stand in `Pulumi.<stack>.yaml`, typed by the `config` schema of `Pulumi.yaml`. It reads no file
(`components/settings.py` does for the program, `atlas_access/cli/inputs.py` for a command).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from atlas_access.base.acknowledged import OLD_NAMES, Acknowledgement, What, form_of, odd_ones
from atlas_access.base.addresses import AddressForm
from atlas_access.base.phases import VERIFIED_HOURS, Phase, Step, confirmation_for
from atlas_access.base.yaml_errors import ManifestError, ManifestInvalid, line_of, suggestion
from atlas_access.base.yaml_reader import read_yaml

PROJECT = "atlas-access"

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")]

#: Settings that name one environment's own property: no two stacks may share a value (ADR 0001).
OWN_TO_A_STACK = ("atlasProjectId", "atlasCluster", "awsAccountId", "smokeUrl")


class Settings(BaseModel):
    """One stack's settings; names are those of `Pulumi.yaml` in snake case, times are seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    phase: Phase = Phase.PROVISION
    atlas_project_id: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{24}$")]
    atlas_cluster: Name
    address_form: AddressForm = AddressForm.SRV
    aws_account_id: Annotated[str, StringConstraints(pattern=r"^[0-9]{12}$")]
    aws_region: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[a-z]+)+-[0-9]$")]
    kms_alias: Annotated[str, StringConstraints(pattern=r"^alias/[A-Za-z0-9_-]+$")]
    ecs_cluster: Name
    ecs_service: Name
    runtime_container: Name = "app"
    schema_family: Name
    smoke_url: Annotated[str, StringConstraints(pattern=r"^https://[^/@\s]+(/[^\s]*)?$")]
    reference_stack: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_./-]+)?$")] = ""
    container_image: Annotated[str, StringConstraints(pattern=r"^\S*$")] = ""
    proof_deadline_seconds: Annotated[int, Field(ge=1, le=600)] = 60
    proof_task_family: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{0,255}$")] = ""
    proof_task_subnets: tuple[Name, ...] = ()
    proof_task_security_groups: tuple[Name, ...] = ()
    allow_unproven_private_address: bool = False
    rollout_deadline_seconds: Annotated[int, Field(ge=30, le=3600)] = 900
    rollout_release: Annotated[int, Field(ge=0)] = 0
    terraform_directory: str = ""
    smoke_baseline: str = ""
    allow_ungated_rollout: bool = False
    soak_after: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_.-]+)?$")] = ""
    soak_minutes: Annotated[int, Field(ge=30)] = 30
    soak_role: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_+=,.@/-]{1,128})?$")] = ""
    drift_without_collections: bool = False
    github_repository: Annotated[
        str, StringConstraints(pattern=r"^([A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100})?$")
    ] = ""
    retirement: Step = Step.TOMBSTONE
    retire_confirmation: str = ""
    tombstone_hours: Annotated[int, Field(ge=VERIFIED_HOURS, le=720)] = VERIFIED_HOURS
    observer_role: Annotated[str, StringConstraints(pattern=r"^([A-Za-z0-9_+=,.@/-]{1,128})?$")] = ""
    unprotect: bool = False
    acknowledgements: Annotated[tuple[Acknowledgement, ...], Field(alias="acknowledged")] = ()
    placeholders: tuple[str, ...] = ()

    def acknowledged(self, what: What) -> Acknowledgement | None:
        """What a person has stated about it; None where nobody has."""
        return next((each for each in self.acknowledgements if each.what is what), None)

    def acknowledged_at(self, what: What) -> datetime | None:
        """When a person has stated it; None where nobody has."""
        found = self.acknowledged(what)
        return None if found is None else found.at

    @property
    def accepted_audit_uuid(self) -> str:
        """The UUID of an audit log that was made anew by decision; "" for none."""
        found = self.acknowledged(What.AUDIT_LOG_REMADE)
        return "" if found is None else found.value

    @property
    def looks_as(self) -> str:
        """The role to look into other environments' accounts as: the one named for it, else that of the soak."""
        return self.observer_role or self.soak_role

    @property
    def goes_after(self) -> str:
        """The stack that must be bound and have soaked first: the one named, else the one whose data is read."""
        return self.soak_after or self.reference_stack.rpartition("/")[2]

    def with_address_form(self, form: str | None) -> Settings:
        """The same settings with another address form, if one is given: the sandbox has no DNS, so it has no SRV."""
        return self.model_copy(update={"address_form": AddressForm(form)}) if form else self

    def to_json(self) -> str:
        """The record as text; `from_json` reads it. It holds no secret."""
        return self.model_dump_json(by_alias=True)

    @classmethod
    def from_json(cls, text: str) -> Settings:
        """Read what `to_json` wrote. Raises `ValueError` for anything else."""
        return cls.model_validate_json(text)


class SettingsInvalid(ValueError):
    """The settings are wrong; `errors` holds every mistake, in the order of the file."""

    def __init__(self, source: str, errors: tuple[ManifestError, ...]) -> None:
        self.errors = errors
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        super().__init__(
            "\n".join([f"{source} has {count}; nothing was contacted.", *(f"  {e}" for e in errors)])
        )


def check_settings(
    stack: str,
    files: Mapping[str, str],
    *,
    sandbox: bool,
    overrides: Mapping[str, Any] | None = None,
    now: datetime | None = None,
) -> Settings:
    """Turn a stack's file into settings, or say everything that is wrong with it.

    `files` maps each stack's name to the text of its `Pulumi.<stack>.yaml`, this stack's among them; the others are
    read only to refuse a value that belongs to another environment. `overrides` are values set beside the file
    (`pulumi config set` on another backend, `--config`), by their bare names. Outside a sandbox, whose clock can be
    advanced, an acknowledgement of the future is refused; `now` is this machine's time by default.

    Raises:
        SettingsInvalid: with every error at once.
    """
    source = f"Pulumi.{stack}.yaml"
    if stack not in files:
        known = ", ".join(sorted(files)) or "none"
        raise SettingsInvalid(
            source,
            (ManifestError(source, 1, "", "the file is missing", f"Stacks with settings: {known}."),),
        )
    values, lines = _read(source, files[stack])
    values |= {name: _beside(name, value) for name, value in (overrides or {}).items()}
    errors = _unknown(source, values, lines)
    settings, invalid = _validated(source, values, lines)
    errors += invalid
    errors += _foreign(source, stack, values, lines, files)
    errors += _other_confirmed(source, stack, settings, lines)
    clock = None if sandbox else now or datetime.now(UTC)
    for number, problem, remedy in () if settings is None else odd_ones(settings.acknowledgements, clock):
        path = ("acknowledged", number)
        where = f"{PROJECT}:acknowledged.{number}"
        errors.append(ManifestError(source, line_of(path, lines), where, problem, remedy))
    if not sandbox:
        errors += _placeholders(source, values, lines)
        errors += _sandbox_only(source, settings, lines)
    if settings is None or errors:
        raise SettingsInvalid(source, tuple(sorted(set(errors), key=lambda e: (e.line, e.where, e.problem))))
    return settings


def _read(source: str, text: str) -> tuple[dict[str, Any], dict[str, int]]:
    """The `atlas-access:` values by bare name, and the line each stands on."""
    try:
        document = read_yaml(text, source)
    except ManifestInvalid as refused:
        raise SettingsInvalid(source, refused.errors) from None
    if document.errors:
        raise SettingsInvalid(source, document.errors)
    config = document.data.get("config") if isinstance(document.data, dict) else None
    if not isinstance(config, dict):
        raise SettingsInvalid(
            source, (ManifestError(source, 1, "config", "is missing", "Put the settings under config:."),)
        )
    lines = {
        ".".join(map(str, path[1:])).removeprefix(f"{PROJECT}:"): line
        for path, line in document.lines.items()
        if path[:1] == ("config",)
    }
    return {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items()}, lines


def _beside(name: str, value: Any) -> Any:
    """A value as it is set beside the file: a list comes as JSON. Text that is not JSON is refused with the rest."""
    lists = {field.alias for field in Settings.model_fields.values() if isinstance(field.default, tuple)}
    try:
        return json.loads(value) if name in lists and isinstance(value, str) else value
    except ValueError:
        return value


def _aliases() -> frozenset[str]:
    return frozenset(field.alias for field in Settings.model_fields.values() if field.alias)


def _unknown(source: str, values: Mapping[str, Any], lines: Mapping[str, int]) -> list[ManifestError]:
    known = _aliases()
    return [
        ManifestError(
            source,
            lines.get(key, 1),
            f"{PROJECT}:{key}" if ":" not in key else key,
            "is not a setting any more" if key in OLD_NAMES else "is not a setting",
            f"State it in the list {PROJECT}:acknowledged, as {form_of(OLD_NAMES[key])}."
            if key in OLD_NAMES
            else f"Remove it.{suggestion(key, known)}",
        )
        for key in values
        if key not in known
    ]


def _validated(
    source: str, values: Mapping[str, Any], lines: Mapping[str, int]
) -> tuple[Settings | None, list[ManifestError]]:
    try:
        return Settings.model_validate({key: values[key] for key in values if key in _aliases()}), []
    except ValidationError as error:
        return None, [
            ManifestError(
                source,
                line_of(each["loc"], lines),
                f"{PROJECT}:{'.'.join(map(str, each['loc']))}",
                "is missing" if each["type"] == "missing" else "is not a valid value",
                f"{each['msg']}. Pulumi.yaml says what it is.",
            )
            for each in error.errors(include_input=False, include_url=False)
            if each["type"] != "missing" or not suggestion(str(each["loc"][0]), values.keys() - _aliases())
        ]


def _foreign(
    source: str, stack: str, values: Mapping[str, Any], lines: Mapping[str, int], files: Mapping[str, str]
) -> list[ManifestError]:
    errors = []
    for other in sorted(set(files) - {stack}):
        theirs, _ = _read(f"Pulumi.{other}.yaml", files[other])
        errors += [
            ManifestError(
                source,
                lines.get(key, 1),
                f"{PROJECT}:{key}",
                f"is {other}'s",
                f"No stack may name another environment's property (ADR 0001). Set {stack}'s own.",
            )
            for key in OWN_TO_A_STACK
            if key in values and values[key] == theirs.get(key)
        ]
    return errors


def _other_confirmed(
    source: str, stack: str, settings: Settings | None, lines: Mapping[str, int]
) -> list[ManifestError]:
    wanted = confirmation_for(stack)
    if settings is None or settings.retire_confirmation in ("", wanted):
        return []
    return [
        ManifestError(
            source,
            lines.get("retireConfirmation", 1),
            f"{PROJECT}:retireConfirmation",
            f"does not confirm {stack}",
            f'Type exactly "{wanted}", or nothing.',
        )
    ]


def _sandbox_only(source: str, settings: Settings | None, lines: Mapping[str, int]) -> list[ManifestError]:
    if settings is None or not settings.allow_ungated_rollout:
        return []
    return [
        ManifestError(
            source,
            lines.get("allowUngatedRollout", 1),
            f"{PROJECT}:allowUngatedRollout",
            "is for the sandbox's own tests",
            "Remove it, and capture a baseline: atlas-access baseline capture STACK.",
        )
    ]


def _placeholders(source: str, values: Mapping[str, Any], lines: Mapping[str, int]) -> list[ManifestError]:
    named = values.get("placeholders")
    if not isinstance(named, tuple):
        return []
    return [
        ManifestError(
            source,
            lines.get(str(name), lines.get("placeholders", 1)),
            f"{PROJECT}:{name}",
            "is still a placeholder",
            "Set your own value and take the name off atlas-access:placeholders; for the sandbox: "
            'eval "$(atlas-access sandbox env STACK)".',
        )
        for name in named
    ]
