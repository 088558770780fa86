"""What is in a picture."""
