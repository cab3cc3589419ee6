"""What the reward-model page shows."""
