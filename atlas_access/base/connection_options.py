"""What the options of a connection string mean: which contradict each other, which weaken it, which are unknown.

Names, values and contradictions follow MongoDB's connection-string, URI-options and authentication specifications, for
strings that name TCP hosts. What a driver would ignore with a warning is unknown here. No value is quoted that could be
a secret.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from atlas_access.base.finding import Finding, Status

Options = tuple[tuple[str, str], ...]

_FLAG = re.compile("true|false")
_NUMBER = re.compile(r"\d{1,10}")
_TIME = re.compile(r"\d{1,10}")
_POSITIVE = re.compile(r"[1-9]\d{0,9}")
_TEXT = re.compile(r".+")
_PAIRS = re.compile(r"([^:,]+:[^,]*)(,[^:,]+:[^,]*)*|")
_MECHANISMS = (
    *("DEFAULT", "SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN", "GSSAPI"),
    *("MONGODB-X509", "MONGODB-AWS", "MONGODB-OIDC", "MONGODB-CR"),
)
_NAMES: tuple[tuple[re.Pattern[str], str], ...] = (
    (_FLAG, "directConnection enableOverloadRetargeting journal loadBalanced retryReads retryWrites"),
    (
        _FLAG,
        "serverSelectionTryOnce ssl tls tlsAllowInvalidCertificates tlsAllowInvalidHostnames tlsInsecure",
    ),
    (_FLAG, "tlsDisableCertificateRevocationCheck tlsDisableOCSPEndpointCheck"),
    (_TIME, "connectTimeoutMS localThresholdMS maxIdleTimeMS serverSelectionTimeoutMS"),
    (_TIME, "socketTimeoutMS timeoutMS waitQueueTimeoutMS wTimeoutMS"),
    (_NUMBER, "maxAdaptiveRetries maxPoolSize minPoolSize srvMaxHosts waitQueueMultiple waitQueueSize"),
    (_POSITIVE, "maxConnecting proxyPort"),
    (re.compile(r"[5-9]\d\d|[1-9]\d{3,9}"), "heartbeatFrequencyMS"),
    (re.compile(r"-1|9\d|[1-9]\d{2,9}"), "maxStalenessSeconds"),
    (re.compile("-1|[0-9]"), "zlibCompressionLevel"),
    (re.compile("(snappy|zlib|zstd)(,(snappy|zlib|zstd))*"), "compressors"),
    (re.compile("|".join(_MECHANISMS)), "authMechanism"),
    (re.compile("auto|poll|stream"), "serverMonitoringMode"),
    (re.compile("primary(Preferred)?|secondary(Preferred)?|nearest"), "readPreference"),
    (re.compile("standard|pythonLegacy|javaLegacy|csharpLegacy|unspecified"), "uuidRepresentation"),
    (_PAIRS, "authMechanismProperties readPreferenceTags"),
    (re.compile("available|linearizable|local|majority|snapshot"), "readConcernLevel"),
    (re.compile(r"majority|[1-9]\d{0,9}|(?!(?i:majority)$)[A-Za-z_].*"), "w"),
    (_TEXT, "appName authSource proxyHost proxyPassword proxyUsername replicaSet"),
    (_TEXT, "srvServiceName tlsCAFile tlsCertificateKeyFile tlsCertificateKeyFilePassword"),
)
KNOWN: Mapping[str, tuple[str, re.Pattern[str]]] = {
    name.lower(): (name, values) for values, names in _NAMES for name in names.split()
}
"""The options of the specifications by their names in lower case, and the values that each may have."""

REPEATABLE = frozenset({"readpreferencetags"})
_PADDING = re.compile(r"\A\+?[0_]*(?=\d)")
"""What drivers read over in a number: they take w=00 for w=0."""

_MAX_POOL_SIZE = 100
_NEVER_SHOWN = frozenset(
    {"authmechanismproperties", "proxypassword", "proxyusername", "tlscertificatekeyfilepassword"}
)
_UNENCRYPTED = "Connections would not be encrypted"
_UNCHECKED = "The server's certificate would not be checked in full"
_UNSAFE_WRITES = "A write could be lost though it was acknowledged, or never be acknowledged"
_WEAKENS = {
    ("tls", "false"): _UNENCRYPTED,
    ("ssl", "false"): _UNENCRYPTED,
    ("tlsinsecure", "true"): _UNCHECKED,
    ("tlsallowinvalidcertificates", "true"): _UNCHECKED,
    ("tlsallowinvalidhostnames", "true"): _UNCHECKED,
    ("tlsdisablecertificaterevocationcheck", "true"): _UNCHECKED,
    ("tlsdisableocspendpointcheck", "true"): _UNCHECKED,
    ("w", "0"): _UNSAFE_WRITES,
    ("w", "1"): _UNSAFE_WRITES,
    ("journal", "false"): _UNSAFE_WRITES,
    ("retrywrites", "false"): "A write would fail at every failover",
    ("retryreads", "false"): "A read would fail at every failover",
}
_INSECURE = "tlsinsecure"
_TLS_TOGETHER = (
    (_INSECURE, "tlsallowinvalidcertificates"),
    (_INSECURE, "tlsallowinvalidhostnames"),
    (_INSECURE, "tlsdisableocspendpointcheck"),
    (_INSECURE, "tlsdisablecertificaterevocationcheck"),
    ("tlsallowinvalidcertificates", "tlsdisableocspendpointcheck"),
    ("tlsallowinvalidcertificates", "tlsdisablecertificaterevocationcheck"),
    ("tlsdisableocspendpointcheck", "tlsdisablecertificaterevocationcheck"),
)
"""Pairs that the URI-options specification forbids, whatever their values are."""


@dataclass(frozen=True)
class Login:
    """What a connection string says of the login, besides its options."""

    user: bool
    password: bool


def shown(name: str) -> bool:
    """Whether an option's value may be repeated in a message or a report."""
    return name.lower() in KNOWN and name.lower() not in _NEVER_SHOWN


