"""sft."""

from pages.frame.page import open_page

page = open_page("sft", "sft")
