"""From any table to settled columns."""
