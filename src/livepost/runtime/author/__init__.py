"""What a project's author wrote, made ready to run: the project of a folder, its templates, the maker of its mails.

Reads a project folder; promises that who needs no templates does not load what renders them.
"""
