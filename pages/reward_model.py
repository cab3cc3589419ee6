"""reward_model."""

from pages.frame.page import open_page

page = open_page("reward-model", "reward_model")
