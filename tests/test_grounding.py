"""A sentence passes only if a span of one passage supports it."""

from pathlib import Path

import pytest
import yaml

from assistant.grounding.claims import are_among, values
from assistant.grounding.grounder import Grounder, figures
from knowledge.documents import Hit, Passage

DATA = Path(__file__).parent.parent / "tuning" / "data"

EN = (
    "A replacement costs £5 and arrives within 5 working days. With express delivery it costs £15 "
    "in all and arrives within 2 working days. American Express is not accepted. Chat is open "
    "from 08:00 to 22:00. Call +44 20 7946 0123."
)
ZH = "补卡收费 5 英镑，5 个工作日内送达。加急共收 15 英镑，2 个工作日内送达。不接受美国运通卡。"
HITS = [
    Hit(Passage("replace", "en", "Replace", "", EN, 0, len(EN)), 0.9),
    Hit(Passage("replace", "zh", "补卡", "", ZH, 0, len(ZH)), 0.9),
]


@pytest.mark.parametrize(
    ("sentence", "quote"),
    [
        ("A replacement costs £5.", "A replacement costs £5 and arrives within 5 working days."),
        (
            "A replacement costs 5 pounds.",
            "A replacement costs £5 and arrives within 5 working days.",
        ),
        (
            "Express delivery costs £15 and arrives within two working days.",
            "With express delivery it costs £15 in all and arrives within 2 working days.",
        ),
        ("American Express isn't accepted.", "American Express is not accepted."),
        ("补卡收费 5 英镑。", "补卡收费 5 英镑，5 个工作日内送达。"),
        ("补卡收费五英镑。", "补卡收费 5 英镑，5 个工作日内送达。"),
    ],
)
def test_supported(sentence, quote):
    support = Grounder().check(sentence, HITS)
    assert support is not None
    assert support.span.of(support.passage.text) == quote


@pytest.mark.parametrize(
    "sentence",
    [
        "A replacement costs £6.",  # another amount
        "A replacement costs $5.",  # another currency
        "A replacement costs 5 % extra.",  # another unit
        "A replacement arrives within 3 working days.",
        "A replacement costs six pounds.",  # another amount in words
        "A replacement costs £5 and chat is open from 08:00.",  # two separate spans
        "American Express is accepted.",  # the opposite
        "Maestro is not accepted.",  # another name
        "Call +44 20 7946 0999.",
        "I have refunded you £5.",  # a promise
        "We will send you a replacement within 5 working days.",  # a promise
        "Our cards are made of recycled plastic.",  # not in any passage
        "补卡收费 6 英镑。",
        "补卡收费六英镑。",
        "补卡收费 5 美元。",
        "补卡收费 5 元。",
        "接受美国运通卡。",
        "我已经为您退款 5 英镑。",
        "It is.",  # claims nothing
    ],
)
def test_unsupported(sentence):
    assert Grounder().check(sentence, HITS) is None


@pytest.mark.parametrize(
    ("lang", "before", "sentence"),
    [
        ("en", "Tell us. ", "We freeze the card for you."),
        ("zh", "请告诉我们。", "我们会冻结这张卡。"),
    ],
)
def test_a_promise_passes_if_an_article_has_the_same_words(lang, before, sentence):
    text = before + sentence
    hits = [Hit(Passage("a", lang, "", "", text, 0, len(text)), 1.0)]
    support = Grounder().check(sentence, hits)
    assert support is not None
    assert support.span.of(text) == sentence


def test_without_hits_there_is_no_support():
    assert Grounder().check("A replacement costs £5.", []) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("£1,000 or 1000 pounds", {"1000", "pounds"}),
        ("2 % and 0.5%", {"2%", "0.5%"}),
        ("from 08:00", {"08:00"}),
        ("two of three", {"2", "3"}),
        ("一个账户，十二个月，两张卡", {"12", "2"}),
        ("charged twice", set()),
    ],
)
def test_figures(text, expected):
    assert figures(text) == expected


PAIRS = yaml.safe_load((DATA / "grounding_pairs.yml").read_text("utf-8"))


def _passed(entry, claims):
    text = entry["passage"]
    hits = [Hit(Passage("a", entry["lang"], "", "", text, 0, len(text)), 1.0)]
    return [Grounder().check(claim, hits) is not None for claim in claims]


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_values_keep_their_subject(lang):
    """On adversarial pairs, such as the fee of another product or the hours of another day."""
    entries = [entry for entry in PAIRS if entry["lang"] == lang]
    supported = [p for e in entries for p in _passed(e, e["supported"])]
    unsupported = [p for e in entries for p in _passed(e, e["unsupported"])]
    assert len(supported) + len(unsupported) >= 150
    assert sum(supported) / len(supported) > 0.95
    assert sum(unsupported) / len(unsupported) < 0.05


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("£1,000 a year", {("money", "1000", "pounds")}),
        ("costs 5 euros or 8p", {("money", "5", "euros"), ("money", "8", "pence")}),
        ("2 % within two working days", {("share", "2", "%"), ("duration", "2", "day")}),
        (
            "no fee on Sundays until 9:00",
            {("money", "0", ""), ("weekday", "sun", ""), ("clock", "9:00", "")},
        ),
        ("两个工作日，免费", {("duration", "2", "day"), ("money", "0", "")}),
        ("五十英镑，八点五折", {("money", "50", "pounds")}),
    ],
)
def test_values_have_kinds_and_units(text, expected):
    assert expected <= values(text)


@pytest.mark.parametrize(
    ("claim", "written", "agree"),
    [
        ("输错 3 次后锁定", "连续输错三次后密码会被锁定", True),
        ("输错 3 欧后锁定", "连续输错 3 次后密码会被锁定", False),
        ("3 wrong tries", "3 attempts", True),
        ("after 3", "连续输错 3 次", True),
        ("输错 3 次后锁定", "locked after 3 attempts", True),
        ("打 0551-5550-0199 订轮椅", "拨打 0551-5550-0199 转客服", True),
        ("打 95588 办理", "拨打 95588 转 3", True),
    ],
)
def test_a_chinese_count_keeps_its_measure_word(claim, written, agree):
    assert are_among(values(claim), values(written)) is agree


LIMITS = "| Way | Limit |\n| --- | --- |\n| Card top-up | £2,000 |\n| Cheque by photo | £1,000 |\n"
LIMITS_ZH = (
    "| 方式 | 限额 |\n| --- | --- |\n| 银行卡充值 | 2,000 英镑 |\n| 拍照存支票 | 1,000 英镑 |\n"
)


@pytest.mark.parametrize(
    ("claim", "text", "passes"),
    [
        ("Cheque by photo: Limit £1,000", LIMITS, True),
        ("You can pay in a cheque by photo up to £1,000.", LIMITS, True),
        ("Cheque by photo costs £1,000.", LIMITS, False),
        ("The fee for a cheque by photo is £1,000.", LIMITS, False),
        ("Cheques by photo cost £1,000.", "The limit for cheques by photo is £1,000.", False),
        ("拍照存支票限额 1,000 英镑。", LIMITS_ZH, True),
        ("拍照存支票收费 1,000 英镑。", LIMITS_ZH, False),
    ],
)
def test_a_limit_is_no_price_in_a_table_either(claim, text, passes):
    hit = Hit(Passage("limits", "en", "Limits", "", text, 0, len(text)), 1.0)
    assert bool(Grounder().check(claim, [hit])) == passes
