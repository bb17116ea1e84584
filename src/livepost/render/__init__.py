"""Render: a person's mail from a template: Liquid inside MJML, a text part beside the HTML, a subject.

Reads: the templates it was given as text, and plain values. Writes: nothing; touches no disk, clock or
network. Promises: a template is bounded in time, memory and output; values are escaped in HTML and never run
as Liquid; a mail is the same for the same template and values.
"""
