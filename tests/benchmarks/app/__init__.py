"""How long a person waits: the app in a real Chromium."""
