"""The room where the columns and the dates of a sheet are guessed that nobody described."""
