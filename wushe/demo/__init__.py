"""The whole story of one need after another, told in the terminal."""
