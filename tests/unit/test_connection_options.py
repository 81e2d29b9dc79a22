"""A connection string is accepted or refused as MongoDB's public specifications say; what weakens it is named."""

import pytest

from atlas_access.base.connection import ConnectionInvalid, ConnectionString
from atlas_access.base.connection_options import judge_options
from atlas_access.base.finding import Status

ACCEPTED = """
mongodb+srv://u:p@host?retryWrites=true
mongodb://h?tls=true
mongodb://u:@h
mongodb://größe.example.com/
mongodb://h/?readPreference=secondary&readPreferenceTags=dc:ny,rack:1&readPreferenceTags=
mongodb://h/?replicaSet=one&replicaSet=one
mongodb://h/?journal=
mongodb://h/?tls=true&ssl=true
mongodb://h/?loadBalanced=true&directConnection=false
mongodb+srv://c.example.com/?srvMaxHosts=0&replicaSet=one
mongodb://h/?proxyHost=p&proxyPort=1080&proxyUsername=u&proxyPassword=p
mongodb://CN%3Dme@h/?authMechanism=MONGODB-X509
mongodb://h/?authMechanism=MONGODB-X509&authSource=$external
mongodb://u%40R@h/?authMechanism=GSSAPI&authMechanismProperties=CANONICALIZE_HOST_NAME:forward
mongodb://u:p@h/?authMechanism=SCRAM-SHA-256&authSource=admin
mongodb://h/?authMechanism=MONGODB-AWS
mongodb://u:p@h/?authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:t
mongodb://h/?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:azure,TOKEN_RESOURCE:mongodb://one%2Ctwo
mongodb://h/?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:k8s
""".strip().splitlines()

REFUSED = """
mongodb://u:p@h/?authMechanism=NONSENSE
mongodb://u:p@h/?authSource=
mongodb://h/?authMechanism=SCRAM-SHA-1
mongodb://h/?authMechanism=PLAIN
mongodb://h/?authMechanism=GSSAPI
mongodb://u@h/?authMechanism=GSSAPI&authSource=other
mongodb://u@h/?authMechanism=GSSAPI&authMechanismProperties=CANONICALIZE_HOST_NAME:maybe
mongodb://u:p@h/?authMechanism=MONGODB-X509
mongodb://u@h/db?authMechanism=MONGODB-X509&authSource=db
mongodb://u@h/?authMechanism=MONGODB-AWS
mongodb://h/?authMechanism=MONGODB-AWS&authMechanismProperties=AWS_SESSION_TOKEN:t
mongodb://h/?authMechanism=MONGODB-OIDC
mongodb://h/?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:gcp
mongodb://u@h/?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:test
mongodb://u:p@h/?authMechanism=MONGODB-OIDC&authMechanismProperties=ENVIRONMENT:azure,TOKEN_RESOURCE:x
mongodb://one,two/?directConnection=true
mongodb://one,two/?loadBalanced=true
mongodb://h/?loadBalanced=true&directConnection=true
mongodb://h/?loadBalanced=true&replicaSet=one
mongodb://h/?srvServiceName=other
mongodb+srv://c.example.com/?srvMaxHosts=2&replicaSet=one
mongodb+srv://c.example.com/?srvMaxHosts=2&loadBalanced=true
mongodb://h/?proxyPort=1080
mongodb://h/?proxyHost=p&proxyUsername=u
mongodb://h/?proxyHost=p&proxyHost=p
mongodb://h/?tls=true&ssl=false
mongodb://h/?tlsInsecure=false&tlsAllowInvalidHostnames=false
mongodb://h/?tlsDisableOCSPEndpointCheck=true&tlsDisableCertificateRevocationCheck=true
mongodb://h/?tlsAllowInvalidCertificates=true&tlsDisableOCSPEndpointCheck=false
""".strip().splitlines()


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_the_specifications_accept_is_read_and_written_back(text: str) -> None:
    again = ConnectionString.parse(ConnectionString.parse(text).reveal())
    assert ConnectionString.parse(text).options == again.options


