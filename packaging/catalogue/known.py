"""What stands beside the recorded facts: names to show, dates, languages, licences in short.

Every date and language here names its source; what nobody states is left out.
"""

from __future__ import annotations

from typing import NamedTuple


class Dated(NamedTuple):
    """A day as ISO text; `exact` False: it came out on that day or later."""

    day: str
    source: str
    exact: bool = True


NAMES = {
    "qwen3-4b-instruct-2507": "Qwen3 4B Instruct (2507)",
    "qwen3-next-80b-a3b": "Qwen3 Next 80B-A3B",
    "qwen3-coder-30b-a3b": "Qwen3 Coder 30B-A3B",
    "qwen3-coder-next": "Qwen3 Coder Next",
    "gemma-4-e2b": "Gemma 4 E2B",
    "gemma-4-e4b": "Gemma 4 E4B",
    "gpt-oss-20b": "gpt-oss 20B",
    "gpt-oss-120b": "gpt-oss 120B",
    "mistral-small-3.2-24b": "Mistral Small 3.2 24B",
    "magistral-small-2509": "Magistral Small (2509)",
    "devstral-small-2-24b": "Devstral Small 2 24B",
    "phi-4": "Phi 4",
    "phi-4-mini": "Phi 4 Mini",
    "smollm3-3b": "SmolLM3 3B",
    "granite-4.0-h-tiny": "Granite 4.0 H Tiny",
    "lfm2.5-1.2b": "LFM2.5 1.2B",
    "lfm2.5-8b-a1b": "LFM2.5 8B-A1B",
    "lfm2-24b-a2b": "LFM2 24B-A2B",
    "olmo-3-7b": "Olmo 3 7B",
    "nemotron-3-nano-30b-a3b": "Nemotron 3 Nano 30B-A3B",
    "nemotron-3.5-lightning-30b-a3b": "Nemotron 3.5 Lightning 30B-A3B",
    "glm-4.7-flash": "GLM 4.7 Flash",
    "deepseek-r1-distill-qwen-14b": "DeepSeek R1 Distill Qwen 14B",
    "qwen2.5-coder-7b": "Qwen2.5 Coder 7B",
    "eurollm-9b": "EuroLLM 9B",
    "salamandra-7b": "Salamandra 7B",
    "qwen2.5-vl-3b": "Qwen2.5 VL 3B",
    "translategemma-12b": "TranslateGemma 12B",
    "qwen3-embedding-0.6b": "Qwen3 Embedding 0.6B",
    "embeddinggemma-300m": "EmbeddingGemma 300M",
    "multilingual-e5-small": "Multilingual E5 Small",
    "jina-embeddings-v4": "Jina Embeddings v4",
}
"""Where the id with capitals would not do."""


class Spoken(NamedTuple):
    """Languages as they are stated: their codes, or how many, or a word for all of them.

    `german`: German is named, singly or within a set that includes it.
    """

    source: str
    codes: tuple[str, ...] = ()
    number: int = 0
    word: str = ""
    german: bool = False


def _llama(name: str) -> Spoken:
    codes = ("en", "de", "fr", "it", "pt", "hi", "es", "th")
    return Spoken(f"model card of meta-llama/{name}", codes, german=True)


def _ministral(size: str) -> Spoken:
    codes = ("en", "fr", "es", "de", "it", "pt", "nl", "zh", "ja", "ko", "ar")
    return Spoken(f"LocalAI gallery, Ministral 3 {size}", codes, german=True)


_QWEN35 = Spoken("model card of Qwen/Qwen3.5-0.8B, same series", number=201)

