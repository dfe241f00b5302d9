"""A repository's README.md: what its maker says of the model, made safe to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModelCard:
    """`markdown` holds no HTML and no images; a link shows the host that it leads to.

    `summary` is its first plain paragraph. `base_model` names the repository that the model was
    made from. `gated_prompt`: what the owner asks before handing it out. `sampling`: what the card
    recommends, by llama.cpp's names (``temperature``, ``top_p``, ``top_k``, ``min_p``,
    ``repeat_penalty``).
    """

    summary: str = ""
    markdown: str = ""
    licence: str = ""
    licence_name: str = ""
    licence_link: str = ""
    languages: tuple[str, ...] = ()
    base_model: str = ""
    gated_prompt: str = ""
    sampling: Mapping[str, float] = field(default_factory=dict)
