"""A training log that a reader brings: who wrote it, what its series show, what to do, and where this app shows it."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

import streamlit as st

from pages.drawing.wording import plain, plural
from pages.figures.metrics.checks import SIGNS
from pages.figures.yours import log as figures
from pages.frame import material, runs
from pages.frame.page import Page
from pages.frame.presets import PRESETS
from pages.frame.yours import plots
from rlhf_core import Settings
from rlhf_core.yours.diagnosis import Finding
from rlhf_core.yours.export import COLUMNS, as_trl_log
from rlhf_core.yours.log_diagnosis import diagnose_log
from rlhf_core.yours.logs import Log, parse_log
from rlhf_core.yours.trainers import BY_HAND, TRAINERS, Trainer, columns_of, recognise, record_of

PLACE = "log"
KNOWN_TRAINERS = {trainer.name: trainer for trainer in (*TRAINERS, BY_HAND)}
AS_IT_IS = "(as the trainer has it)"
LONGEST_PASTE = 1_000_000
"""Characters; longer logs come as a file."""
NO_TRUTH = (
    "**What no log shows.** Whether the answers got better, and how good the labels were. A score may rise because the "
    "policy has found what the reward model overrates, and what sways labellers sways the score with them: the log of "
    "such a policy looks well, or shows that it has gone far and has few answers left, and no more. Runs of this app "
    "of which the truth is known: {runs}. So have people compare old and new answers, and count the held-out pairs on "
    "which your reward model was tested."
)
HIDDEN = ("reward_hacking", "biased_labellers", "over_refusal", "noisy_labels", "too_few_comparisons")
"""Presets whose fault is in no policy's log."""


def _of(page: str, changes: dict[str, object]) -> str:
    """Address of a run at its end."""
    return f"{page}?{urlencode({**Settings(**changes).to_query(), 'at': 'done'})}"  # type: ignore[arg-type]


def _preset(key: str, page: str = "metrics") -> str:
    return _of(page, dict(PRESETS[key].changes))


LEARNING_RATE, COLLAPSE = _preset("learning_rate_too_high"), _preset("entropy_collapse")
CAUTIOUS = _of("metrics", {**PRESETS["entropy_collapse"].changes, "scenario": "safety"})
DPO = "lab?experiment=asked&question=dpo-loss"
SEEN_HERE = {
    "The score rises": ("a run whose β is too high to move", _preset("beta_too_high")),
    "It is worth its penalty": (
        "steps that cost more than they bring",
        _of("metrics", {"beta": 2.0, "ppo_learning_rate": 20.0, "rollouts": 2}),
    ),
    "Steps are small": ("a learning rate that is too high", LEARNING_RATE),
    "Clipping is rare": ("a learning rate that is too high", LEARNING_RATE),
    "Sampled answers differ": ("a run whose samples become alike", COLLAPSE),
    "Answers keep their length": ("answers that grow", _of("metrics", {"beta": 0.0, "ppo_steps": 60, "seed": 1})),
    "Something moves": ("one answer a prompt: no advantage, no step", _of("metrics", {"rollouts": 1})),
    "Scores keep their spread": ("a run whose answers become alike", COLLAPSE),
    "The penalty leaves room": ("a run whose β is too high to move", _preset("beta_too_high")),
    "The KL starts at 0": ("a start at the reference, where KL is 0", "metrics?at=ppo-1"),
    "The KL is not negative": ("what sampling at a temperature does", "lab?experiment=asked&question=negative-kl"),
    "The KL stays bounded": ("a run without a leash", _preset("reward_hacking")),
    "Tokens stay undecided": ("entropy that collapses", CAUTIOUS),
    "The critic learns": ("a critic beside the policy that it follows", "lab?experiment=asked&question=critic"),
    "DPO starts at log 2": ("DPO on the comparisons of a run", DPO),
    "DPO leaves log 2": ("DPO on the comparisons of a run", DPO),
    "Chosen answers keep their probability": ("DPO on the comparisons of a run", DPO),
    "The margin stays believable": (
        "labels that never err, and no ridge",
        _of("reward_model", {"n_comparisons": 48, "label_noise": 0.0, "rm_l2": 0.0, "rm_epochs": 300}),
    ),
    "The held-out loss keeps falling": (
        "few comparisons, learnt by heart",
        _of("reward_model", {"n_comparisons": 32, "rm_l2": 0.0, "rm_epochs": 300}),
    ),
    "Pairs are told apart": ("labels that are mostly noise", _preset("noisy_labels", "reward_model")),
}  # fmt: skip
"""By the name of a check: what a run of this app shows of it, and its address."""


def section(page: Page) -> None:
    """Bring a log, and see what it shows."""
    st.markdown(
        "## What does your training log show?\n\nOf TRL, verl, OpenRLHF, LLaMA-Factory, ms-swift, or any other: its "
        "series are drawn in their units and judged by checks with stated limits, as the Metrics page judges the runs "
        "of this app."
    )
    material.upload(PLACE, "A log: JSONL, JSON, CSV, a table, or what a console printed", parse_log)
    _paste()
    _buttons(page.view.run.settings)
    material.say(PLACE)
    there = material.held(PLACE)
    if there is not None:
        _report(page, there)
    listed = ", ".join(f"[{PRESETS[key].title.lower()}]({_preset(key)})" for key in HIDDEN)
    st.markdown(NO_TRUTH.format(runs=listed))


def _paste() -> None:
    with st.expander("Or paste it", type="compact"):
        st.text_area("Text of a log", key="yours-log-text", height=160, max_chars=LONGEST_PASTE)
        st.button("Read what I pasted", key="yours-log-paste", on_click=_read_paste)


