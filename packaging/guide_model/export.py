"""Write the trained guide as a GGUF file: `python -m guide_model.export --out FILE`."""

from __future__ import annotations

import argparse
from pathlib import Path

import gguf
import numpy as np
from torch import Tensor

from guide_model.bpe import Tokenizer
from guide_model.model import Guide, parameters
from guide_model.tokens import CHAT_TEMPLATE
from guide_model.train import load_model

NAME = "Hausgeist Guide"
TEMPERATURE = 0.05
_DESCRIPTION = (
    "The small guide built into Hausgeist: answers questions about the program and the basics "
    "of local language models, in German and English."
)
_LAYER_NAMES = {
    "attn_norm": "attn_norm",
    "q": "attn_q",
    "k": "attn_k",
    "v": "attn_v",
    "o": "attn_output",
    "ffn_norm": "ffn_norm",
    "gate": "ffn_gate",
    "up": "ffn_up",
    "down": "ffn_down",
}


def _describe(writer: gguf.GGUFWriter, model: Guide) -> None:
    shape = model.shape
    writer.add_type(gguf.GGUFType.MODEL)
    writer.add_name(NAME)
    writer.add_author("Hausgeist")
    writer.add_license("MIT")
    writer.add_languages(["de", "en"])
    writer.add_description(_DESCRIPTION)
    writer.add_size_label(f"{parameters(model) / 1e6:.1f}M")
    writer.add_tags(["text-generation", "guide"])
    writer.add_float32("general.sampling.temp", TEMPERATURE)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    writer.add_quantization_version(gguf.GGML_QUANT_VERSION)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.epsilon)


def _vocabulary(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    kinds = [gguf.TokenType.NORMAL] * tokenizer.plain
    for token in tokenizer.tokens[tokenizer.plain :]:
        unused = token.startswith("<|unused")
        kinds.append(gguf.TokenType.UNUSED if unused else gguf.TokenType.CONTROL)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokenizer.tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges([f"{left} {right}" for left, right in tokenizer.merges])
    writer.add_bos_token_id(tokenizer.pad)
    writer.add_eos_token_id(tokenizer.stop)
    writer.add_eot_token_id(tokenizer.stop)
    writer.add_pad_token_id(tokenizer.pad)
    writer.add_add_bos_token(value=False)
    writer.add_add_eos_token(value=False)
    writer.add_chat_template(CHAT_TEMPLATE)


def _add(writer: gguf.GGUFWriter, name: str, tensor: Tensor) -> None:
    values: np.ndarray = tensor.detach().float().numpy()
    if values.ndim == 1:
        writer.add_tensor(name, values)
        return
    packed = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
    writer.add_tensor(name, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)


def write(model: Guide, tokenizer: Tokenizer, path: Path) -> None:
    """The whole model in one file; matrices as Q8_0, norms as F32, the output tied."""
    writer = gguf.GGUFWriter(path, "llama")
    _describe(writer, model)
    _vocabulary(writer, tokenizer)
    _add(writer, "token_embd.weight", model.embedding.weight)
    for at, layer in enumerate(model.layers):
        for ours, theirs in _LAYER_NAMES.items():
            _add(writer, f"blk.{at}.{theirs}.weight", layer.get_submodule(ours).weight)
    _add(writer, "output_norm.weight", model.norm.weight)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, default=Path("build/guide"))
    parser.add_argument("--out", type=Path, required=True)
    wish = parser.parse_args()
    model = load_model(wish.folder)
    write(model, Tokenizer.load(wish.folder / "tokenizer.json"), wish.out)
    print(f"{wish.out}: {wish.out.stat().st_size:,} bytes, {parameters(model):,} parameters")


if __name__ == "__main__":
    main()
