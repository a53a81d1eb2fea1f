"""Training a classifier: the command on small data, each method, and bad input."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

from assistant.intents.linear_classifier import LinearClassifier
from tests.fakes import HashEmbedder
from tuning.classifier import __main__ as command
from tuning.classifier import training
from tuning.classifier.augmentation import PARAPHRASE, augmented, with_typing_errors
from tuning.classifier.config import Augmentation, ClassifierConfig, Source
from tuning.classifier.encoder import Adversary, supervised_contrastive
from tuning.classifier.labelled_texts import (
    DataError,
    Labelled,
    check,
    read_source,
    without_held_out,
)
from tuning.config_file import ConfigError

SENTIMENTS = {
    "happy": ["I love this", "great, thank you", "so good", "太好了", "喜欢"],
    "sad": ["this is awful", "I am crying", "so bad", "太差了", "讨厌"],
}


@pytest.fixture
def small(tmp_path):
    """Return a configuration's values over a CSV of ten rows, all for training and development."""
    lines = [f'"{text}",{label}' for label, texts in SENTIMENTS.items() for text in texts]
    (tmp_path / "train.csv").write_text("\n".join(["text,label", *lines]), "utf-8")
    (tmp_path / "dev.jsonl").write_text(
        "\n".join(
            json.dumps({"text": text, "label": label})
            for text, label in (("very good", "happy"), ("awful!", "sad"))
        )
    )
    return {
        "name": "sentiment",
        "train": [{"path": str(tmp_path / "train.csv")}],
        "dev": [{"path": str(tmp_path / "dev.jsonl")}],
        "output": str(tmp_path / "out"),
    }


def run(values, tmp_path, *arguments):
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(values), "utf-8")
    return command.main(["--config", str(file), "--state", "var", *arguments])


def test_the_command_writes_weights_report_and_card(small, tmp_path, embedder):
    assert run(small, tmp_path) == 0
    classifier = LinearClassifier.load(tmp_path / "out")
    assert classifier.labels == ["happy", "sad"]
    assert classifier.embedder == embedder.query_name
    report = json.loads((tmp_path / "out" / "report" / "intent_report.json").read_text())
    assert report["rows"] == 2
    assert set(report["languages"]) == {"en"}
    page = (tmp_path / "out" / "report" / "report.html").read_text("utf-8")
    assert page.count("data:image/png;base64,") == 3
    assert "http" not in page
    for name in ("intent_confusion_matrix.png", "intent_histogram.png", "errors.json"):
        assert (tmp_path / "out" / "report" / name).is_file()
    assert "| all | 2 |" in (tmp_path / "out" / "README.md").read_text()


