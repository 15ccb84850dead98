"""Who is in the picture: the identity map, character masks, the cache."""
