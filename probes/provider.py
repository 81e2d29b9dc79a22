"""What every dynamic provider of this project has: a failure reaches the user as one message."""

import sys

from pulumi.dynamic import ConfigureRequest, ResourceProvider


class OneMessage(ResourceProvider):
    """A provider whose host shows no traceback, which would bury the message; it holds nothing that is secret."""

    serialize_as_secret_always = False

    def configure(self, req: ConfigureRequest) -> None:  # noqa: ARG002 - the host's own signature
        """Switch the traceback off."""
        sys.tracebacklimit = 0
