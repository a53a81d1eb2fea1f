"""Which sentences say nothing by themselves, and which look alike and are answers."""

import pytest

from assistant.evidence.hollow import LABEL_WORDS, is_hollow
from assistant.evidence.ranker import SentenceRanker
from knowledge.documents import Hit, Passage
from knowledge.segmenter import sentences
from tests.fakes import HashEmbedder

QUESTION = {"en": "how do I invite a colleague", "zh": "怎么邀请同事"}


def passage(text, lang="en", title="Your team", heading="Roles > Invite somebody new today"):
    return Passage("team", lang, title, heading, text, 0, len(text))


def told(text, lang="en", question=None, **changed):
    """Return the sentences that say something, and those that are hollow."""
    of = passage(text, lang, **changed)
    asked = QUESTION[lang] if question is None else question
    found = [(span.of(text), is_hollow(span, of, asked)) for span in sentences(text, lang)]
    return [one for one, hollow in found if not hollow], [one for one, hollow in found if hollow]


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "Who can see my data?"),
        ("en", "Can I undo this, please ?"),
        ("zh", "谁能看到我的数据？"),
        ("zh", "刚才的邀请可以撤销吗?"),
        ("en", "Yes | No"),
        ("en", "Was this helpful to you today | Report a problem with this page"),
        ("zh", "有帮助 | 没有帮助"),
        ("en", "Home › Fees"),
        ("en", "Home > Fees > All fees for cards in other countries"),
        ("en", "Home » Fees"),
        ("zh", "首页 › 费用"),
        ("zh", "首页 > 费用 > 境外使用银行卡的各项费用"),
        ("en", "[Read how to invite somebody to your team](team.md)"),
        ("zh", "[阅读如何邀请同事加入您的团队](team.md)"),
        ("en", "Contact us"),
        ("en", "**Good to know**"),
        ("zh", "联系我们"),
        ("zh", "**温馨提示**"),
    ],
)
def test_questions_links_places_and_labels_say_nothing(lang, text):
    """Alone, and above the text that they stand above."""
    assert told(text, lang) == ([], [text])
    below = "Tap the plus sign and enter an address." if lang == "en" else "点击加号并输入地址。"
    assert told(f"{text}\n\n{below}", lang) == ([below], [text])


@pytest.mark.parametrize(
    ("lang", "title", "heading", "texts"),
    [
        ("en", "What a replacement of a lost card costs", "Fees > What you pay for express delivery",
         ["What a replacement of a lost card costs", "**What a replacement of a lost card costs**",
          "what you pay for express delivery:", "Fees."]),
        ("zh", "补办遗失银行卡需要支付的费用", "费用 > 加急寄送需要另付多少",
         ["补办遗失银行卡需要支付的费用", "**补办遗失银行卡需要支付的费用**",
          "加急寄送需要另付多少：", "费用。"]),
    ],
)  # fmt: skip
def test_title_and_headings_say_nothing_again(lang, title, heading, texts):
    """In any spelling, and each heading above the passage by itself."""
    for text in texts:
        assert told(text, lang, title=title, heading=heading) == ([], [text])
        if not text.endswith((".", "。")):
            assert told(text, lang, title="Other", heading="")[0], "it is no label by itself"


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "**Settings › Users › Invite**."),
        ("en", "Go to **Settings > Users > Invite**"),
        ("en", "Go to Settings > Users > Invite."),
        ("zh", "**设置 › 用户 › 邀请**。"),
        ("zh", "请前往 设置 > 用户 > 邀请。"),
    ],
)
def test_a_path_that_tells_where_to_go_is_an_answer(lang, text):
    assert told(text, lang) == ([text], [])


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "It is free."),
        ("en", "Free of charge, always and everywhere"),
        ("en", "Fee: £5"),
        ("en", "Never (not even by phone)"),
        ("zh", "免费。"),
        ("zh", "在任何国家和地区都不收费"),
        ("zh", "费用：5 英镑"),
    ],
)
def test_what_ends_like_a_sentence_or_has_a_figure_or_many_words_is_no_label(lang, text):
    assert told(text, lang) == ([text], [])


def test_a_label_has_few_words():
    words, characters = ["word"] * LABEL_WORDS["en"], "字" * LABEL_WORDS["zh"]
    assert told(" ".join(words)) == ([], [" ".join(words)])
    assert told(" ".join([*words, "word"]))[1] == []
    assert told(characters, "zh") == ([], [characters])
    assert told(f"{characters}字", "zh")[1] == []


def test_few_words_within_a_line_are_no_label():
    """A label has a line of its own."""
    assert told("It is free. Of course")[1] == []
    assert told("这是免费的。当然", "zh")[1] == []


