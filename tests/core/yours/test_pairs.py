"""Preference files in the shapes that people publish: each read, or refused with a true reason. The files are ours."""

import csv
import gzip
import io
import json
from dataclasses import replace

import numpy as np
import pytest

from rlhf_core.yours import containers, files, text_features
from rlhf_core.yours.pairs import load_pairs, parse_pairs
from rlhf_core.yours.preference_fit import fit_pairs
from rlhf_core.yours.shapes import Columns, candidates

QUESTION, GOOD, BAD = "How long do eggs boil?", "Six minutes for a soft yolk.", "Eggs differ."
PLAIN = {"prompt": QUESTION, "chosen": GOOD, "rejected": BAD}
CHAT = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": GOOD}]
OTHER = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": [{"type": "text", "text": BAD}]}]


def jsonl(*rows):
    return "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()


def table(*rows, delimiter=","):
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


def dialogue(answer, question=QUESTION):
    return f"\n\nHuman: {question}\n\nAssistant: {answer}"


READ = {
    "strings": jsonl({"prompt": QUESTION, "chosen": GOOD, "rejected": BAD}),
    "a JSON list": json.dumps([{"prompt": QUESTION, "chosen": GOOD, "rejected": BAD}]).encode(),
    "a list under a name": json.dumps({"data": [PLAIN]}, indent=1).encode(),
    "dialogues": jsonl({"chosen": dialogue(GOOD), "rejected": dialogue(BAD)}),
    "chats": jsonl({"chosen": CHAT, "rejected": OTHER}),
    "a prompt that is a chat": jsonl({"prompt": CHAT[:1], "chosen": CHAT[1:], "rejected": OTHER[1:]}),
    "ShareGPT": jsonl({"conversations": [{"from": "human", "value": QUESTION}],
                       "chosen": {"from": "gpt", "value": GOOD}, "rejected": {"from": "gpt", "value": BAD}}),
    "other names": table(["prompt", "chosen_response", "rejected_response", "why"], [QUESTION, GOOD, BAD, "clear"]),
    "selected": jsonl({"question": QUESTION, "selected": GOOD, "rejected": BAD}),
    "j and k": jsonl({"question": QUESTION, "response_j": GOOD, "response_k": BAD}),
    "a verdict": jsonl({"instruction": QUESTION, "output_1": BAD, "output_2": GOOD, "preference": 2}),
    "a verdict in letters": jsonl({"prompt": QUESTION, "response_a": GOOD, "response_b": BAD, "winner": "model_a"}),
    "scores": jsonl({"prompt": QUESTION, "response_1": BAD, "response_2": GOOD,
                     "response_1_score": 2, "response_2_score": 4}),
    "ranks": table(["prompt", "answer", "rank"], [QUESTION, BAD, 2], [QUESTION, GOOD, 1]),
    "steps": jsonl({"prompt": QUESTION, "chosen": [GOOD], "rejected": [BAD]}),
    "a prompt and dialogues besides": jsonl({"prompt": QUESTION, "chosen": dialogue(GOOD), "rejected": dialogue(BAD)}),
    "answers 0 and 1": jsonl({"prompt": QUESTION, "response_0": BAD, "response_1": GOOD, "better_response_id": 1}),
    "tabs": table(["prompt", "chosen", "rejected"], [QUESTION, GOOD, BAD], delimiter="\t"),
    "a byte order mark": b"\xef\xbb\xbf" + jsonl({"prompt": QUESTION, "chosen": GOOD, "rejected": BAD}),
    "UTF-16": jsonl({"prompt": QUESTION, "chosen": GOOD, "rejected": BAD}).decode().encode("utf-16"),
    "gzip": gzip.compress(jsonl({"prompt": QUESTION, "chosen": GOOD, "rejected": BAD})),
}  # fmt: skip


@pytest.mark.parametrize("data", READ.values(), ids=READ.keys())
def test_every_shape_gives_the_same_pair(data):
    pairs = parse_pairs(data, "file.tsv" if b"\t" in data[:40] else "file.jsonl")
    assert (pairs.chosen, pairs.rejected) == ((GOOD,), (BAD,))
    assert QUESTION in pairs.prompt[0]


