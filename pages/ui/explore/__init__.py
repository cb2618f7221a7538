"""The Explore page: the outcome by group before any model."""