LANGUAGES = {
    "llama-3.1-8b": _llama("Llama-3.1-8B-Instruct"),
    "llama-3.2-1b": _llama("Llama-3.2-1B-Instruct"),
    "llama-3.2-3b": _llama("Llama-3.2-3B-Instruct"),
    "llama-3.3-70b": _llama("Llama-3.3-70B-Instruct"),
    "qwen3.5-0.8b": _QWEN35,
    "qwen3.5-2b": _QWEN35,
    "qwen3.5-4b": _QWEN35,
    "qwen3.5-9b": _QWEN35,
    "qwen3.5-27b": _QWEN35,
    "qwen3.5-35b-a3b": _QWEN35,
    "qwen3.5-122b-a10b": _QWEN35,
    "gemma-4-e2b": Spoken("LocalAI gallery gemma-4-e2b-it", number=140, word="over", german=True),
    "gemma-4-e4b": Spoken("LocalAI gallery gemma-4-e4b-it", number=140, word="over", german=True),
    "gemma-4-26b-a4b": Spoken(
        "LocalAI gallery gemma-4-26b-a4b-it", number=140, word="over", german=True
    ),
    "gemma-4-31b": Spoken("LocalAI gallery gemma-4-31b-it", number=140, word="over", german=True),
    # The gallery repeats the family's "over 140"; its makers say so of 4B, 12B and 27B alone.
    "gemma-3-1b": Spoken("Hugging Face blog, Welcome Gemma 3 (its table of sizes)", ("en",)),
    "gemma-3-27b": Spoken("LocalAI gallery gemma-3-27b-it", number=140, word="over"),
    "ministral-3-3b": _ministral("3B"),
    "ministral-3-8b": _ministral("8B"),
    "ministral-3-14b": _ministral("14B"),
    "nemotron-3-nano-30b-a3b": Spoken(
        "LocalAI gallery, Nemotron 3 Nano", ("en", "es", "fr", "de", "it", "ja"), german=True
    ),
    "smollm3-3b": Spoken("LocalAI gallery huggingfacetb_smollm3-3b", number=6),
    "eurollm-9b": Spoken("LocalAI gallery eurollm-9b-instruct", word="eu", german=True),
    "salamandra-7b": Spoken(
        "LocalAI gallery salamandra-7b-instruct", number=35, word="european", german=True
    ),
}

RELEASED = {
    "llama-3.1-8b": Dated("2024-07-23", "model card of meta-llama/Llama-3.1-8B-Instruct"),
    "llama-3.2-1b": Dated("2024-09-25", "model card of meta-llama/Llama-3.2-1B-Instruct"),
    "llama-3.2-3b": Dated("2024-09-25", "model card of meta-llama/Llama-3.2-3B-Instruct"),
    "llama-3.3-70b": Dated("2024-12-06", "model card of meta-llama/Llama-3.3-70B-Instruct"),
    "gpt-oss-20b": Dated("2025-08-05", "released together with gpt-oss-120b"),
    "qwen3-4b": Dated("2025-05-01", "released together with Qwen3-14B"),
    "qwen3-8b": Dated("2025-05-01", "released together with Qwen3-14B"),
    "qwen3-30b-a3b": Dated("2025-05-01", "released together with Qwen3-14B"),
    "qwen3-4b-instruct-2507": Dated("2025-07-01", "the month in its name"),
    "mistral-small-3.2-24b": Dated("2025-06-01", "the month in its name (2506)"),
    "magistral-small-2509": Dated("2025-09-01", "the month in its name"),
    "ministral-3-3b": Dated("2025-12-01", "the month in its name (2512)"),
    "ministral-3-8b": Dated("2025-12-01", "the month in its name (2512)"),
    "ministral-3-14b": Dated("2025-12-01", "the month in its name (2512)"),
    "devstral-small-2-24b": Dated("2025-12-10", "repository created"),
    "qwen3.5-27b": Dated("2026-02-24", "released together with Qwen3.5-35B-A3B"),
    "qwen3.8-27b": Dated("2026-04-23", "follows Qwen3.6-27B", exact=False),
    "gemma-4-12b": Dated("2026-04-02", "follows the first Gemma 4 models", exact=False),
    "nemotron-3.5-lightning-30b-a3b": Dated("2025-12-16", "follows Nemotron 3 Nano", exact=False),
    "lfm2.5-8b-a1b": Dated("2026-01-04", "follows LFM2.5-1.2B", exact=False),
}

LICENCES = {
    "apache-2.0": ("Apache 2.0", "yes", "free"),
    "mit": ("MIT", "yes", "free"),
    "openmdw-1.1": ("OpenMDW 1.1", "yes", "free"),
    "gemma": ("Gemma", "conditions", "gemma"),
    "llama3.1": ("Llama 3.1", "conditions", "llama"),
    "llama3.2": ("Llama 3.2", "conditions", "llama"),
    "llama3.3": ("Llama 3.3", "conditions", "llama"),
    "other": ("", "conditions", "own"),
    "cc-by-nc-4.0": ("CC BY-NC 4.0", "no", "private"),
}
"""The Hub's tag: (name, whether office use is allowed, the sentence that says how).

Sources: the licences' own texts. "other" is a licence of the maker's own (LFM Open License).
"""

NATIVE = {
    "gpt-oss-20b": "MXFP4",
    "gpt-oss-120b": "MXFP4",
}
"""Models that their makers publish in a quantization: nothing is lost by it."""
