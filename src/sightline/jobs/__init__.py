"""Work as asked for: what to do, how far it is, and what came of it."""
