"""Courtesies around a question are removed, and nothing else is."""

import time

import pytest

from assistant.message.courtesies import without_courtesies


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Hi there, how do i get a card? Thanks in advance!", "how do i get a card?"),
        ("good morning team. my card is lost, please help", "my card is lost"),
        ("Sorry to bother you: what is the daily limit, many thanks, kind regards", "what is the daily limit"),
        ("你好，请问一下补卡要多少钱？谢谢啦", "补卡要多少钱？"),
        ("在吗？麻烦问一下我的工资到了没有，辛苦了", "我的工资到了没有"),
    ],
)  # fmt: skip
def test_courtesies_are_removed_from_both_ends(typed, meant):
    assert without_courtesies(typed) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "thanks", "ok, thanks", "hi, how are you?", "no thank you", "谢谢", "你好", "好的谢谢",
        "thank you for nothing, my card is still blocked", "hidden fees on my card please-pay tag",
        "太麻烦了，我要投诉", "How much is a new card?", "感谢金什么时候到账", "",
    ],
)  # fmt: skip
def test_other_messages_stay_unchanged(typed):
    assert without_courtesies(typed) == typed


@pytest.mark.parametrize("part", ["thanks,,,, ", "谢谢，，", "，", "hi ", "please help "])
def test_a_long_message_takes_no_longer(part):
    """A pattern that can match in many ways would take hours."""
    start = time.perf_counter()
    assert without_courtesies(part * 2000 + "x").endswith("x")
    assert time.perf_counter() - start < 2


def test_courtesies_change_no_reply(bank):
    for plain, wrapped in (
        ("my card was stolen last night", "Good evening, sorry to bother you, {} thank you!"),
        ("我的卡昨晚被偷了", "您好，不好意思打扰了，{}，麻烦您了！"),
    ):
        expected = bank.reply(plain)
        reply = bank.reply(wrapped.format(plain))
        assert (reply.intent, reply.intent_score) == (expected.intent, expected.intent_score)
        assert reply.text == expected.text
