"""What the PPO page shows."""
