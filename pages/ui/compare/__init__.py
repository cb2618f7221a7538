"""Models side by side: what the Compare page is made of."""
