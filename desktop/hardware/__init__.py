"""What this machine is: processor, memory, graphics, a file a platform."""
