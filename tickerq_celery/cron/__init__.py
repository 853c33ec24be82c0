"""The life of a cron ticker: fire, overlap, pause, reschedule and seed."""