def test_a_file_on_disk_is_read_too(tmp_path):
    (tmp_path / "pairs.jsonl").write_bytes(READ["strings"])
    assert load_pairs(tmp_path / "pairs.jsonl").shape == "jsonl, strings"
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        load_pairs(tmp_path / "none.jsonl")


REFUSED = {
    "single answers labelled": (jsonl({"prompt": QUESTION, "completion": GOOD, "label": True}), "as for KTO"),
    "single answers in a table": (table(["prompt", "completion", "label"], [QUESTION, GOOD, 1]), "as for KTO"),
    "labelled chats": (jsonl({"messages": CHAT, "label": False}), "as for KTO"),
    "the same scores": (jsonl({**PLAIN, "chosen_score": 3, "rejected_score": 3.0}), r"1 ties, 0 empty"),
    "answers alone": (jsonl({"prompt": QUESTION, "response": GOOD}), "without any preference"),
    "no text": (table(["chosen_reward", "rejected_reward"], [1.0, 0.5]), "no text of the answers"),
    "two answers, no verdict": (jsonl({"output_1": GOOD, "output_2": BAD}), "no column says which is better"),
    "a column missing later": (jsonl(*[PLAIN] * 411, {"chosen": GOOD}), "line 412 has no 'rejected'"),
    "not JSON": (b'{"chosen": "a", "rejected": "b"}\n{"chosen": ', "line 2 is not JSON"),
    "no object": (b'{"chosen": "a", "rejected": "b"}\n[1]', r"line 2 must be a JSON object, got \[1\]"),
    "Latin-1": ("prompt,chosen,rejected\nx,é,b".encode("latin-1"), "line 2 is not UTF-8"),
    "NUL": (b'{"chosen": "a\x00", "rejected": "b"}', "line 1 holds a NUL byte"),
    "empty": (b"  \n", "the file is empty"),
    "a web page": (b"<!DOCTYPE html><p>pairs</p>", "web page"),
    "a long line": (b'{"chosen": "' + b"a" * 3_000_000 + b'"}', "line 1 must have at most 1,000,000 characters"),
    "all ties": (jsonl({**PLAIN, "strength": 0}), "no pair has two answers"),
    "unknown columns": (table(["a", "b"], [1, 2]), "no columns for a chosen and a rejected answer"),
    "damaged gzip": (gzip.compress(READ["strings"])[:-9], "gzip file is damaged"),
    "a bomb": (gzip.compress(b" " * (files.LARGEST_FILE + 10)), "at most 20 MB once unpacked"),
    "deep": (b'{"chosen": ' + b"[" * 5000 + b"]" * 5000 + b"}", "line 1 is not JSON|deep"),
    "a strange verdict": (jsonl({"output_1": GOOD, "output_2": BAD, "preference": 7}), "must be 1, 2 or 1.5, got 7"),
}  # fmt: skip


