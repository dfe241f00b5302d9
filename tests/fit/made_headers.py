"""Headers of models of any shape, dense and mixed, without a file: for searches over many."""

from __future__ import annotations

from dataclasses import dataclass, replace

from desktop.gguf.header import ModelHeader
from desktop.gguf.reader import read_header_from
from tests.gguf.test_reader import Bytes
from tests.gguf_files import LlamaShape, Tensor, header_bytes


@dataclass(frozen=True)
class MadeShape:
    """A llama, or with `experts` a qwen3moe; attention and experts may differ much in size."""

    layers: int = 8
    embedding: int = 4096
    kv_heads: int = 8
    feed_forward: int = 14_336
    vocab: int = 2_000
    context: int = 32_768
    tied: bool = False
    experts: int = 0
    experts_used: int = 0
    type: str = "Q4_K"

    def header(self, **more: object) -> ModelHeader:
        shape = LlamaShape(
            self.layers,
            self.embedding,
            self.embedding // 128,
            self.kv_heads,
            self.feed_forward,
            self.vocab,
            self.context,
            type=self.type,
            tied=self.tied,
            architecture="qwen3moe" if self.experts else "llama",
        )
        tensors = shape.tensors()
        if self.experts:
            more = {
                "qwen3moe__expert_count": self.experts,
                "qwen3moe__expert_used_count": self.experts_used,
                "qwen3moe__expert_feed_forward_length": self.feed_forward,
                **more,
            }
            tensors = [self._expert(tensor) for tensor in tensors]
        raw = header_bytes(shape.metadata(**more), tensors)
        return replace(read_header_from(Bytes(raw), "made.gguf"), complete=True)

    def _expert(self, tensor: Tensor) -> Tensor:
        """One matrix of a feed-forward layer for each expert."""
        for part in ("gate", "up", "down"):
            if f".ffn_{part}." in tensor.name:
                name = tensor.name.replace(f"ffn_{part}", f"ffn_{part}_exps")
                return replace(tensor, name=name, dims=(*tensor.dims, self.experts))
        return tensor
