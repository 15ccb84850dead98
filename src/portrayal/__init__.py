"""Portrayal: the same person in every picture."""
