"""The shapes in which people keep preferences, each turned into prompt, chosen and rejected answer."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from rlhf_core.yours.texts import answer_of, asked, dialogue, text_of

PROMPT_NAMES = ("prompt", "instruction", "question", "query", "input", "context", "user_prompt", "message", "x")
CHOSEN_NAMES = ("chosen", "chosen_response", "selected", "preferred", "accepted", "response_chosen", "win", "winner",
                "better", "response_j", "positive", "pos", "chosen_answer", "chosen_text")  # fmt: skip
REJECTED_NAMES = ("rejected", "rejected_response", "refused", "dispreferred", "response_rejected", "lose", "loser",
                  "worse", "response_k", "negative", "neg", "rejected_answer", "rejected_text")  # fmt: skip
PAIR_NAMES = (("output_1", "output_2"), ("response_1", "response_2"), ("response_0", "response_1"),
              ("response_a", "response_b"), ("answer_a", "answer_b"), ("completion_a", "completion_b"),
              ("text_a", "text_b"), ("answer_0", "answer_1"))  # fmt: skip
VERDICT_NAMES = ("preference", "label", "winner", "better", "choice", "preferred", "better_response_id",
                 "overall_preference")  # fmt: skip
ANSWER_NAMES = ("answer", "response", "completion", "output", "text")
RANK_NAMES = ("rank", "ranking", "order", "position")
SCORE_NAMES = ("score", "rating", "reward", "overall")
GOOD_OR_BAD = ("true", "false", "0", "1", "0.0", "1.0", "good", "bad", "desirable", "undesirable")
SCORED = (("chosen_score", "rejected_score"), ("score_chosen", "score_rejected"), ("chosen_rating", "rejected_rating"),
          ("chosen_reward", "rejected_reward"))  # fmt: skip
STRENGTH_NAMES = ("preference_strength", "strength", "margin")


class Unnamed(ValueError):
    """No names say which columns hold the answers; a reader may choose from `columns`, a chosen and a rejected one."""

    def __init__(self, columns: Sequence[str]) -> None:
        shown = ", ".join(name[:40] for name in list(columns)[:12])
        super().__init__(f"no columns for a chosen and a rejected answer were found among {shown}; choose them")
        self.columns = tuple(columns)


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what; what a reader may choose where the shape is ambiguous."""

    chosen: str
    rejected: str
    prompt: str = ""


@dataclass(slots=True)
class Shaped:
    """Pairs as texts, and what was met on the way."""

    shape: str
    prompts: list[str] = field(default_factory=list)
    chosen: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    ties: int = 0
    """Pairs without a preference."""
    empty: int = 0
    """Pairs without text on one side or both."""
    prompts_differ: int = 0
    """Pairs whose two dialogues ask different things; the chosen one's prompt is kept."""
    notes: list[str] = field(default_factory=list)

    def add(self, prompt: str, chosen: str, rejected: str) -> None:
        """Keep a pair, or count it as empty."""
        if chosen.strip() and rejected.strip():
            self.prompts.append(prompt.strip())
            self.chosen.append(chosen.strip())
            self.rejected.append(rejected.strip())
        else:
            self.empty += 1


def shaped(rows: Sequence[Mapping[str, Any]], lines: Sequence[int], columns: Columns | None = None) -> Shaped:
    """Pairs of records, in whichever shape they are.

    Parameters
    ----------
    rows : sequence of mappings
        Records, as from `containers.records`.
    lines : sequence of int
        Where each begins, for messages.
    columns : Columns, optional
        What a reader has chosen; otherwise the names decide.

    Raises
    ------
    ValueError
        If they are no preferences, saying what they are instead, or which column is missing where.
    """
    names = {name.lower(): name for name in rows[0]}
    if columns is None:
        refusal = _refusal(names, rows)
        if refusal:
            raise ValueError(refusal)
        columns = _columns(names)
    if columns is not None:
        return _pairs(rows, lines, columns, names)
    for first, second in PAIR_NAMES:
        if first in names and second in names:
            return _judged(rows, lines, names[first], names[second], names)
    ranked = _ranked(rows, lines, names)
    if ranked is not None:
        return ranked
    raise Unnamed(candidates(rows) or list(rows[0]))


