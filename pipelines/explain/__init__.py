"""Why a row, a verdict or a figure is what it is."""
