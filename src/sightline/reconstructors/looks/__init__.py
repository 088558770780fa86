"""Looks: what a network said of pictures; taken some at a time, laid together, and made a scene."""