def candidates(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Columns that hold text, from which a reader may choose."""
    return [name for name, value in rows[0].items() if isinstance(value, (str, list, dict)) and text_of(value).strip()]


def _columns(names: Mapping[str, str]) -> Columns | None:
    chosen = next((names[name] for name in CHOSEN_NAMES if name in names), None)
    rejected = next((names[name] for name in REJECTED_NAMES if name in names), None)
    if chosen is None or rejected is None:
        return None
    prompt = next((names[name] for name in (*PROMPT_NAMES, "conversations", "messages") if name in names), "")
    return Columns(chosen, rejected, prompt)


def _refusal(names: Mapping[str, str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Why records are no preferences; empty if they may be."""
    single = [name for name in names if name in (*ANSWER_NAMES, "messages")]
    others = {*RANK_NAMES, *SCORE_NAMES, *VERDICT_NAMES, *CHOSEN_NAMES} - {"label"}
    alone = single and not others & set(names) and not any(a in names for pair in PAIR_NAMES for a in pair)
    if alone and "label" in names and str(rows[0][names["label"]]).strip().lower() in GOOD_OR_BAD:
        kto = "these are single answers labelled good or bad (as for KTO), not pairs"
        return f"{kto}; a pair needs a chosen and a rejected one"
    if any("chosen" in name for name in names) and not any(text_of(value).strip() for value in rows[0].values()):
        return "these records hold no text"
    text = [name for name in names if name.startswith(("chosen", "rejected"))]
    both = {"chosen_reward", "rejected_reward"} <= set(names) or {"chosen_score", "rejected_score"} <= set(names)
    if both and not {"chosen", "rejected", "chosen_response", "rejected_response"} & set(text):
        return "these records hold rewards of pairs and no text of the answers; the report needs the answers themselves"
    if alone and "label" not in names:
        return "these are answers without any preference between them; a pair needs a chosen and a rejected one"
    return ""


def _pairs(
    rows: Sequence[Mapping[str, Any]], lines: Sequence[int], columns: Columns, names: Mapping[str, str]
) -> Shaped:
    strength = next((names[name] for name in STRENGTH_NAMES if name in names), None)
    scores = next(((names[a], names[b]) for a, b in SCORED if a in names and b in names), None)
    kind = type(rows[0].get(columns.chosen)).__name__
    result = Shaped({"str": "strings", "list": "chats or steps", "dict": "messages"}.get(kind, kind))
    for row, line in zip(rows, lines, strict=True):
        for column in (columns.chosen, columns.rejected):
            if column not in row:
                both = f"{columns.chosen!r} and {columns.rejected!r}"
                raise ValueError(f"line {line} has no {column!r}; every record needs {both}")
        if (strength is not None and _number(row.get(strength)) == 0) or _equal(row, scores):
            result.ties += 1
            continue
        prompt, chosen, rejected, differ = _split(row, columns)
        result.prompts_differ += differ
        result.add(prompt, chosen, rejected)
    return result


def _equal(row: Mapping[str, Any], scores: tuple[str, str] | None) -> bool:
    """Whether both answers have the same score, if they have one."""
    first, second = (_number(row.get(name)) for name in scores) if scores else (None, None)
    return first is not None and first == second


def _split(row: Mapping[str, Any], columns: Columns) -> tuple[str, str, str, bool]:
    """Prompt, both answers, and whether the two dialogues ask different things."""
    chosen, rejected = row[columns.chosen], row[columns.rejected]
    prompt = asked(row[columns.prompt]) if columns.prompt and row.get(columns.prompt) is not None else ""
    if prompt:
        return prompt, answer_of(chosen), answer_of(rejected), False
    first, second = dialogue(chosen), dialogue(rejected)
    return first[0], first[1], second[1], bool(first[0] or second[0]) and first[0] != second[0]


def _judged(
    rows: Sequence[Mapping[str, Any]], lines: Sequence[int], first: str, second: str, names: Mapping[str, str]
) -> Shaped:
    """Two answers and a column that says which is better; or the scores of both."""
    verdict = next((names[name] for name in VERDICT_NAMES if name in names), None)
    scores = next(((names[a], names[b]) for a, b in _score_columns(first, second) if a in names and b in names), None)
    if verdict is None and scores is None:
        raise ValueError(f"{first!r} and {second!r} stand side by side and no column says which is better")
    prompt = next((names[name] for name in PROMPT_NAMES if name in names), "")
    result = Shaped(f"two answers and {'a verdict' if verdict else 'their scores'}")
    values = [_number(row.get(verdict)) for row in rows] if verdict else []
    lowest = min((value for value in values if value is not None), default=1.0)
    base = 0.0 if first.endswith("0") or (lowest < 1 and lowest != 0.5) else 1.0
    for row, line in zip(rows, lines, strict=True):
        side = _side(row.get(verdict), base, line, verdict) if verdict else _by_score(row, scores)
        if side == 0:
            result.ties += 1
            continue
        one, other = (first, second) if side < 0 else (second, first)
        result.add(asked(row.get(prompt, "")) if prompt else "", text_of(row.get(one)), text_of(row.get(other)))
    return result


def _score_columns(first: str, second: str) -> list[tuple[str, str]]:
    return [(f"{first.lower()}_score", f"{second.lower()}_score"), ("score_1", "score_2"), ("score_a", "score_b"),
            ("score_0", "score_1"), ("rating_1", "rating_2")]  # fmt: skip


def _by_score(row: Mapping[str, Any], scores: tuple[str, str] | None) -> float:
    assert scores is not None
    one, other = (_number(row.get(name)) for name in scores)
    return 0.0 if one is None or other is None else float((other > one) - (one > other))


def _side(value: Any, base: float, line: int, column: str) -> float:
    """-1 for the first answer, 1 for the second, 0 for neither."""
    number = _number(value)
    if number is not None:
        if number in (base, base + 1, base + 0.5):
            return {base: -1.0, base + 1: 1.0}.get(number, 0.0)
        raise ValueError(f"line {line}: {column} must be {base:g}, {base + 1:g} or {base + 0.5:g}, got {number:g}")
    word = str(value).strip().lower()
    if word in ("tie", "equal", "both", "neither", "same", "none", ""):
        return 0.0
    if word[-1:] in "a1" or word in ("first", "left"):
        return -1.0
    if word[-1:] in "b2" or word in ("second", "right"):
        return 1.0
    raise ValueError(f"line {line}: {column} must say which answer is better, got {word[:30]!r}")


def _ranked(rows: Sequence[Mapping[str, Any]], lines: Sequence[int], names: Mapping[str, str]) -> Shaped | None:
    """Answers in long form with a rank or a score each: pairs are made of each prompt's neighbours in rank."""
    answer = next((names[name] for name in ANSWER_NAMES if name in names), None)
    rank = next((names[name] for name in RANK_NAMES if name in names), None)
    score = None if rank else next((names[name] for name in SCORE_NAMES if name in names), None)
    prompt = next((names[name] for name in PROMPT_NAMES if name in names and names[name] != answer), None)
    if answer is None or prompt is None or (rank or score) is None:
        return None
    groups: dict[str, list[tuple[float, str]]] = {}
    for row, line in zip(rows, lines, strict=True):
        given = row.get(rank or score or "")
        value = _number(given)
        if value is None:
            raise ValueError(f"line {line}: {rank or score} must be a number, got {str(given)[:30]!r}")
        groups.setdefault(asked(row.get(prompt)), []).append((value if rank else -value, text_of(row.get(answer))))
    result = Shaped("ranked answers" if rank else "scored answers")
    for question, ranked in groups.items():
        ordered = sorted(ranked, key=lambda item: item[0])
        for (better, one), (worse, other) in pairwise(ordered):
            if better == worse:
                result.ties += 1
            else:
                result.add(question, one, other)
    result.notes.append("Pairs were made of answers that are neighbours in rank; the better one counts as chosen.")
    return result


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
