"""The model as choices, as text and as mathematics: what the Model page is made of."""
