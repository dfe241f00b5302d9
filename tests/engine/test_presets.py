"""Named ways of writing."""

from __future__ import annotations

import pytest

from desktop.common.errors import RequestError
from desktop.engine.presets import PRESETS, with_preset
from desktop.engine.sampling import Sampling


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("temperature", [0.0, 0.15, 0.7, 1.0, 2.0, 100.0])
def test_every_preset_gives_values_that_may_be_used(name: str, temperature: float) -> None:
    with_preset(name, Sampling(temperature=temperature)).check()


def test_what_the_model_recommends_stays_where_nothing_is_said() -> None:
    own = Sampling(temperature=0.15, top_k=17, repeat_penalty=1.1, seed=3)
    assert with_preset("balanced", own) == own
    assert with_preset("exact", own).temperature == 0.0
    precise, creative = with_preset("precise", own), with_preset("creative", own)
    assert precise.temperature < own.temperature < creative.temperature
    assert (precise.top_k, precise.repeat_penalty, precise.seed) == (17, 1.1, 3)


def test_an_unknown_name_is_told_with_those_that_there_are() -> None:
    with pytest.raises(RequestError) as caught:
        with_preset("wild", Sampling())
    assert caught.value.kind == "no_such_preset"
    assert "creative" in str(caught.value.params["known"])
