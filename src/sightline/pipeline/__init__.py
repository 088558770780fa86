"""The arrows between the nouns, and the recipes made of them."""
