"""When: cron grammar, daylight saving time, intervals, bounds, planning and preview; pure."""