def contradiction(hosts: int, login: Login, options: Options, *, srv: bool) -> str:
    """Say why a driver refuses these options together, "" when it does not. Quotes nothing of the string."""
    given = {name.lower(): unquote(value) for name, value in options}
    names = [name.lower() for name, _ in options if name.lower().startswith("proxy")]
    if len(set(names)) < len(names):
        return "a proxy's option is given more than once"
    return next(_contradictions(hosts, given, srv=srv), "") or next(_login_faults(login, given), "")


def judge_options(options: Options) -> tuple[Finding, ...]:
    """Findings about single options: bad where one weakens the connection, unknown where it is not understood."""
    return tuple(_judged(options))


def _judged(options: Options) -> Iterator[Finding]:
    values: dict[str, set[str]] = {}
    for name, raw in options:
        values.setdefault(name.lower(), set()).add(unquote(raw))
    for key, found in values.items():
        name, form = KNOWN.get(key, ("", _TEXT))
        if not name:
            yield _unknown(
                "an option", "is in no specification of connection strings that is known here", "Remove it."
            )
            continue
        if len(found) > 1 and key not in REPEATABLE:
            yield _unknown(name, "is given more than once with different values", "Keep one.")
        for value in sorted(found):
            plain = _PADDING.sub("", value.lower())
            weakened = _WEAKENS.get((key, plain))
            if weakened:
                text = f"the option {name}={plain} weakens the connection"
                yield Finding(
                    Status.BAD, name, text, f"{weakened}: remove the option and write the secret anew."
                )
            elif not form.fullmatch(value):
                yield _unknown(
                    name, "has a value that drivers ignore or servers refuse", "Correct or remove it."
                )
    yield from _unusable_together({key: max(found) for key, found in values.items()})


def _unusable_together(given: Mapping[str, str]) -> Iterator[Finding]:
    """Options with which drivers refuse the whole string, although each has a value of its own kind."""
    least, most = (
        int(given[name]) if _NUMBER.fullmatch(given.get(name, "")) else usual
        for name, usual in (("minpoolsize", 0), ("maxpoolsize", _MAX_POOL_SIZE))
    )
    if least > most > 0:
        yield _unknown("minPoolSize", "is above maxPoolSize, which drivers refuse", "Correct either.")
    if given.get("readpreference", "primary") == "primary":
        for key in ("maxstalenessseconds", "readpreferencetags"):
            if given.get(key, "") not in ("", "-1"):
                problem = "needs a readPreference other than primary; drivers refuse it otherwise"
                yield _unknown(KNOWN[key][0], problem, "Set readPreference, or remove it.")


