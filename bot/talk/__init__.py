"""Conversation as pure data: messages, forms and the engine that advances them."""
