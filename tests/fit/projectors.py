"""Headers of vision parts, with the sizes of real ones; tensor data is a hole."""

from __future__ import annotations

from pathlib import Path

from tests.gguf_files import F32, Array, Tensor, write_gguf


def write_siglip(
    path: Path,
    *,
    layers: int = 27,
    width: int = 1152,
    feed_forward: int = 4304,
    heads: int = 16,
    image: int = 896,
    patch: int = 14,
    language_width: int = 2560,
) -> Path:
    """Gemma 3's eyes: a SigLIP tower, F16, with a projection to `language_width`."""
    patches = (image // patch) ** 2
    metadata: dict[str, object] = {
        "general.architecture": "clip",
        "general.type": "mmproj",
        "general.file_type": 1,
        "clip.has_vision_encoder": True,
        "clip.projector_type": "gemma3",
        "clip.vision.image_size": image,
        "clip.vision.patch_size": patch,
        "clip.vision.embedding_length": width,
        "clip.vision.feed_forward_length": feed_forward,
        "clip.vision.block_count": layers,
        "clip.vision.attention.head_count": heads,
        "clip.vision.attention.layer_norm_epsilon": 1e-6,
        "clip.vision.projection_dim": language_width,
        "clip.vision.image_mean": Array(F32, [0.5, 0.5, 0.5]),
        "clip.vision.image_std": Array(F32, [0.5, 0.5, 0.5]),
        "clip.use_gelu": True,
    }
    tensors = [
        Tensor("v.patch_embd.weight", (patch, patch, 3, width), "F16"),
        Tensor("v.patch_embd.bias", (width,)),
        Tensor("v.position_embd.weight", (width, patches), "F32"),
        Tensor("v.post_ln.weight", (width,)),
        Tensor("v.post_ln.bias", (width,)),
        Tensor("mm.input_projection.weight", (language_width, width), "F16"),
        Tensor("mm.soft_emb_norm.weight", (width,)),
    ]
    for layer in range(layers):
        block = f"v.blk.{layer}."
        for name in ("ln1", "ln2"):
            tensors += [Tensor(f"{block}{name}.{part}", (width,)) for part in ("weight", "bias")]
        for name in ("attn_q", "attn_k", "attn_v", "attn_out"):
            tensors.append(Tensor(f"{block}{name}.weight", (width, width), "F16"))
            tensors.append(Tensor(f"{block}{name}.bias", (width,)))
        for name, shape in (("ffn_down", (width, feed_forward)), ("ffn_up", (feed_forward, width))):
            tensors.append(Tensor(f"{block}{name}.weight", shape, "F16"))
            tensors.append(Tensor(f"{block}{name}.bias", (shape[1],)))
    return write_gguf(path, metadata, tensors)
