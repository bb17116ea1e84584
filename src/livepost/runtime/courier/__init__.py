"""The courier's process: takes decisions over from the engine and has them sent."""
