"""Tiny random projectors: eyes like Gemma 3's and Qwen2-VL's, ears like Ultravox's."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from tests.tiny_models import Array, finish, override

_WIDTH, _HEADS, _FORWARD, _PATCH = 32, 2, 64, 14


def write_tiny_eyes(
    path: Path,
    *,
    kind: str = "gemma3",
    language_width: int = 64,
    image: int = 112,
    layers: int = 1,
    seed: int = 5,
    metadata: Mapping[str, Any] | None = None,
) -> Path:
    """`gemma3`: a square of `image` pixels in (image / 28)² tokens that look both ways.

    `qwen2vl_merger`: any size, a token for 28 x 28 pixels, positions by row and column.
    """
    random = np.random.default_rng(seed)
    writer = _writer(path, kind)
    writer.add_bool("clip.has_vision_encoder", val=True)
    writer.add_uint32("clip.vision.image_size", image)
    writer.add_uint32("clip.vision.patch_size", _PATCH)
    writer.add_array("clip.vision.image_mean", [0.5, 0.5, 0.5])
    writer.add_array("clip.vision.image_std", [0.5, 0.5, 0.5])
    _sizes(writer, "vision", layers, language_width)
    override(writer, metadata or {})
    weights = _blocks(random, "v", layers)
    patch = _random(random, _WIDTH, 3, _PATCH, _PATCH)
    weights["v.patch_embd.weight"] = patch
    if kind == "qwen2vl_merger":
        merged = 4 * _WIDTH
        weights |= {
            "v.patch_embd.weight.1": patch,
            "mm.0.weight": _random(random, merged, merged),
            "mm.0.bias": np.zeros(merged, dtype=np.float32),
            "mm.2.weight": _random(random, language_width, merged),
            "mm.2.bias": np.zeros(language_width, dtype=np.float32),
        }
        return finish(writer, weights)
    writer.add_uint32("clip.vision.projector.scale_factor", 2)
    weights |= {
        "v.patch_embd.bias": np.zeros(_WIDTH, dtype=np.float32),
        "v.position_embd.weight": _random(random, (image // _PATCH) ** 2, _WIDTH),
        "mm.input_projection.weight": _random(random, _WIDTH, language_width),
        "mm.soft_emb_norm.weight": np.ones(_WIDTH, dtype=np.float32),
    }
    return finish(writer, weights)


def write_tiny_ears(path: Path, *, language_width: int = 64, stack: int = 4, seed: int = 6) -> Path:
    """Half a minute of sound in 375 tokens (Ultravox: Whisper's encoder, four frames a token).

    With Ultravox's own eight llama.cpp counts one token less than it makes, and aborts.
    """
    mel, hidden = 80, 32
    random = np.random.default_rng(seed)
    writer = _writer(path, "ultravox")
    writer.add_bool("clip.has_audio_encoder", val=True)
    writer.add_uint32("clip.audio.num_mel_bins", mel)
    writer.add_uint32("clip.audio.projector.stack_factor", stack)
    _sizes(writer, "audio", 1, language_width)
    weights = _blocks(random, "a", 1)
    del weights["a.blk.0.attn_k.bias"]
    weights |= {
        "a.conv1d.1.weight": _random(random, _WIDTH, mel, 3),
        "a.conv1d.1.bias": np.zeros((_WIDTH, 1), dtype=np.float32),
        "a.conv1d.2.weight": _random(random, _WIDTH, _WIDTH, 3),
        "a.conv1d.2.bias": np.zeros((_WIDTH, 1), dtype=np.float32),
        "a.position_embd.weight": _random(random, 1500, _WIDTH),
        "mm.a.norm_pre.weight": np.ones(stack * _WIDTH, dtype=np.float32),
        "mm.a.mlp.1.weight": _random(random, 2 * hidden, stack * _WIDTH),
        "mm.a.norm_mid.weight": np.ones(hidden, dtype=np.float32),
        "mm.a.mlp.2.weight": _random(random, language_width, hidden),
    }
    return finish(writer, weights)


def png(width: int, height: int, colour: tuple[int, int, int] = (200, 30, 90)) -> bytes:
    """A picture of one colour with a darker upper left quarter."""
    row = bytes(colour) * width
    half = bytes(value // 2 for value in colour) * (width // 2)
    upper = half + row[len(half) :]
    rows = [b"\0" + (upper if y < height // 2 else row) for y in range(height)]
    return png_of(struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0), b"".join(rows))


def png_of(head: bytes, rows: bytes) -> bytes:
    """A PNG with any header, which may lie."""
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in parts
    )


def wav(seconds: float, *, rate: int = 16_000, hertz: float = 440.0) -> bytes:
    """A tone, 16 bits, mono."""
    times = np.arange(int(seconds * rate)) / rate
    samples = (8000 * np.sin(2 * np.pi * hertz * times)).astype("<i2").tobytes()
    head = struct.pack("<IHHIIHH", 16, 1, 1, rate, 2 * rate, 2, 16)
    return (
        b"RIFF"
        + struct.pack("<I", 36 + len(samples))
        + b"WAVEfmt "
        + head
        + b"data"
        + struct.pack("<I", len(samples))
        + samples
    )


def _writer(path: Path, kind: str) -> gguf.GGUFWriter:
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_type("mmproj")
    writer.add_string("clip.projector_type", kind)
    writer.add_bool("clip.use_gelu", val=True)
    return writer


def _sizes(writer: gguf.GGUFWriter, prefix: str, layers: int, language_width: int) -> None:
    for key, value in {
        "embedding_length": _WIDTH,
        "feed_forward_length": _FORWARD,
        "block_count": layers,
        "attention.head_count": _HEADS,
        "projection_dim": language_width,
    }.items():
        writer.add_uint32(f"clip.{prefix}.{key}", value)
    writer.add_float32(f"clip.{prefix}.attention.layer_norm_epsilon", 1e-6)


def _blocks(random: np.random.Generator, prefix: str, layers: int) -> dict[str, Array]:
    weights: dict[str, Array] = {}
    for norm in [f"{prefix}.post_ln", *_names(prefix, layers, "ln1", "ln2")]:
        weights[f"{norm}.weight"] = np.ones(_WIDTH, dtype=np.float32)
        weights[f"{norm}.bias"] = np.zeros(_WIDTH, dtype=np.float32)
    for name in _names(prefix, layers, "attn_q", "attn_k", "attn_v", "attn_out"):
        weights[f"{name}.weight"] = _random(random, _WIDTH, _WIDTH)
        weights[f"{name}.bias"] = np.zeros(_WIDTH, dtype=np.float32)
    for name in _names(prefix, layers, "ffn_up"):
        weights[f"{name}.weight"] = _random(random, _FORWARD, _WIDTH)
        weights[f"{name}.bias"] = np.zeros(_FORWARD, dtype=np.float32)
    for name in _names(prefix, layers, "ffn_down"):
        weights[f"{name}.weight"] = _random(random, _WIDTH, _FORWARD)
        weights[f"{name}.bias"] = np.zeros(_WIDTH, dtype=np.float32)
    return weights


def _names(prefix: str, layers: int, *names: str) -> list[str]:
    return [f"{prefix}.blk.{layer}.{name}" for layer in range(layers) for name in names]


def _random(random: np.random.Generator, *shape: int) -> Array:
    return random.standard_normal(shape, dtype=np.float32) * np.float32(0.2)
