"""Statistics that SQL lacks, behind one module: `pipelines.experiments.inference`."""
