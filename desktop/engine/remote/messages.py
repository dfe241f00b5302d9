"""A chat's messages and tools as OpenAI-style servers want them written."""

from __future__ import annotations

import base64
import json
from typing import Any

from desktop.engine.chat import Chat, Media, Message, Tool
from desktop.engine.media.audio_header import audio_head
from desktop.engine.media.image_header import image_head

REASONING_FIELD = "reasoning_content"


def messages_of(chat: Chat, *, developer: bool, reasoning: bool) -> list[dict[str, Any]]:
    """`developer`: the server knows that role; `reasoning`: earlier reasoning may be sent along.

    Raises RequestError: media_format, bad_media.
    """
    return [_message(one, developer=developer, reasoning=reasoning) for one in chat.led_messages]


def tools_of(tools: tuple[Tool, ...]) -> list[dict[str, Any]]:
    """Functions with their schemas; one without parameters takes none."""
    return [
        {
            "type": "function",
            "function": {
                "name": tool.name,
                "description": tool.description,
                "parameters": dict(tool.parameters) or {"type": "object", "properties": {}},
            },
        }
        for tool in tools
    ]


def tool_choice_of(chat: Chat) -> Any:
    """None where the usual is meant."""
    if chat.forced_tool:
        return {"type": "function", "function": {"name": chat.forced_tool}}
    return None if chat.tool_choice == "auto" else chat.tool_choice


def _message(message: Message, *, developer: bool, reasoning: bool) -> dict[str, Any]:
    role = message.role
    if role == "developer" and not developer:
        role = "system"
    written: dict[str, Any] = {"role": role, "content": _content(message)}
    if message.tool_calls:
        written["content"] = written["content"] or None
        written["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": _arguments(call.arguments)},
            }
            for call in message.tool_calls
        ]
    if role == "tool":
        written["tool_call_id"] = message.tool_call_id
    if message.name:
        written["name"] = message.name
    if reasoning and message.reasoning and role == "assistant":
        written[REASONING_FIELD] = message.reasoning
    return written


def _arguments(text: str) -> str:
    """JSON text of an object: servers parse it, and some fail on anything else."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    return text if isinstance(found, dict) else "{}"


def _content(message: Message) -> str | list[dict[str, Any]]:
    """Plain text; with pictures or sounds, pieces in their order."""
    if not message.media:
        return message.content
    parts: list[dict[str, Any]] = []
    place = 0
    for media in sorted(message.media, key=lambda one: one.at):
        at = min(max(media.at, place), len(message.content))
        parts += _text(message.content[place:at])
        parts.append(_media(media))
        place = at
    return parts + _text(message.content[place:])


def _text(text: str) -> list[dict[str, Any]]:
    return [{"type": "text", "text": text}] if text else []


def _media(media: Media) -> dict[str, Any]:
    data = base64.b64encode(media.data).decode("ascii")
    if media.kind == "audio":
        sound = {"data": data, "format": audio_head(media.data).format}
        return {"type": "input_audio", "input_audio": sound}
    address = f"data:image/{image_head(media.data).format};base64,{data}"
    return {"type": "image_url", "image_url": {"url": address}}
