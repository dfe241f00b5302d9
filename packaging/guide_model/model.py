"""A llama-shaped decoder, small enough to train on a laptop's processor."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True, slots=True)
class Shape:
    """The model's sizes; all multiples of 32, so that every matrix can be Q8_0."""

    vocabulary: int
    width: int = 192
    layers: int = 4
    heads: int = 3
    inner: int = 512
    context: int = 2048
    rope_base: float = 10_000.0
    epsilon: float = 1e-5


def rotation(shape: Shape, length: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of RoPE for neighbouring pairs, each [length, head width / 2]."""
    half = shape.width // shape.heads // 2
    rates = shape.rope_base ** (-torch.arange(half, dtype=torch.float64) / half)
    angles = torch.outer(torch.arange(length, dtype=torch.float64), rates)
    return angles.cos().float(), angles.sin().float()


def rotate(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """x [batch, heads, length, head width], turned pair by pair as llama.cpp does for llama."""
    even, odd = x[..., 0::2], x[..., 1::2]
    turned = torch.stack((even * cos - odd * sin, even * sin + odd * cos), dim=-1)
    return turned.flatten(-2)


class Layer(nn.Module):  # type: ignore[misc]
    """Attention, then a gated feed-forward, each with a norm in front."""

    def __init__(self, shape: Shape, dropout: float) -> None:
        super().__init__()
        self.heads = shape.heads
        self.attn_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.q = nn.Linear(shape.width, shape.width, bias=False)
        self.k = nn.Linear(shape.width, shape.width, bias=False)
        self.v = nn.Linear(shape.width, shape.width, bias=False)
        self.o = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.gate = nn.Linear(shape.width, shape.inner, bias=False)
        self.up = nn.Linear(shape.width, shape.inner, bias=False)
        self.down = nn.Linear(shape.inner, shape.width, bias=False)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        batch, length, width = x.shape
        split = (batch, length, self.heads, width // self.heads)
        h = self.attn_norm(x)
        q = rotate(self.q(h).view(split).transpose(1, 2), cos, sin)
        k = rotate(self.k(h).view(split).transpose(1, 2), cos, sin)
        v = self.v(h).view(split).transpose(1, 2)
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.dropout(self.o(mixed.transpose(1, 2).reshape(batch, length, width)))
        h = self.ffn_norm(x)
        return x + self.dropout(self.down(functional.silu(self.gate(h)) * self.up(h)))


class Guide(nn.Module):  # type: ignore[misc]
    """Embedding (also the output), layers, a norm. `topic` helps training only."""

    def __init__(self, shape: Shape, topics: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width)
        self.layers = nn.ModuleList(Layer(shape, dropout) for _ in range(shape.layers))
        self.norm = nn.RMSNorm(shape.width, eps=shape.epsilon)
        self.topic = nn.Linear(shape.width, topics, bias=False)
        self.dropout = nn.Dropout(dropout)
        cos, sin = rotation(shape, shape.context)
        self.register_buffer("cos", cos, persistent=False)
        self.register_buffer("sin", sin, persistent=False)
        nn.init.normal_(self.embedding.weight, std=0.02)
        for name, weight in self.named_parameters():
            if weight.dim() == 2 and "embedding" not in name:
                deep = name.endswith(("o.weight", "down.weight"))
                std = weight.shape[1] ** -0.5 * (0.5 / shape.layers**0.5 if deep else 0.7)
                nn.init.normal_(weight, std=std)

    def hidden(self, tokens: Tensor) -> Tensor:
        """Normed states [batch, length, width] of token ids [batch, length]."""
        length = tokens.shape[1]
        x = self.dropout(self.embedding(tokens))
        cos, sin = self.cos[:length].to(x.dtype), self.sin[:length].to(x.dtype)
        for layer in self.layers:
            x = layer(x, cos, sin)
        out: Tensor = self.norm(x)
        return out

    def logits(self, hidden: Tensor) -> Tensor:
        return functional.linear(hidden, self.embedding.weight)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def continue_greedily(self, prompt: list[int], stop: int, limit: int = 200) -> list[int]:
        """The most likely continuation of the prompt, without the stop token."""
        out: list[int] = []
        for _ in range(limit):
            states = self.hidden(torch.tensor([prompt + out]))
            token = int(self.logits(states[0, -1]).argmax())
            if token == stop:
                break
            out.append(token)
        return out


def parameters(model: Guide) -> int:
    """Weights that end up in the file."""
    return sum(p.numel() for name, p in model.named_parameters() if not name.startswith("topic"))
