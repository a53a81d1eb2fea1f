"""Yes, no or open: rows of the training, what the shipped weights say, and the training."""

import json
from collections import Counter

import pytest

from assistant.evidence.ranked_sentences import Evidence
from assistant.evidence.verdict import VERDICTS, VerdictReader, pair_of
from assistant.policy import GeneralPolicy
from knowledge.documents import Passage
from knowledge.segmenter import Span
from tests.conftest import STATE
from tests.fakes import HashEmbedder
from tuning.verdicts import __main__ as verdicts_command
from tuning.verdicts import rows as rows_module
from tuning.verdicts.rows import VerdictRow, dev_rows, verdict_rows


def quoted(title, text, lang="en"):
    return [Evidence(Passage("a", lang, title, "", text, 0, len(text)), Span(0, len(text)), 1.0)]


FREE = quoted("Cheques", "Paying in a cheque by photo is free.")


def test_only_a_sure_verdict_counts_and_never_an_open_one():
    policy = GeneralPolicy()
    assert policy.verdict({"yes": 0.99, "no": 0.0, "depends": 0.01, "open": 0.0}, "en") == "yes"
    assert policy.verdict({"yes": 0.4, "no": 0.3, "depends": 0.2, "open": 0.1}, "en") == ""
    assert policy.verdict({"yes": 0.0, "no": 0.0, "depends": 0.0, "open": 1.0}, "zh") == ""


def test_rows_of_both_parts_are_apart_and_of_all_verdicts():
    train, dev = verdict_rows(), dev_rows()
    asked = [{row.question.casefold() for row in rows} for rows in (train, dev)]
    assert not asked[0] & asked[1]
    for rows, least in ((train, 300), (dev, 25)):
        counts = Counter((row.lang, row.verdict) for row in rows)
        assert min(counts[lang, verdict] for lang in ("en", "zh") for verdict in VERDICTS) >= least


def test_an_unknown_verdict_is_named(tmp_path, monkeypatch):
    page = {"title": "T", "text": "t", "questions": [{"q": "a", "say": "maybe"}]}
    (tmp_path / "verdicts.en.jsonl").write_text(json.dumps(page) + "\n")
    monkeypatch.setattr(rows_module, "DATA", tmp_path)
    with pytest.raises(ValueError, match="maybe"):
        verdict_rows()


def test_for_another_embedder_there_are_no_weights():
    assert VerdictReader.open(HashEmbedder()) is None


@pytest.mark.slow
def test_the_command_writes_weights_that_serve(tmp_path, monkeypatch, embedder, capsys):
    few = [VerdictRow("is it free?", "T", "It is free.", verdict, "en") for verdict in VERDICTS]
    monkeypatch.setattr(rows_module, "verdict_rows", lambda: few * 4)
    monkeypatch.setattr(rows_module, "dev_rows", lambda: few)
    output = tmp_path / "verdicts"
    arguments = ["--config", "tuning/configs/verdicts.yaml", "--output", str(output)]
    arguments += ["--max-steps", "2", "--state", str(STATE)]
    assert verdicts_command.main(arguments) == 0
    reader = VerdictReader.open(embedder, output)
    likely = reader.read("is it free?", FREE)
    tokenizer = reader.network.tokenizer
    long = pair_of(tokenizer, "word " * 900, "title", "said " * 900)
    assert len(tokenizer(*long)["input_ids"]) < 300
    assert sum(likely.values()) == pytest.approx(1, abs=1e-6)
    assert "| given 0.9 |" in (output / "README.md").read_text()
    assert "en: questions 4" in capsys.readouterr().out


@pytest.mark.slow
def test_an_adapter_to_begin_with_must_fit(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(
        rows_module, "verdict_rows", lambda: [VerdictRow("a", "T", "b", "yes", "en")]
    )
    monkeypatch.setattr(rows_module, "dev_rows", lambda: [VerdictRow("a", "T", "b", "yes", "en")])
    config = tmp_path / "config.yaml"
    config.write_text(
        "name: verdicts\nmodel: intfloat/multilingual-e5-small\nrank: 4\n"
        f"start: assistant/weights/evidence-model\noutput: {tmp_path / 'out'}\n"
    )
    assert verdicts_command.main(["--config", str(config), "--state", str(STATE)]) == 1
    assert "of the same encoder and rank" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
