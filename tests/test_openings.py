"""The first word of an answer to a yes-or-no question."""

import pytest

from assistant.writing.openings import opening_of
from assistant.writing.templates import Sayings

SAYINGS = Sayings.load_all()


@pytest.mark.parametrize(
    ("question", "verdict", "said"),
    [
        ("is it free?", "yes", "Yes."),
        ("do i have to pay", "no", "No."),
        ("can I open one", "depends", "It depends."),
    ],
)
def test_english(question, verdict, said):
    assert opening_of(question, verdict, SAYINGS["en"].openings) == said


@pytest.mark.parametrize(
    ("question", "yes", "no"),
    [
        ("存支票要手续费吗", "需要。", "不需要。"),
        ("补卡要不要钱", "需要。", "不需要。"),
        ("可以在手机上办吗？", "可以。", "不可以。"),
        ("我16岁能开户不", "可以。", "不可以。"),
        ("这样行吗", "可以。", "不可以。"),
        ("周末会到账吗", "会。", "不会。"),
        ("你们有没有网点", "有。", "没有。"),
        ("取现收费吗", "收。", "不收。"),
        ("这个是免费的吧", "是的。", "不是。"),
        ("不用交钱吗", "是的。", "不是。"),
        ("不能提前还吗", "是的。", "不是。"),
        ("没有年费吧？", "是的。", "不是。"),
        ("节假日照常吗", "是的。", "不是。"),
    ],
)
def test_chinese_repeats_the_verb_but_not_a_negated_one(question, yes, no):
    openings = SAYINGS["zh"].openings
    assert opening_of(question, "yes", openings) == yes
    assert opening_of(question, "no", openings) == no


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_last_opening_fits_everything(lang):
    assert opening_of("…", "depends", SAYINGS[lang].openings)
