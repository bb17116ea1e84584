"""What people may ask of what is held on them: to see it, and to have it gone.

In: what stores say of themselves, and who is meant. Out: registrations, receipts. Promised: nothing here opens a store;
who runs the house brings what reads and erases.
"""
