"""A character in somebody's photograph: its light, its camera, a place to stand (studio engine)."""
