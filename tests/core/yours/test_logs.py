"""Training logs as trainers write them: recognised, in the right unit, judged. The logs are ours, in their shapes."""

import json

import numpy as np
import pytest

from rlhf_core import Settings, run_pipeline
from rlhf_core.__main__ import main
from rlhf_core.yours.log_diagnosis import diagnose_log, symptoms_of_logs
from rlhf_core.yours.logs import parse_log
from rlhf_core.yours.trainers import columns_of, recognise, record_of

N = 30


def jsonl(rows):
    return "\n".join(json.dumps(row) for row in rows).encode()


def console(rows, bar=" 50%|█████     | 1/2 [00:05<00:05,  5.95s/it]"):
    return "".join(f"W0715 starting\n{bar}{row}\n" for row in rows).encode()


def ppo(step, **changed):
    kl = 0.05 * step
    return {
        "objective/kl": kl, "objective/scores": 0.1 * step, "objective/rlhf_reward": 0.1 * step - 0.05 * kl,
        "objective/entropy": -105.0, "policy/approxkl_avg": 0.01, "policy/clipfrac_avg": 0.1,
        "policy/entropy_avg": 1.9 - 0.01 * step, "loss/value_avg": 5.0 * 0.9**step, "episode": 4 * step, **changed,
    }  # fmt: skip


def grpo(step, **changed):
    return {
        "loss": 0.0, "reward": 0.5 + 0.01 * step, "reward_std": 0.3, "kl": 0.001 * step, "entropy": 0.5,
        "frac_reward_zero_std": 0.1, "completions/mean_length": 200.0, "clip_ratio/region_mean": 0.0,
        "epoch": 0.01 * step, **changed,
    }  # fmt: skip


def dpo(step, **changed):
    return {
        "loss": 0.693 * 0.98**step, "rewards/margins": 0.05 * step, "rewards/accuracies": min(0.5 + 0.02 * step, 0.8),
        "logps/chosen": -200.0, "logps/rejected": -220.0 - step, "step": step, **changed,
    }  # fmt: skip


def rows(make, **changed):
    return [make(step, **{k: v(step) if callable(v) else v for k, v in changed.items()}) for step in range(N)]


def verdicts(log):
    return {finding.name: finding.verdict for finding in diagnose_log(log)}


@pytest.mark.parametrize("make", [ppo, grpo, dpo])
def test_a_healthy_log_raises_no_alarm(make):
    log = parse_log(jsonl(rows(make)))
    assert {name for name, verdict in verdicts(log).items() if verdict in ("watch", "unhealthy")} == set()
    assert len(log.steps) == N and (np.diff(log.steps) > 0).all()


TRAINERS = {
    "TRL PPO": jsonl(rows(ppo)),
    "TRL GRPO or RLOO, or ms-swift GRPO": console(rows(grpo)),
    "DPO": json.dumps({"log_history": [*rows(dpo), {"train_runtime": 3.0, "step": N}]}).encode(),
    "verl": b"step:0 - actor/pg_loss:0.1 - actor/ppo_kl:0.001 - actor/lr(1e-4):0.010\nstep:1 - actor/pg_loss:0.2\n",
    "LLaMA-Factory": jsonl({"current_steps": i, "total_steps": 90, "loss": 0.69, "accuracy": 0.6} for i in range(5)),
    "DPO, a model card’s table": b"| Training Loss | Step | Rewards/margins |\n|:--:|:--:|:--:|\n| 0.6 | 10 | 0.2 |\n",
    "unknown": jsonl({"step": i, "reward_mean": 0.1 * i, "kl_mean": 0.01} for i in range(5)),
}  # fmt: skip


@pytest.mark.parametrize(("name", "data"), TRAINERS.items(), ids=TRAINERS)
def test_trainers_are_recognised(name, data):
    log = parse_log(data)
    assert recognise(log).name == name and columns_of(log, recognise(log))


def test_quirks_of_logs():
    verl = parse_log(TRAINERS["verl"])
    assert verl.series["actor/lr"][0] == pytest.approx(1e-6)  # the unit stands in the name
    quoted = parse_log(console([{"reward": "0.61", "reward_std": "0.2", "kl": "nan", "global_step/max_steps": "3/9"}]))
    assert quoted.series["reward"][0] == 0.61 and np.isnan(quoted.series["kl"][0]) and quoted.steps[0] == 3
    cut = parse_log(jsonl(rows(ppo)) + b'\n{"objective/kl": 1.0, "obj')
    assert len(cut.steps) == N
    nested = parse_log(jsonl({"step": i, "data": {"actor/pg_loss": 0.1, "actor/kl_loss": 0.01}} for i in range(3)))
    assert nested.steps.tolist() == [0, 1, 2] and recognise(nested).name == "verl"
    joined = parse_log(jsonl([{"step": 1, "loss": 0.6, "epoch": 0}, {"step": 1, "eval_loss": 0.5, "epoch": 0}]))
    assert len(joined.steps) == 1 and joined.series["eval_loss"][0] == 0.5 and "joined" in joined.notes[-1]
    by_epoch = parse_log(jsonl(rows(grpo)))
    assert by_epoch.counted_by == "row" and "epoch" in by_epoch.series
    csv = parse_log(b"step,reward_mean,kl_mean\n1,0.1,0.0\n2,0.2,0.1\n", "log.csv")
    assert csv.series["kl_mean"].tolist() == [0.0, 0.1]


