"""Figures that contradict each other: what counts as the same statement, and as another figure."""

import pytest

from knowledge.contradiction_checks import Statement, contradict, contradictions, figures_by_unit
from knowledge.documents import Article
from knowledge.segmenter import language_of


def article(name: str, title: str, text: str) -> Article:
    return Article(id=name, title=title, lang=language_of(text), text=text, path=f"{name}.md")


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("It costs £1,000 or 1000 pounds.", {"£": {"1000"}}),
        ("A fee of 2.5 % after 3 days", {"%": {"2.5"}, "day": {"3"}}),
        ("open from 9:00 to 17:30", {":": {"9:00", "17:30"}}),
        ("within 5 working days", {"working": {"5"}}),
        ("call 6688 1370, see 2 and 3", {}),
        ("收费 5 英镑，5 个工作日内送达", {"£": {"5"}, "工作日": {"5"}}),
        ("满 200 元免运费，3天内退 10%", {"¥": {"200"}, "天": {"3"}, "%": {"10"}}),
        ("5 to 10 days, £20 and £30", {"day": {"5", "10"}, "£": {"20", "30"}}),
        ("2 至 4 个工作日，9:00–17:00", {"工作日": {"2", "4"}, ":": {"9:00", "17:00"}}),
        ("£10–20, £2.50, 09:00 and £5.00", {"£": {"10", "2.5", "5"}, ":": {"9:00"}}),
        ("updated 2026-03-05", {}),
        ("no figure 没有数字", {}),
    ],
)
def test_figures_by_unit(text, figures):
    assert figures_by_unit(text) == figures


@pytest.mark.parametrize(
    ("first", "second", "are_rivals"),
    [
        ("A card costs £5.", "A card costs £7.", True),
        ("A card costs £5.", "A card costs 5 pounds.", False),
        ("A card costs £5 and takes 3 days.", "A card costs £5 and takes 4 days.", True),
        ("It is open from 9:00 to 17:00.", "It is open from 9:00 to 18:00.", True),
        ("It takes 5 days.", "It takes 5 to 10 days.", False),
        ("It takes 24 hours.", "It takes 1 day.", False),
        ("补卡收费 5 英镑。", "补卡收费 7 英镑。", True),
        ("补卡需 5 天。", "补卡需 5 个工作日。", False),
    ],
)
def test_figures_that_cannot_both_be_true(first, second, are_rivals):
    one, other = article("a", "Cards", first), article("b", "Fees", second)
    assert contradict(Statement.of(one, first), Statement.of(other, second)) is are_rivals
    assert contradict(Statement.of(other, second), Statement.of(one, first)) is are_rivals
    assert not contradict(Statement.of(one, first), Statement.of(one, second))


# Title and text of two articles.
CONTRADICTIONS = [
    ("Order a card", "Express delivery costs £15 and takes 2 working days.",
     "What our fees are", "Express delivery takes 3 working days and costs £15."),
    ("Returns", "Send unworn shoes back to us within 30 days.",
     "Frequent questions", "You can send unworn shoes back to us within 14 days."),
    ("Opening hours", "The swimming pool is open from 9:00 to 17:00.",
     "Prices", "The swimming pool is open from 9:00 to 18:00."),
    ("Savings account", "The flexible savings account pays 3.25 % a year.",
     "Interest rates", "The flexible savings account pays 3 % a year."),
    ("会员", "年卡会员购物满 99 元免运费。", "配送说明", "年卡会员购物满 129 元免运费。"),
    ("退货", "未穿过的鞋子 30 天内可以退货。", "常见问题", "未穿过的鞋子 14 天内可以退货。"),
    ("开放时间", "游泳馆每天 9:00 至 17:00 开放。", "票价", "游泳馆每天 9:00 至 18:00 开放。"),
]  # fmt: skip
FINE = [
    # The same figure in other words.
    ("Cards", "A spare card costs £1,000.", "Fees", "A spare card costs 1000 pounds."),
    # Nobody knows what they are about.
    ("Photos", "We check it within 5 working days.", "Letters", "We check it within 2 working days."),
    ("Cash", "Above that we charge 2 % of the amount.", "Exchange", "Above that we charge 1 % of the amount."),
    # Each is about its own article's subject.
    ("Register a birth", "The appointment at the office takes about 30 minutes.",
     "Register a death", "The appointment at the office takes about 40 minutes."),
    ("空调安装", "师傅没有按约定时间来的，补偿 50 元。", "热水器安装", "师傅没有按约定时间来的，补偿 30 元。"),
    # Other things altogether, of the same units.
    ("Limits", "You can send up to £10,000 a day.", "Cash", "You can take out up to £500 a day."),
    ("限额", "每天最多可转账 10,000 英镑。", "取现", "每天最多可取款 500 英镑。"),
    # Rows of tables.
    ("Fees", "| Item | Fee |\n| --- | --- |\n| Spare physical bank card | £5 |",
     "Cards", "| Item | Fee |\n| --- | --- |\n| Spare physical bank card | £7 |"),
    # Each in its own language.
    ("Cards", "A spare card costs £5.", "卡片", "备用卡收费 7 英镑。"),
]  # fmt: skip


@pytest.mark.parametrize(("title", "text", "other_title", "other_text"), CONTRADICTIONS)
def test_found(title, text, other_title, other_text):
    articles = [article("a", title, text), article("b", other_title, other_text)]
    (finding,) = contradictions(articles)
    assert (finding.kind, finding.paths) == ("contradiction", ("a.md", "b.md"))
    assert finding.message == f"“{text}” against “{other_text}”"


@pytest.mark.parametrize(("title", "text", "other_title", "other_text"), FINE)
def test_left_alone(title, text, other_title, other_text):
    articles = [article("a", title, text), article("b", other_title, other_text)]
    assert list(contradictions(articles)) == []


def test_parallel_pages_contradict_each_other_where_both_name_one_subject():
    text = "A replacement for a lost card costs £5."
    articles = [
        article("a", "Replacement of a card", text),
        article("b", "Delivery of a card", text.replace("£5", "£7")),
    ]
    assert len(list(contradictions(articles))) == 1


def test_no_article_and_no_figure():
    assert list(contradictions([])) == []
    assert list(contradictions([article("a", "A", "No figure.")])) == []
