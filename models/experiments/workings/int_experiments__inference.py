"""The library's limits and p-values for every contrast: see pipelines/experiments."""


def model(dbt, session):  # noqa: ANN001, ANN201, D103
    from pipelines.experiments.contrasts import infer

    return infer(
        dbt.ref("int_experiments__contrasts").to_arrow_table(),
        dbt.ref("int_experiments__nonzero_outcomes").to_arrow_table(),
        dbt.ref("int_experiments__covariate_moments").to_arrow_table(),
    )
