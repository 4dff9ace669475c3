"""In which order: plan, sweep over the fleet, ingest."""
