"""What a model says about data: shares of variance, predictions."""
