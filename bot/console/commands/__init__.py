"""The commands beside `run`, `migrate` and `import`: keeping a deployment well, WeChat, the vault's key."""
