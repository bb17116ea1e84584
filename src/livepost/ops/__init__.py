"""Operations: what people run beside the live processes to know that all is well. Reads the log and what the engine
tells of people; writes into neither. Promises to say what it found and to change nothing."""
