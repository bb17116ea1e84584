"""What people see: pages over a running house, live while they are open.

In: questions of a browser that has a session. Out: HTML that reads without JavaScript, pictures as SVG. Promised:
nothing is changed but by a form that says so; a page that cannot be shown says what it means for mail and data.
"""
