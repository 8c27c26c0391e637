"""The command `textdifuse`."""
