"""A made-up site whose every answer is known."""
