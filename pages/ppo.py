"""PPO."""

from pages.figures import ppo as figures
from pages.frame.page import open_page

page = open_page("ppo", "PPO: climb the reward, pay for every nat")
page.formula(r"\max_\theta\; \reward{\mathbb{E}[r]} - \beta\,\kl{\mathrm{KL}(\policy{\pi_\theta}\,\|\,\reference{\pi_\mathrm{ref}})}")
page.chart(figures.reward_kl_path)
