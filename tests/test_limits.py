"""Who asks too often is refused at once, with the time after which to try again."""

import pytest

from assistant.web.access import Caller
from assistant.web.limits import Limits, TooOftenError, network

SHOP, CRM = (Caller("program", ("chat",), name) for name in ("shop", "crm"))


def refused(limits, caller, address, count):
    """Return how many of some turns are refused."""
    waits = []
    for _ in range(count):
        try:
            limits.take_turn(caller, address)
        except TooOftenError as error:
            waits.append(error.retry_after)
    assert all(0 < wait <= 60 for wait in waits)
    return len(waits)


def test_a_key_has_its_own_turns_wherever_it_calls_from():
    limits = Limits(3)
    assert refused(limits, SHOP, "203.0.113.7", 3) == 0
    assert refused(limits, SHOP, "203.0.113.8", 2) == 2
    assert refused(limits, CRM, "203.0.113.7", 3) == 0


def test_visitors_and_customers_are_counted_by_address():
    limits = Limits(3)
    customer = Caller("customer", ("chat",), conversation="a" * 32)
    assert (
        refused(limits, None, "203.0.113.7", 2) + refused(limits, customer, "203.0.113.7", 2) == 1
    )
    assert refused(limits, None, "203.0.113.8", 3) == 0


def test_this_machine_is_not_counted():
    assert refused(Limits(1), Caller("local", ("chat",)), "127.0.0.1", 50) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("203.0.113.7", "203.0.113.8", False),
        ("unix", "unix", True),
    ],
)
def test_an_address_stands_for_the_network_that_one_customer_has(one, other, same):
    assert (network(one) == network(other)) == same
