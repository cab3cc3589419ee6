"""What is drawn in light and in dark made one: colours that differ become custom properties with a value in each theme.

So a file holds every chart once, and each number in it is the one that the app sends.
"""

import json
import re
import zlib
from dataclasses import dataclass, field, replace
from typing import Any

from pages.stage import Payload
from pages.stage.storyboard import decode

COLOUR = re.compile(r"#[0-9a-f]{3,8}|rgba?\([\d., %/]+\)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Themes:
    """Pairs of colours, light and dark, in the order in which they were met."""

    pairs: dict[tuple[str, str], str] = field(default_factory=dict)
    """Names of custom properties."""

    def both(self, light: Payload, dark: Payload) -> Payload:
        """One payload for both themes.

        Raises
        ------
        ValueError
            If they differ in more than colours.
        """
        body = self._merged(decode(light), decode(dark))
        text = json.dumps(body, separators=(",", ":"), ensure_ascii=False)
        return replace(light, body=zlib.compress(text.encode(), 9))

    def _merged(self, light: Any, dark: Any) -> Any:
        if light == dark:
            return light
        if isinstance(light, dict) and isinstance(dark, dict) and light.keys() == dark.keys():
            return {key: self._merged(value, dark[key]) for key, value in light.items()}
        if isinstance(light, list) and isinstance(dark, list) and len(light) == len(dark):
            return [self._merged(*pair) for pair in zip(light, dark, strict=True)]
        if isinstance(light, str) and isinstance(dark, str) and COLOUR.split(light) == COLOUR.split(dark):
            hues = zip(COLOUR.findall(light), COLOUR.findall(dark), strict=True)
            names = (f"var({self.pairs.setdefault(pair, f'--rlhf-pair-{len(self.pairs)}')})" for pair in hues)
            return COLOUR.sub(lambda _: next(names), light)
        raise ValueError(f"themes must differ in colours alone, got {light!r} and {dark!r}")

    def values(self, dark: bool) -> dict[str, str]:
        """Custom properties with their values in one theme."""
        return {name: pair[dark] for pair, name in self.pairs.items()}
