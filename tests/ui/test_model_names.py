"""How models are called in the window."""

from __future__ import annotations

from desktop.ui.model_names import short_name


def test_the_quantization_is_not_said_twice() -> None:
    assert short_name("Qwen3-8B-Q4_K_M", "Q4_K_M") == "Qwen3-8B"
    assert short_name("Letters-f16", "F16") == "Letters"
    assert short_name("For letters", "Q4_K_M") == "For letters"
    assert short_name("Qwen3-8B-Q4_K_M-2", "Q4_K_M") == "Qwen3-8B-Q4_K_M-2"
    assert short_name("-F16", "F16") == "-F16"
    assert short_name("Model", "") == "Model"
