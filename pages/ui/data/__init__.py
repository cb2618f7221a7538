"""From a file, an example or pasted cells to the session's data: what the Data page is made of."""
