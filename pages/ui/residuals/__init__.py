"""The Residuals page: its sections by question, the row looked at, rows left out and what that changes."""
