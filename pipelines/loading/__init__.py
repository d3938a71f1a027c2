"""What every source shares: finding new files, reading them whole, and handing them to dlt."""
