"""The stack's settings as the Pulumi program gets them: from the stack's file and from what is set beside it.

What a right setting is, atlas_access/base/settings.py says. Settings are read once in a program.
"""

from __future__ import annotations

from pathlib import Path

from atlas_access.base import OLD_NAMES, PROJECT, Settings, check_settings, stack_files


def read_files(directory: Path) -> dict[str, str]:
    """The text of every `Pulumi.<stack>.yaml` in a directory, by stack."""
    return {stack: path.read_text(encoding="utf-8") for stack, path in stack_files(directory).items()}


def load_settings(stack: str, directory: Path, *, sandbox: bool) -> Settings:
    """The settings of the running Pulumi program.

    Raises:
        SettingsInvalid: with every error at once.
    """
    import pulumi

    config = pulumi.Config(PROJECT)
    names = {each.alias for each in Settings.model_fields.values() if each.alias} | OLD_NAMES.keys()
    set_now = {name: value for name in names - {"placeholders"} if (value := config.get(name)) is not None}
    return check_settings(stack, read_files(directory), sandbox=sandbox, overrides=set_now)
