"""What the Overview shows: what became of the answers."""
