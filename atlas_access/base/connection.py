"""MongoDB connection strings: read strictly, composed from Atlas's addresses, never shown with their password.

The one place where a connection string is put together or taken apart; no error quotes any part of one. Forms and
escapes follow the MongoDB manual's page on connection strings; the merge rules are the project's: keep the scheme,
hosts and options that Atlas gives, add `retryWrites=true&w=majority`, and outside SRV `authSource=admin` (an SRV record
brings its own).
"""

import hmac
import ipaddress
import re
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import quote, unquote, unquote_to_bytes

from atlas_access.base.connection_options import Login, Options, contradiction, shown

MASK = "***"
LENGTH_LIMIT = 8192

_MERGED = (("retryWrites", "true"), ("w", "majority"))
_AUTH_SOURCE = ("authSource", "admin")
_TEXT = re.compile(
    r"(?P<scheme>mongodb(?:\+srv)?)://(?:(?P<user>[^/?#@]*)@)?(?P<hosts>[^/?#@]+)"
    r"(?:/(?P<database>[^?#]*))?(?:\?(?P<options>[^#]*))?"
)
_ESCAPES = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")
_USERINFO = re.compile(r"[A-Za-z0-9\-._~!$&'()*+,;=%]*")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_BAD_IN_DATABASE = re.compile(r'[/\\. "$*<>:|?\x00-\x1f\x7f]')
_OPTION_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]*")


class ConnectionInvalid(ValueError):
    """The text is no usable MongoDB connection string; the message names the fault and never quotes the text."""


class Secret:
    """A text that no output shows: repr, str, format and pickling give nothing away; `reveal()` gives the text."""

    __slots__ = ("_text",)
    _text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "_text", text)

    def reveal(self) -> str:
        """Return the text, for the one moment and place that needs it."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret({MASK!r})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._text)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._text.encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    def __copy__(self) -> "Secret":
        return self

    def __deepcopy__(self, memo: object) -> "Secret":
        return self

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError("a Secret does not change")

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a Secret is not pickled; pass the secret's name and version instead")


@dataclass(frozen=True)
class ConnectionString:
    """A connection string in parts; `hosts` are "host" or "host:port" in lower case, an international name in ASCII.

    `options` keeps the order and the escapes of the text, because an escaped comma separates nothing; names are matched
    without regard to case, as MongoDB does.
    """

    scheme: str
    hosts: tuple[str, ...]
    username: str | None = None
    password: Secret | None = field(default=None, repr=False)
    database: str | None = None
    options: Options = field(default=(), repr=False)

    @classmethod
    def parse(cls, text: str) -> "ConnectionString":
        """Read a connection string; raises ConnectionInvalid, whose message quotes nothing of it."""
        if len(text) > LENGTH_LIMIT:
            raise ConnectionInvalid("longer than any connection string")
        if not text.isprintable() or " " in text:
            raise ConnectionInvalid("holds a space, a line break or a character that must be percent-encoded")
        match = _TEXT.fullmatch(text)
        if match is None:
            raise ConnectionInvalid(
                "not of the form mongodb://user:password@host/database?options; percent-encode @ : / ? # in a password"
            )
        if not re.sub(r"//[^/?]*", "", text, count=1).isascii():
            raise ConnectionInvalid("holds a character that must be percent-encoded")
        username, password = _credentials(match["user"])
        hosts, options = _hosts(match["scheme"], match["hosts"]), _options(match["options"] or "")
        srv, login = match["scheme"] == "mongodb+srv", Login(username is not None, password is not None)
        if why := contradiction(len(hosts), login, options, srv=srv):
            raise ConnectionInvalid(f"its options contradict each other: {why}")
        return cls(
            scheme=match["scheme"],
            hosts=hosts,
            username=username,
            password=password,
            database=_database(_decoded(match["database"], "database")) if match["database"] else None,
            options=options,
        )

    @property
    def is_srv(self) -> bool:
        """Whether the hosts are found by an SRV record."""
        return self.scheme == "mongodb+srv"

    def option(self, name: str) -> str | None:
        """Return an option's decoded value by its name in any case, None when it is not there."""
        wanted = name.lower()
        return next((unquote(value) for key, value in self.options if key.lower() == wanted), None)

    def reveal(self) -> str:
        """Return the whole string, password included, for the one moment and place that needs it."""
        return self._text(self.password.reveal() if self.password is not None else None, mask=False)

    def redacted(self) -> str:
        """Return the string for people: the password and every option that is not known to be harmless are masked."""
        return self._text(None, mask=True)

    def __str__(self) -> str:
        return self.redacted()

    def _text(self, password: str | None, *, mask: bool) -> str:
        user = ""
        if self.username is not None:
            user = quote(self.username, safe="")
            if self.password is not None:
                user += ":" + (MASK if mask else quote(password or "", safe=""))
            user += "@"
        tail = "/" + quote(self.database or "", safe="") if self.database or self.options else ""
        if self.options:
            tail += "?" + "&".join(
                f"{key}={self._value(key, value, mask=mask)}" for key, value in self.options
            )
        return f"{self.scheme}://{user}{','.join(self.hosts)}{tail}"

    @staticmethod
    def _value(key: str, value: str, *, mask: bool) -> str:
        return MASK if mask and not shown(key) else value