def _unknown(name: str, problem: str, remedy: str) -> Finding:
    text = f"the option {name} {problem}" if name != "an option" else f"{name} {problem}"
    return Finding(Status.UNKNOWN, name, text, remedy)


def _contradictions(hosts: int, given: Mapping[str, str], *, srv: bool) -> Iterator[str]:
    if "tls" in given and "ssl" in given and given["tls"] != given["ssl"]:
        yield "tls and ssl contradict each other"
    for one, other in _TLS_TOGETHER:
        if one in given and other in given:
            yield f"{KNOWN[one][0]} and {KNOWN[other][0]} exclude each other"
    balanced, direct = given.get("loadbalanced") == "true", given.get("directconnection") == "true"
    limit = given.get("srvmaxhosts", "0")
    limited = srv and limit != "0" and _NUMBER.fullmatch(limit)
    if direct and (hosts > 1 or srv):
        yield "directConnection with more than one host, or with SRV"
    if balanced and (hosts > 1 or direct or "replicaset" in given or limited):
        yield "loadBalanced with several hosts, directConnection, replicaSet or srvMaxHosts"
    if not srv and {"srvservicename", "srvmaxhosts"} & given.keys():
        yield "an SRV option in a string without SRV"
    if limited and "replicaset" in given:
        yield "srvMaxHosts with replicaSet"
    if given.get("proxyhost") is None and {"proxyport", "proxyusername", "proxypassword"} & given.keys():
        yield "a proxy's option without proxyHost"
    if ("proxyusername" in given) != ("proxypassword" in given):
        yield "proxyUsername and proxyPassword go together"


def _login_faults(login: Login, given: Mapping[str, str]) -> Iterator[str]:
    mechanism, source = given.get("authmechanism", "DEFAULT"), given.get("authsource", "$external")
    if mechanism not in _MECHANISMS:
        yield "authMechanism is none that MongoDB has"
    if "authsource" in given and not given["authsource"]:
        yield "authSource is empty"
    match mechanism:
        case "SCRAM-SHA-1" | "SCRAM-SHA-256" | "MONGODB-CR" | "PLAIN" | "GSSAPI" if not login.user:
            yield f"{mechanism} without a user"
        case "MONGODB-X509" | "MONGODB-OIDC" if login.password:
            yield f"{mechanism} with a password"
        case "MONGODB-AWS" if login.user and not login.password:
            yield "MONGODB-AWS with a user and no password"
    if mechanism in ("GSSAPI", "MONGODB-X509", "MONGODB-AWS", "MONGODB-OIDC") and source != "$external":
        yield f"{mechanism} with an authSource other than $external"
    yield from _property_faults(mechanism, login, _properties(given.get("authmechanismproperties", "")))


def _properties(text: str) -> dict[str, str]:
    pairs = (each.partition(":") for each in text.split(",") if ":" in each)
    return {key: value for key, _, value in pairs}


def _property_faults(mechanism: str, login: Login, properties: Mapping[str, str]) -> Iterator[str]:
    canonical = properties.get("CANONICALIZE_HOST_NAME", "none")
    if mechanism == "GSSAPI" and canonical not in ("none", "forward", "forwardAndReverse", "true", "false"):
        yield "GSSAPI with a CANONICALIZE_HOST_NAME that it does not know"
    if mechanism == "MONGODB-AWS" and "AWS_SESSION_TOKEN" in properties and not login.user:
        yield "MONGODB-AWS with a session token and no user"
    if mechanism != "MONGODB-OIDC":
        return
    environment, resource = properties.get("ENVIRONMENT"), "TOKEN_RESOURCE" in properties
    if environment not in ("test", "azure", "gcp", "k8s"):
        yield "MONGODB-OIDC without an ENVIRONMENT that it knows"
    if resource != (environment in ("azure", "gcp")):
        yield "MONGODB-OIDC with ENVIRONMENT and TOKEN_RESOURCE that do not go together"
    if login.user and environment != "azure":
        yield "MONGODB-OIDC with a user that its ENVIRONMENT does not take"
