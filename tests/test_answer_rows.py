"""Training rows: rendered as in production, supported by their passages, split by company."""

import dataclasses
import json
from collections import Counter

import pytest

from assistant.grounding.grounder import figures
from assistant.writing.templates import PromptTemplate
from knowledge.models.turn_before import TurnBefore
from knowledge.segmenter import sentences
from tests.public import data
from tuning.companies import load_companies
from tuning.customer_messages import CustomerMessage
from tuning.dataset.abcd import abcd_company
from tuning.dataset.answer_rows import RowMaker
from tuning.dataset.row_files import PARTS, _checked, write_rows
from tuning.dataset.supporting_sentences import supporting_sentences

TEXT = (
    "A small service costs £165, a large one £295. Electric cars pay £140 for the small. "
    "We use parts of the maker's quality, so that your warranty stays."
)


def _smaller(company, step=3):
    """Return a company with every n-th question: a network reads four passages for each."""
    return dataclasses.replace(company, pairs=company.pairs[::step])


@pytest.fixture(scope="module")
def company():
    return next(c for c in load_companies("train") if c.id == "rook-tickets")


@pytest.fixture(scope="module")
def rows(company, embedder):
    return list(RowMaker(_smaller(company, 2), embedder).rows(missing=0.23))


def test_the_sentences_that_hold_an_answer_are_found():
    assert supporting_sentences("A large service costs £295.", TEXT, "en") == [0]
    assert supporting_sentences("Yes, your warranty stays.", TEXT, "en") == [2]
    assert supporting_sentences("£140. Your warranty stays.", TEXT, "en") == [1, 2]
    assert supporting_sentences("押金 199 元。", "押金 199 元。停车 3 元。", "zh") == [0]


def test_every_kind_is_made_and_a_fifth_declines(rows):
    kinds = Counter(row.kind for row in rows)
    assert set(kinds) == {
        "answer", "decline_near", "decline_missing", "two_questions", "injection", "history",
        "follow_up",
    }  # fmt: skip
    decline = PromptTemplate.load("answer_tuned", "en").decline
    declining = [row for row in rows if row.completion == decline]
    assert {row.kind for row in declining} >= {"decline_near", "decline_missing"}
    assert len(declining) / len(rows) > 0.18


def test_what_is_said_was_read(rows):
    for row in rows:
        read = " ".join(hit.passage.text for hit in row.hits)
        assert figures(row.completion) <= figures(read), row


def test_orders_in_passages_are_read_past(rows):
    injected = [row for row in rows if row.kind == "injection"]
    assert injected
    for row in injected:
        assert "language model" not in row.completion
        assert "competitor" not in row.completion


def test_the_same_seed_makes_the_same_rows(company, embedder):
    def made(seed):
        return list(RowMaker(_smaller(company, 20), embedder, seed=seed).rows(missing=0.23))

    assert made(0) == made(0)
    assert made(1) != made(0)


def test_a_row_is_rendered_as_the_assistant_renders(rows):
    template = PromptTemplate.load("answer_tuned", "en")
    row = next(row for row in rows if row.kind == "follow_up")
    rendered = row.render(template)
    assert rendered["prompt"] == template.render(row.question, row.hits, row.history)
    assert [m["role"] for m in rendered["prompt"]] == ["system", "user", "assistant", "user"]


def test_rows_that_fail_a_check_are_left_out_and_counted(rows):
    bad = dataclasses.replace(rows[0], completion="It costs £987.")
    private = dataclasses.replace(rows[0], question="I am jo@example.com, how much?")
    kept, refused = _checked([rows[0], rows[0], bad, private], set())
    assert kept == [rows[0]]
    assert refused == {"a duplicate": 1, "a figure that is in no passage": 1, "personal data": 1}


def test_the_command_writes_both_parts_with_a_report(tmp_path, embedder, monkeypatch):
    few = {part: [_smaller(load_companies(part)[0], 5)] for part in ("train", "dev")}
    monkeypatch.setattr("tuning.companies.load_companies", lambda part: few[part])
    without = ["xquad", "abcd", "customers", "written", "unanswerable"]
    report = write_rows(
        tmp_path, embedder, languages=["en", "zh"], without=without, missing=0.23, seed=0
    )
    assert PARTS == ("train", "dev")
    for part in PARTS:
        lines = (tmp_path / f"{part}.jsonl").read_text("utf-8").splitlines()
        assert report[part]["rows"] == len(lines) > 10
        assert {json.loads(line)["company"] for line in lines} == {few[part][0].id}
        assert report[part]["declined_share"] == 0
    assert json.loads((tmp_path / "report.json").read_text("utf-8"))["without"] == without


def test_a_customers_message_becomes_a_row_with_its_support(embedder):
    company = next(c for c in load_companies("dev") if c.id == "heron-post")
    few = _smaller(company, 4)
    article = few.articles[0]
    support = next(s.of(article.text) for s in sentences(article.text, "en"))
    message = CustomerMessage("what is it", (article.id,), (support,), answer="It is so.")
    maker = RowMaker(few, embedder)
    row = maker.answered(message, "and this?", TurnBefore("first", "It was."), "later")
    assert (row.question, row.completion, row.kind) == ("and this?", "It is so.", "later")
    assert [m.text for m in row.history] == ["first", "It was."]
    assert any(support in hit.passage.text for hit in row.hits)
    alone = maker.answered(message, "what is it", None, "customer")
    assert alone.history == ()
    lost = dataclasses.replace(message, support=("No article says this.",))
    assert maker.answered(lost, "what is it", None, "customer") is None


def test_the_shop_of_the_public_data_is_one_more_company(embedder):
    data()
    shop = abcd_company()
    texts = {article.id: article.text for article in shop.articles}
    answered = [pair for pair in shop.pairs if pair.answer]
    assert len(answered) > 30
    assert all(pair.article in texts for pair in answered)
    few = _smaller(shop)
    made = list(RowMaker(few, embedder).rows(missing=0.0))
    answers = [row for row in made if row.kind == "answer"]
    assert len(answers) == sum(bool(pair.answer) for pair in few.pairs) > 10
    for row in made:
        assert figures(row.completion) <= figures(" ".join(hit.passage.text for hit in row.hits))
