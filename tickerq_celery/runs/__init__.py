"""The life of a run: admit, claim, dispatch, hold, record, end, rescue and cancel."""
