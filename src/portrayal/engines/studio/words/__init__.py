"""Quoted words in pictures: boards and neon in the scene, titles, balloons and labels over the finished picture."""
