"""A notification system: welcome emails, a daily digest and a nightly clean-up."""
