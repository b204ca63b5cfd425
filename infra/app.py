"""Synthesizes every stage: `python app.py`, or the CDK's own command line through `cdk.json`."""

import json
from dataclasses import replace
from pathlib import Path

from aws_cdk import App, Validations
from cdk_nag import AwsSolutionsChecks

from laydown_infra.acknowledgements import acknowledge
from laydown_infra.cell import Cell
from laydown_infra.config import STAGES

_HERE = Path(__file__).parent


def build(*, outdir: str | None = None, is_checked: bool = True) -> App:
    """Return the app with a cell for each stage; *is_checked*: cdk-nag may refuse it."""
    # Whoever runs it without the CDK's command line has no flags: old behaviour comes back.
    context = json.loads((_HERE / "cdk.json").read_text())["context"]
    app = App(outdir=outdir or str(_HERE / "cdk.out"), analytics_reporting=False, context=context)
    released = app.node.try_get_context("image_tag")  # a deployment's: `cdk deploy -c image_tag=…`
    for stage in STAGES:
        acknowledge(Cell(app, replace(stage, image_tag=released) if released else stage))
    if is_checked:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    return app


if __name__ == "__main__":
    build().synth()