@pytest.mark.parametrize(
    ("lang", "header", "rows"),
    [
        ("en", "| Role | May pay |", ["| Owner | Yes |", "| Guest | No? |", "| Your team | Home > Fees |"]),
        ("zh", "| 角色 | 可付款 |", ["| 所有者 | 是 |", "| 访客 | 否？ |", "| 同事 | 首页 > 费用 |"]),
    ],
)  # fmt: skip
def test_a_row_of_a_table_is_never_hollow(lang, header, rows):
    """Though it has bars, few words and no end, and though the customer named all of it."""
    text = "\n".join([header, "| --- | --- |", *rows])
    assert told(text, lang, question=f"{QUESTION[lang]} {text}") == (rows, [])


@pytest.mark.parametrize(
    ("lang", "intro", "items"),
    [
        (
            "en",
            "Bring one of these with you:",
            ["Passport", "Driving licence", "**Identity card**", "Visa"],
        ),
        ("zh", "请携带以下证件之一：", ["护照", "驾驶证", "**身份证**", "签证"]),
    ],
)
@pytest.mark.parametrize("marker", ["- ", "* ", "+ ", "1. ", "2) ", "  - "])
def test_an_item_of_a_list_is_no_label(lang, intro, items, marker):
    """Two words are all that an item needs."""
    text = "\n".join([intro, *[f"{marker}{item}" for item in items]])
    assert told(text, lang) == ([intro, *items], [])


@pytest.mark.parametrize(
    ("lang", "question", "repeated", "more"),
    [
        ("en", "a machine swallowed my card!", "A machine swallowed my card.", "A machine swallowed my card: call us."),
        ("zh", "机器吞了我的卡？", "机器吞了我的卡。", "机器吞了我的卡，请致电。"),
    ],
)  # fmt: skip
def test_the_customers_own_words_are_no_answer(lang, question, repeated, more):
    """In the same order; another order or one word more may be the answer."""
    assert told(repeated, lang, question=question) == ([], [repeated])
    assert told(more, lang, question=question) == ([more], [])
    assert told(repeated, lang, question="") == ([repeated], [])


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("1. Open the app.\n2. Tap **Forgot your passcode?**.", "Tap **Forgot your passcode?"),
        ("Service | Fee\n--- | ---\nA new card by courier | £5", "A new card by courier | £5"),
        ("Follow these steps:\n1. Open the app.\n2. Tap **Cards**.", "Follow these steps:"),
        ("请按以下步骤：\n1. 打开应用。\n2. 点击**卡片**。", "请按以下步骤："),
    ],
    ids=["a button that asks", "a table without outer bars", "what announces steps", "步骤"],
)
def test_what_looks_hollow_and_answers_is_kept(text, answer):
    """A step or a price that is left out is missing from the answer."""
    assert answer in told(text, "zh" if text.startswith("请") else "en")[0]


TEAM = "Home › Team\n\nCan I invite somebody?\n\nTap the plus sign. Enter an address.\n\nYes | No"


def test_the_ranker_reads_none_of_it_and_each_sentence_keeps_its_own_span_score():
    hit = Hit(passage(TEAM), 0.9, sentences=(9.0, 8.0, 1.0, 2.0, 7.0), repeated=(9, 1, 2, 3, 9))
    empty = Hit(passage("Yes | No"), 0.8, sentences=(6.0,))
    ranker = SentenceRanker(HashEmbedder())
    ((kept,), (spans,)) = ranker.to_read("how", [hit, empty], 0.0)
    assert [span.of(TEAM) for span in spans] == ["Tap the plus sign.", "Enter an address."]
    assert kept.sentences == (1.0, 2.0)
    assert kept.repeated == (2, 3)
    assert (kept.passage, kept.score) == (hit.passage, hit.score)
    assert ranker.to_read("how", [empty], 0.0) == ([], [])
    without = ranker.to_read("how", [Hit(passage(TEAM), 0.9)], 0.0)[0]
    assert without[0].sentences == (), "as it is without a span embedder"
    (vector,) = HashEmbedder().encode_queries(["how"])
    assert ranker.rank("how", [empty], vector).sentences == ()


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ('> "I clicked upgrade by mistake."\n\nTap Undo within a day.', "Tap Undo within a day."),
        ("> “我点错了。”\n\n请在一天内点“撤销”。", "请在一天内点“撤销”。"),
    ],
)
def test_what_a_customer_is_quoted_to_say_answers_nothing(text, answer):
    assert told(text, "zh" if "我" in text else "en")[0] == [answer]
