"""What the pages that show a fit share: names of its parts, controls, readings in words."""
