"""What garments, bodies and worn things share: surfaces, fabrics, patterns, and how light falls on them."""
