"""A chart on a slide, in every engine: most of the height, its control below it."""

import pytest

from pages.frame import sharing
from tests.browser.blog import Blog
from tests.browser.engines.reader import READY, Reader

LAYOUT = """
  const box = selector => document.querySelector(selector)?.getBoundingClientRect();
  const [stage, chart] = ["[data-testid=stage]", ".rlhf-chart"].map(box);
  const controls = box(".st-key-lesson-controls .st-key-beta");
  if (!controls || !document.querySelector(".rlhf-chart .main-svg")) return null;
  const order = [0, stage.top, stage.bottom, chart.top, chart.bottom, controls.top, controls.bottom, innerHeight + 1];
  return [chart.height >= 0.6 * innerHeight, order.every((place, i) => i === 0 || place >= order[i - 1] - 0.5)];
"""


@pytest.mark.parametrize(("width", "height"), [(960, 540), (640, 360)])
def test_a_chart_has_most_of_a_slide(reader: Reader, blog: Blog, width: int, height: int) -> None:
    snippet = sharing.iframe(f"{reader.url}/ppo", "show=reward_kl_path&controls=beta&at=ppo-3", height, width)
    blog.body = f'<body style="margin: 0">{snippet}'
    reader.tab.go(blog.url)
    with reader.tab.inside("iframe"):
        reader.until(READY, True)
        reader.until(LAYOUT, [True, True])
        assert reader.complaints == []