@pytest.mark.parametrize(("data", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_read_is_refused_in_a_sentence(data, reason):
    with pytest.raises(ValueError, match=reason):
        parse_pairs(data, "file.csv")


def test_what_makes_pairs_harder_to_use_is_counted():
    row = {"prompt": QUESTION, "chosen": GOOD, "rejected": BAD}
    swapped = {"prompt": QUESTION, "chosen": BAD, "rejected": GOOD}
    same = {"prompt": QUESTION, "chosen": GOOD, "rejected": GOOD}
    empty = {"prompt": QUESTION, "chosen": " ", "rejected": BAD}
    tie = {**row, "preference_strength": 0}
    pairs = parse_pairs(jsonl(*({**each, "preference_strength": each.get("preference_strength", 2)}
                                for each in (row, row, swapped, same, empty, tie))), "f.jsonl")  # fmt: skip
    counted = (len(pairs.chosen), pairs.duplicates, pairs.contradictory, pairs.identical, pairs.empty, pairs.ties)
    assert counted == (4, 1, 3, 1, 1, 1)
    assert pairs.longer_wins == pytest.approx((1 + 1 + 0 + 0.5) / 4)
    apart = parse_pairs(jsonl({"chosen": dialogue(GOOD), "rejected": dialogue(BAD, "Why?")}), "f.jsonl")
    assert apart.prompts_differ == 1


def test_a_reader_may_choose_the_columns():
    data = jsonl({"ask": QUESTION, "ja": GOOD, "nein": BAD})
    assert candidates(containers.records(data).rows) == ["ask", "ja", "nein"]
    pairs = parse_pairs(data, "f.jsonl", Columns("ja", "nein", "ask"))
    assert (pairs.prompt, pairs.chosen) == ((QUESTION,), (GOOD,))


def polite(n, seed=0):
    """Pairs in which the polite answer wins, with one label in five turned."""
    rng = np.random.default_rng(seed)
    words = "rice door guitar exam garden email disk sky train letter".split()
    rows = []
    for i in range(n):
        good, bad = f"Please wash the {words[i % 10]} first.", f"Wash the {words[i % 10]} first, now."
        chosen, rejected = (good, bad) if rng.random() < 0.8 else (bad, good)
        rows.append({"prompt": f"question {i} about {words[i % 10]}", "chosen": chosen, "rejected": rejected})
    return parse_pairs(jsonl(*rows), "f.jsonl")


def test_style_that_decides_is_found_and_named():
    report = fit_pairs(polite(200))
    kind = float(np.mean(["Please" in text for text in report.pairs.chosen]))  # all that can be known
    assert kind > 0.7 and report.heldout_accuracy == pytest.approx(kind, abs=0.03)
    assert report.heldout_interval[0] < report.heldout_accuracy < report.heldout_interval[1]
    assert {"please", "now"} & {word for word, _ in report.words} and dict(report.words).get("please", 1) > 0
    assert [n for n, _ in report.learning] == sorted({n for n, _ in report.learning})
    assert report.reliability is not None and report.unit == "words"


def test_preferences_without_style_are_not_explained():
    rng = np.random.default_rng(1)
    pairs = polite(300)
    turned = rng.random(300) < 0.5
    mixed = replace(
        pairs,
        chosen=tuple(b if t else a for a, b, t in zip(pairs.chosen, pairs.rejected, turned, strict=True)),
        rejected=tuple(a if t else b for a, b, t in zip(pairs.chosen, pairs.rejected, turned, strict=True)),
    )
    report = fit_pairs(mixed)
    assert report.heldout_interval[0] < 0.5 < report.heldout_interval[1] + 0.05


def test_a_language_without_spaces_is_read_by_its_characters():
    answers = {"chosen": "好的，我来帮你查询天气情况。", "rejected": "不知道天气。"}
    rows = [{"prompt": f"问题{i}", **answers} for i in range(30)]
    report = fit_pairs(parse_pairs(jsonl(*rows), "f.jsonl"))
    assert report.unit == "characters" and report.heldout_accuracy == 1 and "length in words" in report.blind


def test_of_ever_new_tokens_only_the_common_are_kept(monkeypatch):
    rng = np.random.default_rng(0)
    odd = lambda n: "".join(map(chr, rng.integers(0x4E00, 0x9000, n)))  # noqa: E731
    rows = [{"prompt": f"问题{i}", "chosen": f"好的{odd(40)}", "rejected": f"不{odd(40)}"} for i in range(150)]
    monkeypatch.setattr(text_features, "MOST_TOKENS", 1000)  # of some 20,000
    *_, last = text_features.differences(parse_pairs(jsonl(*rows), "f.jsonl"))
    matrix, names = last.result.matrix, last.result.names
    assert {"好", "的", "好的", "不"} <= set(names) and len(names) < 1000
    assert (matrix[:, [names.index("好的")]].toarray() == 1).all()
    assert (matrix[:, [names.index("不")]].toarray() == -1).all()


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([{"prompt": str(i), "chosen": GOOD, "rejected": GOOD} for i in range(20)], "same answer twice"),
        ([{"prompt": QUESTION, "chosen": GOOD, "rejected": BAD}] * 50, "at least 10 prompts, to hold some out, got 1"),
    ],
)
def test_a_fit_that_cannot_be_is_refused(rows, reason):
    with pytest.raises(ValueError, match=reason):
        fit_pairs(parse_pairs(jsonl(*rows), "f.jsonl"))
