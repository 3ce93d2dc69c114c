"""The room that says the words of the pages in the languages of their readers."""
