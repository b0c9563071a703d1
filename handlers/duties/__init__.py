"""Recurring duties: the working calendar, the weekly clean-up, its reminders, reports and roll-call."""
