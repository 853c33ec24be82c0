"""The worker process: its step, heartbeat, signals, message guard, attempts and cancellation."""
