"""The pages of the app, one file a page, and in `ui` what they share."""
