"""The report: chosen parts as one value, written as HTML or Word."""