@pytest.mark.parametrize("text", REFUSED)
def test_what_the_specifications_refuse_is_refused(text: str) -> None:
    with pytest.raises(ConnectionInvalid):
        ConnectionString.parse(text)


def judged(query: str) -> set[tuple[Status, str]]:
    parsed = ConnectionString.parse(f"mongodb://u:p@h/db?{query}")
    return {(each.status, each.subject) for each in judge_options(parsed.options)}


@pytest.mark.parametrize(
    "option",
    [
        *("tls=false", "ssl=false", "tlsInsecure=true", "tlsAllowInvalidCertificates=true", "w=0", "w=1"),
        *("tlsAllowInvalidHostnames=true", "tlsDisableOCSPEndpointCheck=true", "journal=false"),
        *("tlsDisableCertificateRevocationCheck=true", "retryWrites=false", "retryReads=false"),
    ],
)
@pytest.mark.parametrize("write", [str, str.upper])
def test_an_option_that_weakens_the_connection_is_refuted_by_its_name(option: str, write) -> None:
    name, _, value = option.partition("=")
    assert {(Status.BAD, name)} == judged(f"{write(name)}={value}")


@pytest.mark.parametrize("value", ["00", "+0", "%2B1", "01", "0_0"])
def test_a_number_is_read_as_drivers_read_it(value: str) -> None:
    assert {(Status.BAD, "w")} == judged(f"w={value}")


@pytest.mark.parametrize(
    "query",
    [
        *(
            "tls=true",
            "w=majority&retryWrites=true&authSource=admin&replicaSet=a-1",
            "minPoolSize=5&maxPoolSize=0",
        ),
        *(
            "readPreference=secondary&readPreferenceTags=dc:ny&readPreferenceTags=",
            "appName=x%2Cy",
            "w=2",
            "w=custom",
            "w=10&readConcernLevel=majority&heartbeatFrequencyMS=500&minPoolSize=100",
        ),
        *(
            "compressors=zstd,zlib&zlibCompressionLevel=9",
            "readPreference=nearest&maxStalenessSeconds=90",
            "timeoutMS=0",
        ),
    ],
)
def test_an_option_of_the_application_is_left_alone(query: str) -> None:
    assert set() == judged(query)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        *(("nonsense=1", "an option"), ("fsync=true", "an option"), ("tls=maybe", "tls")),
        *(
            ("journal=", "journal"),
            ("maxPoolSize=-1", "maxPoolSize"),
            ("readPreferenceTags=dc", "readPreferenceTags"),
        ),
        *(("replicaSet=a&replicaSet=b", "replicaSet"), ("maxConnecting=0", "maxConnecting")),
        *(("w=-1", "w"), ("w=MAJORITY", "w"), ("w=1.0", "w"), ("readConcernLevel=none", "readConcernLevel")),
        *(("minPoolSize=101", "minPoolSize"), ("maxPoolSize=1&minPoolSize=5", "minPoolSize")),
        *(
            ("heartbeatFrequencyMS=499", "heartbeatFrequencyMS"),
            ("readPreferenceTags=a:b", "readPreferenceTags"),
        ),
        *(("readPreference=secondary&maxStalenessSeconds=89", "maxStalenessSeconds"),),
        *(("maxStalenessSeconds=90", "maxStalenessSeconds"),),
    ],
)
def test_an_option_that_drivers_ignore_or_nobody_knows_is_unknown(query: str, name: str) -> None:
    assert {(Status.UNKNOWN, name)} == judged(query)


def test_an_escaped_comma_keeps_its_meaning() -> None:
    text = "mongodb://u:p@h/db?appName=a%2Cb"
    parsed = ConnectionString.parse(text)
    assert (text, "a,b") == (parsed.reveal(), parsed.option("appName"))


def test_no_secret_in_an_option_is_shown() -> None:
    text = "mongodb://u:p@h/?proxyHost=p&proxyUsername=canary&proxyPassword=canary&canary=canary"
    shown = f"{ConnectionString.parse(text).redacted()} {judge_options(ConnectionString.parse(text).options)}"
    assert 1 == shown.count("canary")
