"""When a fault that waits is taken."""

from sandbox.atlas.faults import Fault, Faults


def test_a_fault_is_taken_as_often_as_it_counts() -> None:
    faults = Faults()
    faults.add(Fault(status=500, count=2))
    assert [faults.take("GET", "/x") is not None for _ in range(3)] == [True, True, False]


def test_a_fault_lets_the_first_requests_pass() -> None:
    faults = Faults()
    faults.add(Fault(status=500, skip=2))
    assert [faults.take("GET", "/x") is not None for _ in range(4)] == [False, False, True, False]


def test_a_fault_waits_for_its_method_and_path() -> None:
    faults = Faults()
    faults.add(Fault(method="POST", path="*/databaseUsers"))
    taken = [
        faults.take(*what) is not None for what in (("GET", "/a/databaseUsers"), ("POST", "/a/databaseUsers"))
    ]
    assert taken == [False, True]


def test_the_listing_shows_the_remaining_faults() -> None:
    faults = Faults()
    faults.add(Fault(status=503, count=3))
    faults.take("GET", "/x")
    assert [(f["status"], f["count"]) for f in faults.listing()] == [(503, 2)]


def test_cleared_faults_do_not_happen() -> None:
    faults = Faults()
    faults.add(Fault(status=503))
    faults.clear()
    assert faults.take("GET", "/x") is None
