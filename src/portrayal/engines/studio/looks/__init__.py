"""Drawn and painted looks: a finished picture drawn again with ink, brush or crayon, the face kept finest."""
