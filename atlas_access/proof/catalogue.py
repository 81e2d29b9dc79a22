"""The catalogue of attempts: every operation that a proof tries or decides, one row each.

Adding an operation is adding one row to the table that fits it. No row may describe a command that could change
anything if the server wrongly allowed it: an operation without such a harmless form is decided by equality, from
the server's own list of privileges.
"""

from atlas_access.proof import catalogue_changes, catalogue_data, catalogue_server, catalogue_structure
from atlas_access.proof.operation import Operation, Scope

OPERATIONS: tuple[Operation, ...] = (
    catalogue_data.ROWS + catalogue_changes.ROWS + catalogue_structure.ROWS + catalogue_server.ROWS
)
_BY_NAME = {operation.name: operation for operation in OPERATIONS}


def operation(name: str) -> Operation:
    """Return the row of this name; raises `KeyError` when the catalogue has none."""
    return _BY_NAME[name]


def of_scope(scope: Scope) -> tuple[Operation, ...]:
    """Return the rows of one scope, in the catalogue's order."""
    return tuple(row for row in OPERATIONS if row.scope is scope)
