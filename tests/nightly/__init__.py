"""The nightly script, as systemd and cron run it."""
