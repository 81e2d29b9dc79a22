"""What an answer of AWS that is none means for a run: which errors they are, whether asking again helps, its code."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from atlas_access.clients import AwsUnavailable

AWS_FAILURES = (AwsUnavailable, ClientError, BotoCoreError)


def is_final(error: Exception) -> bool:
    """Whether asking again cannot help: AWS understood and refused."""
    if not isinstance(error, ClientError):
        return False
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return 400 <= status < 500 and "Throttl" not in code_of(error)


def code_of(error: Exception) -> str:
    """The error's code and what was asked; never its message, which may quote what was sent."""
    if isinstance(error, ClientError):
        operation = getattr(error, "operation_name", "")
        return f"{error.response.get('Error', {}).get('Code', 'an error')} to {operation}"
    return str(error) if isinstance(error, AwsUnavailable) else type(error).__name__
