"""In sandbox mode every address that is not plainly loopback is refused before anything is sent."""

import pytest
from hypothesis import given, settings, strategies as st

from atlas_access.base.connection import ConnectionString
from atlas_access.base.endpoints import EndpointRefused, Endpoints, is_loopback

SANDBOX = {
    "ATLAS_ACCESS_SANDBOX": "1",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:5001",
    "MONGODB_ATLAS_BASE_URL": "http://127.0.0.1:5002/",
    "ATLAS_ACCESS_SMOKE_URL": "http://127.0.0.1:5003",
    "ATLAS_ACCESS_CONTACTS_URL": "http://127.0.0.1:5006",
    "GITHUB_API_URL": "http://127.0.0.1:5007",
    "ATLAS_ACCESS_ADDRESS_FORM": "standard",
}
OVERLAY = [name for name in SANDBOX if name.endswith("URL")]


def sandbox() -> Endpoints:
    return Endpoints.from_environment(SANDBOX)


def test_the_overlay_is_read_from_the_environment():
    endpoints = sandbox()
    assert (True, "http://127.0.0.1:5001", "http://127.0.0.1:5002/", "standard") == (
        endpoints.sandbox,
        endpoints.aws,
        endpoints.atlas,
        endpoints.address_form,
    )


def test_without_an_overlay_the_real_addresses_hold():
    assert Endpoints() == Endpoints.from_environment({})
    assert ("https://cloud.mongodb.com/", None, "https://api.github.com", None) == (
        Endpoints().atlas,
        Endpoints().contacts,
        Endpoints().github,
        Endpoints().aws,
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://secretsmanager.us-east-1.amazonaws.com/",
        "https://cloud.mongodb.com/api/atlas/v2/groups",
        "https://stage.askflorence.example/api/plans",
        "https://api.hubapi.com/crm/v3/objects/contacts",
        "https://api.github.com/repos/x/y/issues",
    ],
)
def test_every_kind_of_real_address_is_refused_in_the_sandbox(url):
    with pytest.raises(EndpointRefused, match="is not loopback; nothing was sent"):
        sandbox().permit(url)
    assert url == Endpoints().permit(url)


@pytest.mark.parametrize("variable", OVERLAY)
@pytest.mark.parametrize(
    "value", ["", "https://api.example.com", "http://127.0.0.1.evil.example/", "ftp://127.0.0.1/"]
)
def test_each_address_must_be_given_and_loopback(variable, value):
    with pytest.raises(EndpointRefused, match=variable):
        Endpoints.from_environment({**SANDBOX, variable: value})


def test_all_faults_are_reported_at_once():
    with pytest.raises(EndpointRefused) as caught:
        Endpoints.from_environment({"ATLAS_ACCESS_SANDBOX": "true", "ATLAS_ACCESS_ADDRESS_FORM": "dns"})
    assert all(variable in str(caught.value) for variable in [*OVERLAY, "ATLAS_ACCESS_ADDRESS_FORM"])


def test_an_address_for_one_aws_service_counts_too():
    with pytest.raises(EndpointRefused, match="AWS_ENDPOINT_URL_ECS"):
        Endpoints.from_environment({**SANDBOX, "AWS_ENDPOINT_URL_ECS": "https://ecs.us-east-1.amazonaws.com"})


def test_a_switch_that_is_neither_on_nor_off_is_refused():
    with pytest.raises(EndpointRefused, match="neither 1 nor 0"):
        Endpoints.from_environment({"ATLAS_ACCESS_SANDBOX": "sandbox"})
    assert not Endpoints.from_environment({"ATLAS_ACCESS_SANDBOX": "0"}).sandbox


def test_plain_http_to_another_machine_is_refused_outside_the_sandbox_too():
    with pytest.raises(EndpointRefused, match="MONGODB_ATLAS_BASE_URL: plain http"):
        Endpoints.from_environment({"MONGODB_ATLAS_BASE_URL": "http://atlas.example.com/"})


LOOPBACK = ["127.0.0.1", "127.255.255.254", "127.1.2.3", "localhost", "LOCALHOST"]
LOOPBACK += ["::1", "[::1]", "[0:0:0:0:0:0:0:1]"]
NOT_LOOPBACK = [
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "evil-localhost",
    "127.0.0.1.",
    "localhost.",
    "0.0.0.0",  # noqa: S104 - a host that must be refused
    "0",
    "127.1",
    "127.0.1",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "127.0.0.01",
    "127.0.0.256",
    "128.0.0.1",
    "10.0.0.1",
    "169.254.169.254",
    "::",
    "[::]",
    "[::2]",
    "[::ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[fe80::1%lo]",
    "[127.0.0.1]",
    "1.0.0.127.in-addr.arpa",
    "\u0661\u0662\u0667.0.0.1",
    "127。0。0。1",
    "loca\u200blhost",
    "",
]


