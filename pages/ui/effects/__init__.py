"""The Effects page: what the model predicts, and what its means and slopes compare to."""
