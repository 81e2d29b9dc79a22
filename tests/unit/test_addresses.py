"""Which of a cluster's addresses is taken, and that none is taken in another's place."""

import pytest

from atlas_access.base.addresses import (
    Address,
    AddressForm,
    AddressMissing,
    ClusterAddresses,
    PrivateEndpoint,
)

FULL = ClusterAddresses(
    cluster="c",
    standard="mongodb://a:1/",
    srv="mongodb+srv://a.example.com",
    private_endpoints=(PrivateEndpoint("mongodb://p:1/", "mongodb+srv://p.example.com"),),
)


@pytest.mark.parametrize(
    ("address", "form", "expected"),
    [
        (Address.PUBLIC, AddressForm.SRV, "mongodb+srv://a.example.com"),
        (Address.PUBLIC, AddressForm.STANDARD, "mongodb://a:1/"),
        (Address.PRIVATE, AddressForm.SRV, "mongodb+srv://p.example.com"),
        (Address.PRIVATE, AddressForm.STANDARD, "mongodb://p:1/"),
    ],
)
def test_address_and_form_are_those_asked_for(address: Address, form: AddressForm, expected: str) -> None:
    assert FULL.base(address, form) == expected


@pytest.mark.parametrize("form", list(AddressForm))
def test_a_missing_private_endpoint_never_falls_back_to_the_public_address(form: AddressForm) -> None:
    """That silence is ENG-271."""
    public_only = ClusterAddresses("c", FULL.standard, FULL.srv, ())
    with pytest.raises(AddressMissing, match=r"has no .* connection string for its private endpoint"):
        public_only.base(Address.PRIVATE, form)


def test_two_private_endpoints_are_not_chosen_between() -> None:
    """A guess would bind a task to a network that it may not reach."""
    two = ClusterAddresses("c", "", "", FULL.private_endpoints * 2)
    with pytest.raises(AddressMissing, match="has 2 private endpoints"):
        two.base(Address.PRIVATE, AddressForm.SRV)
