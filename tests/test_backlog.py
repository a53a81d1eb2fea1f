"""Work in the background: order, bounds, errors."""

import threading
import time

from assistant.web.backlog import Backlog


def until(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_work_of_a_line_is_done_in_its_order_and_lines_beside_each_other():
    backlog, release, done = Backlog(2, 10), threading.Event(), []

    def first():
        assert release.wait(10)
        done.append("first")

    assert backlog.add("a", first)
    for name in ("second", "third"):
        assert backlog.add("a", lambda name=name: done.append(name))
    assert backlog.add("b", lambda: done.append("other"))
    until(lambda: done == ["other"])
    release.set()
    until(lambda: done == ["other", "first", "second", "third"])
    assert backlog.add("a", lambda: done.append("fourth"))
    until(lambda: done[-1] == "fourth")


def test_there_is_room_for_so_much_alone():
    backlog, release = Backlog(1, 2), threading.Event()
    assert backlog.add("a", lambda: release.wait(10))
    assert backlog.add("b", lambda: None)
    assert not backlog.add("b", lambda: None)
    assert not backlog.add("c", lambda: None)
    release.set()
    until(lambda: backlog.add("c", lambda: None))


def test_one_can_wait_for_the_end():
    backlog, release = Backlog(1, 2), threading.Event()
    assert backlog.wait(0)
    backlog.add("a", lambda: release.wait(10))
    assert not backlog.wait(0.02)
    release.set()
    assert backlog.wait(10)


def test_an_error_ends_neither_its_line_nor_the_room_for_it(caplog):
    backlog, done = Backlog(1, 1), []

    def fail():
        raise RuntimeError("broken")

    for _ in range(3):
        until(lambda: backlog.add("a", fail))
    until(lambda: backlog.add("a", lambda: done.append(1)))
    until(lambda: done)
    assert caplog.text.count("work in the background failed") == 3
