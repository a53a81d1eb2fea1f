"""Lantern Bank's help centre is complete and consistent in both languages."""

import re

import frontmatter
import pytest
import yaml

from assistant.config import BANK
from assistant.grounding.grounder import figures
from knowledge.article_checks import figures_of
from knowledge.folder import load_articles
from knowledge.segmenter import length, sentences

ALL = load_articles(BANK)
# Other versions have a year in their names.
ARTICLES = {(a.lang, a.id): a for a in ALL if "." not in a.path[3:-3]}
IDS = sorted({name for _, name in ARTICLES})
FACTS = yaml.safe_load((BANK / "facts.yml").read_text(encoding="utf-8"))


def front_matter(article):
    """Return an article's metadata, including keys for its authors that the package ignores."""
    return frontmatter.load(str(BANK / "articles" / article.path)).metadata


def test_there_are_enough_articles_and_some_are_not_valid_today():
    assert len(IDS) >= 110
    assert sum(1 for article in ALL if article.path.startswith("en/")) > len(IDS)


@pytest.mark.parametrize("name", IDS)
def test_translations_have_the_same_figures(name):
    en, zh = ARTICLES["en", name], ARTICLES["zh", name]
    assert zh.translation_of == name
    for key in ("category", "intents"):
        assert front_matter(en).get(key) == front_matter(zh).get(key)
    assert figures_of(en.text) == figures_of(zh.text)
    assert 80 <= length(en.text) <= 250


@pytest.mark.parametrize("article", [a for a in ALL if a.lang == "en"], ids=lambda a: a.path)
def test_every_figure_is_in_the_facts(article):
    """Under a shared fact that names the article, or under the article's own details."""
    name = article.path.removeprefix("en/").removesuffix(".md")
    shared = [fact["value"] for fact in FACTS["facts"].values() if name in fact["articles"]]
    known = figures_of(" ; ".join([*shared, *FACTS["details"].get(name, [])]))
    assert figures_of(article.text) <= known


@pytest.mark.parametrize("fact", FACTS["facts"])
def test_every_shared_fact_is_in_its_articles(fact):
    """A figure that changes in one article must change in all of them."""
    about = FACTS["facts"][fact]
    assert about["articles"]
    for name in about["articles"]:
        assert about["value"] in ARTICLES["en", name].text.replace("\n", " "), name


def test_details_name_existing_articles_and_figures():
    by_path = {a.path.removeprefix("en/").removesuffix(".md"): a for a in ALL if a.lang == "en"}
    for name, values in FACTS["details"].items():
        for value in values:
            assert value in by_path[name].text, (name, value)


def test_every_article_of_an_intent_exists():
    from assistant.intents.intent_files import load_intents

    for lang in ("en", "zh"):
        named = {i.article for i in load_intents(BANK, lang) if i.article}
        assert {(lang, article) for article in named} <= set(ARTICLES)


# A pattern matches the sentences about one subject; each must have one of its sets of figures.
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


# Two articles on one subject, and words that both must have.
SAID_IN_BOTH = [
    ("en", ("bank-holidays", "transfer-times"), ("before 17:00", "known recipient", "weekend")),
    ("zh", ("bank-holidays", "transfer-times"), ("17:00 之前", "已知收款人", "周末")),
    ("en", ("order-a-card", "replace-a-card"), ("European Economic Area", "replacements")),
    ("zh", ("order-a-card", "replace-a-card"), ("欧洲经济区", "补换的卡也可以寄往")),
]


@pytest.mark.parametrize(("lang", "names", "words"), SAID_IN_BOTH)
def test_articles_on_one_subject_name_the_same_conditions(lang, names, words):
    """Transfers at weekends, and the countries to which cards are sent."""
    for name in names:
        assert [word for word in words if word not in ARTICLES[lang, name].text] == [], name
