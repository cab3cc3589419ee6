"""metrics."""

from pages.frame.page import open_page

page = open_page("metrics", "metrics")
