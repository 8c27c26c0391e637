"""`make demo`: cameras, fusion and a recorder in own processes, then a contact sheet and a report."""
