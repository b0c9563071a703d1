"""The machine: chats, durability and time. It knows no product word."""
