"""GGUF files that no other program opens: Ollama's engine has a dialect of its own."""

from __future__ import annotations

from desktop.gguf.header import ModelHeader

_NAMES = frozenset(
    {"gptoss", "mllama", "qwen25vl", "deepseekocr", "gemma3_embed", "glm4moelite", "glmocr"}
)
"""Architectures as Ollama's own engine calls them; llama.cpp has other names for all of these."""

_EYES = ("v.", "mm.")


def is_own_form(header: ModelHeader) -> bool:
    """Whether llama.cpp would refuse it: a name of Ollama's, or the image part's tensors among the
    language model's (llama.cpp wants a projector in a file of its own, and counts the tensors)."""
    if header.architecture in _NAMES:
        return True
    return any(tensor.name.startswith(_EYES) for tensor in header.tensors)
