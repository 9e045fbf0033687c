"""An A/B experiment from start to end: created, started, shown, clicked, paused, and completed with the better variant.

Pictify has retired experiments: expect a 404 from the live API. This runs against the fake API.
"""

from __future__ import annotations

import sys

from pictify_client import Pictify, PictifyError
from pictify_client.models import ExperimentVariant


def main(slug: str) -> None:
    """Run an experiment with two variants, and print each step."""
    with Pictify() as pictify:
        templates = [template.uid for template in pictify.templates.list(limit=2)]
        experiment = pictify.experiments.create(
            name="Hero image",
            type="ab_test",
            slug=slug,
            # Weights are in basis points: half of the visitors see each.
            variants=[
                ExperimentVariant(id="calm", name="Calm", template_uid=templates[0], weight=5000, is_default=True),
                {"id": "bold", "name": "Bold", "templateUid": templates[-1], "weight": 5000},
            ],
            goal_config={"type": "click_through", "destinationUrl": "https://shop.example.com/"},
        )
        experiment = pictify.experiments.start(experiment.uid)
        print(f"{experiment.slug} is {experiment.status}")
        click, image = pictify.experiments.click_url(slug), pictify.url_rendering.experiment_url(slug, "png")
        print(f'<a href="{click}"><img src="{image}"></a>')

        for _ in range(4):
            with pictify.url_rendering.render_experiment(slug, "png") as shown:
                print(f"shown: {shown.content_type}")
        print(f"a click leads to {pictify.experiments.track_click(slug)}")
        result = pictify.experiments.track_events(event="conversion", experiment=slug, variant_id="bold")
        print(f"{result.processed} event reported")

        pictify.experiments.pause(experiment.uid)
        variants = pictify.experiments.get(experiment.uid).variants or []
        best = max(variants, key=lambda variant: variant.clicks or 0)
        done = pictify.experiments.complete(experiment.uid, winner_variant_id=best.id)
        print(f"{done.slug} is {done.status}: {done.winner_variant_id} wins")
        pictify.experiments.delete(experiment.uid)


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else "hero-image")
    except PictifyError as error:
        sys.exit(f"{type(error).__name__}: {error}")
