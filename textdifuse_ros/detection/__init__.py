"""Detectors behind one interface, and which of their classes are wanted. No ROS."""
