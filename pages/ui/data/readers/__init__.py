"""One reader for each kind of file; each gives a `ReadResult` or a sentence that says why not. Pure."""