@pytest.fixture(scope="module")
def tiny_encoder(tmp_path_factory):
    """Return the folder of a random BERT with a vocabulary of letters."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("bert")
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    vocabulary = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *letters,
        *(f"##{c}" for c in letters),
    ]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    torch.manual_seed(0)
    BertModel(
        BertConfig(vocab_size=len(vocabulary), intermediate_size=32, **sizes)
    ).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("method", "weights"), [("full", "model"), ("lora", "adapter_model")])
def test_each_method_trains_any_encoder(small, tmp_path, tiny_encoder, method, weights):
    small |= {
        "method": method,
        "encoder": str(tiny_encoder),
        "seeds": [0, 1],
        "class_weights": "balanced",
        "augmentation": {"copies": 1},
        "training": {"epochs": 2, "batch": 4, "contrastive": 0.2, "fgm": 0.5, "accumulation": 2},
    }
    assert run(small, tmp_path) == 0
    for seed in (0, 1):
        kept = tmp_path / "out" / f"seed-{seed}"
        assert (kept / f"{weights}.safetensors").is_file()
        assert (kept / "classify.safetensors").is_file()
        assert json.loads((kept / "labels.json").read_text())["labels"] == ["happy", "sad"]


@pytest.mark.model
def test_members_of_several_kinds_decide_together(small, tmp_path, tiny_encoder):
    small["members"] = [
        {"method": "head"},
        {"method": "full", "encoder": str(tiny_encoder), "training": {"epochs": 1, "batch": 4}},
    ]
    assert run(small, tmp_path) == 0
    assert (tmp_path / "out" / "member-0" / "labels.json").is_file()
    assert (tmp_path / "out" / "member-1" / "seed-0" / "model.safetensors").is_file()
    report = json.loads((tmp_path / "out" / "report" / "intent_report.json").read_text())
    assert report["rows"] == 2


def test_training_continues_from_a_checkpoint(small, tmp_path, tiny_encoder, capsys):
    small |= {"method": "full", "encoder": str(tiny_encoder), "training": {"epochs": 1, "batch": 4}}
    assert run(small, tmp_path, "--resume") == 1
    assert "Expected a checkpoint" in capsys.readouterr().err
    assert run(small, tmp_path) == 0
    assert run(small | {"training": {"epochs": 2, "batch": 4}}, tmp_path, "--resume") == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metod": "head"}, "config.yaml: metod: Extra inputs are not permitted"),
        ({"method": "magic"}, "config.yaml: method: Input should be 'head', 'full' or 'lora'"),
        ({"train": [{"path": "nowhere.csv"}]}, "nowhere.csv: expected a file of labelled texts"),
        ({"train": [{"path": "data.xlsx"}]}, "data.xlsx: expected one of .csv, .jsonl"),
        (
            {"train": [{"path": "$NO_SUCH_PLACE/a.csv"}]},
            "expected its environment variable to be set",
        ),
        ({"train": [{}]}, "Expected `path` or `hub`"),
        (
            {"method": "full", "encoder": "no/such/encoder"},
            "No encoder could be loaded from no/such/encoder",
        ),
    ],
)
def test_bad_input_is_named(small, tmp_path, capsys, change, message):
    assert run(small | change, tmp_path) == 1
    assert message in capsys.readouterr().err


def test_a_config_without_keys_is_named(tmp_path):
    (tmp_path / "bad.yaml").write_text("- a list")
    with pytest.raises(ConfigError, match="bad.yaml: expected a YAML file of keys"):
        ClassifierConfig.load(tmp_path / "bad.yaml")


@pytest.mark.parametrize(
    ("train", "held", "message"),
    [
        (
            [("hi", "a"), ("HI!", "b"), ("x", "c")],
            [],
            "f, line 2: expected each text under one label, found 'HI!' under b and, in f, line 1, under a",
        ),
        ([("hi", "a"), ("yo", "a")], [], "f, line 1: expected at least two classes .*only 'a'"),
        (
            [("hi", "a"), ("yo", "b")],
            [("hm", "c")],
            "f, line 1: expected a label of the training data, found 'c'",
        ),
    ],
)
def test_rows_that_do_not_fit_together(train, held, message):
    with pytest.raises(DataError, match=message):
        check(rows(train), rows(held))


def rows(pairs):
    return [Labelled(text, label, 1.0, "f", line) for line, (text, label) in enumerate(pairs, 1)]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\nhi,\n", "line 2: expected a value in the column 'label'"),
        ("a.csv", "text,label\n", "expected labelled texts, found none"),
        ("a.jsonl", '{"text": "hi", "label": "a"}\n{', "line 2: expected JSON"),
        ("a.yml", "nlu:\n- intent: a\n  exampels: |\n    - x", "line 3: .*unknown key 'exampels'"),
    ],
)
def test_bad_files_are_named_with_their_line(tmp_path, name, content, message):
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=message) as caught:
        read_source(Source(path=str(tmp_path / name)))
    assert name in str(caught.value)


def test_a_source_takes_the_rows_it_wants(tmp_path):
    (tmp_path / "a.csv").write_text("say,kind,sure\nhi,A?,1\nyo,B,0.5\nhm,A?,1\nhm,C,1\nok,A?,1\n")
    source = Source(
        path=str(tmp_path / "a.csv"), text="say", label="kind", plain_labels=True,
        at_least={"sure": 0.9}, labels={"a": "greeting"}, conflicts="drop",
    )  # fmt: skip
    assert [(row.text, row.label) for row in read_source(source)] == [
        ("hi", "greeting"),
        ("ok", "greeting"),
    ]


def test_held_out_texts_are_not_trained_on():
    kept = without_held_out(
        rows([("Lost my card!", "a"), ("other", "b")]), rows([("lost my card", "a")])
    )
    assert [row.text for row in kept] == ["other"]


def test_augmentation_varies_and_repeats_itself():
    given = rows([("please cancel my transfer quickly", "a"), ("我的银行卡被偷", "b")])
    wanted = Augmentation(copies=4, synonyms=1.0, dropped_words=0.0, typing_errors=1.0)
    first = augmented(given, wanted, seed=1)
    assert first == augmented(given, wanted, seed=1) != augmented(given, wanted, seed=2)
    assert len(first) == 10
    assert "我的卡片被盗" in {row.text for row in first}
    assert all(row.label in "ab" for row in first)


def test_a_new_text_does_not_change_the_others():
    """So that their vectors can be cached from one training to the next."""
    given = rows([("please cancel my transfer quickly", "a"), ("where is my card", "b")])
    wanted = Augmentation(typing_errors=0.5, mistyped=0.5, wrapped=0.5, lower_case=0.5)
    more = [*rows([("a new one", "c")]), *given]
    assert augmented(more, wanted, seed=3)[1:] == augmented(given, wanted, seed=3)


def test_a_second_training_encodes_new_texts_only(small, tmp_path, monkeypatch):
    encoded = []
    monkeypatch.setattr(training, "_embedder", lambda *_: Counting(encoded))
    assert run(small, tmp_path, "--state", str(tmp_path)) == 0
    first = len(encoded)
    with open(small["train"][0]["path"], "a", encoding="utf-8") as file:
        file.write("\nhow lovely,happy")
    encoded.clear()
    assert run(small, tmp_path, "--state", str(tmp_path)) == 0
    assert first == 12  # ten training texts, two development texts
    assert encoded == ["how lovely"]


class Counting(HashEmbedder):
    def __init__(self, seen):
        super().__init__()
        self.seen = seen

    def encode_queries(self, texts):
        self.seen += texts
        return super().encode_queries(texts)


def test_texts_are_varied_in_place_too():
    given = rows([("Please Cancel my transfer", "a"), ("我的卡丢了", "b")])
    none = {"copies": 0, "typing_errors": 1.0}
    low = augmented(given, Augmentation(lower_case=1.0, **none), seed=0)
    assert [row.text for row in low] == ["please cancel my transfer", "我的卡丢了"]
    wrapped = augmented(given * 20, Augmentation(wrapped=1.0, **none), seed=0)
    assert all(kept.text in row.text for kept, row in zip(given * 20, wrapped, strict=True))
    assert len({row.text for row in wrapped}) > 20
    wrong = augmented(given, Augmentation(mistyped=1.0, **none), seed=0)
    assert wrong[0].text != given[0].text
    assert wrong[1] == given[1]


def test_a_paraphrase_is_one_more_copy():
    class Parrot:
        def generate(self, prompt, **_):
            yield prompt[0]["content"].removeprefix(PARAPHRASE).upper()

    wanted = Augmentation(copies=0, paraphrase=True)
    assert [r.text for r in augmented(rows([("hi", "a")]), wanted, 0, Parrot())] == ["hi", "HI"]


def test_typing_errors_are_one_edit_a_word():
    draw = random.Random(0)  # noqa: S311
    for _ in range(50):
        wrong = with_typing_errors("transfer", 1.0, draw)
        assert abs(len(wrong) - 8) <= 1
    assert with_typing_errors("my 卡 pin", 1.0, draw) == "my 卡 pin"


def test_contrastive_loss_prefers_classes_that_lie_together():
    together = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    apart = together[[0, 2, 1, 3]]
    labels = torch.tensor([0, 0, 1, 1])
    assert supervised_contrastive(together, labels) < supervised_contrastive(apart, labels)
    assert supervised_contrastive(together, torch.arange(4)) == 0


def test_the_adversary_steps_up_the_loss():
    class Encoder(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.words = torch.nn.Embedding(5, 3)

        def get_input_embeddings(self):
            return self.words

    encoder = Encoder()
    encoder.words.weight.requires_grad_(False)
    adversary, ids, aim = Adversary(encoder, 0.1), torch.tensor([[1, 2]]), torch.randn(3)
    before = (encoder.words(ids).mean(1) * aim).sum()
    before.backward()
    adversary.attack()
    after = (encoder.words(ids).mean(1) * aim).sum()
    adversary.retreat()
    assert after > before
    assert torch.equal(encoder.words(ids), encoder.words.weight[ids])


def test_the_chinese_development_set_is_not_in_the_training_data():
    from assistant.config import BANK
    from assistant.intents.intent_files import load_intents, read_intents

    dev = list(read_intents(Path("tuning/data/intents_dev.zh.yml")))
    trained = {example for intent in load_intents(BANK, "zh") for example in intent.examples}
    texts = [text for intent in dev for text in intent.examples]
    assert len(texts) >= 300
    assert not trained & set(texts)
    assert {intent.name for intent in dev} <= {intent.name for intent in load_intents(BANK, "zh")}


def test_shipped_weights_name_the_embedder_and_all_intents(embedder):
    from assistant.config import BANK
    from assistant.intents.intent_files import load_all_intents

    classifier = LinearClassifier.load(BANK / "weights" / "intents")
    assert classifier.embedder == embedder.query_name
    for by_name in load_all_intents(BANK).values():
        assert set(by_name) == set(classifier.labels)
    assert np.isfinite(classifier.logits(["hi"], embedder.encode_queries(["hi"]))).all()
