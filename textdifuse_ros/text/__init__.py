"""Prompts: grammar and localisers that turn phrases into relevance maps."""
