"""The same in WeChat: its platform, its phones, a worker's channel, its laws and plays."""
