"""Traditional Chinese is understood as if it were Simplified."""

import pytest

from assistant.message.simplified import simplified
from assistant.messages import Action


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我的卡丟了怎麼辦？", "我的卡丢了怎么办？"),
        ("幫我轉帳到國外帳戶", "帮我转账到国外账户"),
        ("帳篷和蚊帳", "帐篷和蚊帐"),
        ("我的卡丢了，著名的干杯", "我的卡丢了，著名的干杯"),
        ("how much is a card?", "how much is a card?"),
        ("", ""),
    ],
)
def test_simplified(text, expected):
    assert simplified(text) == expected


@pytest.mark.parametrize(
    ("traditional", "simple"),
    [
        ("補辦銀行卡要多少錢？", "补办银行卡要多少钱？"),
        ("國外取現手續費是多少", "国外取现手续费是多少"),
    ],
)
def test_both_ways_of_writing_get_the_same_answer(bank, traditional, simple):
    reply = bank.reply(traditional)
    assert reply.action is Action.ANSWER
    assert reply.text == bank.reply(simple).text


def test_a_later_message_may_be_traditional_too(bank):
    first = bank.reply("我的卡丟了")
    history = [_said("我的卡丟了"), first.message()]
    plain = [_said("我的卡丢了"), first.message()]
    assert (
        bank.reply("補一張要多少錢？", history).text == bank.reply("补一张要多少钱？", plain).text
    )


def _said(text):
    from assistant.messages import Message

    return Message("user", text)
