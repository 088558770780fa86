"""Where on earth what is seen stands."""
