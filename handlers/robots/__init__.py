"""The robots of WeCom's groups: letters to a village's or the office's group, and whom they may call there."""
