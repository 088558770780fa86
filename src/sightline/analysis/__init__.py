"""What can be said of where people went: how far, how fast, how long where, past which lines, near whom."""