def _read_paste() -> None:
    text = str(st.session_state.get("yours-log-text", ""))
    material.take(PLACE, "what you pasted", lambda: parse_log(text.encode()))


def _buttons(settings: Settings) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        columns = st.segmented_control(
            "As TRL’s trainer logs it", list(COLUMNS), default="PPO", required=True, key="yours-log-kind",
            persist_state="session", help="The run in the sidebar as either trainer would have logged it. GRPO’s has "
            "the spread of the scores, groups without spread and lengths, which PPO’s has not.",
        )  # fmt: skip
        name = f"rlhf-trl-{str(columns).lower()}-{settings.scenario}-seed{settings.seed}.jsonl"
        text = lambda: as_trl_log(runs.shared_run(settings)[0], columns)  # noqa: E731  # a session holds what its buttons hold
        st.button("Try the run in the sidebar", key="yours-log-sample", on_click=material.take,
                  args=(PLACE, name, lambda: parse_log(text().encode())))  # fmt: skip
        st.download_button("Download it in TRL’s format", text, name, "application/jsonl", key="yours-log-get",
                           on_click="ignore")  # fmt: skip
        if material.held(PLACE):
            st.button("Forget my log", key="yours-log-forget", on_click=material.forget, args=(PLACE,))


def _report(page: Page, there: material.Material[Log]) -> None:
    log = there.content
    steps = f"{log.steps[0]:g} to {log.steps[-1]:g}"
    st.text(f"{there.name}: {plural(len(log.steps), 'row')} from a {log.container}, steps {steps} by {log.counted_by}")
    for note in log.notes:
        st.caption(note)
    trainer, chosen = _columns(there)
    record = record_of(log, trainer, chosen)
    findings = diagnose_log(log, trainer, chosen)
    if trainer.note:
        st.markdown(f"**{trainer.name}.** {trainer.note}")
    if not record.series:
        st.markdown("None of its columns is known. Open *Trainer and columns*, and say what they hold.")
        return
    st.markdown("### What the checks see")
    _findings(findings)
    st.markdown("### Its series")
    charts, lines = figures.charts(record, page.view.palette), python(there.name, trainer, chosen)
    plots.show(page.stage, charts, "log", f"my log {there.name}", lines, "charts(record, LIGHT)", columns=3)


def python(name: str, trainer: Trainer, chosen: Mapping[str, str]) -> str:
    """Lines that read the log as the page does."""
    return f"""from rlhf_core.yours import load_log
from rlhf_core.yours.trainers import BY_HAND, TRAINERS, record_of

log = load_log({name!r})
trainer = next(trainer for trainer in (*TRAINERS, BY_HAND) if trainer.name == {trainer.name!r})
record = record_of(log, trainer, {dict(chosen)!r})
"""


def _columns(there: material.Material[Log]) -> tuple[Trainer, dict[str, str]]:
    """The trainer, as recognised or as the reader says, and the columns that they name besides."""
    log, mapped = there.content, f"yours-log-map-{there.number}"
    found = recognise(log).name
    chosen: dict[str, str] = st.session_state.setdefault(mapped, {})
    with st.expander(f"Trainer and columns: {found}", type="compact"):
        name = st.selectbox("Trainer", list(KNOWN_TRAINERS), list(KNOWN_TRAINERS).index(found), persist_state="session",
                            key=f"yours-log-trainer-{there.number}")  # fmt: skip
        read = columns_of(log, KNOWN_TRAINERS[name]) | chosen
        st.text("\n".join(f"{figures.TITLES.get(key, key)} [{figures.unit(key)}] ← {read[key]}" for key in read))
        with st.form(f"yours-log-form-{there.number}", border=False):
            boxes = st.columns([2, 2, 1], vertical_alignment="bottom")
            keys = (f"yours-log-name-{there.number}", f"yours-log-column-{there.number}")
            boxes[0].selectbox("Series", list(figures.TITLES), key=keys[0], format_func=_titled)
            boxes[1].selectbox("Column of your log", [AS_IT_IS, *log.series], key=keys[1])
            boxes[2].form_submit_button("Read it so", on_click=_map, args=(mapped, *keys))
    return KNOWN_TRAINERS[name], chosen


def _titled(name: str) -> str:
    return f"{figures.TITLES[name]} [{figures.unit(name)}]"


def _map(mapped: str, name_key: str, column_key: str) -> None:
    name, column = str(st.session_state[name_key]), str(st.session_state[column_key])
    st.session_state[mapped].pop(name, None)
    if column != AS_IT_IS:
        st.session_state[mapped][name] = column


def _findings(findings: Sequence[Finding]) -> None:
    """What speaks first; then what was found well, and what this log cannot tell."""
    speaks = [finding for verdict in ("unhealthy", "watch") for finding in findings if finding.verdict == verdict]
    for finding in speaks:
        words, address = SEEN_HERE[finding.name]
        with st.container(border=True):
            st.markdown(
                f"**{SIGNS[finding.verdict]} · {finding.name}**: {plain(finding.evidence)}  \n"
                f"**What a practitioner would do.** {finding.advice}  \n"
                f"Seen in this app: [{words}]({address}). Source of the limit: {finding.source}."
            )
    well = [finding for finding in findings if finding.verdict == "healthy"]
    silent = [finding for finding in findings if finding.verdict == "unknown"]
    if not speaks:
        st.markdown(f"**No symptom among the {plural(len(well), 'check')} that this log allows.**")
    if well:
        st.markdown("\n".join(f"- {SIGNS['healthy']} · **{each.name}**: {plain(each.evidence)}" for each in well))
    if silent:
        with st.expander(f"{plural(len(silent), 'check')} that it does not allow", type="compact"):
            st.markdown("\n".join(f"- **{each.name}**: {plain(each.evidence)}" for each in silent))
