"""The CSV contract, which turns a row of a spreadsheet into an event, and back."""
