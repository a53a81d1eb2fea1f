"""Customers' messages from outside the project: read, asked, and their outcomes told apart."""

import json
import shutil

import pytest

from assistant.messages import Action
from tests.conftest import STATE
from tests.test_evaluate import judged
from tuning.customer_messages import DEV_CENTRES
from tuning.evaluate import __main__ as evaluate
from tuning.evaluate.customer_sets import customer_sets
from tuning.evaluate.outcomes import answerable_rows, outcome_tables, unanswerable_rows
from tuning.evaluate.report import write_report
from tuning.question_sets import BANK, QuestionsError

DOCS = {
    "plumtree-software": (
        "invoices.md",
        "# Invoices\n\nAn invoice may have up to 40 lines.\n\nThe Twig plan costs £8.50 a month.",
    ),
    "haitun-gouwu": ("returns.md", "# 退货\n\n签收后十四天内可以退货。\n\n退货运费由我们承担。"),
}
ASKED = {
    "plumtree-software": [
        {"question": "How many lines may an invoice have?", "doc": "invoices", "facts": ["40 lines|forty"]},
        {"question": "What does the Twig plan cost a month?", "doc": "invoices", "facts": ["£99"]},
        {"question": "Do you sell umbrellas for dogs?", "expect": "decline"},
    ],
    "haitun-gouwu": [{"question": "签收以后几天能退", "doc": "returns|invoices", "facts": ["十四天"]}],
}  # fmt: skip


