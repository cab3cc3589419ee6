"""Asked again and again: the questions that fill issue trackers, each answered by a run."""

from pages.figures.lab import answers_policy, answers_training

ANSWERS = (*answers_training.ANSWERS, *answers_policy.ANSWERS)
