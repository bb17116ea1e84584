"""Pictures as SVG: each with a text alternative, its colours by class, its numbers beside it in the page."""
