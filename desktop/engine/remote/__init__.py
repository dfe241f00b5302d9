"""Models on servers that speak OpenAI's protocol, behind the engine's."""