@pytest.mark.parametrize("host", LOOPBACK)
def test_loopback_is_known(host):
    assert is_loopback(host)


@pytest.mark.parametrize("host", NOT_LOOPBACK)
def test_what_only_looks_like_loopback_is_not(host):
    assert not is_loopback(host)


@pytest.mark.parametrize("host", [host for host in NOT_LOOPBACK if host])
def test_a_tricky_host_is_refused_in_a_url_and_in_a_list_of_hosts(host):
    with pytest.raises(EndpointRefused):
        sandbox().permit(f"http://{host}:80/")
    with pytest.raises(EndpointRefused):
        sandbox().permit_hosts(["127.0.0.1:27017", f"{host}:27017"])


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_loopback_passes_with_and_without_a_port(host):
    assert f"http://{host}:65535/a?b=c" == sandbox().permit(f"http://{host}:65535/a?b=c")
    assert f"https://{host}" == sandbox().permit(f"https://{host}")
    assert (host, f"{host}:27017") == sandbox().permit_hosts([host, f"{host}:27017"])


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1@evil.example/",
        "http://127.0.0.1:80@evil.example/",
        "http://evil.example@127.0.0.1/",
        "http://127.0.0.1\\@evil.example/",
        "http://127.0.0.1/\\evil.example",
        "http://127.0.0.1 .evil.example/",
        "http://127.0.0.1\t/",
        "http://127.0.0.1\n/",
        " http://127.0.0.1/",
        "//127.0.0.1/",
        "http:/127.0.0.1/",
        "http:///127.0.0.1/",
        "127.0.0.1:80",
        "file:///etc/hosts",
        "ws://127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:8o/",
        "http://127.0.0.1:/",
        "http://%31%32%37.0.0.1/",
        "http://[::1/",
        "http://\u24db\u24de\u24d2alhost/",
        "",
    ],
)
def test_a_url_that_two_parsers_could_read_differently_is_refused(url):
    for endpoints in (sandbox(), Endpoints()):
        with pytest.raises(EndpointRefused):
            endpoints.permit(url)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_no_text_gets_past_the_sandbox_but_loopback(text):
    for url in (text, f"http://{text}", f"http://127.0.0.1{text}", f"http://{text}@127.0.0.1/"):
        try:
            sandbox_only.permit(url)
        except EndpointRefused:
            continue
        host = url.split("://")[1].split("/")[0].split("?")[0].split("#")[0]
        assert is_loopback(host.rsplit(":", 1)[0] if not host.endswith("]") and ":" in host else host)


sandbox_only = sandbox()


def test_mongodb_hosts_are_refused_unless_loopback():
    with pytest.raises(EndpointRefused, match=r"cluster\.example\.net is not loopback"):
        sandbox().permit_hosts(["cluster.example.net:27017"])
    with pytest.raises(EndpointRefused, match="no host"):
        sandbox().permit_hosts([])
    assert ("cluster.example.net:27017",) == Endpoints().permit_hosts(["cluster.example.net:27017"])


@pytest.mark.parametrize(
    "text",
    [
        "mongodb+srv://u:p@cluster.example.net/db",
        "mongodb+srv://u:p@a.b.localhost/db",
        "mongodb://u:p@127.0.0.1:1,cluster.example.net:27017/db",
        "mongodb://u:p@127.0.0.1:1/db?proxyHost=evil.example",
        "mongodb://u:p@127.0.0.1:1/db?authMechanism=MONGODB-AWS",
    ],
)
def test_a_connection_that_would_leave_the_machine_is_refused(text):
    connection = ConnectionString.parse(text)
    with pytest.raises(EndpointRefused) as caught:
        sandbox().permit_connection(connection)
    assert "u:p" not in str(caught.value)
    assert connection is Endpoints().permit_connection(connection)


def test_a_loopback_connection_is_permitted():
    connection = ConnectionString.parse("mongodb://u:p@127.0.0.1:27017/db?authMechanism=SCRAM-SHA-256")
    assert connection is sandbox().permit_connection(connection)
