"""A rendered night street for dry runs, demos and tests (no ROS)."""
