"""The sample town: Fuquan with its eight real townships, and people, households and gifts that are all invented."""
