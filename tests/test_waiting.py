"""Background work stands still while a customer waits, and goes on afterwards."""

import threading
from types import SimpleNamespace

import pytest

from assistant.assistant import Assistant
from assistant.cores import Cores
from assistant.errors import InvalidMessageError
from assistant.waiting import Waiting

# How long a thread may take to get somewhere, and how long it is watched standing still.
LIMIT, WATCHED = 10, 0.05


class Work:
    """Goes on as soon as nobody waits."""

    def __init__(self, waiting):
        self._thread = threading.Thread(target=waiting.until_none, daemon=True)
        self._thread.start()

    def stands_still(self):
        self._thread.join(WATCHED)
        return self._thread.is_alive()

    def went_on(self):
        self._thread.join(LIMIT)
        return not self._thread.is_alive()


def test_work_goes_on_where_nobody_waits():
    assert Work(Waiting()).went_on()


def test_work_stands_still_until_the_last_customer_has_a_reply():
    waiting = Waiting()
    with waiting.one():
        with waiting.one():
            work = Work(waiting)
            assert work.stands_still()
        assert work.stands_still(), "the other one still waits"
    assert work.went_on()


def test_all_work_goes_on():
    waiting = Waiting()
    with waiting.one():
        several = [Work(waiting) for _ in range(3)]
        assert all(work.stands_still() for work in several)
    assert all(work.went_on() for work in several)


def test_a_customer_whose_reply_failed_waits_no_more():
    waiting = Waiting()
    with pytest.raises(ZeroDivisionError), waiting.one():
        raise ZeroDivisionError
    assert Work(waiting).went_on()


class Slow(Assistant):
    """Says two words, and stops at none."""

    def __init__(self):
        self.waiting, self._cores = Waiting(), Cores()

    def consider(self, question, history=()):
        if not question:
            raise InvalidMessageError("found an empty one", "empty")
        return SimpleNamespace(route=SimpleNamespace(action=None))

    @property
    def responder(self):
        return self

    def respond(self, findings, strategy):
        del findings, strategy
        yield from ("one", "two")


def test_a_customer_waits_from_the_message_to_the_end_of_the_reply():
    assistant = Slow()
    stream = assistant.stream("hi")
    assert Work(assistant.waiting).went_on(), "nobody has asked for the first word yet"
    assert next(stream) == "one"
    work = Work(assistant.waiting)
    assert work.stands_still()
    assert list(stream) == ["two"]
    assert work.went_on()


def test_a_customer_who_leaves_waits_no_more():
    assistant = Slow()
    stream = assistant.stream("hi")
    next(stream)
    work = Work(assistant.waiting)
    assert work.stands_still()
    stream.close()
    assert work.went_on()


def test_a_message_that_is_refused_leaves_nobody_waiting():
    assistant = Slow()
    with pytest.raises(InvalidMessageError):
        next(assistant.stream(""))
    assert Work(assistant.waiting).went_on()
