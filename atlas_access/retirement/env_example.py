"""`.env.example`: the variables of a developer's machine, as the manifest binds them.

It holds no value and no deprecated variable.
"""

from __future__ import annotations

from atlas_access.manifest import LOCAL, Manifest


def render(manifest: Manifest) -> str:
    """The file. Ends in a newline; equal manifests give equal bytes."""
    clusters = {binding.cluster for binding in manifest.bindings_for(LOCAL)}
    lines = [
        "# The MongoDB variables of a developer's machine, generated from access.yaml: make docs.",
        *(f"# Filled in by: atlas-access env {cluster} --write .env.local" for cluster in sorted(clusters)),
        "# Never tracked; judged by: atlas-access env --check .env.local. Load it line by line: a raw & in a value",
        "# breaks the shell's `source`. A variable that is not set is an error, nothing else.",
    ]
    for binding in manifest.bindings_for(LOCAL):
        role = ", ".join(str(role) for role in manifest.user(binding.user).roles)
        lines += [
            "",
            f"# {binding.user} ({role}) on {binding.cluster}'s cluster, from {binding.secret_name}",
            f"{binding.variable}=",
        ]
    if manifest.deprecated_variables:
        lines += ["", "# No longer:"]
        lines += [f"#   {entry.name}: write {entry.successor}" for entry in manifest.deprecated_variables]
    return "\n".join(lines) + "\n"
