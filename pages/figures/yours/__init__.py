"""What the page of a reader's own material draws and says."""
