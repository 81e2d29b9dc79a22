"""What a remote service did not answer, as one kind of error, and its conversion into an `Unread`.

Each service has its subclass. The service's own code and message are kept, the message redacted and shortened to a
line, because services quote what was asked.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar, TypeVar

from atlas_access.base import EndpointRefused, Unread, one_line, redact

_LONGEST = 300
_T = TypeVar("_T")


class ServiceError(Exception):
    """A service gave no usable answer: `what` was asked, and `why` there is none, in one line without a secret.

    `code` and `message` are the service's own, "" where it gave none; `status` is HTTP's, 0 where no answer came.
    """

    service: ClassVar[str] = "the service"

    def __init__(self, what: str, why: str, *, code: str = "", message: str = "", status: int = 0) -> None:
        self.what, self.code, self.status = what, code, status
        self.message = one_line(redact(message), _LONGEST)
        said = ": ".join(each for each in (code if code not in why else "", self.message) if each)
        self.why = f"{why} ({said})" if said else why
        super().__init__(f"{what}: {self.why}")

    @property
    def final(self) -> bool:
        """Whether asking again cannot help: the service understood the request and refused it."""
        return 400 <= self.status < 500 and self.status != 429 and "Throttl" not in self.code


class AwsUnavailable(ServiceError):
    """AWS gave no usable answer; `code` is AWS's own, or the name of what botocore raised."""

    service = "AWS"

    def __init__(self, what: str, code: str, message: str = "", *, status: int = 0) -> None:
        super().__init__(what, f"AWS answered {code}", code=code, message=message, status=status)


class AtlasUnread(ServiceError):
    """Atlas gave no usable answer."""

    service = "Atlas"


class GitHubUnavailable(ServiceError):
    """GitHub did not do what was asked."""

    service = "GitHub"

    def __init__(self, what: str, why: str, *, message: str = "", status: int = 0) -> None:
        super().__init__(f"GitHub, {what}", why, message=message, status=status)


def read_or_unread(read: Callable[[], _T], what: str = "") -> _T | Unread:
    """What `read` returns, or an `Unread` of `what` when the service gave no usable answer."""
    try:
        return read()
    except ServiceError as error:
        return Unread(what or error.what, error.why)
    except EndpointRefused:
        raise
    except (KeyError, TypeError, ValueError):
        if not what:
            raise
        return Unread(what, "the answer has another form than documented")
