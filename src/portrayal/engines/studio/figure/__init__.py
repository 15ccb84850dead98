"""The whole figure: one body, posed by a skeleton, under the person's own head."""
