"""The one secret that crosses stacks: a reader's connection string to another environment's cluster.

It arrives by StackReference. Anything but a well-formed connection string of the right user stops the stack: with a
passphrase that does not fit, Pulumi only warns, and a secret arrives as an empty mapping.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from atlas_access.base import Address, ConnectionInvalid, ConnectionString, both_logins
from atlas_access.manifest import Binding, Manifest

#: The exports' names in the stack that owns the cluster: the connection, its public address without a user, the
#: credential's generation, and whether its rotation ends.
EXPORT = "referenceConnection"
ADDRESS = "referencePublicAddress"
GENERATION = "referenceGeneration"
ENDS = "referenceRotationEnds"


@dataclass(frozen=True)
class Reference:
    """What the other stack hands over: a reader's connection string, secret, and its cluster's public address.

    The address is no secret, and "" where the stack is too old to export it. `generation` is the credential's; `ends`
    says that its other generation is to go, so that no way back may need it.
    """

    connection: pulumi.Output[str]
    public_address: pulumi.Output[str]
    generation: pulumi.Output[int]
    ends: pulumi.Output[bool]


def crosses_over(manifest: Manifest, environment: str) -> tuple[str, Address] | None:
    """Which user's connection this environment hands to others, and by which address; None when none reads it."""
    wanted = {
        (binding.user, binding.address)
        for binding in manifest.bindings
        if binding.cluster == environment
        and binding.environment in set(manifest.environments) - {environment}
    }
    if len(wanted) > 1:
        raise pulumi.RunError(
            f"access.yaml lets more than one credential of {environment} cross to other stacks."
        )
    return next(iter(wanted), None)


def reference_connection(manifest: Manifest, environment: str, stack: str) -> Reference | None:
    """What `stack` hands over, or None where this environment reads its own cluster only."""
    needed = next((each for each in manifest.bindings_for(environment) if each.cluster != environment), None)
    if needed is None:
        return None
    if not stack:
        raise pulumi.RunError(
            f"{needed.variable} reads {needed.cluster}'s cluster, but no stack hands its connection over. "
            "Set atlas-access:referenceStack to the stack that owns that cluster."
        )
    other = pulumi.StackReference(stack)
    received = other.get_output(EXPORT)
    return Reference(
        pulumi.Output.secret(received.apply(lambda value: _checked(value, needed, stack))),
        other.get_output(ADDRESS).apply(_address),
        other.get_output(GENERATION).apply(lambda value: int(value or 1)),
        other.get_output(ENDS).apply(lambda value: value is True),
    )


def _address(value: object) -> str:
    """The address, where it is one and names no user."""
    try:
        return value if isinstance(value, str) and ConnectionString.parse(value).username is None else ""
    except ConnectionInvalid:
        return ""


def _checked(value: object, needed: Binding, stack: str) -> str:
    remedy = f"Run `pulumi up` for {needed.cluster} first, and use the same secrets passphrase or key for both stacks."
    if not isinstance(value, str):
        raise pulumi.RunError(
            f"stack {stack} hands over no readable {EXPORT}, which {needed.variable} needs. {remedy}"
        )
    try:
        parsed = ConnectionString.parse(value)
    except ConnectionInvalid as error:
        raise pulumi.RunError(
            f"stack {stack} hands over a {EXPORT} that is not usable: {error}. {remedy}"
        ) from None
    if parsed.username not in both_logins(needed.user):
        raise pulumi.RunError(
            f"stack {stack} hands over another user's connection, not {needed.user}'s. {remedy}"
        )
    return value
