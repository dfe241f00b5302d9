"""Which kinds of weights are timed on a device."""

from __future__ import annotations

WEIGHT_TYPES = (
    # The most usual first: what the time does not reach is reckoned from these.
    *("Q4_K", "Q6_K", "Q8_0", "Q4_0", "Q5_K", "F16", "Q3_K", "F32", "Q5_0", "IQ4_XS", "Q2_K"),
    *("BF16", "IQ4_NL", "MXFP4", "Q5_1", "Q4_1", "IQ3_XXS", "IQ3_S", "IQ2_XS", "IQ2_S", "IQ1_M"),
)
