"""What moves data: one package per outside system. dbt decides; this carries."""
