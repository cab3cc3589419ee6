"""The Lab: what one run cannot tell. Experiments over many runs, and methods beside PPO."""
