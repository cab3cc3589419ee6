"""What the SFT page shows."""
