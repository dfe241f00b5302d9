"""What a file's name in a repository tells: its quantization, its role, its place in a split model.

Names come from strangers: one that no system may take is no name of ours.
"""

from __future__ import annotations

import re
from typing import Literal

from desktop.common.safe_names import is_safe_file as is_safe_file

FileKind = Literal["model", "projector", "lora", "draft", "other"]

_SPLIT = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)
# As converters and publishers write them: Q4_K_M, UD-Q4_K_XL, i1-IQ3_XS, BF16, MXFP4_MOE, TQ1_0.
_QUANT = re.compile(
    r"(?:^|[-._ /])(?P<name>(?:UD-|i1-)?"
    r"(?:I?Q[1-8](?:_[A-Z0-9]{1,4}){0,4}|T?Q[12]_0|BF16|F16|F32|FP16|FP32|MXFP4(?:_MOE)?|NVFP4))"
    r"(?=$|[-._ /])",
    re.IGNORECASE,
)
_SYNONYMS = {"FP16": "F16", "FP32": "F32"}
_PROJECTOR = re.compile(
    r"mmproj|(?:^|[-._])(?:clip|vision[-._]?(?:tower|projector))(?:[-._]|$)", re.I
)
_LORA = re.compile(r"(?:^|[-._])(?:q?lora|adapter)(?:[-._]|$)", re.I)
_DRAFT = re.compile(r"(?:^|[-._])(?:draft|drafter|speculator|eagle3?)(?:[-._]|$)|^mtp[-._]", re.I)
_OTHER = re.compile(r"imatrix|(?:^|[-._])ggml-vocab|(?:^|[-._])control[-._]?vector", re.I)


def quantization_of(path: str) -> str:
    """``Q4_K_M`` out of ``dir/Model-Q4_K_M-00001-of-00002.gguf``; empty where no name is known.

    The file's own name counts before its folder's, the last one found before an earlier one.
    """
    folder, _, name = path.rpartition("/")
    match = _SPLIT.fullmatch(name)
    stem = match["stem"] if match else name.removesuffix(".gguf").removesuffix(".GGUF")
    for text in (stem, folder):
        found = [hit["name"] for hit in _QUANT.finditer(text)]
        if found:
            prefix, dash, plain = found[-1].rpartition("-")
            plain = plain.upper()
            return f"{prefix}{dash}{_SYNONYMS.get(plain, plain)}"
    return ""


def kind_of(path: str) -> FileKind:
    """What the file is for, by the names that publishers give; no GGUF is "other"."""
    name = path.rpartition("/")[2]
    if not name.lower().endswith(".gguf") or _OTHER.search(name):
        return "other"
    stem = name[:-5]
    if _PROJECTOR.search(stem):
        return "projector"
    if _LORA.search(stem):
        return "lora"
    return "draft" if _DRAFT.search(stem) else "model"


def split_place(path: str) -> tuple[str, int, int] | None:
    """For a part of a split model: the name that all share, its number from 1, and how many."""
    match = _SPLIT.fullmatch(path)
    if match is None or not 1 <= int(match["number"]) <= int(match["count"]):
        return None
    return match["stem"], int(match["number"]), int(match["count"])


def split_name(stem: str, number: int, count: int) -> str:
    """The name of one part."""
    return f"{stem}-{number:05d}-of-{count:05d}.gguf"
