"""The smallest ears that libmtmd opens: its decoder of sound files wants to be asked through some.

A projector of one layer (Ultravox's kind, which hears 16,000 samples a second), all zeros, written
to a file for as long as it takes to open it.
"""

from __future__ import annotations

import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from desktop.engine.model import encoded_path

RATE = 16_000
_WIDTH, _MEL, _STACK = 8, 80, 8
_ALIGNMENT = 32
_BOOL, _STRING, _U32, _F32 = 7, 8, 4, 6  # GGUF's codes

_KEYS: Mapping[str, str | bool | int | float] = {
    "general.architecture": "clip",
    "clip.projector_type": "ultravox",
    "clip.has_audio_encoder": True,
    "clip.use_gelu": True,
    "clip.audio.num_mel_bins": _MEL,
    "clip.audio.projector.stack_factor": _STACK,
    "clip.audio.embedding_length": _WIDTH,
    "clip.audio.feed_forward_length": _WIDTH,
    "clip.audio.block_count": 1,
    "clip.audio.projection_dim": _WIDTH,
    "clip.audio.attention.head_count": 1,
    "clip.audio.attention.layer_norm_epsilon": 1e-6,
}
_BLOCK = "a.blk.0."
_TENSORS: Mapping[str, tuple[int, ...]] = {
    "a.conv1d.1.weight": (3, _MEL, _WIDTH),
    "a.conv1d.1.bias": (1, _WIDTH),
    "a.conv1d.2.weight": (3, _WIDTH, _WIDTH),
    "a.conv1d.2.bias": (1, _WIDTH),
    "a.position_embd.weight": (_WIDTH, 1500),
    "mm.a.norm_pre.weight": (_STACK * _WIDTH,),
    "mm.a.mlp.1.weight": (_STACK * _WIDTH, 2 * _WIDTH),
    "mm.a.norm_mid.weight": (_WIDTH,),
    "mm.a.mlp.2.weight": (_WIDTH, _WIDTH),
    **{
        f"{_BLOCK}{name}": (_WIDTH, _WIDTH)
        for name in (
            "attn_q.weight",
            "attn_k.weight",
            "attn_v.weight",
            "attn_out.weight",
            "ffn_up.weight",
            "ffn_down.weight",
        )
    },
    **{
        f"{_BLOCK}{name}": (_WIDTH,)
        for name in (
            "ln1.weight",
            "ln1.bias",
            "ln2.weight",
            "ln2.bias",
            "attn_q.bias",
            "attn_v.bias",
            "attn_out.bias",
            "ffn_up.bias",
            "ffn_down.bias",
        )
    },
}


def open_ears(lib: Any) -> Any:
    """libmtmd's context that hears; None where this version wants other ears."""
    parameters = lib.mtmd_context_params_default()
    parameters.use_gpu = False
    parameters.print_timings = False
    parameters.warmup = False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ears.gguf"
        path.write_bytes(_file())
        handle = lib.mtmd_init_from_file(encoded_path(path), None, parameters)
    if handle and lib.mtmd_get_audio_sample_rate(handle) != RATE:
        return None
    return handle


def _file() -> bytes:
    parts = [b"GGUF", struct.pack("<IQQ", 3, len(_TENSORS), len(_KEYS))]
    parts += [_text(key) + _value(value) for key, value in _KEYS.items()]
    offset = 0
    for name, dims in _TENSORS.items():
        parts.append(_text(name) + struct.pack("<I", len(dims)))
        parts.append(struct.pack(f"<{len(dims)}QIQ", *dims, 0, offset))
        offset += _padded(4 * _product(dims))
    header = b"".join(parts)
    return header.ljust(_padded(len(header)), b"\0") + bytes(offset)


def _text(text: str) -> bytes:
    return struct.pack("<Q", len(text)) + text.encode()


def _value(value: str | bool | float) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", _STRING) + _text(value)
    if isinstance(value, bool):
        return struct.pack("<I?", _BOOL, value)
    if isinstance(value, int):
        return struct.pack("<II", _U32, value)
    return struct.pack("<If", _F32, value)


def _padded(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _product(dims: tuple[int, ...]) -> int:
    product = 1
    for dim in dims:
        product *= dim
    return product
