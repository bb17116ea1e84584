"""The processes of a house: started, held together, looked at, stopped in order."""
