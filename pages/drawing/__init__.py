"""The machinery of figures: charts and passages that can be played, palette, marks, curves, grids and tables."""
