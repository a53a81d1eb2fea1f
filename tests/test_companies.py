"""The help centres written for training: complete, consistent, split from development."""

import re

import pytest

from tuning.companies import load_companies

TRAIN, DEV = load_companies("train"), load_companies("dev")
FIGURE = re.compile(r"\d[\d.,:]*\d|\d")


def figures(text):
    return set(FIGURE.findall(text))


def test_many_trades_in_both_languages_and_no_company_in_two_parts():
    assert len({company.trade for company in TRAIN}) >= 16
    assert {company.lang for company in TRAIN} == {company.lang for company in DEV} == {"en", "zh"}
    assert not {c.id for c in TRAIN} & {c.id for c in DEV}
    assert not {c.trade for c in TRAIN} & {c.trade for c in DEV}
    with pytest.raises(ValueError, match="train or dev, found 'test'"):
        load_companies("test")


@pytest.mark.parametrize("company", [*TRAIN, *DEV], ids=lambda company: company.id)
def test_every_figure_of_an_answer_is_in_its_article(company):
    """Or in the question: a model trained on them must not learn to calculate or invent."""
    texts = {article.id: article.text for article in company.articles}
    assert len(texts) == len(company.articles) >= 6
    for pair in company.pairs:
        if pair.answer:
            allowed = figures(texts[pair.article]) | figures(pair.question)
            assert figures(pair.answer) <= allowed, pair
    assert {pair.article for pair in company.pairs} - {""} == set(texts)
    assert sum(not pair.answer for pair in company.pairs) >= len(texts) - 1


def test_no_question_is_asked_twice():
    asked = [(c.id, pair.question) for c in (*TRAIN, *DEV) for pair in c.pairs]
    assert len(asked) == len(set(asked))
    assert len(asked) >= 2000