def lines(*rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


@pytest.fixture
def customers(tmp_path):
    """A folder with five first messages to the bank in each language, and two help centres."""
    folder = tmp_path / "customers"
    for name, (article, text) in DOCS.items():
        company = folder / "companies" / name
        (company / "docs").mkdir(parents=True)
        (company / "docs" / article).write_text(text, "utf-8")
        (company / "questions.jsonl").write_text(lines(*ASKED[name]), "utf-8")
        (company / "talks.jsonl").write_text("not read")
    for lang in ("en", "zh"):
        messages = [{"question": f"{lang} {n}", "doc": "fees", "facts": ["£1"]} for n in range(5)]
        (folder / f"bank_first_{lang}.jsonl").write_text(lines(*messages), "utf-8")
        (folder / f"bank_talks_{lang}.jsonl").write_text("not read")
    return folder


def test_development_messages_become_one_set_per_help_centre_and_language(customers):
    english, chinese, software, shop = customer_sets(customers)
    assert [english.name, chinese.name] == ["lantern-en-customers", "lantern-zh-customers"]
    assert [software.name, shop.name] == list(DEV_CENTRES)
    assert [entry.lang for entry in (english, chinese, software, shop)] == ["en", "zh", "en", "zh"]
    assert [row["question"] for row in english.rows + chinese.rows] == ["en 3", "zh 3"]
    assert (english.articles, english.company) == (BANK, "Lantern Bank")
    assert software.articles == customers / "companies" / "plumtree-software" / "docs"
    assert [row["article"] for row in software.rows] == ["invoices", "invoices", None]
    assert shop.rows[0]["article"] == "returns|invoices"
    assert software.rows[0]["facts"] == ["40 lines|forty"]


def test_only_the_first_message_of_a_conversation_is_asked(customers):
    file = customers / "companies" / "plumtree-software" / "questions.jsonl"
    first, later, _ = ASKED["plumtree-software"]
    file.write_text(lines([first, later]), "utf-8")
    software = customer_sets(customers)[2]
    assert [row["question"] for row in software.rows] == [first["question"]]


@pytest.mark.parametrize(
    "name", ["bank_first_zh.jsonl", *(f"companies/{centre}/docs" for centre in DEV_CENTRES)]
)
def test_what_is_missing_is_named(customers, name):
    path = customers / name
    path.unlink() if path.is_file() else shutil.rmtree(path)
    with pytest.raises(QuestionsError, match=rf"found no {name}\. Give --customers a folder"):
        customer_sets(customers)


def test_a_wrong_folder_ends_the_command_before_anything_is_asked(tmp_path, capsys):
    command = ["--customers", str(tmp_path / "nowhere"), "--strategies", "extractive"]
    assert evaluate.main(command) == 2
    said = capsys.readouterr().err
    assert "nowhere: expected customers' messages in bank_first_en.jsonl, bank_first_zh" in said
    assert "found no such folder. Give --customers" in said


def test_a_file_without_development_messages_and_a_wrong_line_are_errors(customers):
    file = customers / "bank_first_en.jsonl"
    three = file.read_text("utf-8").splitlines()[:3]
    file.write_text("\n".join(three), "utf-8")
    with pytest.raises(QuestionsError, match="bank_first_en.jsonl: expected at least one first"):
        customer_sets(customers)
    file.write_text("\n".join([*three, '{"doc": "fees"}']), "utf-8")
    with pytest.raises(ValueError, match="bank_first_en.jsonl:4: expected a customer's message"):
        customer_sets(customers)


def test_outcomes_of_answerable_questions_have_intervals_and_add_up():
    group = [judged()] * 5 + [judged(right=False)] * 2 + [judged(right=False, right_article=False)]
    group += [judged(right=False, right_article=False, action="clarify")]
    group += [judged(right=False, right_article=False, action="decline")]
    (row,) = answerable_rows([*group, judged(answerable=False)])
    assert row["answerable"] == 10
    assert row["right article cited"].value == 0.7
    assert [row[name].value for name in ("right", "answered wrongly")] == [0.5, 0.3]
    assert [row[name].value for name in ("asked back", "declined wrongly")] == [0.1, 0.1]
    assert str(row["right"]) == "50% (24%–76%)"


def test_questions_that_nothing_answers_are_answered_asked_back_or_declined():
    actions = [Action.ANSWER, Action.CLARIFY, Action.DECLINE, Action.HANDOFF]
    group = [judged(answerable=False, right=False, action=str(action)) for action in actions]
    (row,) = unanswerable_rows([*group, judged()])
    assert row["unanswerable"] == 4
    assert [row[name].value for name in ("answered", "asked back", "declined")] == [0.25, 0.25, 0.5]
    assert str(row["answered"]) == "25% (5%–70%)"


def test_the_page_and_the_file_hold_the_outcomes(tmp_path):
    write_report([judged(), judged(answerable=False, action="clarify")], [], tmp_path)
    page = (tmp_path / "report.html").read_text("utf-8")
    assert "<h2>Questions that nothing answers</h2>" in page
    assert "<td>100% (21%–100%)</td>" in page
    stored = json.loads((tmp_path / "evaluation.json").read_text("utf-8"))
    assert stored["answerable"][0]["right"] == pytest.approx([1.0, 0.2065, 1.0], abs=1e-4)
    assert stored["unanswerable"][0]["asked back"][0] == 1.0


def test_a_set_without_one_kind_of_question_has_no_row_for_it():
    answerable, unanswerable = outcome_tables([judged()])
    assert "| shop | tuned | 1 |" in answerable
    assert unanswerable == ""


@pytest.mark.model
def test_the_command_asks_customers_messages_of_their_own_documents(customers, tmp_path, capsys):
    """The real assistant; one message expects a price that the article does not have."""
    command = ["--customers", str(customers), "--sets", "plumtree-software"]
    command += ["--strategies", "extractive", "--out", str(tmp_path)]
    command += ["--state", str(STATE), "--small", "true"]
    assert evaluate.main(command) == 0
    said = capsys.readouterr().out
    assert "| plumtree-software | extractive | 2 | 100% (34%–100%) | 50% (9%–91%) | 50%" in said
    assert "| plumtree-software | extractive | 1 | 0% (0%–79%) |" in said
    stored = json.loads((tmp_path / "evaluation.json").read_text("utf-8"))
    assert [entry["set"] for entry in stored["questions"]] == ["plumtree-software"] * 3
    assert "40 lines" in stored["questions"][0]["reply"]
