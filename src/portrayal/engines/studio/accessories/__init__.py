"""Things worn on the head: glasses, hats, crowns, headphones, earrings."""
