"""What readers do, in real browsers. A package, so that its browsers end with its last test."""
