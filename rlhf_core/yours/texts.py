"""The text of prompts and answers, whether they are strings, messages, chats, steps or whole dialogues."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

TEXT_KEYS = ("content", "value", "text", "response", "answer", "completion", "output")
TURN = re.compile(r"(?:^|(?<=\n))[^\S\n]*(Human|Assistant|User|Bot|H|A)\s*:", re.IGNORECASE)
ANSWERING = ("assistant", "bot", "a", "gpt", "model")
OPENING = re.compile(r"(?<!\s)\s*(Human|User)\s*:", re.IGNORECASE)
"""How a string begins that holds a whole dialogue."""


def text_of(value: Any) -> str:
    """The text of an answer, whether it is a string, steps, a message, or a chat of messages of which the last counts.

    A chat is a list of messages with a role; typed parts of a message are joined.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        for key in TEXT_KEYS:
            if key in value:
                return text_of(value[key])
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Sequence):
        if value and all(isinstance(item, Mapping) and _role(item) for item in value):
            return text_of(value[-1])
        return "\n".join(filter(None, (text_of(item) for item in value)))
    return str(value)


def _role(message: Mapping[str, Any]) -> str:
    return str(message.get("role") or message.get("from") or "").lower()


def asked(value: Any) -> str:
    """Everything that was said before the answer."""
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "\n".join(text_of(message) for message in value)
    return text_of(value)


def dialogue(value: Any) -> tuple[str, str]:
    """What was asked and the last answer, of a whole dialogue in one string or one chat; a plain text is an answer."""
    if isinstance(value, str):
        turns = list(TURN.finditer(value))
        if not turns or turns[-1][1].lower() not in ANSWERING:
            return "", value
        return value[: turns[-1].start()].strip(), value[turns[-1].end() :].strip()
    if isinstance(value, Sequence) and value and all(isinstance(item, Mapping) and _role(item) for item in value):
        return "\n".join(text_of(message) for message in value[:-1]), text_of(value[-1])
    return "", text_of(value)


def answer_of(value: Any) -> str:
    """The answer where the prompt stands elsewhere: all of a text, unless it is the whole dialogue again."""
    return dialogue(value)[1] if isinstance(value, str) and OPENING.match(value) else text_of(value)
