"""The project file: a whole session as one .zip, saved and restored."""
