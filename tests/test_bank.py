"""Lantern Bank's help centre: complete in both languages, and never of two minds."""

import re

import pytest

from assistant.config import BANK
from assistant.grounding import figures
from knowledge.build_index import current_articles
from knowledge.segmenter import length, sentences

ARTICLES = {(a.lang, a.id): a for a in current_articles(BANK)}
IDS = sorted({name for _, name in ARTICLES})


def test_enough_articles():
    assert len(IDS) >= 50


@pytest.mark.parametrize("name", IDS)
def test_twins_carry_the_same_figures(name):
    en, zh = ARTICLES["en", name], ARTICLES["zh", name]
    assert zh.translation_of == name
    assert (en.category, en.intents) == (zh.category, zh.intents)
    digits = re.compile(r"\d[\d,.:]*\d|\d")
    assert set(digits.findall(en.text)) == set(digits.findall(zh.text))
    assert 40 <= length(en.text) <= 250


# What several articles say must be the same everywhere: a pattern finds the sentences that speak
# of one thing, and each must hold one of the sets of figures that are true of it.
ONE_TRUTH = [
    (r"(?i)express delivery", [{"15", "pounds", "2"}, {"2"}, {"15", "pounds"}]),
    (r"SWIFT transfer (takes|costs)|SWIFT transfers", [{"2", "4"}, {"4", "pounds"}]),
    (r"weekends?,? .*markup", [{"1%"}]),
    (r"wrong PINs", [{"3"}, {"3", "500", "pounds"}, {"3", "30"}]),
]


@pytest.mark.parametrize(("pattern", "truths"), ONE_TRUTH)
def test_shared_facts_agree(pattern, truths):
    found = 0
    for article in ARTICLES.values():
        if article.lang != "en":
            continue
        for span in sentences(article.text, "en"):
            sentence = span.of(article.text)
            held = figures(sentence) - {"22:00"}
            if re.search(pattern, sentence) and held:
                found += 1
                assert any(truth <= held for truth in truths), sentence
    assert found >= 2
