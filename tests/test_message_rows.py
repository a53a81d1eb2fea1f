"""Rows that teach a generator to write messages: from help centres, in the words of the prompt."""

import json

import pytest

from assistant.writing.message_writer import hash_message
from assistant.writing.templates import PromptTemplate
from knowledge.documents import Article, Hit
from knowledge.splitter import split
from tuning import message_rows
from tuning.customer_messages import CustomerMessage, HelpCentre
from tuning.message_rows import MESSAGES, main, make_rows

COST, FEE, TIME = "A card costs £5.", "The fee is gone.", "It comes within 3 days."
CARDS = Article("cards", "Cards", "en", f"# Cards\n\n{COST}\n\n## Delivery\n\n{TIME}\n", "c.md")
FEES = Article("fees", "Fees", "en", f"# Fees\n\n{FEE}\n", "f.md")


def message(question, article="cards", support=COST):
    return CustomerMessage(question, (article,), (support,) if support else ())


@pytest.fixture
def centres(monkeypatch):
    """Replace the help centres; return what was asked of them."""
    asked = []

    def use(*of):
        def help_centres(part, lang=None):
            asked.append((part, lang))
            return [HelpCentre(f"centre-{n}", *rest) for n, rest in enumerate(of)]

        monkeypatch.setattr("tuning.customer_messages.help_centres", help_centres)
        return asked

    return use


def texts(rows):
    """Return the messages of each row."""
    for row in rows:
        assert row["kind"] == "messages"
        (only,) = row["completion"]
        assert only["role"] == "assistant"
    return [row["completion"][0]["content"].split("\n") for row in rows]


def made(lang, seed=0):
    dev, train = make_rows(lang, seed)
    return [*dev, *train]


def test_a_row_is_the_prompt_that_serves_and_the_messages_that_its_passage_answers(centres):
    asked = centres(
        ("en", [CARDS, FEES], [message("how much"), message("when", support=TIME)]),
        ("en", [FEES], [message("any fee", "fees", FEE)]),
    )
    rows_ = made("en")
    rows = {text: row for row, (text,) in zip(rows_, texts(rows_), strict=True)}
    assert asked == [("train", "en")]
    assert set(rows) == {"how much", "when", "any fee"}
    template = PromptTemplate.load("messages", "en")
    cost, delivery = split(CARDS)
    for text, passage in (("how much", cost), ("when", delivery), ("any fee", *split(FEES))):
        assert rows[text]["prompt"] == template.render("", [Hit(passage, 1.0)])
        assert passage.text in rows[text]["prompt"][-1]["content"]


def test_chinese_rows_have_the_chinese_prompt(centres):
    article = Article("fei", "费用", "zh", "补卡收费20元。", "fei.md")
    centres(("zh", [article], [CustomerMessage("补卡多少钱", ("fei",), ("补卡收费20元。",))]))
    (row,) = made("zh")
    assert row["prompt"][0]["content"] == PromptTemplate.load("messages", "zh").system.strip()
    assert texts([row]) == [["补卡多少钱"]]


@pytest.mark.parametrize("count", [1, MESSAGES, MESSAGES + 1, 3 * MESSAGES - 1])
def test_a_passage_with_many_messages_has_several_rows(centres, count):
    asked = [f"question {n}" for n in range(count)]
    centres(("en", [CARDS, FEES], [message(text) for text in asked]))
    rows = made("en")
    assert sorted(len(of) for of in texts(rows))[1:] == [MESSAGES] * ((count - 1) // MESSAGES)
    assert sorted(text for of in texts(rows) for text in of) == sorted(asked)
    assert len({json.dumps(row["prompt"]) for row in rows}) == 1


def test_what_no_passage_answers_is_in_no_row(centres):
    """A declined message, and one whose answer stands nowhere."""
    centres(
        (
            "en",
            [CARDS],
            [
                CustomerMessage("do you sell gold"),
                message("how much", support="A card costs £6."),
                message("why", support=""),
                message("what does it cost"),
            ],
        )
    )
    assert texts(made("en")) == [["what does it cost"]]


def test_a_message_of_several_lines_is_one(centres):
    """Each line of a row is a message."""
    centres(("en", [CARDS], [message("hi\n\nhow much \t is a card\r\n")]))
    assert texts(made("en")) == [["hi how much is a card"]]


def test_a_seed_fixes_the_order(centres):
    many = [message(f"{name} {n}", *where) for n in range(12) for name, where in WHERE.items()]
    centres(("en", [CARDS, FEES], many))
    first = made("en", 1)
    assert made("en", 1) == first
    other = made("en", 2)
    assert texts(other) != texts(first)
    assert sorted(t for of in texts(other) for t in of) == sorted(
        t for of in texts(first) for t in of
    )


WHERE = {"cost": ("cards", COST), "time": ("cards", TIME), "fee": ("fees", FEE)}


def read(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_the_command_writes_a_passages_rows_into_one_of_two_files(centres, tmp_path, capsys):
    """So that a training is judged by passages that it does not know; and what may be learnt."""
    asked = [message(f"¿{name} {n}?", *where) for n in range(30) for name, where in WHERE.items()]
    centres(("en", [CARDS, FEES], asked))
    out = tmp_path / "new" / "rows"
    assert main(["--language", "en", "--out", str(out)]) == 0
    dev, train = (read(out / f"{name}.jsonl") for name in ("dev", "train"))
    assert (len(dev), len(train)) == (4, 8)
    known, judged = ({row["prompt"][-1]["content"] for row in part} for part in (train, dev))
    assert not known & judged
    assert sorted([*dev, *train], key=str) == sorted(made("en"), key=str)
    assert "8 rows to train on and 4 to judge by" in capsys.readouterr().out
    assert "¿" in (out / "train.jsonl").read_text(encoding="utf-8")
    learnt = json.loads((out / "learnt.json").read_text(encoding="utf-8"))
    assert learnt == sorted({hash_message(one.question) for one in asked})


def test_bad_messages_and_a_bad_folder_end_with_one_line_and_1(
    centres, tmp_path, capsys, monkeypatch
):
    centres(("en", [CARDS], [message("how much")]))
    (tmp_path / "file").touch()
    assert main(["--language", "en", "--out", str(tmp_path / "file" / "rows")]) == 1
    assert capsys.readouterr().err.startswith("message_rows: ")

    def damaged(*_):
        raise ValueError("bank.en.jsonl:7: expected a customer's message, found '{'")

    monkeypatch.setattr("tuning.customer_messages.help_centres", damaged)
    assert main(["--language", "en", "--out", str(tmp_path / "rows")]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "bank.en.jsonl:7" in line
    assert not (tmp_path / "rows").exists()
    for bad in (["--language", "fr", "--out", "x"], ["--out", "x"], ["--language", "en"]):
        with pytest.raises(SystemExit, match="2"):
            message_rows.main(bad)
