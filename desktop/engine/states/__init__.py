"""What was read of idle conversations, kept in memory and on the disk."""
