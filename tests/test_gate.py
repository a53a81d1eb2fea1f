"""The bound on turns at a time: order, refusals, deadlines, places given back."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from assistant.web.gate import FullError, Gate


def held(gate, release, order=None, name=None):
    with gate.turn():
        if order is not None:
            order.append(name)
        assert release.wait(10)


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_no_more_than_allowed_run_and_wait():
    gate, release = Gate(2, 3, deadline=10), threading.Event()
    with ThreadPoolExecutor(5) as pool:
        turns = [pool.submit(held, gate, release) for _ in range(5)]
        until(lambda: (gate.running, gate.waiting) == (2, 3))
        start = time.monotonic()
        with pytest.raises(FullError, match="Too many questions at once") as refused, gate.turn():
            pass
        assert time.monotonic() - start < 1
        assert refused.value.retry_after >= 1
        release.set()
        for turn in turns:
            turn.result(10)
    assert (gate.running, gate.waiting) == (0, 0)


def test_first_come_first_served():
    gate, order = Gate(1, 9, deadline=10), []
    first = threading.Event()
    with ThreadPoolExecutor(6) as pool:
        pool.submit(held, gate, first, order, 0)
        until(lambda: gate.running == 1)
        for name in range(1, 6):
            pool.submit(held, gate, first, order, name)
            until(lambda n=name: gate.waiting == n)
        first.set()
    assert order == [0, 1, 2, 3, 4, 5]


def test_nobody_waits_longer_than_the_deadline():
    gate, release = Gate(1, 5, deadline=0.05), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(held, gate, release)
        until(lambda: gate.running == 1)
        with pytest.raises(FullError), gate.turn():
            pass
        assert gate.waiting == 0
        release.set()


def test_a_turn_that_fails_gives_its_place_back():
    gate = Gate(1, 0, deadline=1)
    for _ in range(3):
        with pytest.raises(ValueError, match="x"), gate.turn():
            raise ValueError("x")
    assert gate.running == 0
