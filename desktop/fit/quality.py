"""What a quantization costs and what parameters bring, both as nats of text loss.

Perplexity is the only figure that is published for every quantization of one model, so it decides
here; its logarithm (nats a token) can be weighed against what a larger model would bring.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean

_LLAMA3_70B = {
    # llama.cpp pull request 6745, wiki.test, importance matrix; F16: 2.8308
    "IQ1_S": 9.8655,
    "IQ1_M": 8.5193,
    "IQ2_XXS": 6.6705,
    "IQ2_XS": 5.7486,
    "IQ2_S": 5.5215,
    "Q2_K_S": 5.4334,
    "IQ2_M": 4.8959,
    "Q2_K": 4.7763,
    "IQ3_XXS": 3.9671,
    "IQ3_XS": 3.7210,
    "Q3_K_S": 3.6502,
    "IQ3_S": 3.4698,
    "IQ3_M": 3.4402,
    "Q3_K_M": 3.3617,
    "Q3_K_L": 3.3016,
    "IQ4_XS": 3.0310,
    "IQ4_NL": 3.0261,
    "Q4_K_S": 3.0050,
    "Q4_K_M": 2.9674,
    "Q5_K_S": 2.8843,
    "Q5_K_M": 2.8656,
    "Q6_K": 2.8441,
    "Q8_0": 2.8316,
    "F16": 2.8308,
}
_QWEN25_CODER_7B = {
    # huggingface.co/ThomasBaruzier/Qwen2.5-Coder-7B-Instruct-GGUF, perplexity.md
    "IQ1_S": 18.3139,
    "IQ1_M": 14.7056,
    "IQ2_XXS": 12.3126,
    "IQ2_XS": 11.0302,
    "IQ2_S": 10.7236,
    "IQ2_M": 10.3509,
    "Q2_K_S": 10.6991,
    "Q2_K": 10.3696,
    "IQ3_XXS": 9.8351,
    "IQ3_XS": 9.5737,
    "Q3_K_S": 9.7610,
    "IQ3_S": 9.5520,
    "IQ3_M": 9.5248,
    "Q3_K_M": 9.6151,
    "Q3_K_L": 9.5675,
    "IQ4_XS": 9.3942,
    "IQ4_NL": 9.3991,
    "Q4_0": 9.4483,
    "Q4_K_S": 9.3869,
    "Q4_K_M": 9.3699,
    "Q4_1": 9.3797,
    "Q5_K_S": 9.3144,
    "Q5_0": 9.3419,
    "Q5_K_M": 9.3152,
    "Q5_1": 9.3111,
    "Q6_K": 9.3168,
    "Q8_0": 9.3061,
    "F16": 9.3071,
}
_LLAMA3_8B_BASE = 6.2332
_LLAMA3_8B = {
    # what llama.cpp's own quantizer prints ("+0.1754 ppl @ Llama-3-8B"), no importance matrix
    "Q2_K": _LLAMA3_8B_BASE + 3.5199,
    "Q2_K_S": _LLAMA3_8B_BASE + 3.1836,
    "Q3_K_S": _LLAMA3_8B_BASE + 1.6321,
    "Q3_K_M": _LLAMA3_8B_BASE + 0.6569,
    "Q3_K_L": _LLAMA3_8B_BASE + 0.5562,
    "Q4_0": _LLAMA3_8B_BASE + 0.4685,
    "Q4_1": _LLAMA3_8B_BASE + 0.4511,
    "Q4_K_S": _LLAMA3_8B_BASE + 0.2689,
    "Q4_K_M": _LLAMA3_8B_BASE + 0.1754,
    "Q5_0": _LLAMA3_8B_BASE + 0.1316,
    "Q5_1": _LLAMA3_8B_BASE + 0.1062,
    "Q5_K_S": _LLAMA3_8B_BASE + 0.1049,
    "Q5_K_M": _LLAMA3_8B_BASE + 0.0569,
    "Q6_K": _LLAMA3_8B_BASE + 0.0217,
    "Q8_0": _LLAMA3_8B_BASE + 0.0026,
    "F16": _LLAMA3_8B_BASE,
}
TABLES: tuple[Mapping[str, float], ...] = (_LLAMA3_70B, _QWEN25_CODER_7B, _LLAMA3_8B)
"""Published perplexities of three models in many quantizations; each has its own "F16"."""

GOOD_LOSS_NATS = 0.05
"""Up to 5 % more perplexity: every four-bit file and above; no three-bit one."""

_SAME_AS = {"Q2_K_XL": "Q2_K", "Q2_K_L": "Q2_K", "Q3_K_XL": "Q3_K_L", "Q4_K_XL": "Q4_K_M"}
_SAME_AS |= {"Q4_K_L": "Q4_K_M", "Q5_K_XL": "Q5_K_M", "Q6_K_XL": "Q6_K", "Q8_K_XL": "Q8_0"}
_SAME_AS |= {"BF16": "F16", "F32": "F16"}
"""Mixes that nobody has measured so, by the plainer one that they improve on."""

_SCALE = 8.8e13
_EXPONENT = 0.076
_DOUBLING_YEARS = 1.0
_REFERENCE_YEAR = 2024.0


def quantization_loss(quantization: str) -> float | None:
    """Nats a token that are lost against F16, the mean of `TABLES`; None where nobody measured."""
    plain = quantization.upper().removeprefix("UD-")
    plain = _SAME_AS.get(plain, plain)
    found = [math.log(table[plain] / table["F16"]) for table in TABLES if plain in table]
    return max(0.0, fmean(found)) if found else None


def is_good(quantization: str) -> bool:
    """Whether answers stay what the model's makers meant: Q4_K_M and its like, and above."""
    loss = quantization_loss(quantization)
    return loss is not None and loss <= GOOD_LOSS_NATS


def effective_parameters(total: int, active: int, year: float | None = None) -> float:
    """A dense model of `_REFERENCE_YEAR` that would be as capable, in parameters.

    A mixture of experts counts as the geometric mean of all and of the active ones (a rule of
    thumb). Newer models hold more a parameter: doubling once a year is a careful reading of the
    "densing law" (arXiv 2412.04315 found about every three and a half months). `year` is that of
    the release, 2026.25 for the first of April 2026; None counts as the reference year.
    """
    if total <= 0 or active <= 0:
        return 1.0
    age = max(0.0, (year or _REFERENCE_YEAR) - _REFERENCE_YEAR)
    return math.sqrt(float(total) * active) * 2 ** (age / _DOUBLING_YEARS)


def text_loss(parameters: float) -> float:
    """Nats a token of a dense model of so many parameters.

    Source: Kaplan et al., "Scaling Laws for Neural Language Models", L(N) = (8.8e13 / N)^0.076.
    A doubling brings about 0.1 nats where home computers are.
    """
    return float((_SCALE / max(parameters, 1.0)) ** _EXPONENT)