def test_units_are_told_apart():
    ppo_log, grpo_log = (parse_log(jsonl(rows(make))) for make in (ppo, grpo))
    assert record_of(ppo_log).has("kl") and not record_of(ppo_log).has("token_kl")
    assert record_of(grpo_log).has("token_kl") and not record_of(grpo_log).has("kl")
    assert record_of(ppo_log).values("token_entropy").min() > 0  # not the sum that counts padding
    with pytest.raises(ValueError, match="must name a series and a column"):
        record_of(ppo_log, chosen={"reward": "none"})
    assert record_of(ppo_log, chosen={"reward": "loss/value_avg"}).values("reward")[0] == 5.0


SICK = {
    "The KL starts at 0": (ppo, {"objective/kl": lambda step: 2.6}),
    "The KL is not negative": (ppo, {"objective/kl": lambda step: -0.25}),
    "The KL stays bounded": (ppo, {"objective/kl": lambda step: 0.1 * 1.3**step}),
    "The score rises": (ppo, {"objective/scores": lambda step: 1.0 - 0.05 * step}),
    "Steps are small": (ppo, {"policy/approxkl_avg": 0.33}),
    "Clipping is rare": (ppo, {"policy/clipfrac_avg": 0.38}),
    "The critic learns": (ppo, {"loss/value_avg": lambda step: 1.0 + step}),
    "Sampled answers differ": (grpo, {"frac_reward_zero_std": 0.63}),
    "Something moves": (grpo, {"reward": 0.0, "reward_std": 0.0}),
    "Answers keep their length": (grpo, {"completions/mean_length": lambda step: 200.0 + 20 * step}),
    "Tokens stay undecided": (grpo, {"entropy": lambda step: 0.5 * 0.8**step, "reward": lambda step: 0.5 - step / 100}),
    "DPO starts at log 2": (dpo, {"loss": 5.9}),
    "DPO leaves log 2": (dpo, {"loss": 0.693}),
    "The margin stays believable": (dpo, {"rewards/margins": lambda step: 5.0 * step}),
    "Chosen answers keep their probability": (dpo, {"logps/chosen": lambda step: -200.0 - step}),
    "Pairs are told apart": (dpo, {"rewards/accuracies": 0.5}),
    "The held-out loss keeps falling": (dpo, {"eval_loss": lambda step: 0.6 + 0.01 * abs(step - 5)}),
}


@pytest.mark.parametrize(("name", "how"), SICK.items(), ids=SICK)
def test_each_symptom_is_seen(name, how):
    make, changed = how
    found = {finding.name: finding for finding in diagnose_log(parse_log(jsonl(rows(make, **changed))))}[name]
    expected = ("watch",) if name.startswith("Chosen") else ("unhealthy",)
    assert found.verdict in expected and found.advice and found.source


def exported(run):
    """A run's figures under TRL's names, one row a step."""
    return [
        {"step": k, "objective/scores": float(run.ppo.reward[k]), "objective/kl": float(run.ppo.kl[k]),
         "objective/rlhf_reward": float(run.ppo.objective[k]), "policy/clipfrac_avg": float(run.ppo.clip_fraction[k])}
        for k in range(len(run.ppo.kl))
    ]  # fmt: skip


@pytest.mark.parametrize("scenario", ["helpfulness", "safety"])
def test_our_own_healthy_runs_raise_no_alarm(scenario):
    for seed in range(20):
        log = parse_log(jsonl(exported(run_pipeline(Settings(scenario=scenario, seed=seed)))))
        assert "unhealthy" not in verdicts(log).values(), (seed, diagnose_log(log))


@pytest.mark.parametrize("data", [b"", b"hello", b"{}", b"[1, 2]", b"\xff\xfe\x00", b"<html>", b'{"a": 1}'])
def test_what_is_no_log_is_refused(data):
    with pytest.raises(ValueError, match=r"empty|no row of named numbers|web page|header|UTF-8|no text|JSON|rows"):
        parse_log(data)


def test_every_check_names_its_source_and_its_limits():
    names = [symptom.name for symptom in symptoms_of_logs()]
    assert len(set(names)) == len(names) and all(symptom.source and symptom.unhealthy for symptom in symptoms_of_logs())


def test_the_commands_report_and_refuse(tmp_path, capsys):
    (tmp_path / "log.jsonl").write_bytes(jsonl(rows(ppo)))
    assert main(["log", str(tmp_path / "log.jsonl"), "--format", "json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert printed["trainer"] == "TRL PPO" and printed["rows"] == N
    assert {"name", "verdict", "evidence", "advice", "source"} == set(printed["findings"][0])
    assert main(["log", str(tmp_path / "log.jsonl")]) == 0 and "No log shows" in capsys.readouterr().out
    pairs = [{"prompt": f"p{i}", "chosen": f"Please take {i}.", "rejected": f"Take {i} now."} for i in range(40)]
    (tmp_path / "pairs.jsonl").write_bytes(jsonl(pairs))
    assert main(["pairs", str(tmp_path / "pairs.jsonl"), "--out", str(tmp_path / "report.json")]) == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["pairs"] == 40 and report["heldout_accuracy"] == 1 and len(report["heldout_interval"]) == 2
    assert main(["pairs", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 1
