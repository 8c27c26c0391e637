"""Image messages to arrays and back, thermal normalisation, registration (numpy and OpenCV)."""
