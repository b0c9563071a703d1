"""WeChat's Official Account."""
