"""Any outfit: garments as data over one bust, made of one library of fabrics, lit like the face above them."""
