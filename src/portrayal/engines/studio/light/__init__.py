"""Light: the shape of the person, rigs, relighting, backdrops, composition with the plate, and the finish."""
