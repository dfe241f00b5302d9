"""Names of quantizations as people know them.

The writer of a file notes a number (`general.file_type`); the tensors are the check on it,
because many files carry the number of the file that they were made from.
"""

from __future__ import annotations

from collections.abc import Mapping

FILE_TYPES: dict[int, str] = {
    0: "F32",
    1: "F16",
    2: "Q4_0",
    3: "Q4_1",
    7: "Q8_0",
    8: "Q5_0",
    9: "Q5_1",
    10: "Q2_K",
    11: "Q3_K_S",
    12: "Q3_K_M",
    13: "Q3_K_L",
    14: "Q4_K_S",
    15: "Q4_K_M",
    16: "Q5_K_S",
    17: "Q5_K_M",
    18: "Q6_K",
    19: "IQ2_XXS",
    20: "IQ2_XS",
    21: "Q2_K_S",
    22: "IQ3_XS",
    23: "IQ3_XXS",
    24: "IQ1_S",
    25: "IQ4_NL",
    26: "IQ3_S",
    27: "IQ3_M",
    28: "IQ2_S",
    29: "IQ2_M",
    30: "IQ4_XS",
    31: "IQ1_M",
    32: "BF16",
    36: "TQ1_0",
    37: "TQ2_0",
    38: "MXFP4",
    39: "NVFP4",
    40: "Q1_0",
    41: "Q2_0",
}
"""llama.cpp's `llama_ftype`, with the names that file names carry."""

_GUESSED = 1024  # llama.cpp sets this bit where it guessed the number itself

_MIXES = {
    "Q2_K_S": {"Q2_K"},
    "Q3_K_S": {"Q3_K"},
    "Q3_K_M": {"Q3_K"},
    "Q3_K_L": {"Q3_K"},
    "Q4_K_S": {"Q4_K"},
    "Q4_K_M": {"Q4_K"},
    "Q5_K_S": {"Q5_K"},
    "Q5_K_M": {"Q5_K"},
    "IQ1_M": {"IQ1_M", "IQ1_S"},
    "IQ2_M": {"IQ2_S", "IQ2_XS"},
    "IQ2_S": {"IQ2_XS", "IQ2_S"},
    "IQ3_XS": {"IQ3_XXS", "IQ3_S"},
    "IQ3_M": {"IQ3_S"},
    "Q2_K": {"Q2_K", "Q3_K"},
}
"""The tensor types that must be there for a name to be believed, where they differ from it."""

_DEFAULT_MIX = {"Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M"}


def name(file_type: int | None, bytes_by_type: Mapping[str, int]) -> str:
    """The name for a file whose matrices take `bytes_by_type` (bytes by tensor type).

    The noted `file_type` is believed if a type that belongs to it is among the tensors and
    takes a fair share of them (a tenth: mixes keep large embeddings in a better type).
    """
    total = sum(bytes_by_type.values())
    noted = FILE_TYPES.get(file_type & ~_GUESSED) if file_type is not None else None
    if total == 0:
        return noted or "unknown"
    if noted is not None:
        belonging = _MIXES.get(noted, {noted})
        if sum(bytes_by_type.get(kind, 0) for kind in belonging) * 10 >= total:
            return noted
    main = max(bytes_by_type, key=lambda kind: bytes_by_type[kind])
    return _DEFAULT_MIX.get(main, main)
