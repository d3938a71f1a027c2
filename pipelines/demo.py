"""`make run`: the sample brand, there and back, against a local Heap and a local Customer.io."""

from __future__ import annotations

import sys

from pydantic import SecretStr

from pipelines.console import Console
from pipelines.errors import CounterfoilError
from pipelines.settings import Settings

SAMPLE_APP_ID = "2083010001"
SAMPLE_SITE_ID = "sample-site-0001"


def main() -> int:
    """Run the road from the sample export to the weekly page; 0 when it was done."""
    from pipelines.audiences.example import living, walk
    from pipelines.heap.limits import UNLIMITED
    from pipelines.road import run_all
    from pipelines.sample.brand import BRAND_WORKSPACE
    from pipelines.sample.comparison import compare, show
    from pipelines.sandbox import SandboxLimits, running_sandbox
    from pipelines.sandbox.workspace import Profile

    console = Console()
    raised = SandboxLimits(events_per_minute=None, events_per_identity_minute=None)
    try:
        with running_sandbox(limits=raised) as heap:
            settings = Settings().model_copy(
                update={
                    "heap_app_id": SecretStr(SAMPLE_APP_ID),
                    "heap_region": "us",
                    "heap_url": heap.url,
                    "site_id": SecretStr(SAMPLE_SITE_ID),
                    "track_api_key": SecretStr(SAMPLE_SITE_ID),
                    "customerio_region": "us",
                    "track_url": heap.url,
                }
            )
            run_all(
                settings,
                console,
                exports=[],
                publish=True,
                limits=UNLIMITED,
                with_unit_tests=False,  # they tell of the code, not of the sample
            )
            show(compare(settings, settings.home / "sample" / "truth"), console)
            heap.customerio.profiles = [
                Profile(one["cio_id"], one["customer_id"], one["email"])
                for one in living(settings, BRAND_WORKSPACE)
            ]
            walk(settings, console)
    except CounterfoilError as error:
        console.warn(f"Error: {error}")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
