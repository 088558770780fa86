"""The drone service: what was filmed from above, where on earth."""
