"""Chats as prompts: chat templates, what they can do, how a model reasons."""
