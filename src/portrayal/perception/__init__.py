"""What is in a picture: faces, landmarks, head pose, expression, matte, regions, identity embedding."""
