"""Who reported is shown to nobody without a reason, a second person and a trace that its reporter hears of."""
