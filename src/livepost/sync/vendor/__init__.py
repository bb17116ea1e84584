"""One vendor a file: how each wants to be told, and how it says what it did not take. Pure: requests and answers."""
