"""Figures of the PPO page."""

from pages.figures import theme
from pages.figures.chart import Chart
from pages.figures.view import View


def reward_kl_path(view: View) -> Chart:
    """Mean reward against KL from the reference policy."""
    ppo, palette = view.run.ppo, view.palette
    fig = theme.figure(palette, x="KL(policy ‖ reference) [nats]", y="mean reward [reward units]", showlegend=False)
    fig.add_scatter(x=ppo.kl, y=ppo.reward, mode="lines", line=theme.ghost(palette), hoverinfo="skip")
    fig.add_scatter(x=ppo.kl, y=ppo.reward, mode="lines+markers", line=theme.line(palette.policy))
    return Chart(
        fig,
        "Mean reward against KL divergence, one point per PPO step.",
        view.timeline.ppo_steps,
        grows={1: [k + 1 for k in range(len(ppo.kl))]},
        title="Each nat of distance buys less reward than the one before",
        reading=f"After {len(ppo.kl) - 1} steps: {ppo.reward[-1]:.2f} reward units for {ppo.kl[-1]:.2f} nats.",
    )
