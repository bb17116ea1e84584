"""What commands do to a house from outside: carry out a change, undo a merge."""
