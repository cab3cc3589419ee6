"""What goes with a chart that is taken away: the run's settings in words, the code that makes it, how to cite."""

from pages.frame import foot
from rlhf_core import Settings
from rlhf_core.settings import CONTROLS


def about(settings: Settings, prompt: str) -> dict[str, str]:
    """What the charts' menus say of a run, and of the prompt that is looked at."""
    work = foot.this()
    return {
        "settings": in_words(settings, prompt),
        "source": f"{work.title} {work.version}, {work.licence} licence",
        "python": python(settings),
        "cite": foot.bibtex(work),
    }


def in_words(settings: Settings, prompt: str) -> str:
    """The settings that differ from the defaults, and the prompt."""
    changed = [
        f"{CONTROLS[name].label} {value} {CONTROLS[name].unit}".rstrip() for name, value in settings.to_query().items()
    ]
    words = f"{', '.join(changed)}; else the defaults" if changed else "the defaults"
    return f"{words} · prompt “{prompt}”"


def python(settings: Settings) -> str:
    """Lines of Python that reproduce the run and print the metrics at its end."""
    changed = {name: getattr(settings, name) for name in settings.to_query()}
    arguments = ", ".join(f"{name}={value!r}" for name, value in changed.items())
    return f"""from rlhf_core import Settings, run_pipeline

run = run_pipeline(Settings({arguments}))
print(f"avg reward     {{run.ppo.reward[-1]:.2f}}")
print(f"KL divergence  {{run.ppo.kl[-1]:.2f}} nats")
print(f"RM accuracy    {{run.reward.heldout_accuracy[-1]:.0%}}")
print(f"policy entropy {{run.ppo.entropy[-1]:.2f}} nats")
"""
