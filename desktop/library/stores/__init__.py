"""Models that other programs keep on this computer: found and read, never written."""
