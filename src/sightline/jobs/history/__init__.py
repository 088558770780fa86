"""What stays of sites that were watched: written down, read with people's corrections, handed out, forgotten."""
