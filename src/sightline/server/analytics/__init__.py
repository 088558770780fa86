"""What stays of sites that were watched: questions about it, files of it, corrections to it."""
