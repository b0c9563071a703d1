"""WeCom's group robots."""
