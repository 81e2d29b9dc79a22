"""The overlay of outgoing addresses: where AWS, Atlas, the application, its contacts and GitHub are reached.

Effects ask `permit` for every request, redirects included. In sandbox mode each host that is not plainly loopback is
refused before anything is sent.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from atlas_access.base.connection import ConnectionString

ATLAS_DEFAULT = "https://cloud.mongodb.com/"
GITHUB_DEFAULT = "https://api.github.com"

SANDBOX_VARIABLE = "ATLAS_ACCESS_SANDBOX"
ADDRESS_FORMS = ("srv", "standard")

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}))"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<rest>[/?#][!-\[\]-~]*)?"
)
"""A URL with no user, no backslash, no space and no character that two parsers could read differently."""

_HOST_AND_PORT = re.compile(
    r"(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[^\[\]:/@\s]{1,253})(?::(?P<port>[0-9]{1,5}))?"
)

_OVERLAY = (
    ("aws", "AWS_ENDPOINT_URL"),
    ("atlas", "MONGODB_ATLAS_BASE_URL"),
    ("smoke", "ATLAS_ACCESS_SMOKE_URL"),
    ("contacts", "ATLAS_ACCESS_CONTACTS_URL"),
    ("github", "GITHUB_API_URL"),
)
_PLAIN_SIGN_IN = frozenset({"", "DEFAULT", "SCRAM-SHA-1", "SCRAM-SHA-256"})


class EndpointRefused(ValueError):
    """An address is not permitted; nothing was sent to it."""


@dataclass(frozen=True)
class Endpoints:
    """Every outgoing address of one process.

    `aws`, `smoke` and `contacts` are None where the SDK's own, the stack's setting and smoke.yaml's address hold;
    `address_form` ("srv" or "standard") overrides the stack's setting. `aws_services` holds AWS_ENDPOINT_URL_<SERVICE>,
    which the SDK prefers to `aws`.
    """

    sandbox: bool = False
    aws: str | None = None
    atlas: str = ATLAS_DEFAULT
    smoke: str | None = None
    contacts: str | None = None
    github: str = GITHUB_DEFAULT
    address_form: str | None = None
    aws_services: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse an overlay that does not hold together; all its faults are named at once."""
        faults = list(self._faults())
        if faults:
            raise EndpointRefused("; ".join(faults))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Endpoints":
        """Read the overlay's variables.

        In sandbox mode every address must be given and loopback; else EndpointRefused names each that is not.
        """
        sandbox = _switch(environment.get(SANDBOX_VARIABLE, ""))
        given = {name: environment.get(variable, "").strip() for name, variable in _OVERLAY}
        return cls(
            sandbox=sandbox,
            aws=given["aws"] or None,
            atlas=given["atlas"] or ("" if sandbox else ATLAS_DEFAULT),
            smoke=given["smoke"] or None,
            contacts=given["contacts"] or None,
            github=given["github"] or ("" if sandbox else GITHUB_DEFAULT),
            address_form=environment.get("ATLAS_ACCESS_ADDRESS_FORM", "").strip() or None,
            aws_services={
                name: value
                for name, value in sorted(environment.items())
                if name.startswith("AWS_ENDPOINT_URL_") and value.strip()
            },
        )

    def permit(self, url: str) -> str:
        """Return url when a request may go there; raises EndpointRefused.

        Outside the sandbox every well-formed http(s) URL is permitted; inside, only a loopback one.
        """
        match = _URL.fullmatch(url)
        if match is None or not _port_in_range(match["port"]):
            raise EndpointRefused(
                "an address is not a plain http or https URL; write it as https://host/path, without a user"
            )
        if self.sandbox and not is_loopback(match["host"]):
            raise _refused(match["host"])
        return url

    def permit_hosts(self, hosts: Iterable[str]) -> tuple[str, ...]:
        """Return MongoDB hosts ("host" or "host:port", IPv6 in brackets) when each may be reached.

        Raises EndpointRefused, in sandbox mode also when no host is given.
        """
        listed = tuple(hosts)
        if self.sandbox and not listed:
            raise EndpointRefused("sandbox mode: no host to connect to; give the sandbox's own address")
        for host in listed:
            match = _HOST_AND_PORT.fullmatch(host)
            if match is None or not _port_in_range(match["port"]):
                raise EndpointRefused("a MongoDB host is not of the form host:port")
            if self.sandbox and not is_loopback(match["host"]):
                raise _refused(match["host"])
        return listed

    def permit_connection(self, connection: ConnectionString) -> ConnectionString:
        """Return a connection string when it may be used; raises EndpointRefused.

        In sandbox mode an SRV string is refused (it asks a name server), and so are a proxy and a sign-in that asks
        another host.
        """
        self.permit_hosts(() if self.sandbox and connection.is_srv else connection.hosts)
        if self.sandbox:
            if connection.option("proxyHost") is not None:
                raise EndpointRefused("sandbox mode: a connection string with a proxy; remove proxyHost")
            if (connection.option("authMechanism") or "") not in _PLAIN_SIGN_IN:
                raise EndpointRefused(
                    "sandbox mode: a sign-in that asks another host; use a user and password"
                )
        return connection

    def _faults(self) -> Iterable[str]:
        if self.address_form not in (None, *ADDRESS_FORMS):
            yield f"ATLAS_ACCESS_ADDRESS_FORM must be one of: {', '.join(ADDRESS_FORMS)}"
        for name, variable in _OVERLAY:
            value: str | None = getattr(self, name)
            if value:
                yield from self._fault(variable, value)
            elif self.sandbox:
                yield f"sandbox mode: {variable} is not set; run `atlas-access sandbox env` for all of them"
        for variable, value in self.aws_services.items():
            yield from self._fault(variable, value)

    def _fault(self, variable: str, value: str) -> Iterable[str]:
        try:
            self.permit(value)
        except EndpointRefused as refused:
            yield f"{variable}: {refused}"
            return
        if value.startswith("http://") and not is_loopback(_host_of(value)):
            yield f"{variable}: plain http to another machine would show credentials; use https"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, written plainly: 127.0.0.0/8 in four decimal parts, ::1, or localhost.

    Everything that a resolver might read as loopback but that is not written so (0.0.0.0, decimal or octal numbers,
    IPv4 within IPv6, a trailing dot) is not.
    """
    if host.lower() == "localhost":
        return True
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        address = ipaddress.ip_address(bare)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return address == ipaddress.IPv6Address("::1") and "%" not in bare
    return address in ipaddress.IPv4Network("127.0.0.0/8") and bare == host


def _host_of(url: str) -> str:
    match = _URL.fullmatch(url)
    return match["host"] if match else ""


def _port_in_range(port: str | None) -> bool:
    return port is None or 0 < int(port) < 65536


def _refused(host: str) -> EndpointRefused:
    name = host if re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,80}", host) else "a host"
    return EndpointRefused(f"sandbox mode: {name} is not loopback; nothing was sent")


def _switch(value: str) -> bool:
    word = value.strip().lower()
    if word in ("1", "true", "yes", "on"):
        return True
    if word in ("", "0", "false", "no", "off"):
        return False
    raise EndpointRefused(f"{SANDBOX_VARIABLE} is neither 1 nor 0; set it to 1 for the sandbox, or unset it")
