"""Where a model came from, in a few words for a list and in a line for its details."""

from __future__ import annotations

from PySide6.QtCore import QObject

from desktop.library.model import LibraryModel
from desktop.library.origin import Origin


class OriginWords(QObject):
    """ "Hugging Face, verified", "from Ollama", "made here from Qwen3 8B"."""

    def words(self, model: LibraryModel) -> str:
        """As short as a column wants it."""
        if model.source == "built_in":
            return self.tr("made by us")
        origin = model.origin
        if origin is None or origin.kind == "file":
            return self._by_place(model)
        if origin.kind == "quantized":
            return self.tr("made here from {name}").format(name=origin.where)
        name = self.program(origin)
        if origin.is_verified or model.verified_at is not None:
            return self.tr("{place}, verified").format(place=name)
        return name

    def program(self, origin: Origin) -> str:
        """Whose it was."""
        match origin.kind:
            case "hub":
                return self.tr("Hugging Face")
            case "ollama":
                return self.tr("from Ollama")
            case "lmstudio":
                return self.tr("from LM Studio")
            case "huggingface":
                return self.tr("from the Hugging Face cache")
            case "jan":
                return self.tr("from Jan")
            case "gpt4all":
                return self.tr("from GPT4All")
            case "llamacpp":
                return self.tr("from llama.cpp’s cache")
            case "pack":
                return self.tr("from a pack")
            case "quantized":
                return self.tr("made here")
            case "built_in":
                return self.tr("made by us")
        return self.tr("from a file")

    def _by_place(self, model: LibraryModel) -> str:
        if model.source == "copy":
            return self.tr("copied into Hausgeist")
        return self.tr("from the folder “{folder}”").format(folder=model.path.parent.name)
