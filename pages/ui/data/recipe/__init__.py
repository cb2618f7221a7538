"""Preparing data: an ordered list of steps, each a value, from the table as read to the table in use."""