def compose(base: str, username: str, password: str | Secret, database: str) -> str:
    """Return the connection string of a user from an address that Atlas gave.

    `base` is the cluster's SRV, standard or private-endpoint string without a user; its scheme, hosts and options stay,
    but `retryWrites`, `w` and (outside SRV) `authSource` are set. Raises ConnectionInvalid.
    """
    parts = ConnectionString.parse(base)
    if parts.username is not None:
        raise ConnectionInvalid("the base address holds a user already; give the cluster's own address")
    revealed = password.reveal() if isinstance(password, Secret) else password
    if not username or not revealed:
        raise ConnectionInvalid("a user and a password are needed")
    try:
        (username + revealed).encode()
    except UnicodeEncodeError:
        raise ConnectionInvalid("a user or password that is no valid text") from None
    if not database:
        raise ConnectionInvalid("a database is needed")
    ours = _MERGED if parts.is_srv else (*_MERGED, _AUTH_SOURCE)
    return ConnectionString(
        scheme=parts.scheme,
        hosts=parts.hosts,
        username=username,
        password=Secret(revealed),
        database=_database(database),
        options=_merged(parts.options, ours),
    ).reveal()


def _merged(options: Options, ours: Options) -> Options:
    wanted = {key.lower(): (key, value) for key, value in ours}
    kept = [wanted.pop(key.lower(), (key, value)) for key, value in options]
    return (*kept, *wanted.values())


def _credentials(text: str | None) -> tuple[str | None, Secret | None]:
    if text is None:
        return None, None
    name, colon, password = text.partition(":")
    if not _USERINFO.fullmatch(name) or not _USERINFO.fullmatch(password):
        raise ConnectionInvalid("a user or password with a character that must be percent-encoded")
    if not name:
        raise ConnectionInvalid("an empty user")
    return _decoded(name, "user"), Secret(_decoded(password, "password")) if colon else None


def _decoded(text: str, what: str) -> str:
    if not _ESCAPES.fullmatch(text):
        raise ConnectionInvalid(f"a wrong percent-escape in the {what}")
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        raise ConnectionInvalid(f"percent-escapes in the {what} that are not UTF-8") from None


def _database(name: str) -> str:
    if not name or len(name.encode(errors="replace")) > 63 or _BAD_IN_DATABASE.search(name):
        raise ConnectionInvalid("a database name that MongoDB does not allow")
    return name


def _hosts(scheme: str, text: str) -> tuple[str, ...]:
    hosts = tuple(_host(part) for part in text.split(","))
    if scheme == "mongodb+srv" and (len(hosts) != 1 or ":" in hosts[0]):
        raise ConnectionInvalid("an SRV string names one host, without a port")
    if len(set(hosts)) != len(hosts):
        raise ConnectionInvalid("a host is listed twice")
    return hosts


def _host(text: str) -> str:
    bracket = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?", text)
    if bracket is not None:
        try:
            ipaddress.IPv6Address(bracket[1])
        except ValueError:
            raise ConnectionInvalid("a host in brackets that is no IPv6 address") from None
        name, port = f"[{bracket[1]}]", bracket[2]
    else:
        name, colon, after = text.partition(":")
        port = after if colon else None
        name = name if name.isascii() else _international(name)
        if len(name) > 253 or not _HOST_NAME.fullmatch(name):
            raise ConnectionInvalid("a host that is neither a name nor an address")
    if port is None:
        return name.lower()
    if not re.fullmatch(r"[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        raise ConnectionInvalid("a port that is not between 1 and 65535")
    return f"{name.lower()}:{int(port)}"


def _international(name: str) -> str:
    try:
        return name.encode("idna").decode()
    except UnicodeError:
        return ""


def _options(text: str) -> Options:
    found: list[tuple[str, str]] = []
    for pair in text.split("&") if text else ():
        key, equals, value = pair.partition("=")
        if not equals or not _OPTION_NAME.fullmatch(key) or ";" in value or "=" in value:
            raise ConnectionInvalid("options that are not name=value pairs joined by &")
        _decoded(value, "options")
        found.append((key, value))
    return tuple(found)
