"""The random provider and what all providers answer alike."""

from collections.abc import Iterator

import bcrypt
import grpc
import pytest
from google.protobuf import empty_pb2
from providers_client import ProviderClient, urn
from pulumi.runtime.proto import plugin_pb2, provider_pb2

from sandbox.providers import serve
from sandbox.providers.protocol import to_struct
from sandbox.values import UNKNOWN, Secret, bare

PASSWORD = "random:index/randomPassword:RandomPassword"


@pytest.fixture(scope="module")
def random() -> Iterator[ProviderClient]:
    servers = serve({})
    client = ProviderClient(servers.ports["random"])
    client.configure()
    yield client
    client.close()
    servers.stop()


def test_a_password_has_its_length_and_only_letters_and_digits(random):
    identity, _, state = random.made(PASSWORD, {"length": 32, "special": False})
    result = bare(state["result"])
    assert ("none", 32, True) == (identity, len(result), result.isalnum())


def test_result_and_hash_are_secret_and_belong_together(random):
    _, _, state = random.made(PASSWORD, {"length": 32, "special": False})
    assert isinstance(state["result"], Secret)
    assert isinstance(state["bcryptHash"], Secret)
    assert bcrypt.checkpw(bare(state["result"]).encode(), bare(state["bcryptHash"]).encode())


def test_the_preview_of_a_password_knows_its_options_but_not_its_result(random):
    _, planned = random.create(PASSWORD, random.check(PASSWORD, {"length": 32}), preview=True)
    assert (True, 32) == (planned["special"], planned["length"])
    assert Secret(UNKNOWN) == planned["result"]


@pytest.mark.parametrize("change", [{"length": 33}, {"special": True}])
def test_every_input_replaces_a_password(random, change):
    identity, inputs, state = random.made(PASSWORD, {"length": 32, "special": False})
    assert list(change) == random.replaced(PASSWORD, identity, bare(state), {**inputs, **change})


@pytest.mark.parametrize(
    ("given", "wrong"), [({"length": 0}, "length"), ({"length": 8, "minUpper": 3}, "minUpper")]
)
def test_no_length_and_options_that_are_not_served_fail_the_check(random, given, wrong):
    assert [wrong] == list(random.failures(PASSWORD, given))


def test_a_type_that_is_not_served_is_named(random):
    with pytest.raises(grpc.RpcError) as refused:
        random.check("random:index/randomPet:RandomPet", {})
    assert "random:index/randomPet:RandomPet is not served" in refused.value.details()


def test_a_setting_that_is_not_understood_is_named(random):
    request = provider_pb2.CheckRequest(
        urn=urn("pulumi:providers:random"), news=to_struct({"colour": "blue", "version": "4.21.4"})
    )
    assert ["colour"] == [one.property for one in random.call("CheckConfig", request).failures]


def test_what_an_engine_asks_before_anything_else_is_answered(random):
    handshake = random.call("Handshake", provider_pb2.ProviderHandshakeRequest(engine_address="127.0.0.1:1"))
    random.call("Attach", plugin_pb2.PluginAttach(address="127.0.0.1:1"))
    random.call("Cancel", empty_pb2.Empty())
    assert handshake.accept_secrets
    assert "4.21.4" == random.call("GetPluginInfo", empty_pb2.Empty()).version


def test_a_method_that_is_not_served_answers_unimplemented(random):
    with pytest.raises(grpc.RpcError) as refused:
        random.call("GetSchema", provider_pb2.GetSchemaRequest())
    assert grpc.StatusCode.UNIMPLEMENTED == refused.value.code()


def test_a_provider_must_be_configured_first():
    servers = serve({})
    client = ProviderClient(servers.ports["random"])
    with pytest.raises(grpc.RpcError) as refused:
        client.check(PASSWORD, {"length": 32})
    client.close()
    servers.stop()
    assert "has not been configured" in refused.value.details()
